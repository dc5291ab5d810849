//! What the rest of the host may ask of the gateway: where agents find it, what they pin, and an end to a session.

use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Gateway;
use crate::id::{self, AgentUid};
use crate::model::Door;

/// Where agents find this host, and a way to end their sessions.
#[derive(Debug, Clone)]
pub struct AgentAccess {
    /// The doors; absent where none is open.
    pub gateway: Option<Gateway>,
    /// The name that agents reach the host by.
    pub advertise: String,
    /// The remote door.
    pub remote: SocketAddr,
    /// The hosted door.
    pub hosted: SocketAddr,
    /// SHA-256 of the CA's public key, which agents pin.
    pub pin: String,
    /// The agent's program for Linux, for packages; absent: a package brings none.
    pub program: Option<PathBuf>,
}

/// A join token, once: what an agent is given, and what the host keeps of it.
pub struct FreshToken {
    /// For the agent.
    pub text: String,
    /// For the host.
    pub hash: [u8; 32],
}

impl std::fmt::Debug for FreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FreshToken").finish_non_exhaustive()
    }
}

impl AgentAccess {
    /// No door is open.
    pub fn none() -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            gateway: None,
            advertise: "localhost".to_owned(),
            remote: nowhere,
            hosted: nowhere,
            pin: String::new(),
            program: None,
        }
    }

    /// A token for agents that come through a door: its secret, where the door is, and the pin.
    pub fn token(&self, door: Door) -> FreshToken {
        let secret = URL_SAFE_NO_PAD.encode(id::random::<32>());
        let hash = Sha256::digest(secret.as_bytes()).into();
        let content = serde_json::json!({ "a": [self.address(door)], "t": secret, "p": self.pin });
        FreshToken { text: format!("kj1.{}", URL_SAFE_NO_PAD.encode(content.to_string())), hash }
    }

    /// Ends the session of an agent that was removed.
    pub fn expel(&self, agent: AgentUid) {
        if let Some(gateway) = &self.gateway {
            gateway.expel(agent);
        }
    }

    /// The port of a door.
    pub fn port(&self, door: Door) -> u16 {
        match door {
            Door::Remote => self.remote.port(),
            Door::Hosted => self.hosted.port(),
        }
    }

    /// Where agents find a door.
    pub fn address(&self, door: Door) -> String {
        let port = self.port(door);
        let host = &self.advertise;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}
