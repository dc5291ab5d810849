//! Management agents.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::instant::Instant;
use crate::api::operations::Routes;
use crate::api::query::Offer;
use crate::model::{Agent, Door};

mod get;
mod list;

const OFFER: Offer = Offer { schema: "ManagementAgent", expand: &[] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetManagementAgents", list::list).add("GetManagementAgent", get::get)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, get::get))]
pub(crate) struct Docs;

/// A management agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ManagementAgent {
    instance_uid: Uuid,
    organization_uid: Uuid,
    location_uid: Uuid,
    host_name: String,
    computer_info: ComputerInfo,
    version: String,
    #[schema(value_type = ManagementAgentVersionStatus)]
    version_status: String,
    #[schema(value_type = ManagementAgentConnectionStatus)]
    connection_status: &'static str,
    #[schema(value_type = ManagementAgentStatus)]
    status: &'static str,
    #[serde(rename = "type")]
    #[schema(value_type = ManagementAgentType)]
    kind: &'static str,
    /// When it was enrolled.
    discovery_time: Instant,
    last_heartbeat_time: Instant,
}

/// The machine that an agent runs on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ComputerInfo {
    host_name: String,
    guest_os: String,
    #[schema(value_type = OsType)]
    guest_os_type: &'static str,
}

macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident { $($word:ident),+ })+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, ToSchema)]
        #[expect(dead_code, reason = "documents the words")]
        enum $name { $($word),+ }
    )+};
}

words! {
    /// Whether an agent runs the newest version.
    ManagementAgentVersionStatus { Unknown, UpToDate, OutOfDate, PatchAvailable }
    /// Whether an agent is connected.
    ManagementAgentConnectionStatus { Unknown, Online, Inaccessible, Rejected }
    /// How an agent is.
    ManagementAgentStatus { Unknown, Healthy, Inaccessible, Warning, Error }
    /// Where an agent stands.
    ManagementAgentType { Unknown, CloudConnect, Client, Hosted }
    /// What an operating system is.
    OsType { Unknown, Workstation, DomainController, Server, Linux, Mac }
}

impl From<Agent> for ManagementAgent {
    fn from(agent: Agent) -> Self {
        let guest_os_type = match agent.platform.as_str() {
            "Linux" => "Linux",
            "Mac" => "Mac",
            _ => "Unknown",
        };
        Self {
            instance_uid: agent.uid.0,
            organization_uid: agent.company_uid.0,
            location_uid: agent.location_uid.0,
            host_name: agent.host_name.clone(),
            computer_info: ComputerInfo {
                host_name: agent.host_name,
                guest_os: agent.os_version,
                guest_os_type,
            },
            version: agent.version,
            version_status: agent.version_status,
            connection_status: if agent.connected { "Online" } else { "Inaccessible" },
            status: if agent.connected { "Healthy" } else { "Inaccessible" },
            kind: if agent.door == Door::Hosted.name() { "Hosted" } else { "Client" },
            discovery_time: Instant(agent.enrolled_at),
            last_heartbeat_time: Instant(agent.last_heartbeat),
        }
    }
}
