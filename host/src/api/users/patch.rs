//! `PATCH /users/{userUid}`.

use serde_json::{Value, json};

use super::{authority, check_password, place, remove, role, role_word, subtenant};
use crate::api::change::{Change, Input, Object};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::{JsonPatch, Patched};
use crate::id::{CompanyUid, UserUid};
use crate::model::{Role, Scope, TokenKind, User};
use crate::store::{Tx, USERS};

/// What is no column of the resource, and written here.
const EXTRA: &[&str] = &["status", "role", PASSWORD];
const PASSWORD: &str = "credentials.password";
const MAIL: &str = "profile.email";
/// What lets people in, or keeps them out.
const DOORS: &[&str] = &[MAIL, "mfaPolicyStatus", "role", "status", PASSWORD];

/// Changes a user: their profile, password, status, role, and whether they must have a second factor.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.object()?.1;
    // Judged once before the transaction, so that a hash that takes its time holds up no other writer.
    let mut tx = change.ask.state.store().read().await?;
    let seen = begin(&mut change, &mut tx, uid, &steps).await?;
    drop(tx);
    let password = password(&seen.patched)?;
    let hash = match password.clone() {
        Some(password) => Some(change.ask.state.turnstile().enter().await?.hash(password).await?),
        None => None,
    };
    let mut tx = change.begin().await?;
    let Target { user, role, patched } = begin(&mut change, &mut tx, uid, &steps).await?;
    // Whoever may change a user sees them: oneself is there even for those who see nobody else.
    change.ask.caller.scope = Scope::Provider;
    check_policy(&change, &user, &patched)?;
    set_role(&change, &mut tx, &user, role, &patched).await?;
    set_status(&change, &mut tx, &user, role, &patched).await?;
    let organization = Some(user.organization_uid);
    if let Some(hash) = hash {
        tx.accounts().set_password(user.uid, &hash).await?;
        tx.credentials().revoke_user(change.ask.state.clock(), user.uid).await?;
        let object = Object { kind: USERS.name, uid, name: &user.name, organization };
        change.note(
            &object,
            Some(&json!({})),
            Some(&json!({PASSWORD: "a new one; sessions end, API keys stay"})),
        );
    }
    if patched.changed(MAIL).is_some() {
        // A code that went to the former address is no longer in the hands of whoever reads the user's mail.
        tx.credentials().revoke_kind(change.ask.state.clock(), user.uid, TokenKind::Reset).await?;
    }
    if password.is_some() || patched.changed("status").is_some() {
        let enabled = patched.text("status") == "Enabled";
        subtenant::edit(&change, &mut tx, &user, (enabled, password)).await?;
    }
    change.write(&mut tx, uid, &patched, &user.name, organization).await?;
    change.commit(tx).await?;
    change.reply(&USERS, uid).await
}

struct Target {
    user: User,
    role: Role,
    patched: Patched,
}

async fn begin(
    change: &mut Change,
    tx: &mut Tx,
    uid: uuid::Uuid,
    steps: &[JsonPatch],
) -> Result<Target, ApiError> {
    let (user, role) = authority::changeable(&change.ask, tx, UserUid(uid)).await?;
    let own = std::mem::replace(&mut change.ask.caller.scope, Scope::Provider);
    let patched = change.patched(tx, &USERS, uid, steps, EXTRA).await;
    // Judged twice, and by the caller's own scope both times.
    change.ask.caller.scope = own;
    let patched = patched?;
    if DOORS.iter().any(|name| patched.changed(name).is_some()) {
        authority::refuse_actor(&change.ask.caller)?;
    }
    Ok(Target { user, role, patched })
}

fn password(patched: &Patched) -> Result<Option<String>, ApiError> {
    match patched.changed(PASSWORD) {
        None => Ok(None),
        Some(Value::String(password)) => {
            check_password(PASSWORD, password)?;
            Ok(Some(password.clone()))
        }
        Some(_) => Err(ApiError::property(PASSWORD, "credentials.password must be a text")),
    }
}

fn check_policy(change: &Change, user: &User, patched: &Patched) -> Result<(), ApiError> {
    const NAME: &str = "mfaPolicyStatus";
    let is_inherited = patched.before.get(NAME).and_then(Value::as_str) == Some("EnabledByInheritance");
    match patched.changed(NAME).and_then(Value::as_str) {
        Some("Disabled") if user.uid == change.ask.caller.uid => Err(ApiError::forbidden(
            "nobody frees themselves from the second factor; ask another administrator",
        )),
        Some("Disabled") if is_inherited => Err(ApiError::switched_off(
            NAME,
            "the user's organization or its manager enforces a second factor; it can be switched off only there"
                .to_owned(),
        )),
        None | Some("Enabled" | "Disabled") => Ok(()),
        Some(word) => {
            Err(ApiError::property(NAME, format!("{NAME} is set to Enabled or Disabled, not {word}")))
        }
    }
}

async fn set_status(
    change: &Change,
    tx: &mut Tx,
    user: &User,
    role: Role,
    patched: &Patched,
) -> Result<(), ApiError> {
    let Some(status) = patched.changed("status") else { return Ok(()) };
    let enabled = match status.as_str() {
        Some("Enabled") => true,
        Some("Disabled") => false,
        _ => return Err(ApiError::property("status", "status is set to Enabled or Disabled")),
    };
    not_oneself(change, user, "status")?;
    if !enabled {
        remove::must_not_be_last(tx, user, role).await?;
        tx.credentials().revoke_user(change.ask.state.clock(), user.uid).await?;
    }
    Ok(tx.accounts().enable(user.uid, enabled).await?)
}

async fn set_role(
    change: &Change,
    tx: &mut Tx,
    user: &User,
    before: Role,
    patched: &Patched,
) -> Result<(), ApiError> {
    let Some(word) = patched.changed("role") else { return Ok(()) };
    let after = role(word.as_str().unwrap_or_default())?;
    not_oneself(change, user, "role")?;
    if !change.ask.caller.role.manages(after) {
        return Err(authority::not_managed(change.ask.caller.role, after));
    }
    if before.tier() != after.tier() {
        let message =
            format!("role: {} is of another kind of organisation than this user's", role_word(after));
        return Err(ApiError::property("role", message));
    }
    if before.is_owner() || after.is_owner() {
        return Err(ApiError::conflict("an organisation has one owner, who stays the owner"));
    }
    remove::must_not_be_last(tx, user, before).await?;
    if !after.has_locations() {
        tx.accounts().set_locations(user.uid, &[]).await?;
    } else if tx.accounts().locations(user.uid).await?.is_empty() {
        let first = place::first_location(tx, CompanyUid(user.organization_uid)).await?;
        tx.accounts().set_locations(user.uid, &first).await?;
    }
    if !after.has_sites() {
        tx.accounts().set_sites(user.uid, &[]).await?;
    }
    // Their account on the server is a subtenant's.
    subtenant::take(change, tx, user).await?;
    Ok(tx.accounts().set_role(user.uid, after).await?)
}

fn not_oneself(change: &Change, user: &User, property: &str) -> Result<(), ApiError> {
    if user.uid != change.ask.caller.uid {
        return Ok(());
    }
    Err(ApiError::forbidden(format!("nobody changes their own {property}; ask another administrator")))
}
