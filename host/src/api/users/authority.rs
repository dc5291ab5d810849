//! Which users a caller decides over: those in their scope whose role theirs manages, and who see no more than they do
//! themselves. Everybody decides over their own logins; what belongs to others is there only for those who manage them.
//!
//! **Reach.** Whoever sees a part sees users who see more than that part: those of a company that has something at other
//! sites too, those who have other locations too. A password or a key of theirs would lead beyond one's own part.

use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::context::Caller;
use crate::api::error::ApiError;
use crate::api::operations;
use crate::id::UserUid;
use crate::model::{Role, Scope, User};
use crate::store::{Tx, USERS};

/// The operation that changes a user: whoever may call it for a user decides over them.
const CHANGES: &str = "PatchUser";

/// Whether users of this role change users at all.
pub(crate) fn changes_users(role: Role) -> bool {
    operations::find(CHANGES).is_some_and(|operation| operation.admits(role))
}

/// The role of a user.
pub(crate) fn role_of(user: &User) -> Result<Role, ApiError> {
    user.role.parse().map_err(|error: String| ApiError::internal(error))
}

/// The user in whose place `actor` may act. Absent: there is none, not in their scope, or not below them; which of these
/// is nobody's business.
pub(crate) async fn to_act_for(tx: &mut Tx, actor: &Caller, user: UserUid) -> Result<Option<User>, ApiError> {
    if !changes_users(actor.role) || !tx.sees(&USERS, &actor.scope, user.0).await? {
        return Ok(None);
    }
    let Some(user) = tx.users().get(user).await? else { return Ok(None) };
    let below = actor.role.acts_for(role_of(&user)?) && reaches(tx, actor.scope, &user).await?;
    Ok(below.then_some(user))
}

/// A user that the caller may change: themselves, or one that their role manages.
pub(crate) async fn changeable(ask: &Ask, tx: &mut Tx, user: UserUid) -> Result<(User, Role), ApiError> {
    let own = user == ask.caller.uid;
    if !own {
        ask.must_see(tx, &USERS, user.0).await?;
    }
    let user = tx.users().get(user).await?.ok_or_else(|| ApiError::absent(USERS.name, user))?;
    let role = role_of(&user)?;
    if own {
        return Ok((user, role));
    }
    if !ask.caller.role.manages(role) {
        return Err(not_managed(ask.caller.role, role));
    }
    if !reaches(tx, ask.caller.scope, &user).await? {
        return Err(ApiError::absent(USERS.name, user.uid));
    }
    Ok((user, role))
}

/// Whether everything that a user in the caller's scope sees is in that scope too.
async fn reaches(tx: &mut Tx, scope: Scope, user: &User) -> Result<bool, ApiError> {
    Ok(match scope {
        Scope::Location(_, own) => tx.accounts().locations_beyond(user.uid, own).await? == 0,
        _ => reaches_organization(tx, scope, user.organization_uid).await?,
    })
}

/// The same of whoever sees all of an organisation.
async fn reaches_organization(tx: &mut Tx, scope: Scope, organization: Uuid) -> Result<bool, ApiError> {
    let Scope::Site(own) = scope else { return Ok(true) };
    Ok(tx.accounts().sites_beyond(organization, own).await? == 0)
}

/// Refuses to let somebody into an organisation that reaches beyond the caller's own sites.
pub(crate) async fn must_reach(ask: &Ask, tx: &mut Tx, organization: Uuid) -> Result<(), ApiError> {
    if reaches_organization(tx, ask.caller.scope, organization).await? {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "this organization has something at sites that are not yours, so you let nobody into it; ask the provider",
    ))
}

/// The refusal of whoever does not manage users of a role.
pub(crate) fn not_managed(own: Role, other: Role) -> ApiError {
    let (own, other) = (own.name(), other.name());
    ApiError::forbidden(format!("users of the role {own} do not decide over users of the role {other}"))
}

/// A user over whose logins the caller decides. Anybody else's are as if they did not exist.
pub(crate) async fn over_logins(ask: &Ask, tx: &mut Tx, user: UserUid) -> Result<User, ApiError> {
    let absent = || ApiError::absent(USERS.name, user);
    let own = user == ask.caller.uid;
    let decides = changes_users(ask.caller.role) && tx.sees(&USERS, &ask.caller.scope, user.0).await?;
    if !own && !decides {
        return Err(absent());
    }
    let found = tx.users().get(user).await?.ok_or_else(absent)?;
    let manages = ask.caller.role.manages(role_of(&found)?);
    if own || (manages && reaches(tx, ask.caller.scope, &found).await?) { Ok(found) } else { Err(absent()) }
}

/// Refuses what would let somebody in later and without a trace: whoever acts for a user leaves no key of theirs behind.
pub(crate) fn refuse_actor(caller: &Caller) -> Result<(), ApiError> {
    match &caller.actor {
        None => Ok(()),
        Some(_) => Err(ApiError::forbidden(
            "whoever acts in a user's place changes nothing that lets people in: no password, login, mail address, role, \
             status or second factor; do it under your own name",
        )),
    }
}

/// Refuses a key of somebody who may do no more than the caller: as nobody acts for peers, it would only blur who did what.
pub(crate) fn refuse_peer(caller: &Caller, user: &User) -> Result<(), ApiError> {
    if user.uid == caller.uid || role_of(user)? != caller.role {
        return Ok(());
    }
    Err(ApiError::forbidden("nobody makes a key for another user of their own role; they make it themselves"))
}
