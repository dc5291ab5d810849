-- The organisation: who there is. Text is ordinal (byte by byte) everywhere; `*_folded` is its case-folded shadow for searching.

CREATE TABLE installation (
    singleton     INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    uid           BLOB NOT NULL,
    -- Changed by a restore of the database, so that agents see that their host has lost data.
    incarnation   BLOB NOT NULL,
    installed_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE companies (
    uid                  BLOB NOT NULL PRIMARY KEY,
    name                 TEXT NOT NULL,
    name_folded          TEXT NOT NULL UNIQUE,
    status               TEXT NOT NULL,
    alarm_detect_enabled INTEGER NOT NULL,
    rest_access_enabled  INTEGER NOT NULL,
    owner_name           TEXT NOT NULL,
    -- The rest of the organisation's input, as validated: contact, address, notes. JSON.
    details              TEXT NOT NULL,
    created_at           INTEGER NOT NULL
) STRICT;

CREATE TABLE locations (
    uid         BLOB NOT NULL PRIMARY KEY,
    company_uid BLOB NOT NULL REFERENCES companies (uid),
    name        TEXT NOT NULL
) STRICT;
CREATE INDEX locations_by_company ON locations (company_uid);

CREATE TABLE users (
    uid           BLOB NOT NULL PRIMARY KEY,
    -- Absent: a user of the provider.
    company_uid   BLOB REFERENCES companies (uid),
    name          TEXT NOT NULL,
    name_folded   TEXT NOT NULL UNIQUE,
    role          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    enabled       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id           INTEGER NOT NULL PRIMARY KEY,
    user_uid     BLOB NOT NULL REFERENCES users (uid),
    hash         BLOB NOT NULL UNIQUE,
    description  TEXT NOT NULL,
    read_only    INTEGER NOT NULL,
    enabled      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX api_keys_by_user ON api_keys (user_uid);

CREATE TABLE tokens (
    uid        BLOB NOT NULL PRIMARY KEY,
    -- All tokens that descend from one sign-in: a refresh token that comes back revokes them together.
    family     BLOB NOT NULL,
    user_uid   BLOB NOT NULL REFERENCES users (uid),
    kind       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX tokens_by_family ON tokens (family);
CREATE INDEX tokens_by_user ON tokens (user_uid);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);
