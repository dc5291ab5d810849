-- Shares of the provider's own backup servers that companies get: the server, and there the repositories. Neither key refers to the tables
-- of what agents report: a server that is reported anew must not lose its company.

CREATE TABLE hosted_resources (
    uid           BLOB NOT NULL PRIMARY KEY,
    -- A company has one hosted server.
    company_uid   BLOB NOT NULL UNIQUE REFERENCES companies (uid),
    server_uid    BLOB NOT NULL,
    name          TEXT NOT NULL,
    name_folded   TEXT NOT NULL,
    -- Nobody else has a share of the server.
    whole_server  INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX hosted_resources_by_server ON hosted_resources (server_uid);

CREATE TABLE hosted_backup_resources (
    uid            BLOB NOT NULL PRIMARY KEY,
    resource_uid   BLOB NOT NULL REFERENCES hosted_resources (uid) ON DELETE CASCADE,
    company_uid    BLOB NOT NULL REFERENCES companies (uid),
    repository_uid BLOB NOT NULL,
    -- GB; absent: without limit.
    storage_quota  INTEGER,
    created_at     INTEGER NOT NULL,
    UNIQUE (resource_uid, repository_uid)
) STRICT;
CREATE INDEX hosted_backup_resources_by_company ON hosted_backup_resources (company_uid);
CREATE INDEX hosted_backup_resources_by_repository ON hosted_backup_resources (repository_uid);
