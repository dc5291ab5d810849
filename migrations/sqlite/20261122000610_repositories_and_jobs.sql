-- Where backup servers keep what they back up, and what they do. Rows come from agents; what people set stands apart: a job of a
-- hosted server is mapped to the company that it works for.

CREATE TABLE backup_repositories (
    uid                   BLOB NOT NULL PRIMARY KEY,
    server_uid            BLOB NOT NULL REFERENCES backup_servers (uid) ON DELETE CASCADE,
    agent_uid             BLOB NOT NULL,
    company_uid           BLOB NOT NULL REFERENCES organizations (uid),
    key                   TEXT NOT NULL,
    name                  TEXT NOT NULL,
    name_folded           TEXT NOT NULL,
    type                  TEXT NOT NULL,
    status                TEXT NOT NULL,
    host_name             TEXT,
    host_uid              BLOB,
    path                  TEXT,
    -- Bytes; absent: the engine does not say.
    capacity              INTEGER,
    free_space            INTEGER,
    used_space            INTEGER,
    backup_size           INTEGER,
    cloud                 INTEGER NOT NULL,
    cloud_repository_uid  BLOB,
    parent_uid            BLOB,
    immutability_enabled  INTEGER,
    immutability_interval INTEGER,
    out_of_date           INTEGER NOT NULL,
    per_vm_files          INTEGER,
    label_target_uid      BLOB,
    -- JSON.
    labels                TEXT NOT NULL,
    epoch                 INTEGER NOT NULL,
    UNIQUE (server_uid, key)
) STRICT;
CREATE INDEX backup_repositories_by_company ON backup_repositories (company_uid);
CREATE INDEX backup_repositories_by_agent ON backup_repositories (agent_uid);

CREATE TABLE backup_jobs (
    uid                BLOB NOT NULL PRIMARY KEY,
    server_uid         BLOB NOT NULL REFERENCES backup_servers (uid) ON DELETE CASCADE,
    agent_uid          BLOB NOT NULL,
    -- Whose server it runs on.
    company_uid        BLOB NOT NULL REFERENCES organizations (uid),
    -- The company that it was mapped to.
    mapped_company_uid BLOB REFERENCES organizations (uid),
    -- Who sees it: the mapped company, else the server's owner.
    holder_uid         BLOB NOT NULL,
    site_uid           BLOB,
    key                TEXT NOT NULL,
    unique_uid         BLOB NOT NULL,
    name               TEXT NOT NULL,
    name_folded        TEXT NOT NULL,
    type               TEXT NOT NULL,
    status             TEXT NOT NULL,
    enabled            INTEGER NOT NULL,
    description        TEXT,
    created_by         TEXT,
    creation_time      INTEGER,
    last_run           INTEGER,
    last_end           INTEGER,
    -- Seconds.
    last_duration      INTEGER,
    average_duration   INTEGER,
    processing_rate    REAL,
    transferred_data   INTEGER,
    backup_chain_size  INTEGER,
    bottleneck         TEXT,
    gfs                INTEGER NOT NULL,
    destination        TEXT,
    failure_message    TEXT,
    retention_limit    INTEGER,
    retention_type     TEXT,
    -- JSON.
    schedule           TEXT,
    schedule_type      TEXT,
    -- JSON.
    session_tasks      TEXT NOT NULL,
    target_type        TEXT,
    epoch              INTEGER NOT NULL,
    UNIQUE (server_uid, key)
) STRICT;
CREATE INDEX backup_jobs_by_holder ON backup_jobs (holder_uid);
CREATE INDEX backup_jobs_by_agent ON backup_jobs (agent_uid);
CREATE INDEX backup_jobs_by_name ON backup_jobs (name_folded);
CREATE INDEX backup_jobs_by_last_run ON backup_jobs (last_run);

CREATE TABLE backup_vm_jobs (
    job_uid        BLOB NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    subtype        TEXT NOT NULL,
    protected_vms  INTEGER NOT NULL,
    repository_uid BLOB
) STRICT;

CREATE TABLE backup_agent_jobs (
    job_uid      BLOB NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    mode         TEXT NOT NULL,
    license_type TEXT NOT NULL,
    os_type      TEXT NOT NULL,
    -- JSON.
    source       TEXT,
    success_jobs INTEGER NOT NULL,
    total_jobs   INTEGER NOT NULL
) STRICT;

CREATE TABLE backup_copy_jobs (
    job_uid                BLOB NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    repository_uid         BLOB,
    source_accelerator_uid BLOB,
    target_accelerator_uid BLOB,
    retention_policy       TEXT NOT NULL,
    weekly_points          INTEGER NOT NULL,
    monthly_points         INTEGER NOT NULL,
    yearly_points          INTEGER NOT NULL,
    rpo_enabled            INTEGER NOT NULL,
    rpo_value              INTEGER,
    rpo_unit               TEXT,
    -- It copies what public-cloud appliances made.
    public_cloud           INTEGER NOT NULL
) STRICT;

CREATE TABLE backup_file_share_jobs (
    job_uid                BLOB NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    repository_uid         BLOB,
    retention              INTEGER NOT NULL,
    retention_unit         TEXT NOT NULL,
    archive_repository_uid BLOB,
    archive_enabled        INTEGER NOT NULL,
    archive_retention      INTEGER,
    archive_retention_unit TEXT
) STRICT;

CREATE TABLE backup_replication_jobs (
    job_uid                BLOB NOT NULL PRIMARY KEY REFERENCES backup_jobs (uid) ON DELETE CASCADE,
    protected_vms          INTEGER NOT NULL,
    cloud                  INTEGER NOT NULL,
    cloud_host_uid         BLOB,
    target_host_uid        BLOB,
    accelerated            INTEGER NOT NULL,
    source_accelerator_uid BLOB,
    target_accelerator_uid BLOB
) STRICT;
