//! Agents and the backup servers they stand beside. Those of companies come first, then one on each Cloud Connect server, then
//! those of servers that the provider hosts.

use uuid::Uuid;

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet, HOUR, names};

/// What an agent stands beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A server of this company.
    Company(i64),
    /// A Cloud Connect server of the provider.
    Site,
    /// A server that the provider hosts.
    Hosted,
}

impl Fleet {
    /// How many agents there are, and so backup servers.
    pub(super) fn agents(self) -> i64 {
        self.scale.servers + 2 * self.scale.sites
    }

    /// Every company has a server, and a few have very many.
    pub(super) fn place_of(self, agent: i64) -> Place {
        if agent >= self.scale.servers + self.scale.sites {
            Place::Hosted
        } else if agent >= self.scale.servers {
            Place::Site
        } else if agent < self.scale.companies {
            Place::Company(agent)
        } else {
            let far = chance(agent, 1, 1000);
            Place::Company(self.scale.companies * far * far / 1_000_000)
        }
    }

    /// The agent of a site.
    pub(super) fn agent_of_site(self, site: i64) -> i64 {
        self.scale.servers + site
    }

    /// The company that owns an agent, or the provider.
    pub(super) fn owner_of(self, agent: i64) -> Uuid {
        match self.place_of(agent) {
            Place::Company(company) => Thing::Company.at(company),
            Place::Site | Place::Hosted => self.provider,
        }
    }

    pub(super) fn location_of(self, agent: i64) -> Uuid {
        match self.place_of(agent) {
            Place::Company(company) => Self::location(company, if agent % 4 == 1 { 2 } else { 0 }),
            Place::Site | Place::Hosted => self.provider_location(),
        }
    }

    /// The subtenant in whose name an agent was enrolled: one agent in ten has one.
    pub(super) fn account_of(self, agent: i64) -> Option<Uuid> {
        match self.place_of(agent) {
            Place::Company(company) if agent % 10 == 4 => Some(self.user_of_company(company, 2)),
            _ => None,
        }
    }
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![join_tokens(fleet), agents(fleet), backup_servers(fleet), unverified_agents(fleet)]
}

fn bytes(n: i64) -> Vec<u8> {
    (0..4).flat_map(|part| chance(n, 40 + part, i64::MAX).to_be_bytes()).collect()
}

fn join_tokens(fleet: Fleet) -> Table {
    rows!("join_tokens", 0..fleet.scale.companies, |n| () {
        uid: Thing::Token.at(n),
        company_uid: Thing::Company.at(n),
        location_uid: Fleet::location(n, 0),
        hash: bytes(n),
        door: "remote",
        uses_left: n % 3,
        created_at: fleet.made(n, fleet.scale.companies),
        expires_at: fleet.made(n, fleet.scale.companies) + 7 * DAY,
        account_uid: (n % 10 == 4).then(|| fleet.user_of_company(n, 2)),
        frozen_at: (n % 9 == 0).then_some(fleet.now - HOUR),
    })
}

const SYSTEMS: [(&str, &str, &str, &str); 4] = [
    ("Windows", "Microsoft Windows Server 2022", "Server", "10.0.20348"),
    ("Linux", "Debian GNU/Linux 12 (bookworm)", "Linux", "12"),
    ("Windows", "Microsoft Windows 11 Pro", "Workstation", "10.0.22631"),
    ("Mac", "macOS Sequoia", "Mac", "15.2"),
];

