//! A site and what stands there: gateways and their pools, repositories, accelerators.

use super::facts::{CloudFacts, GatewayFact, GatewayPoolFact, RepositoryFact, SiteFact, WanAcceleratorFact};
use super::ingest::Report;
use crate::clock::Clock;
use crate::store::bulk::{BulkStatement, Column, Type, columns};
use crate::store::list::Value;
use crate::store::{StoreError, Tx, on, statements};

statements! {
    // Only the provider's own agents stand on its sites: a tenant's that says so is not heard. A site's name is what people made of
    // it. A switch that is on its way to the server stays as it is wanted.
    PUT_SITE = "INSERT INTO sites (uid, agent_uid, backup_server_uid, name, name_folded, port, maintenance_mode, \
        tenant_management, enterprise, created_at) SELECT $1, a.uid, $3, $4, $5, $6, $7, $8, $9, $10 FROM agents a \
        JOIN organizations o ON o.uid = a.company_uid WHERE a.uid = $2 AND o.type = 'Provider' \
        ON CONFLICT (agent_uid) DO UPDATE SET backup_server_uid = excluded.backup_server_uid, port = excluded.port, \
        enterprise = excluded.enterprise, \
        maintenance_mode = CASE WHEN EXISTS (SELECT 1 FROM commands c WHERE c.subject_uid = sites.uid \
        AND c.kind = 'site-maintenance' AND c.finished_at IS NULL) \
        THEN sites.maintenance_mode ELSE excluded.maintenance_mode END, \
        tenant_management = CASE WHEN EXISTS (SELECT 1 FROM commands c WHERE c.subject_uid = sites.uid \
        AND c.kind = 'site-tenant-management' AND c.finished_at IS NULL) \
        THEN sites.tenant_management ELSE excluded.tenant_management END";
}

const SITE_AND_EPOCH: &[(&str, Type)] = &[("site", Type::Uuid), ("epoch", Type::Int)];

const PUT_POOLS: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_POOLS",
    fixed: SITE_AND_EPOCH,
    columns: &[("uid", Type::Uuid), ("key", Type::Text), ("name", Type::Text), ("name_folded", Type::Text)],
    text: "INSERT INTO cloud_gateway_pools (uid, site_uid, key, name, name_folded, epoch) \
        SELECT uid, :site, key, name, name_folded, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, epoch = excluded.epoch",
};

const PUT_GATEWAYS: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_GATEWAYS",
    fixed: SITE_AND_EPOCH,
    columns: &[
        ("uid", Type::Uuid),
        ("pool_uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("host_uid", Type::Uuid),
        ("port", Type::Int),
        ("external_port", Type::Int),
        ("external_address", Type::Text),
        ("external_ips", Type::Text),
        ("out_of_date", Type::Flag),
        ("disabled", Type::Flag),
        ("status", Type::Text),
    ],
    text: "INSERT INTO cloud_gateways (uid, site_uid, pool_uid, key, name, name_folded, host_uid, port, external_port, \
        external_address, external_ips, out_of_date, disabled, status, epoch) \
        SELECT uid, :site, pool_uid, key, name, name_folded, host_uid, port, external_port, external_address, external_ips, \
        out_of_date, disabled, status, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET pool_uid = excluded.pool_uid, name = excluded.name, \
        name_folded = excluded.name_folded, host_uid = excluded.host_uid, port = excluded.port, \
        external_port = excluded.external_port, external_address = excluded.external_address, \
        external_ips = excluded.external_ips, out_of_date = excluded.out_of_date, disabled = excluded.disabled, \
        status = excluded.status, epoch = excluded.epoch",
};

const PUT_REPOSITORIES: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_REPOSITORIES",
    fixed: SITE_AND_EPOCH,
    columns: &[
        ("uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("object_storage", Type::Flag),
        ("capacity", Type::Int),
        ("free_space", Type::Int),
    ],
    text: "INSERT INTO cloud_repositories (uid, site_uid, key, name, name_folded, object_storage, capacity, free_space, epoch) \
        SELECT uid, :site, key, name, name_folded, object_storage, capacity, free_space, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
        object_storage = excluded.object_storage, capacity = excluded.capacity, free_space = excluded.free_space, \
        epoch = excluded.epoch",
};

const PUT_ACCELERATORS: BulkStatement = BulkStatement {
    name: "store::cloud::PUT_ACCELERATORS",
    fixed: SITE_AND_EPOCH,
    columns: &[("uid", Type::Uuid), ("key", Type::Text), ("name", Type::Text), ("name_folded", Type::Text)],
    text: "INSERT INTO cloud_wan_accelerators (uid, site_uid, key, name, name_folded, epoch) \
        SELECT uid, :site, key, name, name_folded, :epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, epoch = excluded.epoch",
};

const DROP_POOLS: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_POOLS",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "DELETE FROM cloud_gateway_pools WHERE site_uid = :site AND key IN (SELECT key FROM input)",
};

