//! Who is at the other end of a connection, and what is noted of them: that an agent came in, that it may not, or that
//! nobody ever said what they came for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tonic::{Code, Status};

use super::watch::{Call, Calls};
use crate::agents::handshakes::{Failure, HandshakeKind, Handshakes};
use crate::id::AgentUid;
use crate::model::Door;

/// Who is at the other end, as far as TLS knows.
#[derive(Debug, Clone)]
pub(in crate::agents) struct Peer {
    pub(in crate::agents) address: SocketAddr,
    pub(in crate::agents) door: Door,
    /// Of a certificate that our CA signed; absent before enrolment.
    pub(in crate::agents) identity: Option<Identity>,
    /// Whether the host may have one more agent.
    pub(in crate::agents) has_room: bool,
    pub(super) calls: Calls,
    visit: Arc<Visit>,
}

/// What the certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::agents) struct Identity {
    pub(in crate::agents) agent: AgentUid,
    pub(in crate::agents) fingerprint: [u8; 32],
}

/// One connection, until the last that knows its peer lets go.
#[derive(Debug)]
struct Visit {
    handshakes: Arc<Handshakes>,
    address: SocketAddr,
    door: Door,
    /// Without a certificate, with or without the agents' protocol.
    stranger: Option<HandshakeKind>,
    /// Whether something was noted, or need not be.
    settled: AtomicBool,
}

impl Peer {
    /// Of a connection whose handshake is over.
    pub(in crate::agents) fn new(
        handshakes: Arc<Handshakes>,
        (address, door): (SocketAddr, Door),
        identity: Option<Identity>,
        speaks_h2: bool,
    ) -> Self {
        let kind = if speaks_h2 { HandshakeKind::NoClientCertificate } else { HandshakeKind::WrongAlpn };
        let stranger = identity.is_none().then_some(kind);
        let visit = Visit { handshakes, address, door, stranger, settled: AtomicBool::new(false) };
        Self { address, door, identity, has_room: true, calls: Calls::default(), visit: Arc::new(visit) }
    }

    /// A call of this connection begins; while what is returned lives, the connection is not closed for idling.
    pub(in crate::agents) fn call(&self) -> Call {
        self.visit.settled.store(true, Ordering::Relaxed);
        self.calls.begin()
    }

    /// An agent came in.
    pub(in crate::agents) fn came_in(&self) {
        self.visit.handshakes.succeeded(self.address.ip());
    }

    /// The certificate that it has, or has not, does not do.
    pub(in crate::agents) fn turned_away(&self, kind: HandshakeKind, detail: &str) {
        self.visit.settled.store(true, Ordering::Relaxed);
        self.visit.handshakes.failed(self.address.ip(), self.door, Failure::new(kind, detail));
    }

    /// Notes a refusal if it was the certificate's.
    pub(in crate::agents) fn note_refusal(&self, status: &Status) {
        if status.code() == Code::Unauthenticated {
            self.turned_away(HandshakeKind::RevokedCertificate, status.message());
        }
    }
}

impl Drop for Visit {
    /// Whoever has no certificate is there to enrol. A connection that ends without a call was something else.
    fn drop(&mut self) {
        if let Some(kind) = self.stranger
            && !*self.settled.get_mut()
        {
            let detail = "it completed TLS without a certificate, and ended without enrolling";
            self.handshakes.failed(self.address.ip(), self.door, Failure::new(kind, detail));
        }
    }
}
