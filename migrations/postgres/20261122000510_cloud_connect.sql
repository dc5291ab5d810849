-- Cloud Connect. What an agent beside a Cloud Connect server reports has the server's own key and the epoch that mentioned it last; what
-- was made here has no key until the server confirms it.

-- A site is one Cloud Connect server.
CREATE TABLE sites (
    uid                UUID NOT NULL PRIMARY KEY,
    agent_uid          UUID NOT NULL UNIQUE REFERENCES agents (uid),
    backup_server_uid  UUID NOT NULL,
    name               TEXT COLLATE "C" NOT NULL,
    name_folded        TEXT COLLATE "C" NOT NULL,
    description        TEXT COLLATE "C",
    port               BIGINT NOT NULL,
    maintenance_mode   BOOLEAN NOT NULL,
    -- Whether tenants may be managed in the server's own console too.
    tenant_management  BOOLEAN NOT NULL,
    -- Cloud Connect for the Enterprise: it may run jobs of its own.
    enterprise         BOOLEAN NOT NULL,
    created_at         BIGINT NOT NULL
);
CREATE INDEX sites_by_server ON sites (backup_server_uid);

CREATE TABLE cloud_gateway_pools (
    uid         UUID NOT NULL PRIMARY KEY,
    site_uid    UUID NOT NULL REFERENCES sites (uid),
    key         TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    epoch       BIGINT NOT NULL,
    UNIQUE (site_uid, key)
);

CREATE TABLE cloud_gateways (
    uid              UUID NOT NULL PRIMARY KEY,
    site_uid         UUID NOT NULL REFERENCES sites (uid),
    pool_uid         UUID,
    key              TEXT COLLATE "C" NOT NULL,
    name             TEXT COLLATE "C" NOT NULL,
    name_folded      TEXT COLLATE "C" NOT NULL,
    host_uid         UUID NOT NULL,
    port             BIGINT NOT NULL,
    external_port    BIGINT NOT NULL,
    external_address TEXT COLLATE "C" NOT NULL,
    -- A JSON array of texts.
    external_ips     TEXT COLLATE "C" NOT NULL,
    out_of_date      BOOLEAN NOT NULL,
    disabled         BOOLEAN NOT NULL,
    status           TEXT COLLATE "C" NOT NULL,
    epoch            BIGINT NOT NULL,
    UNIQUE (site_uid, key)
);
CREATE INDEX cloud_gateways_by_pool ON cloud_gateways (pool_uid);

-- Backup repositories of the server that cloud repositories can be cut from.
CREATE TABLE cloud_repositories (
    uid            UUID NOT NULL PRIMARY KEY,
    site_uid       UUID NOT NULL REFERENCES sites (uid),
    key            TEXT COLLATE "C" NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    name_folded    TEXT COLLATE "C" NOT NULL,
    object_storage BOOLEAN NOT NULL,
    capacity       BIGINT,
    free_space     BIGINT,
    epoch          BIGINT NOT NULL
);
CREATE INDEX cloud_repositories_by_site ON cloud_repositories (site_uid);

CREATE TABLE cloud_wan_accelerators (
    uid         UUID NOT NULL PRIMARY KEY,
    site_uid    UUID NOT NULL REFERENCES sites (uid),
    key         TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    epoch       BIGINT NOT NULL
);
CREATE INDEX cloud_wan_accelerators_by_site ON cloud_wan_accelerators (site_uid);

-- A tenant is an account on one Cloud Connect server. It is no company: a company may have several, and each has at most one company.
CREATE TABLE cloud_tenants (
    uid                  UUID NOT NULL PRIMARY KEY,
    site_uid             UUID NOT NULL REFERENCES sites (uid),
    key                  TEXT COLLATE "C",
    -- The company it is mapped to; the reseller that made it or was given it; of both the one whose users see it.
    company_uid          UUID,
    reseller_uid         UUID,
    owner_uid            UUID,
    kind                 TEXT COLLATE "C" NOT NULL,
    vcd_organization_uid UUID,
    name                 TEXT COLLATE "C" NOT NULL,
    name_folded          TEXT COLLATE "C" NOT NULL,
    user_name            TEXT COLLATE "C" NOT NULL,
    user_name_folded     TEXT COLLATE "C" NOT NULL,
    -- Of the password that was set here last; absent when the server made the tenant.
    password_hash        TEXT COLLATE "C",
    description          TEXT COLLATE "C",
    enabled              BOOLEAN NOT NULL,
    last_active          BIGINT,
    lease_enabled        BOOLEAN NOT NULL,
    lease_expires_at     BIGINT,
    throttling_enabled   BOOLEAN NOT NULL,
    throttling_value     BIGINT,
    throttling_unit      TEXT COLLATE "C",
    max_concurrent_tasks BIGINT NOT NULL,
    protection_enabled   BOOLEAN NOT NULL,
    protection_days      BIGINT,
    gateway_selection    TEXT COLLATE "C" NOT NULL,
    -- A JSON array of ids.
    gateway_pool_uids    TEXT COLLATE "C" NOT NULL,
    gateway_failover     BOOLEAN NOT NULL,
    native_replication   BOOLEAN NOT NULL,
    vcd_replication      BOOLEAN NOT NULL,
    -- What may be downloaded in a month, in GB (absent: as much as they like), and bytes that went out and in this month.
    data_out_quota       BIGINT,
    data_out_unlimited   BOOLEAN NOT NULL,
    data_out             BIGINT NOT NULL,
    data_in              BIGINT NOT NULL,
    -- Whether the server has what is wanted: Settled, Creating, Updating, Deleting, CreationFailed, UpdateFailed, DeletionFailed.
    sync                 TEXT COLLATE "C" NOT NULL,
    sync_message         TEXT COLLATE "C",
    created_at           BIGINT NOT NULL,
    -- When what is wanted changed last: what was collected before then says nothing against it.
    changed_at           BIGINT NOT NULL,
    -- Its deletion was asked for; the row goes when the server has done it.
    deleted_at           BIGINT,
    epoch                BIGINT NOT NULL
);
CREATE UNIQUE INDEX cloud_tenants_by_key ON cloud_tenants (site_uid, key) WHERE key IS NOT NULL;
CREATE INDEX cloud_tenants_by_name ON cloud_tenants (site_uid, user_name_folded);
CREATE INDEX cloud_tenants_by_owner ON cloud_tenants (owner_uid);
CREATE INDEX cloud_tenants_by_company ON cloud_tenants (company_uid);