const DROP_GATEWAYS: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_GATEWAYS",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "DELETE FROM cloud_gateways WHERE site_uid = :site AND key IN (SELECT key FROM input)",
};

const DROP_REPOSITORIES: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_REPOSITORIES",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "DELETE FROM cloud_repositories WHERE site_uid = :site AND key IN (SELECT key FROM input)",
};

const DROP_ACCELERATORS: BulkStatement = BulkStatement {
    name: "store::cloud::DROP_ACCELERATORS",
    fixed: &[("site", Type::Uuid)],
    columns: &[("key", Type::Text)],
    text: "DELETE FROM cloud_wan_accelerators WHERE site_uid = :site AND key IN (SELECT key FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[
    PUT_POOLS,
    PUT_GATEWAYS,
    PUT_REPOSITORIES,
    PUT_ACCELERATORS,
    DROP_POOLS,
    DROP_GATEWAYS,
    DROP_REPOSITORIES,
    DROP_ACCELERATORS,
];

impl Report {
    /// The parameters that most statements share.
    pub(super) fn fixed(&self) -> [Value; 2] {
        [Value::Uuid(self.ids.site.0), Value::Integer(self.epoch)]
    }

    pub(super) async fn put_site(
        &self,
        tx: &mut Tx,
        clock: &dyn Clock,
        fact: Option<&SiteFact>,
    ) -> Result<(), StoreError> {
        let Some(fact) = fact else { return Ok(()) };
        on!(tx, db => sqlx::query(PUT_SITE)
            .bind(self.ids.site)
            .bind(self.agent)
            .bind(self.ids.server)
            .bind(&fact.name)
            .bind(fact.name.to_lowercase())
            .bind(fact.port)
            .bind(fact.maintenance_mode)
            .bind(fact.tenant_management)
            .bind(fact.enterprise)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    pub(super) async fn put_gateway_pools(
        &self,
        tx: &mut Tx,
        facts: &[GatewayPoolFact],
    ) -> Result<(), StoreError> {
        let columns = columns!(facts, fact => {
            Uuid self.ids.own("pool", &fact.key),
            Text fact.key.clone(),
            Text fact.name.clone(),
            Text fact.name.to_lowercase(),
        });
        PUT_POOLS.execute(tx, &self.fixed(), &columns).await?;
        Ok(())
    }

    pub(super) async fn put_gateways(&self, tx: &mut Tx, facts: &[GatewayFact]) -> Result<(), StoreError> {
        let columns = columns!(facts, fact => {
            Uuid self.ids.own("gateway", &fact.key),
            MaybeUuid fact.pool.as_deref().map(|pool| self.ids.own("pool", pool)),
            Text fact.key.clone(),
            Text fact.name.clone(),
            Text fact.name.to_lowercase(),
            Uuid self.ids.part("host", &fact.host),
            Int fact.port,
            Int fact.external_port,
            Text fact.external_address.clone(),
            Text serde_json::Value::from(fact.external_ips.clone()).to_string(),
            Flag fact.out_of_date,
            Flag fact.disabled,
            Text fact.status.clone(),
        });
        PUT_GATEWAYS.execute(tx, &self.fixed(), &columns).await?;
        Ok(())
    }

    pub(super) async fn put_repositories(
        &self,
        tx: &mut Tx,
        facts: &[RepositoryFact],
    ) -> Result<(), StoreError> {
        let columns = columns!(facts, fact => {
            Uuid self.ids.part("repository", &fact.key),
            Text fact.key.clone(),
            Text fact.name.clone(),
            Text fact.name.to_lowercase(),
            Flag fact.object_storage,
            MaybeInt fact.capacity,
            MaybeInt fact.free_space,
        });
        PUT_REPOSITORIES.execute(tx, &self.fixed(), &columns).await?;
        Ok(())
    }

    pub(super) async fn put_accelerators(
        &self,
        tx: &mut Tx,
        facts: &[WanAcceleratorFact],
    ) -> Result<(), StoreError> {
        let columns = columns!(facts, fact => {
            Uuid self.ids.part("accelerator", &fact.key),
            Text fact.key.clone(),
            Text fact.name.clone(),
            Text fact.name.to_lowercase(),
        });
        PUT_ACCELERATORS.execute(tx, &self.fixed(), &columns).await?;
        Ok(())
    }

    /// What the site no longer has of its own: gateways before their pools.
    pub(super) async fn drop_infrastructure(
        &self,
        tx: &mut Tx,
        facts: &CloudFacts,
    ) -> Result<(), StoreError> {
        let site = [Value::Uuid(self.ids.site.0)];
        for (statement, keys) in [
            (DROP_GATEWAYS, &facts.gateways_gone),
            (DROP_POOLS, &facts.gateway_pools_gone),
            (DROP_REPOSITORIES, &facts.repositories_gone),
            (DROP_ACCELERATORS, &facts.wan_accelerators_gone),
        ] {
            statement.execute(tx, &site, &[Column::Text(keys.clone())]).await?;
        }
        Ok(())
    }
}
