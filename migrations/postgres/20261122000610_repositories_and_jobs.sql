-- Where backup servers keep what they back up, and what they do. Rows come from agents; what people set stands apart: a job of a
-- hosted server is mapped to the company that it works for.

CREATE TABLE backup_repositories (
    uid                   UUID NOT NULL PRIMARY KEY,
    server_uid            UUID NOT NULL REFERENCES backup_servers (uid) ON DELETE CASCADE,
    agent_uid             UUID NOT NULL,
    company_uid           UUID NOT NULL REFERENCES organizations (uid),
    key                   TEXT COLLATE "C" NOT NULL,
    name                  TEXT COLLATE "C" NOT NULL,
    name_folded           TEXT COLLATE "C" NOT NULL,
    type                  TEXT COLLATE "C" NOT NULL,
    status                TEXT COLLATE "C" NOT NULL,
    host_name             TEXT COLLATE "C",
    host_uid              UUID,
    path                  TEXT COLLATE "C",
    -- Bytes; absent: the engine does not say.
    capacity              BIGINT,
    free_space            BIGINT,
    used_space            BIGINT,
    backup_size           BIGINT,
    cloud                 BOOLEAN NOT NULL,
    cloud_repository_uid  UUID,
    parent_uid            UUID,
    immutability_enabled  BOOLEAN,
    immutability_interval BIGINT,
    out_of_date           BOOLEAN NOT NULL,
    per_vm_files          BOOLEAN,
    label_target_uid      UUID,
    -- JSON.
    labels                TEXT COLLATE "C" NOT NULL,
    epoch                 BIGINT NOT NULL,
    UNIQUE (server_uid, key)
);
CREATE INDEX backup_repositories_by_company ON backup_repositories (company_uid);
CREATE INDEX backup_repositories_by_agent ON backup_repositories (agent_uid);

CREATE TABLE backup_jobs (
    uid                UUID NOT NULL PRIMARY KEY,
    server_uid         UUID NOT NULL REFERENCES backup_servers (uid) ON DELETE CASCADE,
    agent_uid          UUID NOT NULL,
    -- Whose server it runs on.
    company_uid        UUID NOT NULL REFERENCES organizations (uid),
    -- The company that it was mapped to.
    mapped_company_uid UUID REFERENCES organizations (uid),
    -- Who sees it: the mapped company, else the server's owner.
    holder_uid         UUID NOT NULL,
    site_uid           UUID,
    key                TEXT COLLATE "C" NOT NULL,
    unique_uid         UUID NOT NULL,
    name               TEXT COLLATE "C" NOT NULL,
    name_folded        TEXT COLLATE "C" NOT NULL,
    type               TEXT COLLATE "C" NOT NULL,
    status             TEXT COLLATE "C" NOT NULL,
    enabled            BOOLEAN NOT NULL,
    description        TEXT COLLATE "C",
    created_by         TEXT COLLATE "C",
    creation_time      BIGINT,
    last_run           BIGINT,
    last_end           BIGINT,
    -- Seconds.
    last_duration      BIGINT,
    average_duration   BIGINT,
    processing_rate    DOUBLE PRECISION,
    transferred_data   BIGINT,
    backup_chain_size  BIGINT,
    bottleneck         TEXT COLLATE "C",
    gfs                BOOLEAN NOT NULL,
    destination        TEXT COLLATE "C",
    failure_message    TEXT COLLATE "C",
    retention_limit    BIGINT,
    retention_type     TEXT COLLATE "C",
    -- JSON.
    schedule           TEXT COLLATE "C",
    schedule_type      TEXT COLLATE "C",
    -- JSON.
    session_tasks      TEXT COLLATE "C" NOT NULL,
    target_type        TEXT COLLATE "C",
    epoch              BIGINT NOT NULL,
    UNIQUE (server_uid, key)
);
CREATE INDEX backup_jobs_by_holder ON backup_jobs (holder_uid);
CREATE INDEX backup_jobs_by_agent ON backup_jobs (agent_uid);
CREATE INDEX backup_jobs_by_name ON backup_jobs (name_folded NULLS FIRST);
CREATE INDEX backup_jobs_by_last_run ON backup_jobs (last_run NULLS FIRST);

CREATE TABLE backup_vm_jobs (
    job_uid        UUID NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    subtype        TEXT COLLATE "C" NOT NULL,
    protected_vms  BIGINT NOT NULL,
    repository_uid UUID
);

CREATE TABLE backup_agent_jobs (
    job_uid      UUID NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    mode         TEXT COLLATE "C" NOT NULL,
    license_type TEXT COLLATE "C" NOT NULL,
    os_type      TEXT COLLATE "C" NOT NULL,
    -- JSON.
    source       TEXT COLLATE "C",
    success_jobs BIGINT NOT NULL,
    total_jobs   BIGINT NOT NULL
);

CREATE TABLE backup_copy_jobs (
    job_uid                UUID NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    repository_uid         UUID,
    source_accelerator_uid UUID,
    target_accelerator_uid UUID,
    retention_policy       TEXT COLLATE "C" NOT NULL,
    weekly_points          BIGINT NOT NULL,
    monthly_points         BIGINT NOT NULL,
    yearly_points          BIGINT NOT NULL,
    rpo_enabled            BOOLEAN NOT NULL,
    rpo_value              BIGINT,
    rpo_unit               TEXT COLLATE "C",
    -- It copies what public-cloud appliances made.
    public_cloud           BOOLEAN NOT NULL
);

CREATE TABLE backup_file_share_jobs (
    job_uid                UUID NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    repository_uid         UUID,
    retention              BIGINT NOT NULL,
    retention_unit         TEXT COLLATE "C" NOT NULL,
    archive_repository_uid UUID,
    archive_enabled        BOOLEAN NOT NULL,
    archive_retention      BIGINT,
    archive_retention_unit TEXT COLLATE "C"
);

CREATE TABLE backup_replication_jobs (
    job_uid                UUID NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    protected_vms          BIGINT NOT NULL,
    cloud                  BOOLEAN NOT NULL,
    cloud_host_uid         UUID,
    target_host_uid        UUID,
    accelerated            BOOLEAN NOT NULL,
    source_accelerator_uid UUID,
    target_accelerator_uid UUID
);
