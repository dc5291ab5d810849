//! What agents say of the machines they run on.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Type, columns};
use super::super::{StoreError, Tx};
use super::json_list;
use crate::id::AgentUid;

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::computers::PUT",
    fixed: &[],
    columns: &[
        ("uid", Type::Uuid),
        ("role", Type::Text),
        ("cloud_connect", Type::Flag),
        ("reboot_required", Type::Flag),
        ("reported_status", Type::Text),
        ("clustered_agents", Type::Text),
        ("bios_uuid", Type::Uuid),
        ("fqdn", Type::Text),
        ("guest_os", Type::Text),
        ("guest_os_type", Type::Text),
        ("guest_os_version", Type::Text),
        ("guest_os_sku", Type::Int),
        ("platform_type", Type::Text),
        ("ip_addresses", Type::Text),
        ("mac_addresses", Type::Text),
        ("applications", Type::Text),
    ],
    text: "UPDATE agents SET role = input.role, cloud_connect = input.cloud_connect, \
        reboot_required = input.reboot_required, reported_status = input.reported_status, \
        clustered_agents = input.clustered_agents, bios_uuid = input.bios_uuid, fqdn = input.fqdn, \
        guest_os = input.guest_os, guest_os_type = input.guest_os_type, guest_os_version = input.guest_os_version, \
        guest_os_sku = input.guest_os_sku, platform_type = input.platform_type, ip_addresses = input.ip_addresses, \
        mac_addresses = input.mac_addresses, applications = input.applications FROM input WHERE agents.uid = input.uid",
};

pub(super) const BULK: &[BulkStatement] = &[PUT];

/// A machine, as its agent describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComputerFact {
    /// It discovers and updates other machines of its network.
    pub master: bool,
    /// It is a Cloud Connect server.
    pub cloud_connect: bool,
    /// It waits for a restart.
    pub reboot_required: bool,
    /// A word of the API's `ManagementAgentStatus` that is more than being there: `Warning`, `Updating`, `Error` …
    pub status: Option<String>,
    /// The agents on the other nodes of its cluster.
    pub clustered_agents: Vec<AgentUid>,
    /// The firmware's id.
    pub bios_uuid: Option<Uuid>,
    /// Its full name.
    pub fqdn: Option<String>,
    /// In the system's words.
    pub guest_os: Option<String>,
    /// `Workstation`, `DomainController`, `Server`, `Linux`, `Mac`.
    pub guest_os_type: Option<String>,
    /// The system's.
    pub guest_os_version: Option<String>,
    /// Windows' number of its edition.
    pub guest_os_sku: Option<i64>,
    /// What it runs on, if that is more than its system: `HyperV`, `vSphere`, `Azure`, `Amazon`, `Google` …
    pub platform_type: Option<String>,
    /// All of them.
    pub ip_addresses: Vec<String>,
    /// All of them.
    pub mac_addresses: Vec<String>,
    /// Words of the API's `Application`.
    pub applications: Vec<String>,
}

/// Stores what agents say of their machines.
pub(super) async fn put(tx: &mut Tx, computers: &[(AgentUid, ComputerFact)]) -> Result<(), StoreError> {
    let columns = columns!(computers, (agent, fact) => {
        Uuid agent.0,
        Text if fact.master { "Master".to_owned() } else { "Client".to_owned() },
        Flag fact.cloud_connect,
        Flag fact.reboot_required,
        MaybeText fact.status.clone(),
        Text json_list(&fact.clustered_agents),
        MaybeUuid fact.bios_uuid,
        MaybeText fact.fqdn.clone(),
        MaybeText fact.guest_os.clone(),
        MaybeText fact.guest_os_type.clone(),
        MaybeText fact.guest_os_version.clone(),
        MaybeInt fact.guest_os_sku,
        MaybeText fact.platform_type.clone(),
        Text json_list(&fact.ip_addresses),
        Text json_list(&fact.mac_addresses),
        MaybeText Some(json_list(&fact.applications)),
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(())
}
