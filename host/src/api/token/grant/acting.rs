//! Support acts in a customer's place: a pair of tokens of the customer's that carry who acts. Only whoever may change a
//! user may act for them, and only for users of a tier below. The tokens join the family of the refresh token that was
//! sent: when that sign-in ends, so do they. The refresh token itself is not spent: whoever acts stays signed in.

use std::net::IpAddr;

use super::{pair, refresh_token, revoke, usable};
use crate::api::ApiState;
use crate::api::context::{self, Entrance};
use crate::api::token::log::{self, Event};
use crate::api::token::sign_in::{Door, SignInError};
use crate::api::token::{OAuth2ErrorCode, OAuth2Result, TokenError};
use crate::api::users::authority;
use crate::id::UserUid;
use crate::model::{Session, Token};
use crate::store::Tx;

/// A pair of tokens of `user`, for the owner of the refresh token.
pub(in crate::api::token) async fn by_acting(
    state: &ApiState,
    text: &str,
    user: UserUid,
    read_only: bool,
    address: IpAddr,
) -> Result<OAuth2Result, TokenError> {
    let door = Door { entrance: Entrance::Rest, address };
    let secret = refresh_token(text)?;
    let mut tx = state.store().write().await?;
    let token = usable(&mut tx, &secret, state.clock().now_ms()).await?;
    if token.used_at.is_some() {
        return Err(revoke(state, tx, &token, door).await?);
    }
    if token.actor_uid.is_some() {
        let message = "whoever acts for somebody cannot act for a third one; use your own refresh token";
        return refuse(state, tx, (&token, user), door, message).await;
    }
    let (mut tx, actor) = super::owner(state, tx, &token, door).await?;
    let Some(target) = authority::to_act_for(&mut tx, &actor, user).await? else {
        let message = "there is no such user, or you may not act for them";
        return refuse(state, tx, (&token, user), door, message).await;
    };
    let caller = match context::recognise(&mut tx, &target, Entrance::Rest).await {
        Ok(caller) => caller,
        Err(refusal) => {
            drop(tx);
            let refusal = door.turned_away(state, &target, Some(actor.uid), refusal).await;
            return Err(SignInError::NotLetIn(refusal).into());
        }
    };
    let message = format!("{} begins to act for {}", actor.name, target.name);
    let event = Event {
        address,
        operation: "OAuth2IssueToken",
        user: Some(&target),
        actor: Some(actor.uid),
        allowed: true,
        message: &message,
    };
    log::note(state, &mut tx, event).await?;
    let session = Session {
        login_id: token.login_id,
        actor_uid: Some(actor.uid),
        read_only: read_only || token.read_only,
    };
    let pair = pair(state, &mut tx, caller.uid, token.family, session).await?;
    tx.commit().await?;
    Ok(pair)
}

/// Refuses, and writes down who wanted to act for whom.
async fn refuse(
    state: &ApiState,
    mut tx: Tx,
    (token, target): (&Token, UserUid),
    door: Door,
    message: &str,
) -> Result<OAuth2Result, TokenError> {
    let user = tx.users().get(token.user_uid).await?;
    let noted = format!("wanted to act for the user {target}: {message}");
    let event = Event {
        address: door.address,
        operation: "OAuth2IssueToken",
        user: user.as_ref(),
        actor: token.actor_uid,
        allowed: false,
        message: &noted,
    };
    log::note(state, &mut tx, event).await?;
    tx.commit().await?;
    Err(TokenError::OAuth(OAuth2ErrorCode::UnauthorizedClient, message.to_owned()))
}
