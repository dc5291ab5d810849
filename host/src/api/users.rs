//! Users, and what they sign in with.
//!
//! **Cast.** `authority` says over whom a caller decides; `place` where a new user belongs; the other files are the
//! operations. A user's logins are in `logins`; a new password by mail is `token/reset.rs`.

use utoipa::OpenApi;

use crate::api::ask::Ask;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::model::{Role, Scope};
use crate::store::list::Condition;
use crate::store::{ORGANIZATIONS, USERS};

mod assignments;
pub(crate) mod authority;
mod create;
mod logins;
mod patch;
mod place;
mod remove;
mod reset;
pub(crate) mod subtenant;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetUsers", &USERS)
        .add("GetUsersByOrganization", of_organization)
        .add("GetCurrentUser", me)
        .get("GetUser", &USERS)
        .add("CreateUser", create::create)
        .add("PatchUser", patch::patch)
        .add("DeleteUser", remove::remove)
        .add("GetUserAssignments", assignments::get)
        .add("SetUserAssignments", assignments::put)
        .open("CreateResetPasswordRequest", reset::ask)
        .open("CompleteResetPasswordRequest", reset::complete)
        .merge(logins::routes())
}

/// The documentation of our additions.
#[derive(Debug, OpenApi)]
#[openapi(paths(assignments::get, assignments::put))]
pub(crate) struct Docs;

/// Shorter passwords are refused.
pub(crate) const SHORTEST_PASSWORD: usize = 8;

/// Refuses a password that is too easily guessed.
pub(crate) fn check_password(property: &str, password: &str) -> Result<(), ApiError> {
    if password.chars().count() >= SHORTEST_PASSWORD {
        return Ok(());
    }
    let message =
        format!("{property} has fewer than {SHORTEST_PASSWORD} characters; choose a longer password");
    Err(ApiError::property(property, message))
}

/// Who is asking, whatever else they see.
async fn me(mut ask: Ask) -> Result<Rendered, ApiError> {
    ask.caller.scope = Scope::Provider;
    let mut tx = ask.state.store().read().await?;
    ask.find(&mut tx, &USERS, &Condition::All(Vec::new()), ask.caller.uid.0).await
}

/// The users of an organisation. Whoever sees a part of it only, a location, sees its users as far as they see users.
async fn of_organization(ask: Ask) -> Result<Rendered, ApiError> {
    let uid = ask.uid("organizationUid")?;
    let mut tx = ask.state.store().read().await?;
    if ask.caller.scope.company().is_none_or(|company| company.0 != uid) {
        ask.must_see(&mut tx, &ORGANIZATIONS, uid).await?;
    }
    let of = ask.belongs(&USERS, "organizationUid", "organizationUid")?;
    ask.page(&mut tx, &USERS, &of).await
}

macro_rules! user_roles {
    ($($role:ident => $word:ident,)+) => {
        /// The word that users carry for a role: the operations table has other words for the same ones.
        pub(crate) fn role_word(role: Role) -> &'static str {
            match role { $(Role::$role => stringify!($word),)+ }
        }
    };
}

user_roles! {
    PortalAdministrator => PortalAdministrator,
    SiteAdministrator => SiteAdministrator,
    PortalOperator => PortalOperator,
    ReadOnlyUser => PortalReadonlyOperator,
    ServiceProviderGlobalAdministrator => ResellerOwner,
    ServiceProviderAdministrator => ResellerAdministrator,
    ServiceProviderOperator => ResellerOperator,
    ServiceProviderUser => ResellerUser,
    ServiceProviderInvoiceAuditor => ResellerInvoiceAuditor,
    CompanyOwner => CompanyOwner,
    CompanyAdministrator => CompanyAdministrator,
    CompanyTenant => CompanyTenant,
    LocationAdministrator => CompanyLocationAdministrator,
    LocationUser => CompanyLocationUser,
    SubTenant => CompanySubtenant,
    CompanyInvoiceAuditor => CompanyInvoiceAuditor,
}

/// The role that a word of users means.
fn role(word: &str) -> Result<Role, ApiError> {
    Role::ALL.iter().copied().find(|role| role_word(*role) == word).ok_or_else(|| {
        let words: Vec<_> = Role::ALL.iter().map(|role| role_word(*role)).collect();
        let message = format!("role: a user cannot be {word}; the roles are {}", words.join(", "));
        ApiError::property("role", message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::contract;

    #[test]
    fn every_role_has_its_word_of_the_contract() {
        let words = contract::words("User", "role");
        for word in words.iter().filter(|word| **word != "Unknown") {
            assert_eq!(role_word(role(word).unwrap()), *word);
        }
        assert_eq!(words.len(), Role::ALL.len() + 1);
        assert_eq!(role("Unknown").unwrap_err().property_name(), Some("role"));
    }
}
