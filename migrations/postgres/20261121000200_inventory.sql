-- What agents report. `due_at` is when the rules must look at the row again (absent: never unless it changes); `revision` tells
-- them whether it changed while they looked.

CREATE TABLE join_tokens (
    uid          UUID NOT NULL PRIMARY KEY,
    company_uid  UUID NOT NULL REFERENCES companies (uid),
    location_uid UUID NOT NULL REFERENCES locations (uid),
    hash         BYTEA NOT NULL UNIQUE,
    door         TEXT COLLATE "C" NOT NULL,
    uses_left    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);

CREATE TABLE agents (
    uid              UUID NOT NULL PRIMARY KEY,
    company_uid      UUID NOT NULL REFERENCES companies (uid),
    location_uid     UUID NOT NULL REFERENCES locations (uid),
    host_name        TEXT COLLATE "C" NOT NULL,
    host_name_folded TEXT COLLATE "C" NOT NULL,
    machine_id       TEXT COLLATE "C" NOT NULL,
    platform         TEXT COLLATE "C" NOT NULL,
    os_version       TEXT COLLATE "C" NOT NULL,
    version          TEXT COLLATE "C" NOT NULL,
    version_status   TEXT COLLATE "C" NOT NULL,
    driver           TEXT COLLATE "C" NOT NULL,
    -- Which door it came through: remote or hosted.
    door             TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the certificates it may use: the current one, and the one before until the current one was seen.
    certificate      BYTEA NOT NULL,
    former_certificate BYTEA,
    enrolled_at      BIGINT NOT NULL,
    connected        BOOLEAN NOT NULL,
    last_heartbeat   BIGINT NOT NULL,
    -- Of the session that said so last: an older one that ends late must not speak for the agent.
    session          BIGINT NOT NULL,
    -- The last batch that was committed.
    epoch            BIGINT NOT NULL,
    sequence         BIGINT NOT NULL,
    due_at           BIGINT,
    revision         BIGINT NOT NULL
);
CREATE INDEX agents_by_company ON agents (company_uid);
CREATE INDEX agents_due ON agents (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE backup_servers (
    uid         UUID NOT NULL PRIMARY KEY,
    agent_uid   UUID NOT NULL REFERENCES agents (uid),
    company_uid UUID NOT NULL REFERENCES companies (uid),
    name        TEXT COLLATE "C" NOT NULL,
    name_folded TEXT COLLATE "C" NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    engine      TEXT COLLATE "C" NOT NULL,
    version     TEXT COLLATE "C" NOT NULL,
    epoch       BIGINT NOT NULL,
    UNIQUE (agent_uid, key)
);
CREATE INDEX backup_servers_by_company ON backup_servers (company_uid);

CREATE TABLE workloads (
    uid                  UUID NOT NULL PRIMARY KEY,
    server_uid           UUID NOT NULL REFERENCES backup_servers (uid),
    agent_uid            UUID NOT NULL REFERENCES agents (uid),
    company_uid          UUID NOT NULL REFERENCES companies (uid),
    key                  TEXT COLLATE "C" NOT NULL,
    name                 TEXT COLLATE "C" NOT NULL,
    name_folded          TEXT COLLATE "C" NOT NULL,
    kind                 TEXT COLLATE "C" NOT NULL,
    operation_mode       TEXT COLLATE "C" NOT NULL,
    backed_up_items      TEXT COLLATE "C" NOT NULL,
    first_seen           BIGINT NOT NULL,
    newest_restore_point BIGINT,
    restore_points       BIGINT NOT NULL,
    -- The epoch that mentioned it last: what a full inventory leaves behind is gone.
    epoch                BIGINT NOT NULL,
    gone_at              BIGINT,
    due_at               BIGINT,
    revision             BIGINT NOT NULL,
    UNIQUE (server_uid, key)
);
CREATE INDEX workloads_by_company ON workloads (company_uid);
CREATE INDEX workloads_by_agent ON workloads (agent_uid);
CREATE INDEX workloads_due ON workloads (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE restore_points (
    uid          UUID NOT NULL PRIMARY KEY,
    workload_uid UUID NOT NULL REFERENCES workloads (uid) ON DELETE CASCADE,
    key          TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    size         BIGINT,
    source_size  BIGINT,
    destination  TEXT COLLATE "C" NOT NULL,
    epoch        BIGINT NOT NULL,
    UNIQUE (workload_uid, key)
);
CREATE INDEX restore_points_by_time ON restore_points (workload_uid, created_at);
