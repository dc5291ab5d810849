-- Cloud Connect. What an agent beside a Cloud Connect server reports has the server's own key and the epoch that mentioned it last; what
-- was made here has no key until the server confirms it.

-- A site is one Cloud Connect server.
CREATE TABLE sites (
    uid                BLOB NOT NULL PRIMARY KEY,
    agent_uid          BLOB NOT NULL UNIQUE REFERENCES agents (uid),
    backup_server_uid  BLOB NOT NULL,
    name               TEXT NOT NULL,
    name_folded        TEXT NOT NULL,
    description        TEXT,
    port               INTEGER NOT NULL,
    maintenance_mode   INTEGER NOT NULL,
    -- Whether tenants may be managed in the server's own console too.
    tenant_management  INTEGER NOT NULL,
    -- Cloud Connect for the Enterprise: it may run jobs of its own.
    enterprise         INTEGER NOT NULL,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX sites_by_server ON sites (backup_server_uid);

CREATE TABLE cloud_gateway_pools (
    uid         BLOB NOT NULL PRIMARY KEY,
    site_uid    BLOB NOT NULL REFERENCES sites (uid),
    key         TEXT NOT NULL,
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    UNIQUE (site_uid, key)
) STRICT;

CREATE TABLE cloud_gateways (
    uid              BLOB NOT NULL PRIMARY KEY,
    site_uid         BLOB NOT NULL REFERENCES sites (uid),
    pool_uid         BLOB,
    key              TEXT NOT NULL,
    name             TEXT NOT NULL,
    name_folded      TEXT NOT NULL,
    host_uid         BLOB NOT NULL,
    port             INTEGER NOT NULL,
    external_port    INTEGER NOT NULL,
    external_address TEXT NOT NULL,
    -- A JSON array of texts.
    external_ips     TEXT NOT NULL,
    out_of_date      INTEGER NOT NULL,
    disabled         INTEGER NOT NULL,
    status           TEXT NOT NULL,
    epoch            INTEGER NOT NULL,
    UNIQUE (site_uid, key)
) STRICT;
CREATE INDEX cloud_gateways_by_pool ON cloud_gateways (pool_uid);

-- Backup repositories of the server that cloud repositories can be cut from.
CREATE TABLE cloud_repositories (
    uid            BLOB NOT NULL PRIMARY KEY,
    site_uid       BLOB NOT NULL REFERENCES sites (uid),
    key            TEXT NOT NULL,
    name           TEXT NOT NULL,
    name_folded    TEXT NOT NULL,
    object_storage INTEGER NOT NULL,
    capacity       INTEGER,
    free_space     INTEGER,
    epoch          INTEGER NOT NULL
) STRICT;
CREATE INDEX cloud_repositories_by_site ON cloud_repositories (site_uid);

CREATE TABLE cloud_wan_accelerators (
    uid         BLOB NOT NULL PRIMARY KEY,
    site_uid    BLOB NOT NULL REFERENCES sites (uid),
    key         TEXT NOT NULL,
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    epoch       INTEGER NOT NULL
) STRICT;
CREATE INDEX cloud_wan_accelerators_by_site ON cloud_wan_accelerators (site_uid);

-- A tenant is an account on one Cloud Connect server. It is no company: a company may have several, and each has at most one company.
CREATE TABLE cloud_tenants (
    uid                  BLOB NOT NULL PRIMARY KEY,
    site_uid             BLOB NOT NULL REFERENCES sites (uid),
    key                  TEXT,
    -- The company it is mapped to; the reseller that made it or was given it; of both the one whose users see it.
    company_uid          BLOB,
    reseller_uid         BLOB,
    owner_uid            BLOB,
    kind                 TEXT NOT NULL,
    vcd_organization_uid BLOB,
    name                 TEXT NOT NULL,
    name_folded          TEXT NOT NULL,
    user_name            TEXT NOT NULL,
    user_name_folded     TEXT NOT NULL,
    -- Of the password that was set here last; absent when the server made the tenant.
    password_hash        TEXT,
    description          TEXT,
    enabled              INTEGER NOT NULL,
    last_active          INTEGER,
    lease_enabled        INTEGER NOT NULL,
    lease_expires_at     INTEGER,
    throttling_enabled   INTEGER NOT NULL,
    throttling_value     INTEGER,
    throttling_unit      TEXT,
    max_concurrent_tasks INTEGER NOT NULL,
    protection_enabled   INTEGER NOT NULL,
    protection_days      INTEGER,
    gateway_selection    TEXT NOT NULL,
    -- A JSON array of ids.
    gateway_pool_uids    TEXT NOT NULL,
    gateway_failover     INTEGER NOT NULL,
    native_replication   INTEGER NOT NULL,
    vcd_replication      INTEGER NOT NULL,
    -- What may be downloaded in a month, in GB (absent: as much as they like), and bytes that went out and in this month.
    data_out_quota       INTEGER,
    data_out_unlimited   INTEGER NOT NULL,
    data_out             INTEGER NOT NULL,
    data_in              INTEGER NOT NULL,
    -- Whether the server has what is wanted: Settled, Creating, Updating, Deleting, CreationFailed, UpdateFailed, DeletionFailed.
    sync                 TEXT NOT NULL,
    sync_message         TEXT,
    created_at           INTEGER NOT NULL,
    -- When what is wanted changed last: what was collected before then says nothing against it.
    changed_at           INTEGER NOT NULL,
    -- Its deletion was asked for; the row goes when the server has done it.
    deleted_at           INTEGER,
    epoch                INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX cloud_tenants_by_key ON cloud_tenants (site_uid, key) WHERE key IS NOT NULL;
CREATE INDEX cloud_tenants_by_name ON cloud_tenants (site_uid, user_name_folded);
CREATE INDEX cloud_tenants_by_owner ON cloud_tenants (owner_uid);
CREATE INDEX cloud_tenants_by_company ON cloud_tenants (company_uid);

-- A cloud repository: a share of a backup repository that a tenant may fill.
CREATE TABLE tenant_backup_resources (
    uid                    BLOB NOT NULL PRIMARY KEY,
    tenant_uid             BLOB NOT NULL REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    key                    TEXT,
    repository_uid         BLOB NOT NULL,
    name                   TEXT NOT NULL,
    name_folded            TEXT NOT NULL,
    storage_quota          INTEGER NOT NULL,
    servers_quota          INTEGER,
    servers_unlimited      INTEGER NOT NULL,
    workstations_quota     INTEGER,
    workstations_unlimited INTEGER NOT NULL,
    vms_quota              INTEGER,
    vms_unlimited          INTEGER NOT NULL,
    wan_enabled            INTEGER NOT NULL,
    wan_accelerator_uid    BLOB,
    is_default             INTEGER NOT NULL,
    -- What is in it, as the server counts.
    used_space             INTEGER NOT NULL,
    archive_tier           INTEGER,
    capacity_tier          INTEGER,
    performance_tier       INTEGER,
    server_backups         INTEGER NOT NULL,
    workstation_backups    INTEGER NOT NULL,
    vm_backups             INTEGER NOT NULL,
    sync                   TEXT NOT NULL,
    sync_message           TEXT,
    created_at             INTEGER NOT NULL,
    changed_at             INTEGER NOT NULL,
    deleted_at             INTEGER,
    epoch                  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenant_backup_resources_by_key ON tenant_backup_resources (tenant_uid, key) WHERE key IS NOT NULL;
CREATE INDEX tenant_backup_resources_by_name ON tenant_backup_resources (tenant_uid, name_folded);
CREATE INDEX tenant_backup_resources_by_repository ON tenant_backup_resources (repository_uid);

CREATE TABLE tenant_replication_resources (
    uid               BLOB NOT NULL PRIMARY KEY,
    tenant_uid        BLOB NOT NULL UNIQUE REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    -- A JSON array of plans, as the API shows them.
    hardware_plans    TEXT NOT NULL,
    failover_enabled  INTEGER NOT NULL,
    public_allocation INTEGER NOT NULL,
    public_ips        INTEGER NOT NULL,
    epoch             INTEGER NOT NULL
) STRICT;

CREATE TABLE tenant_replication_usages (
    uid               BLOB NOT NULL PRIMARY KEY,
    tenant_uid        BLOB NOT NULL REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    hardware_plan_uid BLOB NOT NULL,
    vms               INTEGER NOT NULL,
    vcpus             INTEGER NOT NULL,
    host_cores        INTEGER NOT NULL,
    memory            INTEGER NOT NULL,
    storage           INTEGER NOT NULL,
    epoch             INTEGER NOT NULL,
    UNIQUE (tenant_uid, hardware_plan_uid)
) STRICT;

-- Backups that tenants keep on a site.
CREATE TABLE cloud_backups (
    uid                 BLOB NOT NULL PRIMARY KEY,
    site_uid            BLOB NOT NULL REFERENCES sites (uid),
    tenant_uid          BLOB NOT NULL REFERENCES cloud_tenants (uid) ON DELETE CASCADE,
    subtenant_uid       BLOB,
    key                 TEXT NOT NULL,
    name                TEXT NOT NULL,
    name_folded         TEXT NOT NULL,
    kind                TEXT NOT NULL,
    repository_uid      BLOB NOT NULL,
    object_uid          BLOB NOT NULL,
    job_uid             BLOB,
    installation_uid    BLOB,
    restore_points      INTEGER NOT NULL,
    epoch               INTEGER NOT NULL,
    UNIQUE (site_uid, key)
) STRICT;
CREATE INDEX cloud_backups_by_tenant ON cloud_backups (tenant_uid);
