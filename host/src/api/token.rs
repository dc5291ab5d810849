//! `POST /token`: a password, or a refresh token, against an access token for an hour and a refresh token for two days.
//!
//! **Cast.** [`secret`] makes and recognises what callers hold; [`password`] computes argon2id; [`lockout`] makes
//! guessing slow; [`sign_in`] puts the three together, for this endpoint and for the page's. The rows are `tokens`: all
//! that descend from one sign-in share a family, and a refresh token that comes back a second time revokes it, because
//! either the client or a thief has used it before.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::api::context::NotLetIn;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::peer::Peer;
use crate::api::query::{Pairs, brief, nearest};
use crate::api::{ApiState, body};
use crate::store::StoreError;

mod grant;
pub(crate) mod lockout;
pub mod password;
pub mod secret;
pub(crate) mod sign_in;

use sign_in::SignInError;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().open("OAuth2IssueToken", issue)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(issue))]
pub(crate) struct Docs;

/// A pair of tokens.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OAuth2Result {
    /// For `Authorization: Bearer`.
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    /// For one new pair.
    refresh_token: String,
    /// Seconds that the access token lives.
    expires_in: i32,
}

/// Why there are no tokens, as RFC 6749 has it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OAuth2Error {
    /// For programs.
    #[schema(inline)]
    error: OAuth2ErrorCode,
    /// For people.
    error_description: String,
}

/// The codes of RFC 6749 that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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

/// What the client fills in.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents the form; the fields are read one by one")]
pub(crate) struct TokenForm {
    /// `password` or `refresh_token`.
    #[schema(value_type = String)]
    grant_type: (),
    /// With `password`.
    #[schema(value_type = Option<String>)]
    username: (),
    /// With `password`.
    #[schema(value_type = Option<String>, format = Password)]
    password: (),
    /// With `refresh_token`.
    #[schema(value_type = Option<String>)]
    refresh_token: (),
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
#[utoipa::path(
    post, path = "/token", operation_id = "OAuth2IssueToken",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A pair of tokens", body = OAuth2Result),
        (status = 400, description = "No tokens", body = OAuth2Error),
    ),
)]
pub(crate) async fn issue(
    State(state): State<ApiState>,
    Peer(address): Peer,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, TokenError> {
    let form = form(&headers, &body.map_err(body::unread)?)?;
    let pair = match field(&form, "grant_type")? {
        "password" => {
            let (name, password) = (field(&form, "username")?, field(&form, "password")?);
            grant::by_password(&state, name, password, address).await?
        }
        "refresh_token" => grant::by_refresh_token(&state, field(&form, "refresh_token")?).await?,
        other => {
            let hint = nearest(other, ["password", "refresh_token"].into_iter());
            let message = format!("\"{}\" is no grant_type of this host; {hint}", brief(other));
            return Err(TokenError::OAuth(OAuth2ErrorCode::UnsupportedGrantType, message));
        }
    };
    Ok(([(CACHE_CONTROL, "no-store")], Json(pair)).into_response())
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
