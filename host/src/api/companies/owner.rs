//! The owner's credentials, as a company and a reseller have them: the user they belong to is made with the organisation,
//! and follows when they are patched.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Object};
use crate::api::error::ApiError;
use crate::api::patch::Patched;
use crate::api::token::secret::{Secret, SecretKind};
use crate::api::users::{authority, check_password};
use crate::model::{NewUser, Role, User};
use crate::store::{Tx, USERS};

/// What a patch may name of the credentials, beside the resource's own columns.
pub(crate) const EXTRA: &[&str] = &[NAME, PASSWORD];
const NAME: &str = "ownerCredentials.userName";
const PASSWORD: &str = "ownerCredentials.password";

/// Who will own it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OwnerCredentials {
    /// What they sign in with.
    pub(crate) user_name: String,
    /// Without one the owner cannot sign in until a password is set.
    password: Option<String>,
}

impl std::fmt::Debug for OwnerCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnerCredentials").field("user_name", &self.user_name).finish_non_exhaustive()
    }
}

impl OwnerCredentials {
    /// The hash to store. Nobody knows the password of an owner without one, so nobody signs in with it; and it costs
    /// the same as any other.
    pub(crate) async fn hash(&self, change: &Change) -> Result<String, ApiError> {
        if let Some(password) = &self.password {
            authority::refuse_actor(&change.ask.caller)?;
            check_password(PASSWORD, password)?;
        }
        let password =
            self.password.clone().unwrap_or_else(|| Secret::generate(SecretKind::Page).reveal().to_owned());
        change.ask.state.turnstile().enter().await?.hash(password).await
    }
}

/// Refuses a name that somebody signs in with already.
pub(crate) async fn must_be_free(tx: &mut Tx, owner: &str) -> Result<(), ApiError> {
    if tx.users().by_name(owner).await?.is_none() {
        return Ok(());
    }
    let message = format!("a user named \"{owner}\" exists already; choose another name for the owner");
    Err(ApiError::conflict(message))
}

/// The hash of the password that a patch sets, if it sets one. Worked out before the transaction, so that it holds up no
/// other writer.
pub(crate) async fn new_hash(change: &Change, patched: &Patched) -> Result<Option<String>, ApiError> {
    match patched.changed(PASSWORD) {
        None => Ok(None),
        Some(Value::String(password)) => {
            check_password(PASSWORD, password)?;
            let password = password.clone();
            change.ask.state.turnstile().enter().await?.hash(password).await.map(Some)
        }
        Some(_) => Err(ApiError::property(PASSWORD, format!("{PASSWORD} must be a text"))),
    }
}

/// Has the owner's user follow a patch; one that does not exist is made with its first password.
pub(crate) async fn follow(
    change: &mut Change,
    tx: &mut Tx,
    (organization, role): (Uuid, Role),
    patched: &Patched,
    hash: Option<String>,
) -> Result<(), ApiError> {
    if EXTRA.iter().any(|credential| patched.changed(credential).is_some()) {
        authority::refuse_actor(&change.ask.caller)?;
        authority::must_reach(&change.ask, tx, organization).await?;
    }
    let clock = change.ask.state.clock();
    let owner = tx.owners().of(organization, role).await?;
    let name = patched.text(NAME).to_owned();
    if patched.changed(NAME).is_some() {
        let same = owner.as_ref().is_some_and(|owner| owner.name.to_lowercase() == name.to_lowercase());
        if !same {
            must_be_free(tx, &name).await?;
        }
        tx.owners().note(organization, &name).await?;
        if let Some(owner) = &owner {
            tx.owners().rename(owner.uid, &name).await?;
        }
    }
    let Some(password_hash) = hash else { return Ok(()) };
    if let Some(owner) = owner {
        tx.accounts().set_password(owner.uid, &password_hash).await?;
        tx.credentials().revoke_user(clock, owner.uid).await?;
        noted(change, &owner, organization, json!({}), PASSWORD);
    } else {
        must_be_free(tx, &name).await?;
        let new = NewUser { organization_uid: organization, name, role, password_hash };
        let owner = tx.users().create(clock, &new).await?;
        noted(change, &owner, organization, Value::Null, "role");
    }
    Ok(())
}

fn noted(change: &mut Change, owner: &User, organization: Uuid, before: Value, what: &str) {
    let organization = Some(organization);
    let object = Object { kind: USERS.name, uid: owner.uid.0, name: &owner.name, organization };
    let before = (!before.is_null()).then_some(before);
    change.note(
        &object,
        before.as_ref(),
        Some(&json!({what: if what == PASSWORD { "a new one" } else { &owner.role }})),
    );
}
