//! `POST /users`.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{authority, check_password, place, role, role_word, subtenant};
use crate::api::change::{Change, Input, Object};
use crate::api::companies::must_stay;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::token::secret::{Secret, SecretKind};
use crate::model::{BackupResource, NewUser, Profile, Role};
use crate::store::{Tx, USERS};

/// A user to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserInput {
    organization_uid: Uuid,
    role: String,
    profile: Profile,
    credentials: Credentials,
    mfa_policy_status: Option<String>,
    backup_resource: Option<BackupResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    user_name: String,
    /// Without one the user cannot sign in until a password is set.
    password: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

/// Makes a user of a role that the caller's role manages.
pub(super) async fn create(mut change: Change, Input(input): Input<UserInput>) -> Result<Rendered, ApiError> {
    let role = role(&input.role)?;
    if !change.ask.caller.role.manages(role) {
        return Err(authority::not_managed(change.ask.caller.role, role));
    }
    authority::refuse_actor(&change.ask.caller)?;
    subtenant::check(role, input.backup_resource.as_ref())?;
    let password_hash = password_hash(&change, input.credentials.password.clone()).await?;
    let mut tx = change.begin().await?;
    let place = place::place(&change.ask, &mut tx, input.organization_uid, role).await?;
    authority::must_reach(&change.ask, &mut tx, place.organization).await?;
    must_stay(&mut tx, place.organization).await?;
    must_fit(&mut tx, &input.credentials.user_name, role, place.organization).await?;
    let name = input.credentials.user_name;
    let new = NewUser { organization_uid: place.organization, name: name.clone(), role, password_hash };
    let user = tx.users().create(change.ask.state.clock(), &new).await?;
    let policy = if input.mfa_policy_status.as_deref() == Some("Enabled") { "Enabled" } else { "Disabled" };
    tx.accounts().set_profile(user.uid, &input.profile, policy).await?;
    tx.accounts().set_locations(user.uid, &place.locations).await?;
    if let Some(resource) = &input.backup_resource {
        subtenant::give(&change, &mut tx, &user, resource, input.credentials.password).await?;
    }
    let object =
        Object { kind: USERS.name, uid: user.uid.0, name: &name, organization: Some(place.organization) };
    let after = json!({
        "userName": name, "role": role_word(role), "profile": {"email": input.profile.email},
        "mfaPolicyStatus": policy, "locationUids": place.locations,
    });
    change.note(&object, None, Some(&after));
    change.commit(tx).await?;
    change.reply(&USERS, user.uid.0).await
}

/// The hash to store. Nobody knows the password of a user without one, so nobody signs in with it; and it costs the same
/// as any other.
async fn password_hash(change: &Change, password: Option<String>) -> Result<String, ApiError> {
    if let Some(password) = &password {
        check_password("credentials.password", password)?;
    }
    let password = password.unwrap_or_else(|| Secret::generate(SecretKind::Page).reveal().to_owned());
    change.ask.state.turnstile().enter().await?.hash(password).await
}

async fn must_fit(tx: &mut Tx, name: &str, role: Role, organization: Uuid) -> Result<(), ApiError> {
    if tx.users().by_name(name).await?.is_some() {
        let message = format!("a user named \"{name}\" exists already; choose another name");
        return Err(ApiError::conflict(message));
    }
    if role.is_owner() && tx.accounts().has_role(role, organization).await? {
        let word = role_word(role);
        return Err(ApiError::conflict(format!("the organisation has its {word}, and there is only one")));
    }
    Ok(())
}
