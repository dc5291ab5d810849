//! `/ui/session`: how the console's page signs in, finds out who it is, and signs out. The session is an httpOnly cookie
//! that no script reads; unsafe methods repeat a token derived from it. Signing in needs the header `X-Keelson: 1`,
//! which another site's form cannot send.

use axum::Router;
use axum::extract::{FromRequest as _, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::body::JsonBody;
use crate::api::context::{self, COOKIE_NAME, Caller, Entrance};
use crate::api::envelope::{self, EmptyResponse, Envelope};
use crate::api::error::ApiError;
use crate::api::peer::Peer;
use crate::api::query::Shape;
use crate::api::token::secret::{Secret, SecretKind};
use crate::api::token::sign_in::{Door, Entered, Proof, Step, sign_in, with_code};
use crate::api::token::totp::Factor;
use crate::clock::HOUR;
use crate::id::fresh;
use crate::model::{self, NewToken, TokenKind};

/// Milliseconds that a session lives: a working day, so that nobody is signed out over lunch.
const LIFETIME: i64 = 12 * HOUR;
/// What only our own page sends.
const MARK: &str = "x-keelson";

/// Mounted at the root, beside the page itself.
pub(crate) fn router() -> Router<ApiState> {
    Router::new().route("/ui/session", get(show).post(begin).delete(end))
}

/// Its documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(show, begin, end))]
pub(crate) struct Docs;

/// Who signs in: with name and password, then, if the answer has an `mfaToken`, with that and a code.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionInput {
    username: Option<String>,
    #[schema(format = Password)]
    password: Option<String>,
    /// In the second step, instead of name and password.
    mfa_token: Option<String>,
    /// In the second step: of the authenticator.
    mfa_code: Option<String>,
    /// In the second step, if the first one gave it: what was put into the authenticator.
    mfa_secret_url: Option<String>,
}

/// The password is right, and a code is wanted.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the token answer's own")]
pub(crate) struct CodeWanted {
    /// For the second step, within five minutes.
    mfa_token: String,
    /// An administrator wants a second factor, and there is none yet: to be put into an authenticator.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_secret: Option<String>,
    /// The same for a camera, and for the second step.
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa_secret_url: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    user: SessionUser,
    /// For the header `X-CSRF-Token` of unsafe methods.
    csrf_token: String,
}

/// What a first step leads to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum SessionBegun {
    /// In.
    In(Session),
    /// Half way.
    CodeWanted(CodeWanted),
}

/// The user of a session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionUser {
    uid: Uuid,
    name: String,
    role: &'static str,
    /// Absent: a user of the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    company_uid: Option<Uuid>,
}

impl Session {
    fn new(caller: Caller, page: &Secret) -> Self {
        let company_uid = caller.scope.company().map(|company| company.0);
        let user =
            SessionUser { uid: caller.uid.0, name: caller.name, role: caller.role.name(), company_uid };
        Self { user, csrf_token: context::csrf_token(page) }
    }
}

/// Signs in.
#[utoipa::path(
    post, path = "/ui/session", operation_id = "BeginSession", tag = "Authentication",
    request_body = SessionInput,
    params(("X-Keelson" = String, Header, description = "`1`")),
    responses((status = 200, description = "Signed in, or a code is wanted", body = Envelope<SessionBegun>)),
)]
async fn begin(
    State(state): State<ApiState>,
    Peer(address): Peer,
    request: Request,
) -> Result<Response, ApiError> {
    if request.headers().get(MARK).is_none_or(|value| value != "1") {
        return Err(ApiError::forbidden(
            "only the console's own page signs in here; scripts use POST /api/v3/token",
        ));
    }
    let JsonBody(input) = JsonBody::<SessionInput>::from_request(request, &state).await?;
    let door = Door { entrance: Entrance::Page, address };
    if let Some(token) = &input.mfa_token {
        let code = required("mfaCode", input.mfa_code.as_deref())?;
        let proof = Proof { token, code, new_factor: input.mfa_secret_url.as_deref() };
        return enter(&state, with_code(&state, proof, door).await?, door).await;
    }
    let name = required("username", input.username.as_deref())?;
    let password = required("password", input.password.as_deref())?;
    let (token, factor) = match sign_in(&state, name, password, door).await? {
        Step::In(caller) => {
            let (tx, session) = (state.store().write().await?, model::Session::default());
            return enter(&state, Entered { tx, caller, session }, door).await;
        }
        Step::Code(token) => (token, None),
        Step::Setup(token, factor) => (token, Some(factor)),
    };
    let wanted = CodeWanted {
        mfa_token: token.reveal().to_owned(),
        mfa_secret: factor.as_ref().map(Factor::secret),
        mfa_secret_url: factor.as_ref().map(Factor::url).transpose().map_err(ApiError::internal)?,
    };
    answer(envelope::one(&SessionBegun::CodeWanted(wanted), &Shape::default())?, None)
}

