-- The organisation: who there is. Text is ordinal (byte by byte) everywhere; `*_folded` is its case-folded shadow for searching.

CREATE TABLE installation (
    singleton     BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
    uid           UUID NOT NULL,
    -- Changed by a restore of the database, so that agents see that their host has lost data.
    incarnation   UUID NOT NULL,
    installed_at  BIGINT NOT NULL
);

CREATE TABLE companies (
    uid                  UUID NOT NULL PRIMARY KEY,
    name                 TEXT COLLATE "C" NOT NULL,
    name_folded          TEXT COLLATE "C" NOT NULL UNIQUE,
    status               TEXT COLLATE "C" NOT NULL,
    alarm_detect_enabled BOOLEAN NOT NULL,
    rest_access_enabled  BOOLEAN NOT NULL,
    owner_name           TEXT COLLATE "C" NOT NULL,
    -- The rest of the organisation's input, as validated: contact, address, notes. JSON.
    details              TEXT COLLATE "C" NOT NULL,
    created_at           BIGINT NOT NULL
);

CREATE TABLE locations (
    uid         UUID NOT NULL PRIMARY KEY,
    company_uid UUID NOT NULL REFERENCES companies (uid),
    name        TEXT COLLATE "C" NOT NULL
);
CREATE INDEX locations_by_company ON locations (company_uid);

CREATE TABLE users (
    uid           UUID NOT NULL PRIMARY KEY,
    -- Absent: a user of the provider.
    company_uid   UUID REFERENCES companies (uid),
    name          TEXT COLLATE "C" NOT NULL,
    name_folded   TEXT COLLATE "C" NOT NULL UNIQUE,
    role          TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    enabled       BOOLEAN NOT NULL,
    created_at    BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id           BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_uid     UUID NOT NULL REFERENCES users (uid),
    hash         BYTEA NOT NULL UNIQUE,
    description  TEXT COLLATE "C" NOT NULL,
    read_only    BOOLEAN NOT NULL,
    enabled      BOOLEAN NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys (user_uid);

CREATE TABLE tokens (
    uid        UUID NOT NULL PRIMARY KEY,
    -- All tokens that descend from one sign-in: a refresh token that comes back revokes them together.
    family     UUID NOT NULL,
    user_uid   UUID NOT NULL REFERENCES users (uid),
    kind       TEXT COLLATE "C" NOT NULL,
    hash       BYTEA NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_family ON tokens (family);
CREATE INDEX tokens_by_user ON tokens (user_uid);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);
