//! `GET /diagnostics/tls`, ours: why an agent does not come through, from the host's end.

use std::net::IpAddr;

use axum::response::Response;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::agents::{AgentAccess, Gateway, HandshakeFailure};
use crate::api::ask::Ask;
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::query::Shape;
use crate::instant;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetTlsDiagnostics", tls)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(tls))]
pub(crate) struct Docs;

/// Handshakes of one kind that failed at an agents' port, of one address (of IPv6, of one /64).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TlsHandshakeFailure {
    /// Where they came from.
    #[schema(value_type = String)]
    address: IpAddr,
    /// `remote` for tenants' networks, `hosted` for the provider's own.
    door: &'static str,
    /// The port of that door.
    #[schema(value_type = i32)]
    port: u16,
    /// `NoClientCertificate`, `UnknownCertificateAuthority`, `ExpiredCertificate`, `RevokedCertificate`, `WrongAlpn`, `PlainHttp`,
    /// `OldTls`, `Timeout`, `NotTls`, `Closed`, `Other`; open set.
    kind: &'static str,
    /// How many since the host started.
    #[schema(value_type = i64)]
    count: u64,
    /// The first of them.
    #[schema(value_type = String, format = DateTime)]
    first_seen: String,
    /// The last of them.
    #[schema(value_type = String, format = DateTime)]
    last_seen: String,
    /// When an agent last came in from there since; later than `lastSeen`: it is mended.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_success: Option<String>,
    /// What was seen the last time.
    detail: String,
    /// What to do.
    recommendation: String,
}

/// The TLS handshakes that failed at the agents' ports since the host started, the latest first; at most 1,000.
#[utoipa::path(
    get, path = "/diagnostics/tls", operation_id = "GetTlsDiagnostics",
    responses((status = 200, description = "The failures", body = Envelope<Vec<TlsHandshakeFailure>>)),
)]
async fn tls(ask: Ask) -> Result<Response, ApiError> {
    envelope::all(&failed_handshakes(ask.state.agents()), &Shape::default())
}

/// The same for the command line.
pub(crate) fn failed_handshakes(access: &AgentAccess) -> Vec<TlsHandshakeFailure> {
    let failures = access.gateway.as_ref().map(Gateway::handshake_failures);
    let shown = |failure: HandshakeFailure| {
        let HandshakeFailure { address, door, kind, count, detail, .. } = failure;
        TlsHandshakeFailure {
            address,
            door: door.name(),
            port: access.port(door),
            kind: kind.name(),
            count,
            first_seen: instant::format(failure.first_seen),
            last_seen: instant::format(failure.last_seen),
            last_success: failure.last_success.map(instant::format),
            detail,
            recommendation: kind.recommendation(failure.refused_by_peer, &access.address(door)),
        }
    };
    failures.unwrap_or_default().into_iter().map(shown).collect()
}

impl TlsHandshakeFailure {
    /// For people, on one line.
    pub(crate) fn line(&self) -> String {
        let Self { address, door, kind, count, last_seen, detail, recommendation, .. } = self;
        let mended = self.last_success.as_ref().filter(|mended| *mended >= last_seen);
        let mended = mended.map(|mended| format!(", mended {mended}")).unwrap_or_default();
        format!("{last_seen} {address} {door} {kind} {count}\u{d7}{mended}: {detail} -> {recommendation}")
    }
}