fn required<'i>(name: &str, value: Option<&'i str>) -> Result<&'i str, ApiError> {
    value.ok_or_else(|| ApiError::property(name, format!("{name} is missing")))
}

async fn enter(state: &ApiState, entered: Entered, door: Door) -> Result<Response, ApiError> {
    let Entered { mut tx, caller, session } = entered;
    let page = Secret::generate(SecretKind::Page);
    let token = NewToken {
        user_uid: caller.uid,
        family: fresh(state.clock()),
        kind: TokenKind::Page,
        hash: page.hash(),
        lifetime: LIFETIME,
        session,
    };
    tx.credentials().add_token(state.clock(), &token).await?;
    tx.credentials().delete_expired(state.clock().now_ms()).await?;
    let user = tx.users().get(caller.uid).await?;
    door.note(state, &mut tx, user.as_ref(), true, "signed in").await?;
    tx.commit().await?;
    let cookie = cookie(page.reveal(), LIFETIME / 1000);
    let begun = SessionBegun::In(Session::new(caller, &page));
    answer(envelope::one(&begun, &Shape::default())?, Some(cookie))
}

/// Says who is signed in.
#[utoipa::path(
    get, path = "/ui/session", operation_id = "GetSession", tag = "Authentication",
    responses((status = 200, description = "Who is signed in", body = Envelope<Session>)),
)]
async fn show(State(state): State<ApiState>, request: Request) -> Result<Response, ApiError> {
    let (caller, page) = signed_in(&state, request).await?;
    answer(envelope::one(&Session::new(caller, &page), &Shape::default())?, None)
}

/// Signs out.
#[utoipa::path(
    delete, path = "/ui/session", operation_id = "EndSession", tag = "Authentication",
    responses((status = 200, description = "Signed out", body = EmptyResponse)),
)]
async fn end(State(state): State<ApiState>, request: Request) -> Result<Response, ApiError> {
    let (_, page) = signed_in(&state, request).await?;
    let mut tx = state.store().write().await?;
    if let Some(token) = tx.credentials().token_by_hash(&page.hash()).await? {
        tx.credentials().revoke_family(state.clock(), token.family).await?;
    }
    tx.commit().await?;
    answer(envelope::empty(), Some(cookie("", 0)))
}

/// The caller by cookie alone: a bearer has no page session.
async fn signed_in(state: &ApiState, request: Request) -> Result<(Caller, Secret), ApiError> {
    let (mut parts, _): (Parts, _) = request.into_parts();
    parts.headers.remove(http::header::AUTHORIZATION);
    let page =
        context::page_secret(&parts).ok_or_else(|| ApiError::unauthenticated("nobody is signed in"))?;
    let caller = context::authenticate(state, &parts).await?;
    Ok((caller, page))
}

fn answer(mut response: Response, cookie: Option<String>) -> Result<Response, ApiError> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, cookie.parse().map_err(ApiError::internal)?);
    }
    Ok(response.into_response())
}

fn cookie(value: &str, seconds: i64) -> String {
    format!("{COOKIE_NAME}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_plain_http_and_other_sites() {
        let cookie = cookie("x", 60);
        assert!(cookie.starts_with("__Host-keelson=x; Path=/;"));
        for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Max-Age=60"] {
            assert!(cookie.contains(attribute), "{attribute}");
        }
        assert!(!cookie.contains("Domain"));
    }
}
