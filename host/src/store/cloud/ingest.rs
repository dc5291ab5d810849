//! What the agent beside a Cloud Connect server reports: one batch, in the transaction that moves the agent's offset.

use std::collections::HashMap;

use uuid::Uuid;

use super::mapping::relink;
use super::{Cloud, CloudFacts, SiteIds};
use crate::clock::Clock;
use crate::id::AgentUid;
use crate::store::{StoreError, Tx, on, statements};

statements! {
    SWEEP_TENANTS = "DELETE FROM cloud_tenants WHERE site_uid = $1 AND epoch < $2 AND key IS NOT NULL";
    SWEEP_RESOURCES = "DELETE FROM tenant_backup_resources WHERE epoch < $2 AND key IS NOT NULL \
        AND tenant_uid IN (SELECT uid FROM cloud_tenants WHERE site_uid = $1)";
    SWEEP_REPLICATIONS = "DELETE FROM tenant_replication_resources WHERE epoch < $2 \
        AND tenant_uid IN (SELECT uid FROM cloud_tenants WHERE site_uid = $1)";
    SWEEP_REPLICATION_USAGES = "DELETE FROM tenant_replication_usages WHERE epoch < $2 \
        AND tenant_uid IN (SELECT uid FROM cloud_tenants WHERE site_uid = $1)";
    SWEEP_BACKUPS = "DELETE FROM cloud_backups WHERE site_uid = $1 AND epoch < $2";
    SWEEP_GATEWAYS = "DELETE FROM cloud_gateways WHERE site_uid = $1 AND epoch < $2";
    SWEEP_POOLS = "DELETE FROM cloud_gateway_pools WHERE site_uid = $1 AND epoch < $2";
    SWEEP_REPOSITORIES = "DELETE FROM cloud_repositories WHERE site_uid = $1 AND epoch < $2";
    SWEEP_ACCELERATORS = "DELETE FROM cloud_wan_accelerators WHERE site_uid = $1 AND epoch < $2";
}

/// Who reports.
#[derive(Debug, Clone, Copy)]
pub struct CloudSource<'a> {
    /// The agent.
    pub agent: AgentUid,
    /// The key of the backup server that it stands beside.
    pub server: &'a str,
    /// Of the batch.
    pub epoch: i64,
    /// When the agent looked, in unix milliseconds of the host's clock.
    pub collected_at: i64,
}

/// A batch's source with the ids of its site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Report {
    pub(super) ids: SiteIds,
    pub(super) agent: AgentUid,
    pub(super) epoch: i64,
    pub(super) collected_at: i64,
}

/// Tenants' ids by the server's keys.
pub(super) type Tenants = HashMap<String, Uuid>;

impl Cloud<'_> {
    /// Stores the facts of a batch; how many were left out, because they speak of tenants that nobody knows, or because the
    /// agent stands on no site: only the provider's own agents do.
    pub async fn store(
        &mut self,
        clock: &dyn Clock,
        source: CloudSource<'_>,
        facts: &CloudFacts,
    ) -> Result<usize, StoreError> {
        let CloudSource { agent, server, epoch, collected_at } = source;
        let report = Report { ids: SiteIds::of(agent, server), agent, epoch, collected_at };
        let tx = &mut *self.0;
        report.put_site(tx, clock, facts.site.as_ref()).await?;
        if tx.cloud().site_of_agent(agent).await?.is_none() {
            return Ok(facts.len());
        }
        report.put_gateway_pools(tx, &facts.gateway_pools).await?;
        report.put_gateways(tx, &facts.gateways).await?;
        report.put_repositories(tx, &facts.repositories).await?;
        report.put_accelerators(tx, &facts.wan_accelerators).await?;
        report.put_tenants(tx, clock, &facts.tenants).await?;
        let tenants = report.known_tenants(tx, facts).await?;
        let mut unknown = report.put_resources(tx, clock, &tenants, &facts.backup_resources).await?;
        unknown += report.put_replications(tx, &tenants, &facts.replications).await?;
        unknown += report.put_replication_usages(tx, &tenants, &facts.replication_usages).await?;
        unknown += report.put_backups(tx, &tenants, &facts.backups).await?;
        report.drop_backups(tx, &facts.backups_gone).await?;
        report.drop_resources(tx, &tenants, &facts.backup_resources_gone).await?;
        report.drop_replications(tx, &tenants, facts).await?;
        report.drop_tenants(tx, &facts.tenants_gone).await?;
        report.drop_infrastructure(tx, facts).await?;
        if facts.complete {
            report.sweep(tx).await?;
        }
        if facts.complete || !facts.tenants_gone.is_empty() {
            relink(tx, report.ids.site).await?;
        }
        Ok(unknown)
    }
}

impl Report {
    /// The ids of all tenants that the batch speaks of.
    async fn known_tenants(&self, tx: &mut Tx, facts: &CloudFacts) -> Result<Tenants, StoreError> {
        let mut keys: Vec<String> = facts
            .backup_resources
            .iter()
            .map(|fact| &fact.tenant)
            .chain(facts.replications.iter().map(|fact| &fact.tenant))
            .chain(facts.replication_usages.iter().map(|fact| &fact.tenant))
            .chain(facts.backups.iter().map(|fact| &fact.tenant))
            .chain(facts.backup_resources_gone.iter().map(|(tenant, _)| tenant))
            .chain(&facts.replications_gone)
            .chain(facts.replication_usages_gone.iter().map(|(tenant, _)| tenant))
            .cloned()
            .collect();
        keys.sort_unstable();
        keys.dedup();
        self.tenants_by_key(tx, keys).await
    }

    /// What this epoch did not mention is no more. What was made here and has no key yet stays: the server may not have it yet.
    async fn sweep(&self, tx: &mut Tx) -> Result<(), StoreError> {
        for statement in [
            SWEEP_BACKUPS,
            SWEEP_REPLICATION_USAGES,
            SWEEP_REPLICATIONS,
            SWEEP_RESOURCES,
            SWEEP_TENANTS,
            SWEEP_GATEWAYS,
            SWEEP_POOLS,
            SWEEP_REPOSITORIES,
            SWEEP_ACCELERATORS,
        ] {
            on!(tx, db => sqlx::query(statement)
                .bind(self.ids.site)
                .bind(self.epoch)
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(())
    }
}