-- A cloud repository: a share of a backup repository that a tenant may fill.
CREATE TABLE tenant_backup_resources (
    uid                    UUID NOT NULL PRIMARY KEY,
    tenant_uid             UUID NOT NULL REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    key                    TEXT COLLATE "C",
    repository_uid         UUID NOT NULL,
    name                   TEXT COLLATE "C" NOT NULL,
    name_folded            TEXT COLLATE "C" NOT NULL,
    storage_quota          BIGINT NOT NULL,
    servers_quota          BIGINT,
    servers_unlimited      BOOLEAN NOT NULL,
    workstations_quota     BIGINT,
    workstations_unlimited BOOLEAN NOT NULL,
    vms_quota              BIGINT,
    vms_unlimited          BOOLEAN NOT NULL,
    wan_enabled            BOOLEAN NOT NULL,
    wan_accelerator_uid    UUID,
    is_default             BOOLEAN NOT NULL,
    -- What is in it, as the server counts.
    used_space             BIGINT NOT NULL,
    archive_tier           BIGINT,
    capacity_tier          BIGINT,
    performance_tier       BIGINT,
    server_backups         BIGINT NOT NULL,
    workstation_backups    BIGINT NOT NULL,
    vm_backups             BIGINT NOT NULL,
    sync                   TEXT COLLATE "C" NOT NULL,
    sync_message           TEXT COLLATE "C",
    created_at             BIGINT NOT NULL,
    changed_at             BIGINT NOT NULL,
    deleted_at             BIGINT,
    epoch                  BIGINT NOT NULL
);
CREATE UNIQUE INDEX tenant_backup_resources_by_key ON tenant_backup_resources (tenant_uid, key) WHERE key IS NOT NULL;
CREATE INDEX tenant_backup_resources_by_name ON tenant_backup_resources (tenant_uid, name_folded);
CREATE INDEX tenant_backup_resources_by_repository ON tenant_backup_resources (repository_uid);

CREATE TABLE tenant_replication_resources (
    uid               UUID NOT NULL PRIMARY KEY,
    tenant_uid        UUID NOT NULL UNIQUE REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    -- A JSON array of plans, as the API shows them.
    hardware_plans    TEXT COLLATE "C" NOT NULL,
    failover_enabled  BOOLEAN NOT NULL,
    public_allocation BOOLEAN NOT NULL,
    public_ips        BIGINT NOT NULL,
    epoch             BIGINT NOT NULL
);

CREATE TABLE tenant_replication_usages (
    uid               UUID NOT NULL PRIMARY KEY,
    tenant_uid        UUID NOT NULL REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    hardware_plan_uid UUID NOT NULL,
    vms               BIGINT NOT NULL,
    vcpus             BIGINT NOT NULL,
    host_cores        BIGINT NOT NULL,
    memory            BIGINT NOT NULL,
    storage           BIGINT NOT NULL,
    epoch             BIGINT NOT NULL,
    UNIQUE (tenant_uid, hardware_plan_uid)
);

-- Backups that tenants keep on a site.
CREATE TABLE cloud_backups (
    uid                 UUID NOT NULL PRIMARY KEY,
    site_uid            UUID NOT NULL REFERENCES sites (uid),
    tenant_uid          UUID NOT NULL REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    subtenant_uid       UUID,
    key                 TEXT COLLATE "C" NOT NULL,
    name                TEXT COLLATE "C" NOT NULL,
    name_folded         TEXT COLLATE "C" NOT NULL,
    kind                TEXT COLLATE "C" NOT NULL,
    repository_uid      UUID NOT NULL,
    object_uid          UUID NOT NULL,
    job_uid             UUID,
    installation_uid    UUID,
    restore_points      BIGINT NOT NULL,
    epoch               BIGINT NOT NULL,
    UNIQUE (site_uid, key)
);
CREATE INDEX cloud_backups_by_tenant ON cloud_backups (tenant_uid);
