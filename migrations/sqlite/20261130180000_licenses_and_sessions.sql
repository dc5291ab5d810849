-- The licences that backup servers have, and what their jobs did, run by run. Rows come from agents.

CREATE TABLE server_licenses (
    server_uid          BLOB NOT NULL PRIMARY KEY REFERENCES backup_servers (uid) ON DELETE CASCADE,
    type                TEXT NOT NULL,
    status              TEXT NOT NULL,
    edition             TEXT,
    company             TEXT,
    contact_person      TEXT,
    email               TEXT,
    -- JSON arrays.
    license_ids         TEXT NOT NULL,
    support_ids         TEXT NOT NULL,
    expires_at          INTEGER,
    support_expires_at  INTEGER,
    auto_update         INTEGER NOT NULL,
    cloud_connect       TEXT NOT NULL,
    packages            TEXT NOT NULL,
    unit_type           TEXT,
    -- Of the server's kind of unit.
    units               REAL,
    used_units          REAL,
    new_units           REAL,
    rental_units        REAL,
    sockets             REAL,
    used_sockets        REAL,
    -- Terabytes.
    capacity            REAL,
    used_capacity       REAL,
    -- A JSON array of type, count, multiplier and used units.
    uses                TEXT NOT NULL,
    agent_uid           BLOB NOT NULL,
    company_uid         BLOB NOT NULL REFERENCES organizations (uid),
    epoch               INTEGER NOT NULL
) STRICT;
CREATE INDEX server_licenses_by_company ON server_licenses (company_uid);
CREATE INDEX server_licenses_by_agent ON server_licenses (agent_uid);

CREATE TABLE job_sessions (
    uid          BLOB NOT NULL PRIMARY KEY,
    server_uid   BLOB NOT NULL REFERENCES backup_servers (uid) ON DELETE CASCADE,
    key          TEXT NOT NULL,
    -- A session outlives its job.
    job_uid      BLOB,
    job_name     TEXT NOT NULL,
    job_type     TEXT NOT NULL,
    status       TEXT NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    message      TEXT,
    -- A JSON array, as the API shows them.
    tasks        TEXT NOT NULL,
    agent_uid    BLOB NOT NULL,
    company_uid  BLOB NOT NULL REFERENCES organizations (uid),
    epoch        INTEGER NOT NULL
) STRICT;
CREATE INDEX job_sessions_by_job ON job_sessions (job_uid, started_at);
CREATE INDEX job_sessions_by_server ON job_sessions (server_uid);
CREATE INDEX job_sessions_by_start ON job_sessions (started_at);
