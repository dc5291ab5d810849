//! Which users a caller decides over: those in their scope whose role theirs manages. Everybody decides over their own
//! logins; what belongs to others is there only for those who manage them.

use crate::api::ask::Ask;
use crate::api::context::Caller;
use crate::api::error::ApiError;
use crate::api::operations;
use crate::id::UserUid;
use crate::model::{Role, User};
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
    let below = actor.role.acts_for(role_of(&user)?);
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
    if own || ask.caller.role.manages(role) {
        return Ok((user, role));
    }
    Err(not_managed(ask.caller.role, role))
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
    if own || ask.caller.role.manages(role_of(&found)?) { Ok(found) } else { Err(absent()) }
}

/// Refuses what would let somebody in later and without a trace: whoever acts for a user leaves no key of theirs behind.
pub(crate) fn refuse_actor(caller: &Caller) -> Result<(), ApiError> {
    match &caller.actor {
        None => Ok(()),
        Some(_) => Err(ApiError::forbidden(
            "whoever acts in a user's place changes neither their passwords nor their logins; do it under your own name",
        )),
    }
}
