//! `POST /token`: a password (and the code of a second factor), or a refresh token, against an access token for an hour and
//! a refresh token for two days.
//!
//! **Cast.** [`secret`] makes and recognises what callers hold; [`password`] computes argon2id; [`totp`] computes codes;
//! [`lockout`] makes guessing slow; [`sign_in`] puts them together, for this endpoint and for the page's; [`reset`] gives
//! a new password to whoever reads the user's mail. The rows are `tokens`: all that descend from one sign-in share a
//! family, and a refresh token that comes back a second time revokes it, because either the client or a thief has used it
//! before. A user with a second factor gets, for the password, only a token that a code goes with; each try at the code is
//! spent before it is judged.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use crate::api::context::NotLetIn;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::peer::Peer;
use crate::api::query::{Pairs, brief, nearest};
use crate::api::{ApiState, body};
use crate::id::UserUid;
use crate::store::StoreError;

mod grant;
pub(crate) mod lockout;
pub(crate) mod log;
mod mails;
pub mod password;
pub(crate) mod reset;
pub mod secret;
pub(crate) mod sign_in;
pub(crate) mod totp;

#[cfg(test)]
mod tests;

use secret::Secret;
use sign_in::SignInError;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().open("OAuth2IssueToken", issue)
}

/// A pair of tokens, or the first half of the way there.
#[derive(Debug, Default, Serialize)]
pub(crate) struct OAuth2Result {
    /// For `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// Always `bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// For one new pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// For `grant_type=mfa`, with a code; then there is nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_token: Option<String>,
    /// Seconds that the access token lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i32>,
}

impl OAuth2Result {
    fn pair(access: &Secret, refresh: &Secret, seconds: i64) -> Self {
        Self {
            access_token: Some(access.reveal().to_owned()),
            token_type: Some("bearer"),
            refresh_token: Some(refresh.reveal().to_owned()),
            mfa_token: None,
            expires_in: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
        }
    }

    fn code_wanted(token: &Secret) -> Self {
        Self { mfa_token: Some(token.reveal().to_owned()), ..Self::default() }
    }
}

/// Why there are no tokens, as RFC 6749 has it.
#[derive(Debug, Serialize)]
pub(crate) struct OAuth2Error {
    /// For programs.
    error: OAuth2ErrorCode,
    /// For people.
    error_description: String,
}

/// The codes of RFC 6749 that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OAuth2ErrorCode {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The password or token is not valid, or not any more.
    InvalidGrant,
    /// This user may not have tokens.
    UnauthorizedClient,
    /// There is no such way to get a token.
    UnsupportedGrantType,
}

/// A refusal of this endpoint.
#[derive(Debug)]
pub(crate) enum TokenError {
    /// In OAuth2's own shape.
    OAuth(OAuth2ErrorCode, String),
    /// In everybody's: throttling, and faults of the host.
    Api(ApiError),
}

impl TokenError {
    fn invalid_request(message: impl Into<String>) -> Self {
        Self::OAuth(OAuth2ErrorCode::InvalidRequest, message.into())
    }

    fn invalid_grant(message: impl Into<String>) -> Self {
        Self::OAuth(OAuth2ErrorCode::InvalidGrant, message.into())
    }
}

impl From<ApiError> for TokenError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<SignInError> for TokenError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::invalid_grant(SignInError::WRONG),
            SignInError::Factor(message) => Self::invalid_grant(message),
            SignInError::NotLetIn(NotLetIn::Because(message)) => {
                Self::OAuth(OAuth2ErrorCode::UnauthorizedClient, message)
            }
            SignInError::NotLetIn(NotLetIn::Fault(error)) | SignInError::Api(error) => Self::Api(error),
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        match self {
            Self::OAuth(error, error_description) => {
                (StatusCode::BAD_REQUEST, Json(OAuth2Error { error, error_description })).into_response()
            }
            Self::Api(error) => error.into_response(),
        }
    }
}

/// Trades a password or a refresh token for a new pair of tokens.
pub(crate) async fn issue(
    State(state): State<ApiState>,
    Peer(address): Peer,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, TokenError> {
    let form = form(&headers, &body.map_err(body::unread)?)?;
    let result = match field(&form, "grant_type")? {
        "password" => {
            let (name, password) = (field(&form, "username")?, field(&form, "password")?);
            grant::by_password(&state, name, password, address).await?
        }
        "mfa" => {
            let (token, code) = (field(&form, "mfa_token")?, field(&form, "mfa_code")?);
            grant::by_code(&state, token, code, address).await?
        }
        "refresh_token" => grant::by_refresh_token(&state, field(&form, "refresh_token")?, address).await?,
        "as" => {
            let (token, user) = (field(&form, "refresh_token")?, user(&form)?);
            grant::by_acting(&state, token, user, read_only(&form)?, address).await?
        }
        other => return Err(unsupported(other)),
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(result)).into_response())
}

fn unsupported(grant: &str) -> TokenError {
    let message = match grant {
        "public_key" | "authorization_code" => {
            format!("this host has no key pairs to sign in with, so no grant_type {grant}; use an API key")
        }
        other => {
            let hint = nearest(other, ["password", "mfa", "refresh_token", "as"].into_iter());
            format!("\"{}\" is no grant_type of this host; {hint}", brief(other))
        }
    };
    TokenError::OAuth(OAuth2ErrorCode::UnsupportedGrantType, message)
}

fn user(form: &Pairs) -> Result<UserUid, TokenError> {
    let text = field(form, "userUid")?;
    text.parse()
        .map_err(|_| TokenError::invalid_request(format!("userUid must be a UUID, not \"{}\"", brief(text))))
}

fn read_only(form: &Pairs) -> Result<bool, TokenError> {
    let text = form.one("readOnly").map_err(|error| TokenError::invalid_request(error.into_message()))?;
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(TokenError::invalid_request("readOnly must be true or false")),
    }
}

fn form(headers: &HeaderMap, body: &[u8]) -> Result<Pairs, TokenError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        let message = "send the parameters as a form: Content-Type application/x-www-form-urlencoded";
        return Err(TokenError::invalid_request(message));
    }
    let text =
        std::str::from_utf8(body).map_err(|_| TokenError::invalid_request("the form is not valid UTF-8"))?;
    Pairs::parse(Some(text.trim())).map_err(|error| TokenError::invalid_request(error.into_message()))
}

fn field<'f>(form: &'f Pairs, name: &'static str) -> Result<&'f str, TokenError> {
    let value = form.one(name).map_err(|error| TokenError::invalid_request(error.into_message()))?;
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| TokenError::invalid_request(format!("the parameter {name} is missing")))
}
