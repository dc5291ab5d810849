-- The licences that backup servers have, and what their jobs did, run by run. Rows come from agents.

CREATE TABLE server_licenses (
    server_uid          UUID NOT NULL PRIMARY KEY REFERENCES backup_servers (uid) ON DELETE CASCADE,
    type                TEXT COLLATE "C" NOT NULL,
    status              TEXT COLLATE "C" NOT NULL,
    edition             TEXT COLLATE "C",
    company             TEXT COLLATE "C",
    contact_person      TEXT COLLATE "C",
    email               TEXT COLLATE "C",
    -- JSON arrays.
    license_ids         TEXT COLLATE "C" NOT NULL,
    support_ids         TEXT COLLATE "C" NOT NULL,
    expires_at          BIGINT,
    support_expires_at  BIGINT,
    auto_update         BOOLEAN NOT NULL,
    cloud_connect       TEXT COLLATE "C" NOT NULL,
    packages            TEXT COLLATE "C" NOT NULL,
    unit_type           TEXT COLLATE "C",
    -- Of the server's kind of unit.
    units               DOUBLE PRECISION,
    used_units          DOUBLE PRECISION,
    new_units           DOUBLE PRECISION,
    rental_units        DOUBLE PRECISION,
    sockets             DOUBLE PRECISION,
    used_sockets        DOUBLE PRECISION,
    -- Terabytes.
    capacity            DOUBLE PRECISION,
    used_capacity       DOUBLE PRECISION,
    -- A JSON array of type, count, multiplier and used units.
    uses                TEXT COLLATE "C" NOT NULL,
    agent_uid           UUID NOT NULL,
    company_uid         UUID NOT NULL REFERENCES organizations (uid),
    epoch               BIGINT NOT NULL
);
CREATE INDEX server_licenses_by_company ON server_licenses (company_uid);
CREATE INDEX server_licenses_by_agent ON server_licenses (agent_uid);

CREATE TABLE job_sessions (
    uid          UUID NOT NULL PRIMARY KEY,
    server_uid   UUID NOT NULL REFERENCES backup_servers (uid) ON DELETE CASCADE,
    key          TEXT COLLATE "C" NOT NULL,
    -- A session outlives its job.
    job_uid      UUID,
    job_name     TEXT COLLATE "C" NOT NULL,
    job_type     TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    started_at   BIGINT NOT NULL,
    ended_at     BIGINT,
    message      TEXT COLLATE "C",
    -- A JSON array, as the API shows them.
    tasks        TEXT COLLATE "C" NOT NULL,
    agent_uid    UUID NOT NULL,
    company_uid  UUID NOT NULL REFERENCES organizations (uid),
    epoch        BIGINT NOT NULL
);
CREATE INDEX job_sessions_by_job ON job_sessions (job_uid, started_at);
CREATE INDEX job_sessions_by_server ON job_sessions (server_uid);
CREATE INDEX job_sessions_by_start ON job_sessions (started_at);
