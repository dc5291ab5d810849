//! What users sign in with beside their password: API keys and second factors. Everybody has their own; those of others
//! are there only for whoever manages these users.

use axum::response::Response;

use super::authority;
use crate::api::ask::Ask;
use crate::api::change::Object;
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::query::{Shape, brief};
use crate::id::{LoginUid, UserUid};
use crate::model::{LoginScope, Role, Scope, User};
use crate::store::list::{Collation, Comparison, Condition, Property, Value};
use crate::store::{LOGINS, Tx};

mod add;
mod patch;
mod remove;

/// The operations of this area.
pub(super) fn routes() -> Routes {
    Routes::default()
        .add("GenerateTotpSecret", add::secret)
        .add("GetLogins", all)
        .add("GetUserLogins", of_user)
        .add("GetUserLogin", one)
        .add("AddApiKeyLogin", add::key)
        .add("AddTotpLogin", add::totp)
        .add("UpdateUserLogin", patch::patch)
        .add("DeleteUserLogin", remove::remove)
        .add("RevokeAuthenticationToken", remove::revoke)
}

/// A user with more would not know which is which.
const MOST: i64 = 100;

fn equals(property: Property, value: Value) -> Condition {
    Condition::Compare { property, comparison: Comparison::Equals, value, collation: Collation::Ordinal }
}

fn of(user: UserUid) -> Condition {
    equals(Property::uuid("userUid", "g.user_uid"), Value::Uuid(user.0))
}

/// One's own logins, and those of the users whom one manages.
async fn all(mut ask: Ask) -> Result<Rendered, ApiError> {
    let mut allowed = vec![of(ask.caller.uid)];
    if authority::changes_users(ask.caller.role) {
        let managed = Role::ALL.iter().filter(|role| ask.caller.role.manages(**role));
        let role = Property::text("role", "u.role");
        allowed.extend(managed.map(|managed| equals(role, Value::Text(managed.name().to_owned()))));
    } else {
        // Their own are there even for those who see nobody's: the condition is narrower than any scope.
        ask.caller.scope = Scope::Provider;
    }
    let mut tx = ask.state.store().read().await?;
    ask.page(&mut tx, &LOGINS, &Condition::Any(allowed)).await
}

async fn of_user(mut ask: Ask) -> Result<Rendered, ApiError> {
    let user = UserUid(ask.uid("userUid")?);
    let mut tx = ask.state.store().read().await?;
    authority::over_logins(&ask, &mut tx, user).await?;
    ask.caller.scope = Scope::Provider;
    ask.page(&mut tx, &LOGINS, &of(user)).await
}

async fn one(mut ask: Ask) -> Result<Rendered, ApiError> {
    let mut tx = ask.state.store().read().await?;
    let (user, uid) = login(&ask, &mut tx).await?;
    ask.caller.scope = Scope::Provider;
    ask.find(&mut tx, &LOGINS, &of(user.uid), uid.0).await
}

/// The login of the path, if the caller decides over it.
async fn login(ask: &Ask, tx: &mut Tx) -> Result<(User, LoginUid), ApiError> {
    let user = authority::over_logins(ask, tx, UserUid(ask.uid("userUid")?)).await?;
    let id = ask.number("userLoginId")?;
    let uid = tx.logins().uid(user.uid, id).await?.ok_or_else(|| ApiError::absent(LOGINS.name, id))?;
    Ok((user, uid))
}

/// A login as the activity log names it: its description says which one it is.
fn object<'o>(user: &User, uid: LoginUid, description: &'o str) -> Object<'o> {
    Object { kind: LOGINS.name, uid: uid.0, name: description, organization: Some(user.organization_uid) }
}

/// What is known of a login, for the activity log and for the answer.
async fn shown(tx: &mut Tx, uid: LoginUid) -> Result<serde_json::Value, ApiError> {
    let everything = Condition::All(Vec::new());
    let found = tx.find(&LOGINS, &Scope::Provider, &everything, uid.0, &LOGINS.shown()).await?;
    Ok(found.ok_or_else(|| ApiError::absent(LOGINS.name, uid))?.value())
}

/// What is common to new logins of both kinds.
struct Given {
    description: String,
    scopes: Vec<LoginScope>,
}

impl Given {
    fn read(ask: &Ask) -> Result<Self, ApiError> {
        const NAME: &str = "description";
        let missing = || ApiError::parameter(NAME, "description is missing: say what the login is for");
        let description = ask.parameter(NAME)?.ok_or_else(missing)?.to_owned();
        check_description(&description).map_err(|message| ApiError::parameter(NAME, message))?;
        Ok(Self { description, scopes: scopes(&ask.parameters("scopes"))? })
    }
}

fn check_description(description: &str) -> Result<(), String> {
    let length = description.chars().count();
    if (1..=128).contains(&length) && !description.contains(['<', '>', '=']) {
        return Ok(());
    }
    Err("description has 1 to 128 characters and none of < > =".to_owned())
}

/// `scopes=rest&scopes=ui`, `scopes=rest,ui` and `scopes=["rest","ui"]` are the same.
fn scopes(texts: &[&str]) -> Result<Vec<LoginScope>, ApiError> {
    let words = texts.iter().flat_map(|text| text.split(|c: char| "[],\"' ".contains(c)));
    let mut scopes = Vec::new();
    for word in words.filter(|word| !word.is_empty()) {
        let scope: LoginScope = word.to_ascii_lowercase().parse().map_err(|()| {
            let names = LoginScope::ALL.map(LoginScope::name).join(", ");
            ApiError::parameter("scopes", format!("scopes: \"{}\" is none of {names}", brief(word)))
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        let message = "scopes is missing: a script that speaks the REST API needs scopes=rest";
        return Err(ApiError::parameter("scopes", message));
    }
    Ok(scopes)
}

async fn must_have_room(tx: &mut Tx, user: UserUid) -> Result<(), ApiError> {
    if tx.logins().count(user).await? < MOST {
        return Ok(());
    }
    Err(ApiError::conflict(format!("the user has {MOST} logins; delete those that are not needed any more")))
}

/// An answer of nothing but "done".
fn done() -> Result<Response, ApiError> {
    envelope::one(&true, &Shape::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_in_every_notation() {
        for texts in
            [&["rest", "ui"][..], &["rest,ui"], &["[\"rest\",\"ui\"]"], &["['REST'", "'ui']", "rest"]]
        {
            assert_eq!(scopes(texts).unwrap(), [LoginScope::Rest, LoginScope::Ui], "{texts:?}");
        }
        assert_eq!(scopes(&["everything"]).unwrap_err().parameter_name(), Some("scopes"));
        assert!(scopes(&[]).is_err() && scopes(&["[]"]).is_err());
    }

    #[test]
    fn a_description_is_short_and_no_markup() {
        assert!(check_description("nightly report").is_ok() && check_description(&"ü".repeat(128)).is_ok());
        for bad in ["", "a<b", "a=b", &"x".repeat(129)] {
            assert!(check_description(bad).is_err(), "{bad}");
        }
    }
}
