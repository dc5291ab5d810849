//! What every request passes on its way in: an id for the log, a limit of time and number, and for the API what the
//! client says it understands.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body_util::BodyExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::app::LARGEST_BODY;
use crate::api::error::ApiError;
use crate::api::peer::{ConnectedFrom, Peer};
use crate::api::versions::ClientVersion;
use crate::id::fresh;
use crate::net::{Turn, Turns};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CLIENT_VERSION: HeaderName = HeaderName::from_static("x-client-version");
/// Requests that are worked on at the same time, in all and of one address.
const AT_ONCE: (usize, usize) = (1024, 256);
/// Bodies that are in memory at the same time, in all and of one address. They are read before a request counts as
/// worked on: one that never comes holds up nobody who sends none.
const BODIES: (usize, usize) = (512, 64);
/// A larger body is not even read to its end.
const THROWN_AWAY: usize = 32 * 1024 * 1024;
/// Longer addresses have no meaning; a filter with a thousand ids fits.
const LONGEST_ADDRESS: usize = 60_000;
/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a request may take once it is there.
const LONGEST: Duration = Duration::from_mins(1);

/// The id of a request, and whether its client chose it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestId {
    /// In the log, in the answer, and the id of the action that it may become.
    pub(super) id: Uuid,
    /// Whether the client chose it.
    pub(super) given: bool,
}

/// Gives the request its id, in the log and in the answer, and finds out whom it comes from. A client's own id must be a
/// UUID: it will find its work under it.
pub(super) async fn identify(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let given = given_id(request.headers());
    let chosen = given.as_ref().ok().copied().flatten();
    let id = chosen.unwrap_or_else(|| fresh(state.clock()));
    let peer = request.extensions().get().map(|ConnectedFrom(address)| address.ip());
    let client = state.traffic().client(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), request.headers());
    request.extensions_mut().insert(Peer(client));
    request.extensions_mut().insert(RequestId { id, given: chosen.is_some() });
    let span = tracing::info_span!(
        "api.request", request.id = %id, method = %request.method(), path = request.uri().path(), from = %client
    );
    let respond = async {
        if let Err(error) = given {
            return error.into_response();
        }
        if request.uri().path_and_query().is_some_and(|address| address.as_str().len() > LONGEST_ADDRESS) {
            let message =
                format!("path and query are longer than {LONGEST_ADDRESS} characters; ask for less at once");
            return ApiError::address_too_long(message).into_response();
        }
        match state.traffic().spend_of_address(client) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        }
    };
    let mut response = respond.instrument(span.clone()).await;
    span.in_scope(|| tracing::debug!(status = response.status().as_u16(), "answered"));
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The id that a client chose, if any; an error if it is no UUID, or if there are two.
fn given_id(headers: &HeaderMap) -> Result<Option<Uuid>, ApiError> {
    let mut given = headers.get_all(REQUEST_ID).iter();
    let (Some(first), second) = (given.next(), given.next()) else { return Ok(None) };
    let id = first.to_str().ok().filter(|_| second.is_none()).and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| ApiError::parameter("X-Request-id", "X-Request-id must be one UUID"))
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
    /// Whose fault it is that a body finds no place.
    fn refuse(&self, from: IpAddr) -> ApiError {
        if self.bodies.is_used_up(from) {
            let message =
                format!("{} bodies from this address are still on their way; finish those first", BODIES.1);
            return ApiError::too_many_requests(message, PATIENCE);
        }
        busy()
    }

    /// The request with its body whole in memory, and what holds the body's place.
    async fn receive(&self, request: Request, from: IpAddr) -> Result<(Request, Option<Turn>), ApiError> {
        if request.body().is_end_stream() {
            return Ok((request, None));
        }
        let turn = self.bodies.turn(from, PATIENCE).await.ok_or_else(|| self.refuse(from))?;
        let (parts, body) = request.into_parts();
        let body = tokio::time::timeout(BODY, whole(body)).await;
        let body = body.map_err(|_| {
            ApiError::bad_request(format!("the body did not arrive within {} s", BODY.as_secs()))
        })??;
        Ok((Request::from_parts(parts, Body::from(body)), Some(turn)))
    }
}

/// A body, if it is not too large. One that is only a little beyond all reason is read to its end and thrown away: a
/// client that still writes does not read the refusal.
async fn whole(mut body: Body) -> Result<Bytes, ApiError> {
    let (mut kept, mut size) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::bad_request("the body was cut off before its end"))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size > THROWN_AWAY {
            break;
        }
        if size <= LARGEST_BODY {
            kept.extend_from_slice(&data);
        } else {
            kept = BytesMut::new();
        }
    }
    if size > LARGEST_BODY { Err(too_large()) } else { Ok(kept.freeze()) }
}

fn too_large() -> ApiError {
    ApiError::too_large("the body is larger than 1 MiB, and no operation needs one that large")
}

fn busy() -> ApiError {
    ApiError::unavailable("the host has too much to do; try again in a moment", None)
}

/// Holds requests to number and time.
pub(super) async fn limit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let from = request.extensions().get().map(|Peer(address)| *address);
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

/// Refuses a client that the API does not fit; notes which version one speaks that it does.
pub(super) async fn client(mut request: Request, next: Next) -> Response {
    match understood(request.headers()) {
        Ok(version) => {
            request.extensions_mut().insert(version);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

fn understood(headers: &HeaderMap) -> Result<ClientVersion, ApiError> {
    let version = headers.get(CLIENT_VERSION).map(|value| value.to_str().unwrap_or("?"));
    let version = version.map_or(Ok(ClientVersion::NEWEST), |text| {
        ClientVersion::parse(text).ok_or_else(|| {
            let message = format!(
                "UnsupportedApiVersion: X-Client-Version \"{text}\" is not supported; 3.4 to 3.7 are"
            );
            ApiError::parameter("X-Client-Version", message)
        })
    })?;
    let mut accepted = headers.get_all(ACCEPT).iter().peekable();
    if accepted.peek().is_some() && !accepted.any(|value| value.to_str().is_ok_and(takes_json)) {
        return Err(ApiError::not_acceptable(
            "the API answers with application/json, which the Accept header excludes",
        ));
    }
    Ok(version)
}

fn takes_json(accept: &str) -> bool {
    accept.split(',').any(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let kind = parts.next().unwrap_or_default();
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        // A package for agents is the one thing that is not JSON; a client that wants just that says so.
        let kinds = ["*/*", "application/*", "application/json", "application/octet-stream", "*", ""];
        !refused && kinds.contains(&kind.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
