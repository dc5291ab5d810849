//! The ways to a pair of tokens: a password, the code after it, a refresh token, and a refresh token of somebody who acts
//! in another's place.

use std::net::IpAddr;

use uuid::Uuid;

use super::secret::{Secret, SecretKind};
use super::sign_in::{self, Door, Entered, Proof, SignInError, Step, sign_in};
use super::{OAuth2Result, TokenError};
use crate::api::ApiState;
use crate::api::context::{self, Caller, Entrance};
use crate::clock::HOUR;
use crate::id::{UserUid, fresh};
use crate::model::{NewToken, Session, Token, TokenKind};
use crate::store::{StoreError, Tx};

mod acting;

pub(super) use acting::by_acting;

/// Milliseconds that an access token lives.
const ACCESS: i64 = HOUR;
/// Milliseconds that a refresh token lives.
const REFRESH: i64 = 48 * HOUR;

/// A first pair, for a password; or what goes with the code that is wanted.
pub(super) async fn by_password(
    state: &ApiState,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<OAuth2Result, TokenError> {
    let door = Door { entrance: Entrance::Rest, address };
    match sign_in(state, name, password, door).await? {
        Step::In(caller) => {
            let (tx, session) = (state.store().write().await?, Session::default());
            first_pair(state, Entered { tx, caller, session }, door).await
        }
        Step::Code(token) | Step::Setup(token, _) => Ok(OAuth2Result::code_wanted(&token)),
    }
}

/// A first pair, for the code after the password.
pub(super) async fn by_code(
    state: &ApiState,
    token: &str,
    code: &str,
    address: IpAddr,
) -> Result<OAuth2Result, TokenError> {
    let door = Door { entrance: Entrance::Rest, address };
    let entered = sign_in::with_code(state, Proof { token, code, new_factor: None }, door).await?;
    first_pair(state, entered, door).await
}

async fn first_pair(state: &ApiState, entered: Entered, door: Door) -> Result<OAuth2Result, TokenError> {
    let Entered { mut tx, caller, session } = entered;
    let pair = pair(state, &mut tx, caller.uid, fresh(state.clock()), session).await?;
    // Whoever signs in sweeps the doorstep: no token outlives its expiry for long.
    tx.credentials().delete_expired(state.clock().now_ms()).await?;
    let user = tx.users().get(caller.uid).await?;
    door.note(state, &mut tx, user.as_ref(), true, "signed in").await?;
    tx.commit().await?;
    Ok(pair)
}

/// The next pair, for a refresh token that has not been used.
pub(super) async fn by_refresh_token(
    state: &ApiState,
    text: &str,
    address: IpAddr,
) -> Result<OAuth2Result, TokenError> {
    let door = Door { entrance: Entrance::Rest, address };
    let secret = refresh_token(text)?;
    let mut tx = state.store().write().await?;
    let token = usable(&mut tx, &secret, state.clock().now_ms()).await?;
    if !tx.credentials().use_token(state.clock(), token.uid).await? {
        return Err(revoke(state, tx, &token, door).await?);
    }
    let (mut tx, caller) = owner(state, tx, &token, door).await?;
    let pair = pair(state, &mut tx, caller.uid, token.family, Session::from(&token)).await?;
    tx.commit().await?;
    Ok(pair)
}

/// Whose token this is, if they may still come in; and if somebody acts for them, whether those still may.
async fn owner(state: &ApiState, mut tx: Tx, token: &Token, door: Door) -> Result<(Tx, Caller), TokenError> {
    let user = tx.users().get(token.user_uid).await?;
    let user = user.ok_or_else(|| TokenError::invalid_grant("the user does not exist any more"))?;
    let (mut tx, caller) = door.let_in(state, tx, &user).await.map_err(SignInError::NotLetIn)?;
    match context::acted_for(&mut tx, caller, Session::from(token)).await {
        Ok(caller) => Ok((tx, caller)),
        Err(refusal) => {
            drop(tx);
            let refusal = door.turned_away(state, &user, token.actor_uid, refusal).await;
            Err(SignInError::NotLetIn(refusal).into())
        }
    }
}

fn refresh_token(text: &str) -> Result<Secret, TokenError> {
    match Secret::parse(text) {
        Ok((SecretKind::Refresh, secret)) => Ok(secret),
        Ok((kind, _)) => {
            Err(TokenError::invalid_grant(format!("the {} that was sent cannot be refreshed", kind.name())))
        }
        Err(error) => Err(TokenError::invalid_grant(error.to_string())),
    }
}

/// The token was used before: whoever has it now, all of its sign-in ends.
async fn revoke(state: &ApiState, mut tx: Tx, token: &Token, door: Door) -> Result<TokenError, StoreError> {
    tx.credentials().revoke_family(state.clock(), token.family).await?;
    let user = tx.users().get(token.user_uid).await?;
    let message = "a refresh token came back that was used before: its sign-in is revoked";
    door.note(state, &mut tx, user.as_ref(), false, message).await?;
    tx.commit().await?;
    tracing::warn!(user = %token.user_uid, "a refresh token came back: its sign-in is revoked");
    Ok(TokenError::invalid_grant(
        "the refresh token was used before, so all tokens of its sign-in are revoked; sign in again",
    ))
}

async fn usable(tx: &mut Tx, secret: &Secret, now: i64) -> Result<Token, TokenError> {
    let token = tx.credentials().token_by_hash(&secret.hash()).await?;
    token.filter(|token| token.is_good(TokenKind::Refresh, now)).ok_or_else(|| {
        TokenError::invalid_grant("the refresh token has expired or was revoked; sign in again")
    })
}

async fn pair(
    state: &ApiState,
    tx: &mut Tx,
    user_uid: UserUid,
    family: Uuid,
    session: Session,
) -> Result<OAuth2Result, StoreError> {
    let access = Secret::generate(SecretKind::Access);
    let refresh = Secret::generate(SecretKind::Refresh);
    let token = |kind, secret: &Secret, lifetime| NewToken {
        user_uid,
        family,
        kind,
        hash: secret.hash(),
        lifetime,
        session,
    };
    let mut credentials = tx.credentials();
    credentials.add_token(state.clock(), &token(TokenKind::Access, &access, ACCESS)).await?;
    credentials.add_token(state.clock(), &token(TokenKind::Refresh, &refresh, REFRESH)).await?;
    Ok(OAuth2Result::pair(&access, &refresh, ACCESS / 1000))
}
