-- What an administrator installed. The packages are here too, so that every host of this database runs the same.

-- Whose packages are believed, beside those that ship with the host.
CREATE TABLE plugin_keys (
    key      TEXT NOT NULL PRIMARY KEY,
    -- Of its publisher, as the administrator calls it.
    name     TEXT NOT NULL,
    -- VerifiedPublisher, or OwnKey: this provider's.
    tier     TEXT NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE plugins (
    -- vendor.name
    id                TEXT NOT NULL PRIMARY KEY,
    -- Its UUIDv5, as the API names it.
    uid               BLOB NOT NULL UNIQUE,
    -- The version that runs, if it is enabled.
    version           TEXT NOT NULL,
    -- The one before it, for a rollback.
    former_version    TEXT,
    -- One that asks for more than was granted, and waits for somebody to approve it.
    pending_version   TEXT,
    enabled           INTEGER NOT NULL,
    -- The publisher's key since the first install; NULL: nobody signed.
    publisher_key     TEXT,
    -- What it may do of what it asks for: a JSON list of words like `kv` and `http:psa`.
    granted           TEXT NOT NULL,
    -- JSON under the package's schema.
    settings          TEXT NOT NULL,
    -- For companies without a rule of their own.
    companies_allowed INTEGER NOT NULL,
    installed_at      INTEGER NOT NULL,
    -- When its version last changed.
    switched_at       INTEGER NOT NULL,
    -- Bumped by each change, so that hosts notice.
    revision          INTEGER NOT NULL,
    -- Removed; what it stored is kept for a while.
    removed_at        INTEGER
) STRICT;

CREATE TABLE plugin_packages (
    plugin_id    TEXT NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    version      TEXT NOT NULL,
    -- Over all of its files.
    sha256       TEXT NOT NULL,
    -- How far it was trusted when it was installed: Shipped, VerifiedPublisher, OwnKey, Unsigned.
    trust        TEXT NOT NULL,
    publisher    TEXT,
    -- What its manifest says of it, and what it asks for: JSON.
    about        TEXT NOT NULL,
    -- The .kpkg.
    package      BLOB NOT NULL,
    installed_at INTEGER NOT NULL,
    PRIMARY KEY (plugin_id, version)
) STRICT;

-- Companies that have a plugin, or do not, whatever the others have.
CREATE TABLE plugin_companies (
    plugin_id        TEXT NOT NULL REFERENCES plugins (id) ON DELETE CASCADE,
    organization_uid BLOB NOT NULL REFERENCES organizations (uid) ON DELETE CASCADE,
    allowed          INTEGER NOT NULL,
    PRIMARY KEY (plugin_id, organization_uid)
) STRICT;

-- Where packages come from, beside the library that ships with the host.
CREATE TABLE plugin_libraries (
    -- As the administrator calls it.
    name     TEXT NOT NULL PRIMARY KEY,
    -- The folder with its index.
    place    TEXT NOT NULL,
    -- Signs the index.
    key      TEXT NOT NULL,
    -- Of the last index that was read: an older one is refused.
    serial   INTEGER NOT NULL,
    added_at INTEGER NOT NULL
) STRICT;
