//! Cloud Connect: sites, tenants, and what they share and use.
//!
//! **Cast.** The agent beside a Cloud Connect server reports what is there ([`Cloud::store`]). People change what is wanted: the row
//! and a command for the site's agent, in one transaction. What comes of the command is settled in the row it was about
//! (`settle.rs`, called by the outbox).
//!
//! **What is wanted and what is.** A row whose change is under way keeps what is wanted: a report that was collected before the change
//! says nothing against it. Once the server has done it, or has said that it cannot, the row follows the server's reports again.
//!
//! **Ids.** What is reported has an id made of the site's and the server's own key; what was made here has a fresh one, and finds its
//! key by its name when the server reports it first.

use uuid::Uuid;

use super::Tx;
use super::bulk::BulkStatement;
use crate::id::{self, AgentUid, SiteUid};

mod accounts;
mod backups;
mod facts;
mod infrastructure;
mod ingest;
mod mapping;
mod replication;
mod resources;
mod settle;
mod shares;
mod sites;
mod tenants;

pub use accounts::{CloudTenant, NewCloudTenant};
pub use facts::{
    BackupResourceFact, CloudBackupFact, CloudFacts, GatewayFact, GatewayPoolFact, HardwarePlanFact,
    ReplicationFact, ReplicationUsageFact, RepositoryFact, SiteFact, TenantFact, TenantSettingsFact,
    WanAcceleratorFact,
};
pub use ingest::CloudSource;
pub(super) use settle::settle;
pub use shares::{BackupResource, NewBackupResource};
pub use sites::{CloudRepository, Site};

/// The statements of this area.
pub(super) fn statements() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    [
        accounts::STATEMENTS,
        infrastructure::STATEMENTS,
        ingest::STATEMENTS,
        mapping::STATEMENTS,
        settle::STATEMENTS,
        shares::STATEMENTS,
        sites::STATEMENTS,
    ]
    .into_iter()
    .flatten()
}

/// Its bulk statements.
pub(super) fn bulk() -> impl Iterator<Item = &'static BulkStatement> {
    [backups::BULK, infrastructure::BULK, replication::BULK, resources::BULK, tenants::BULK]
        .into_iter()
        .flatten()
}

impl Tx {
    /// Cloud Connect.
    pub fn cloud(&mut self) -> Cloud<'_> {
        Cloud(self)
    }
}

/// Cloud Connect, seen through a transaction.
#[derive(Debug)]
pub struct Cloud<'t>(pub(super) &'t mut Tx);

/// The ids of what the server of one site calls by keys of its own.
#[derive(Debug, Clone, Copy)]
pub struct SiteIds {
    /// The site.
    pub site: SiteUid,
    /// Its backup server.
    pub server: Uuid,
}

impl SiteIds {
    /// Those of the site on which `agent` stands beside the server with this key.
    pub fn of(agent: AgentUid, server: &str) -> Self {
        Self { site: SiteUid(id::derived(agent.0, "\0site")), server: id::derived(agent.0, server) }
    }

    /// Something of the backup server: a repository, an accelerator, a host. The same id as in its own inventory.
    pub fn part(self, kind: &str, key: &str) -> Uuid {
        id::derived(self.server, &format!("\0{kind}\0{key}"))
    }

    /// Something of the site: a pool, a gateway, a plan, a tenant that was made there.
    pub fn own(self, kind: &str, key: &str) -> Uuid {
        id::derived(self.site.0, &format!("\0{kind}\0{key}"))
    }
}