fn agents(fleet: Fleet) -> Table {
    rows!("agents", 0..fleet.agents(), |n| (
        name = names::machine(n),
        place = fleet.place_of(n),
        system = one_of(&SYSTEMS, n),
        online = chance(n, 2, 20) != 0,
    ) {
        uid: Thing::Agent.at(n),
        company_uid: fleet.owner_of(n),
        location_uid: fleet.location_of(n),
        host_name_folded: name.to_lowercase(),
        fqdn: Some(format!("{}.corp.test", name.to_lowercase())),
        friendly_name: (n % 3 == 0).then(|| format!("Serverraum {n}")),
        host_name: name,
        agent_label: (n % 5 == 0).then_some("rack 7"),
        machine_id: format!("{:032x}", Thing::Foreign.at(n).as_u128()),
        platform: system.0,
        os_version: system.3,
        version: if n % 8 == 7 { "9.1.0.29100" } else { "9.2.0.30212" },
        version_status: if n % 8 == 7 { "OutOfDate" } else { "UpToDate" },
        driver: "vbr",
        door: if matches!(place, Place::Company(_)) { "remote" } else { "hosted" },
        certificate: bytes(n),
        enrolled_at: fleet.made(n, fleet.agents()),
        connected: online,
        last_heartbeat: if online { fleet.now - chance(n, 3, 60_000) } else { fleet.now - HOUR - chance(n, 3, 20 * DAY) },
        session: 1_i64,
        epoch: 1_i64,
        sequence: 1_i64,
        revision: 1_i64,
        role: if n % 20 == 0 { "Master" } else { "Client" },
        cloud_connect: place == Place::Site,
        reboot_required: n % 30 == 0,
        clone_seen_at: (n % 50 == 7).then_some(fleet.now - HOUR),
        clone_reason: (n % 50 == 7).then_some("two machines take turns with this agent's certificate"),
        misuse_seen_at: (n % 50 == 8).then_some(fleet.now - HOUR),
        misuse_reason: (n % 50 == 8).then_some("it reported on a command of another agent, from 192.0.2.7"),
        gap_seen_at: (n % 50 == 9).then_some(fleet.now - HOUR),
        gap_reason: (n % 50 == 9).then_some("batches of epoch 1 after 40, up to 52 of it, cannot be sent again"),
        reported_status: (n % 12 == 0).then_some("Warning"),
        account_uid: fleet.account_of(n),
        clustered_agents: if n % 25 == 1 { format!(r#"["{}"]"#, Thing::Agent.at(n - 1)) } else { "[]".to_owned() },
        computer_uid: Thing::Foreign.at(n),
        bios_uuid: Thing::Foreign.at(n + 1),
        guest_os: system.1,
        guest_os_type: if system.0 == "Windows" { system.2 } else { system.0 },
        guest_os_version: system.3,
        guest_os_sku: (system.0 == "Windows").then_some(7_i64),
        platform_type: (n % 3 != 0).then_some("vSphere"),
        ip_addresses: format!(r#"["10.{}.{}.{}","fe80::{:x}"]"#, n / 65_536 % 256, n / 256 % 256, n % 256, n),
        mac_addresses: format!(r#"["00:50:56:{:02X}:{:02X}:{:02X}"]"#, n / 65_536 % 256, n / 256 % 256, n % 256),
        applications: (n % 4 == 0).then_some(r#"["MicrosoftSqlServer"]"#),
    })
}

fn backup_servers(fleet: Fleet) -> Table {
    rows!("backup_servers", 0..fleet.agents(), |n| (name = names::machine(n)) {
        uid: Thing::Server.at(n),
        agent_uid: Thing::Agent.at(n),
        company_uid: fleet.owner_of(n),
        name_folded: name.to_lowercase(),
        name: name,
        key: Thing::Foreign.at(n).to_string(),
        engine: "vbr",
        version: if n % 6 == 5 { "12.3.2.3617" } else { "13.0.1.180" },
        epoch: 1_i64,
        installation_uid: Thing::Foreign.at(n + 7).to_string(),
        display_version: if n % 6 == 5 { "12.3.2" } else { "13.0.1" },
        label: (n % 5 == 0).then_some("primary site"),
        clustered: n % 15 == 0,
        status: if n % 18 == 2 { "Warning" } else { "Healthy" },
    })
}

fn unverified_agents(fleet: Fleet) -> Table {
    const STATUS: [&str; 3] = ["Pending", "Rejected", "Accepted"];
    rows!("unverified_agents", 0..fleet.scale.companies / 4, |n| (
        name = names::machine(n + 50),
        status = one_of(&STATUS, n),
    ) {
        uid: Thing::Unverified.at(n),
        company_uid: Thing::Company.at(n),
        location_uid: Fleet::location(n, 0),
        account_uid: (n % 10 == 4).then(|| fleet.user_of_company(n, 2)),
        token_uid: Thing::Token.at(n),
        machine_id: format!("{:032x}", Thing::Foreign.at(n).as_u128()),
        host_name_folded: name.to_lowercase(),
        host_name: name,
        platform: one_of(&SYSTEMS, n).0,
        door: if n % 5 == 4 { "hosted" } else { "remote" },
        agent_label: (n % 2 == 0).then_some("rack 7"),
        status: status,
        status_message: (status != "Accepted").then_some("Its token has no use left."),
        reject_reason: (status == "Rejected").then_some("Nobody knows this machine."),
        registered_at: fleet.made(n, fleet.scale.companies / 4),
        seen_at: fleet.made(n, fleet.scale.companies / 4) + HOUR,
    })
}
