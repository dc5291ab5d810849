//! Operations of plugins' own: whatever stands below `/plugins/{pluginId}/routes`. The host says who asks and for whom; what is
//! asked, and the answer, are the plugin's.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Query, RawPathParams, Request, State};
use axum::response::Response;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::behalf::{company, failed, plugin};
use crate::api::ApiState;
use crate::api::body::unread;
use crate::api::context::Caller;
use crate::api::error::ApiError;
use crate::api::users::role_word;
use crate::plugins::{RouteRequest, RouteResponse};

/// The header in which others than a company's own people say for which company it is.
const COMPANY: &str = "x-keelson-company";
/// What of a request's headers a plugin sees, beside those that begin with `x-`.
const SEEN: &[&str] =
    &["accept", "accept-language", "content-type", "if-match", "if-none-match", "user-agent"];
/// A page of a plugin's is shown without scripts and without the console's rights.
const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Hands a request to the plugin.
#[utoipa::path(
    get, path = "/plugins/{pluginId}/routes/{rest}", operation_id = "GetFromPluginRoute",
    params(("pluginId" = Uuid, Path), ("rest" = String, Path, description = "The plugin's own path")),
    responses((status = 200, description = "The plugin's answer")),
)]
pub(super) async fn get(
    state: State<ApiState>,
    caller: Caller,
    path: RawPathParams,
    request: Request,
) -> Result<Response, ApiError> {
    handle(state, caller, path, request).await
}

/// Hands a request to the plugin.
#[utoipa::path(
    post, path = "/plugins/{pluginId}/routes/{rest}", operation_id = "PostToPluginRoute",
    params(("pluginId" = Uuid, Path), ("rest" = String, Path, description = "The plugin's own path")),
    responses((status = 200, description = "The plugin's answer")),
)]
pub(super) async fn post(
    state: State<ApiState>,
    caller: Caller,
    path: RawPathParams,
    request: Request,
) -> Result<Response, ApiError> {
    handle(state, caller, path, request).await
}

/// Hands a request to the plugin.
#[utoipa::path(
    put, path = "/plugins/{pluginId}/routes/{rest}", operation_id = "PutToPluginRoute",
    params(("pluginId" = Uuid, Path), ("rest" = String, Path, description = "The plugin's own path")),
    responses((status = 200, description = "The plugin's answer")),
)]
pub(super) async fn put(
    state: State<ApiState>,
    caller: Caller,
    path: RawPathParams,
    request: Request,
) -> Result<Response, ApiError> {
    handle(state, caller, path, request).await
}

/// Hands a request to the plugin.
#[utoipa::path(
    delete, path = "/plugins/{pluginId}/routes/{rest}", operation_id = "DeleteFromPluginRoute",
    params(("pluginId" = Uuid, Path), ("rest" = String, Path, description = "The plugin's own path")),
    responses((status = 200, description = "The plugin's answer")),
)]
pub(super) async fn delete(
    state: State<ApiState>,
    caller: Caller,
    path: RawPathParams,
    request: Request,
) -> Result<Response, ApiError> {
    handle(state, caller, path, request).await
}

async fn handle(
    State(state): State<ApiState>,
    caller: Caller,
    path: RawPathParams,
    request: Request,
) -> Result<Response, ApiError> {
    let at = |name: &str| path.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned());
    let uid = at("pluginId").and_then(|text| Uuid::try_parse(&text).ok());
    let uid = uid.ok_or_else(|| ApiError::parameter("pluginId", "pluginId must be a UUID"))?;
    let rest = at("rest").unwrap_or_default();
    let company = company(&state, &caller, named(request.headers())?).await?;
    let plugin = plugin(&state, &caller, uid, company).await?;
    let (parts, body) = request.into_parts();
    let query =
        Query::try_from_uri(&parts.uri).map_err(|_| ApiError::bad_request("the query cannot be read"))?;
    let Query(query) = query;
    let asked = RouteRequest {
        method: parts.method.to_string(),
        path: format!("/{rest}"),
        query,
        headers: seen(&parts.headers),
        caller: json!({
            "user": caller.name,
            "role": role_word(caller.role),
            "organization": company.map(|company| company.to_string()),
        }),
        company,
        body: Bytes::from_request(Request::new(body), &state).await.map_err(unread)?.to_vec(),
    };
    answer(state.plugins().route(&plugin.id, asked).await.map_err(failed)?)
}

fn named(headers: &HeaderMap) -> Result<Option<Uuid>, ApiError> {
    let Some(value) = headers.get(COMPANY) else { return Ok(None) };
    let uid = value.to_str().ok().and_then(|text| Uuid::try_parse(text).ok());
    uid.map(Some)
        .ok_or_else(|| ApiError::parameter(COMPANY, format!("{COMPANY} must be the UID of a company")))
}

/// What lets somebody in stays here.
fn seen(headers: &HeaderMap) -> Vec<(String, String)> {
    let of = |(name, value): (&http::HeaderName, &HeaderValue)| {
        let name = name.as_str();
        let shown = SEEN.contains(&name)
            || (name.starts_with("x-") && !name.contains("key") && !name.contains("token"));
        shown.then(|| Some((name.to_owned(), value.to_str().ok()?.to_owned()))).flatten()
    };
    headers.iter().filter_map(of).collect()
}

fn answer(answer: RouteResponse) -> Result<Response, ApiError> {
    let RouteResponse { status, headers, body } = answer;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).map_err(ApiError::internal)?;
    let kept = response.headers_mut();
    for (name, value) in headers {
        let name = http::HeaderName::try_from(name).map_err(ApiError::internal)?;
        kept.append(name, HeaderValue::try_from(value).map_err(ApiError::internal)?);
    }
    kept.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    kept.insert(CONTENT_SECURITY_POLICY, POLICY);
    kept.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}
