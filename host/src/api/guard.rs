//! What every request passes on its way in: an id for the log, a limit of time and number, and for the API what the
//! client says it understands.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::app::LARGEST_BODY;
use crate::api::error::ApiError;
use crate::api::peer::ConnectedFrom;
use crate::id::fresh;
use crate::net::{Turn, Turns};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLIENT_VERSION: HeaderName = HeaderName::from_static("x-client-version");
/// Requests that are worked on at the same time, in all and of one address.
const AT_ONCE: (usize, usize) = (1024, 256);
/// Bodies that are in memory at the same time, in all and of one address. They are read before a request counts as
/// worked on: one that never comes holds up nobody who sends none.
const BODIES: (usize, usize) = (512, 64);
/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a request may take once it is there.
const LONGEST: Duration = Duration::from_mins(1);

/// Gives the request its id, in the log and in the answer. A client's own id must be a UUID: it will find its work
/// under it.
pub(super) async fn identify(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let given =
        request.headers().get(REQUEST_ID).map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
    let id: Uuid = given.flatten().unwrap_or_else(|| fresh(state.clock()));
    let span = tracing::info_span!("api.request", request.id = %id, method = %request.method(), path = request.uri().path());
    let respond = async {
        match given {
            Some(None) => ApiError::parameter("X-Request-id", "X-Request-id must be a UUID").into_response(),
            _ => next.run(request).await,
        }
    };
    let mut response = respond.instrument(span.clone()).await;
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Turns for requests.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    requests: Turns,
    bodies: Turns,
}

impl Default for Gate {
    fn default() -> Self {
        Self { requests: Turns::new(AT_ONCE), bodies: Turns::new(BODIES) }
    }
}

impl Gate {
    /// The request with its body whole in memory, and what holds the body's place.
    async fn receive(&self, request: Request, from: IpAddr) -> Result<(Request, Option<Turn>), ApiError> {
        if request.body().is_end_stream() {
            return Ok((request, None));
        }
        let limit = u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX);
        if request.body().size_hint().lower() > limit {
            return Err(too_large());
        }
        let turn = self.bodies.turn(from, PATIENCE).await.ok_or_else(busy)?;
        let (parts, body) = request.into_parts();
        let body = tokio::time::timeout(BODY, Limited::new(body, LARGEST_BODY).collect()).await;
        let body = body.map_err(|_| {
            ApiError::bad_request(format!("the body did not arrive within {} s", BODY.as_secs()))
        })?;
        let bytes = body.map_err(|error| {
            if error.is::<LengthLimitError>() {
                too_large()
            } else {
                ApiError::bad_request("the body was cut off before its end")
            }
        })?;
        Ok((Request::from_parts(parts, Body::from(bytes.to_bytes())), Some(turn)))
    }
}

fn too_large() -> ApiError {
    ApiError::too_large("the body is larger than 1 MiB, and no operation needs one that large")
}

fn busy() -> ApiError {
    ApiError::unavailable("the host has too much to do; try again in a moment", None)
}

/// Holds requests to number and time.
pub(super) async fn limit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let from = request.extensions().get().map(|ConnectedFrom(address)| address.ip());
    let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let (request, _body) = match gate.receive(request, from).await {
        Ok(received) => received,
        Err(error) => return error.into_response(),
    };
    let Some(_turn) = gate.requests.turn(from, PATIENCE).await else { return busy().into_response() };
    tokio::time::timeout(LONGEST, next.run(request)).await.unwrap_or_else(|_| {
        let seconds = LONGEST.as_secs();
        ApiError::timed_out(format!("the request took more than {seconds} s; ask for less, or try again"))
            .into_response()
    })
}

/// Refuses a client that the API does not fit.
pub(super) async fn client(request: Request, next: Next) -> Response {
    match understood(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn understood(headers: &HeaderMap) -> Result<(), ApiError> {
    if let Some(version) = headers.get(CLIENT_VERSION) {
        let version = version.to_str().unwrap_or("?");
        if !is_supported(version) {
            return Err(ApiError::parameter(
                "X-Client-Version",
                format!(
                    "UnsupportedApiVersion: X-Client-Version \"{version}\" is not supported; 3.4 to 3.7 are"
                ),
            ));
        }
    }
    let mut accepted = headers.get_all(ACCEPT).iter().peekable();
    if accepted.peek().is_some() && !accepted.any(|value| value.to_str().is_ok_and(takes_json)) {
        return Err(ApiError::not_acceptable(
            "the API answers with application/json, which the Accept header excludes",
        ));
    }
    Ok(())
}

/// 3.4 to 3.7, and their patch releases.
fn is_supported(version: &str) -> bool {
    let mut parts = version.trim().split('.').map(|part| part.parse::<u32>().ok());
    parts.next() == Some(Some(3))
        && matches!(parts.next(), Some(Some(4..=7)))
        && parts.by_ref().take(2).all(|part| part.is_some())
        && parts.next().is_none()
}

fn takes_json(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let kind = parts.next().unwrap_or_default();
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        !refused && matches!(kind.as_str(), "*/*" | "application/*" | "application/json" | "*" | "")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_3_4_to_3_7_are_served_and_others_are_not() {
        for good in ["3.4", "3.5", "3.5.1", "3.6", "3.6.1", "3.6.2", "3.7", "3.7.0.1"] {
            assert!(is_supported(good), "{good}");
        }
        for bad in ["", "3", "3.3", "3.8", "4.0", "2.5", "v3.6", "3.x", "3.6.x", "3.6.1.2.3"] {
            assert!(!is_supported(bad), "{bad}");
        }
    }

    #[test]
    fn only_a_client_that_excludes_json_is_refused() {
        for good in [
            "*/*",
            "text/html, */*;q=0.8",
            "application/json; charset=utf-8",
            "APPLICATION/JSON",
            "application/*",
        ] {
            assert!(takes_json(good), "{good}");
        }
        for bad in ["text/html", "application/xml", "application/json;q=0", "image/*"] {
            assert!(!takes_json(bad), "{bad}");
        }
    }
}
