//! The two ways to a pair of tokens.

use std::net::IpAddr;

use uuid::Uuid;

use super::secret::{Secret, SecretKind};
use super::sign_in::{SignInError, sign_in};
use super::{OAuth2Result, TokenError};
use crate::api::ApiState;
use crate::api::context::{self, Entrance};
use crate::clock::HOUR;
use crate::id::{UserUid, fresh};
use crate::model::{Token, TokenKind};
use crate::store::{StoreError, Tx};

/// Milliseconds that an access token lives.
const ACCESS: i64 = HOUR;
/// Milliseconds that a refresh token lives.
const REFRESH: i64 = 48 * HOUR;

/// A first pair, for a password.
pub(super) async fn by_password(
    state: &ApiState,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<OAuth2Result, TokenError> {
    let caller = sign_in(state, name, password, address, Entrance::Rest).await?;
    let mut tx = state.store().write().await?;
    let pair = pair(state, &mut tx, caller.uid, fresh(state.clock())).await?;
    // Whoever signs in sweeps the doorstep: no token outlives its expiry for long.
    tx.credentials().delete_expired(state.clock().now_ms()).await?;
    tx.commit().await?;
    Ok(pair)
}

/// The next pair, for a refresh token that has not been used.
pub(super) async fn by_refresh_token(state: &ApiState, text: &str) -> Result<OAuth2Result, TokenError> {
    let secret = refresh_token(text)?;
    let mut tx = state.store().write().await?;
    let token = tx.credentials().token_by_hash(&secret.hash()).await?;
    let token = usable(token, state.clock().now_ms())?;
    if !tx.credentials().use_token(state.clock(), token.uid).await? {
        return Err(revoke(state, tx, &token).await?);
    }
    let user = tx.users().get(token.user_uid).await?;
    let user = user.ok_or_else(|| TokenError::invalid_grant("the user does not exist any more"))?;
    let caller = context::recognise(&mut tx, &user, Entrance::Rest).await.map_err(SignInError::NotLetIn)?;
    let pair = pair(state, &mut tx, caller.uid, token.family).await?;
    tx.commit().await?;
    Ok(pair)
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
async fn revoke(state: &ApiState, mut tx: Tx, token: &Token) -> Result<TokenError, StoreError> {
    tx.credentials().revoke_family(state.clock(), token.family).await?;
    tx.commit().await?;
    tracing::warn!(user = %token.user_uid, "a refresh token came back: its sign-in is revoked");
    Ok(TokenError::invalid_grant(
        "the refresh token was used before, so all tokens of its sign-in are revoked; sign in again",
    ))
}

fn usable(token: Option<Token>, now: i64) -> Result<Token, TokenError> {
    token
        .filter(|token| token.kind == TokenKind::Refresh.name())
        .filter(|token| token.revoked_at.is_none() && token.expires_at > now)
        .ok_or_else(|| {
            TokenError::invalid_grant("the refresh token has expired or was revoked; sign in again")
        })
}

async fn pair(
    state: &ApiState,
    tx: &mut Tx,
    user: UserUid,
    family: Uuid,
) -> Result<OAuth2Result, StoreError> {
    let access = Secret::generate(SecretKind::Access);
    let refresh = Secret::generate(SecretKind::Refresh);
    let mut credentials = tx.credentials();
    let clock = state.clock();
    credentials.add_token(clock, user, family, TokenKind::Access, (&access.hash(), ACCESS)).await?;
    credentials.add_token(clock, user, family, TokenKind::Refresh, (&refresh.hash(), REFRESH)).await?;
    Ok(OAuth2Result {
        access_token: access.reveal().to_owned(),
        token_type: "bearer",
        refresh_token: refresh.reveal().to_owned(),
        expires_in: i32::try_from(ACCESS / 1000).unwrap_or(i32::MAX),
    })
}
