//! What agents report.

use crate::id::{AgentUid, CompanyUid, JoinTokenUid, LocationUid};

/// Which listener an agent comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// From a tenant's network (6180).
    Remote,
    /// From inside the provider's network (9999).
    Hosted,
}

impl Door {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Hosted => "hosted",
        }
    }
}

impl std::str::FromStr for Door {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "remote" => Ok(Self::Remote),
            "hosted" => Ok(Self::Hosted),
            other => Err(format!("'{other}' is no door; the doors are remote (6180) and hosted (9999)")),
        }
    }
}

/// What an agent is enrolled with. The secret itself is not kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct JoinToken {
    /// Its id.
    pub uid: JoinTokenUid,
    /// For whose agents.
    pub company_uid: CompanyUid,
    /// Where they stand.
    pub location_uid: LocationUid,
    /// The user or the cloud tenant in whose name they connect.
    pub account_uid: Option<uuid::Uuid>,
    /// A [`Door`], as stored.
    pub door: String,
    /// How often it may still be used.
    pub uses_left: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
}

/// A management agent.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Agent {
    /// Its id for life.
    pub uid: AgentUid,
    /// Whose it is.
    pub company_uid: CompanyUid,
    /// Where it stands.
    pub location_uid: LocationUid,
    /// The machine's name.
    pub host_name: String,
    /// What tells machines apart.
    pub machine_id: String,
    /// `Linux`, `Windows`, `Mac`.
    pub platform: String,
    /// In the system's words.
    pub os_version: String,
    /// The agent's.
    pub version: String,
    /// A word of the API's `versionStatus`.
    pub version_status: String,
    /// What it drives: `restic`, `simulated`, …
    pub driver: String,
    /// A [`Door`], as stored.
    pub door: String,
    /// Unix milliseconds.
    pub enrolled_at: i64,
    /// Whether a session is open.
    pub connected: bool,
    /// Unix milliseconds.
    pub last_heartbeat: i64,
    /// The epoch of the last committed batch.
    pub epoch: i64,
    /// Its sequence.
    pub sequence: i64,
    /// Grows with every change a rule may care about.
    pub revision: i64,
}
