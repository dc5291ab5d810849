-- What agents report. `due_at` is when the rules must look at the row again (absent: never unless it changes); `revision` tells
-- them whether it changed while they looked.

CREATE TABLE join_tokens (
    uid          BLOB NOT NULL PRIMARY KEY,
    company_uid  BLOB NOT NULL REFERENCES companies (uid),
    location_uid BLOB NOT NULL REFERENCES locations (uid),
    hash         BLOB NOT NULL UNIQUE,
    door         TEXT NOT NULL,
    uses_left    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
    uid              BLOB NOT NULL PRIMARY KEY,
    company_uid      BLOB NOT NULL REFERENCES companies (uid),
    location_uid     BLOB NOT NULL REFERENCES locations (uid),
    host_name        TEXT NOT NULL,
    host_name_folded TEXT NOT NULL,
    machine_id       TEXT NOT NULL,
    platform         TEXT NOT NULL,
    os_version       TEXT NOT NULL,
    version          TEXT NOT NULL,
    version_status   TEXT NOT NULL,
    driver           TEXT NOT NULL,
    -- Which door it came through: remote or hosted.
    door             TEXT NOT NULL,
    -- SHA-256 of the certificates it may use: the current one, and the one before until the current one was seen.
    certificate      BLOB NOT NULL,
    former_certificate BLOB,
    enrolled_at      INTEGER NOT NULL,
    connected        INTEGER NOT NULL,
    last_heartbeat   INTEGER NOT NULL,
    -- Of the session that said so last: an older one that ends late must not speak for the agent.
    session          INTEGER NOT NULL,
    -- The last batch that was committed.
    epoch            INTEGER NOT NULL,
    sequence         INTEGER NOT NULL,
    due_at           INTEGER,
    revision         INTEGER NOT NULL
) STRICT;
CREATE INDEX agents_by_company ON agents (company_uid);
CREATE INDEX agents_due ON agents (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE backup_servers (
    uid         BLOB NOT NULL PRIMARY KEY,
    agent_uid   BLOB NOT NULL REFERENCES agents (uid),
    company_uid BLOB NOT NULL REFERENCES companies (uid),
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    key         TEXT NOT NULL,
    engine      TEXT NOT NULL,
    version     TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    UNIQUE (agent_uid, key)
) STRICT;
CREATE INDEX backup_servers_by_company ON backup_servers (company_uid);

CREATE TABLE workloads (
    uid                  BLOB NOT NULL PRIMARY KEY,
    server_uid           BLOB NOT NULL REFERENCES backup_servers (uid),
    agent_uid            BLOB NOT NULL REFERENCES agents (uid),
    company_uid          BLOB NOT NULL REFERENCES companies (uid),
    key                  TEXT NOT NULL,
    name                 TEXT NOT NULL,
    name_folded          TEXT NOT NULL,
    kind                 TEXT NOT NULL,
    operation_mode       TEXT NOT NULL,
    backed_up_items      TEXT NOT NULL,
    first_seen           INTEGER NOT NULL,
    newest_restore_point INTEGER,
    restore_points       INTEGER NOT NULL,
    -- The epoch that mentioned it last: what a full inventory leaves behind is gone.
    epoch                INTEGER NOT NULL,
    gone_at              INTEGER,
    due_at               INTEGER,
    revision             INTEGER NOT NULL,
    UNIQUE (server_uid, key)
) STRICT;
CREATE INDEX workloads_by_company ON workloads (company_uid);
CREATE INDEX workloads_by_agent ON workloads (agent_uid);
CREATE INDEX workloads_due ON workloads (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE restore_points (
    uid          BLOB NOT NULL PRIMARY KEY,
    workload_uid BLOB NOT NULL REFERENCES workloads (uid) ON DELETE CASCADE,
    key          TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    size         INTEGER,
    source_size  INTEGER,
    destination  TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    UNIQUE (workload_uid, key)
) STRICT;
CREATE INDEX restore_points_by_time ON restore_points (workload_uid, created_at);
