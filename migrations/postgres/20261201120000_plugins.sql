-- What an administrator installed. The packages are here too, so that every host of this database runs the same.

-- Whose packages are believed, beside those that ship with the host.
CREATE TABLE plugin_keys (
    key      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Of its publisher, as the administrator calls it.
    name     TEXT COLLATE "C" NOT NULL,
    -- VerifiedPublisher, or OwnKey: this provider's.
    tier     TEXT COLLATE "C" NOT NULL,
    added_at BIGINT NOT NULL
);

CREATE TABLE plugins (
    -- vendor.name
    id                TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Its UUIDv5, as the API names it.
    uid               UUID NOT NULL UNIQUE,
    -- The version that runs, if it is enabled.
    version           TEXT COLLATE "C" NOT NULL,
    -- The one before it, for a rollback.
    former_version    TEXT COLLATE "C",
    -- One that asks for more than was granted, and waits for somebody to approve it.
    pending_version   TEXT COLLATE "C",
    enabled           BOOLEAN NOT NULL,
    -- The publisher's key since the first install; NULL: nobody signed.
    publisher_key     TEXT COLLATE "C",
    -- What it may do of what it asks for: a JSON list of words like `kv` and `http:psa`.
    granted           TEXT COLLATE "C" NOT NULL,
    -- JSON under the package's schema.
    settings          TEXT COLLATE "C" NOT NULL,
    -- For companies without a rule of their own.
    companies_allowed BOOLEAN NOT NULL,
    installed_at      BIGINT NOT NULL,
    -- When its version last changed.
    switched_at       BIGINT NOT NULL,
    -- Bumped by each change, so that hosts notice.
    revision          BIGINT NOT NULL,
    -- Removed; what it stored is kept for a while.
    removed_at        BIGINT
);

CREATE TABLE plugin_packages (
    plugin_id    TEXT COLLATE "C" NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    version      TEXT COLLATE "C" NOT NULL,
    -- Over all of its files.
    sha256       TEXT COLLATE "C" NOT NULL,
    -- How far it was trusted when it was installed: Shipped, VerifiedPublisher, OwnKey, Unsigned.
    trust        TEXT COLLATE "C" NOT NULL,
    publisher    TEXT COLLATE "C",
    -- What its manifest says of it, and what it asks for: JSON.
    about        TEXT COLLATE "C" NOT NULL,
    -- The .kpkg.
    package      BYTEA NOT NULL,
    installed_at BIGINT NOT NULL,
    PRIMARY KEY (plugin_id, version)
);

-- Companies that have a plugin, or do not, whatever the others have.
CREATE TABLE plugin_companies (
    plugin_id        TEXT COLLATE "C" NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    organization_uid UUID NOT NULL REFERENCES organizations (uid) ON DELETE CASCADE,
    allowed          BOOLEAN NOT NULL,
    PRIMARY KEY (plugin_id, organization_uid)
);

-- Where packages come from, beside the library that ships with the host.
CREATE TABLE plugin_libraries (
    -- As the administrator calls it.
    name     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- The folder with its index.
    place    TEXT COLLATE "C" NOT NULL,
    -- Signs the index.
    key      TEXT COLLATE "C" NOT NULL,
    -- Of the last index that was read: an older one is refused.
    serial   BIGINT NOT NULL,
    added_at BIGINT NOT NULL
);
