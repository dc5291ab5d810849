-- A workload's chains of restore points: one for each job and repository that keeps some. And what Microsoft 365 servers protect.

CREATE TABLE workload_backups (
    uid                  BLOB NOT NULL PRIMARY KEY,
    workload_uid         BLOB NOT NULL REFERENCES workloads (uid) ON DELETE CASCADE,
    server_uid           BLOB NOT NULL,
    agent_uid            BLOB NOT NULL,
    -- The workload's owner, account and kind.
    company_uid          BLOB NOT NULL,
    account_uid          BLOB,
    kind                 TEXT NOT NULL,
    key                  TEXT NOT NULL,
    object_uid           BLOB,
    job_uid              BLOB,
    job_name             TEXT NOT NULL,
    job_kind             TEXT NOT NULL,
    backup_type          TEXT NOT NULL,
    repository_uid       BLOB,
    target_type          TEXT NOT NULL,
    tier                 TEXT NOT NULL,
    malware_state        TEXT NOT NULL,
    immutable            INTEGER NOT NULL,
    provisioned_size     INTEGER,
    used_size            INTEGER,
    -- Kept by the statement that keeps the workload's own.
    newest_restore_point INTEGER,
    restore_points       INTEGER NOT NULL,
    latest_size          INTEGER,
    total_size           INTEGER,
    epoch                INTEGER NOT NULL,
    UNIQUE (workload_uid, key)
) STRICT;
CREATE INDEX workload_backups_managed_computer_by_uid ON workload_backups (uid) WHERE kind = 'managed_computer';
CREATE INDEX workload_backups_managed_computer_by_age ON workload_backups (newest_restore_point) WHERE kind = 'managed_computer';
CREATE INDEX workload_backups_virtual_machine_by_uid ON workload_backups (uid) WHERE kind = 'virtual_machine';
CREATE INDEX workload_backups_virtual_machine_by_age ON workload_backups (newest_restore_point) WHERE kind = 'virtual_machine';
CREATE INDEX workload_backups_by_company ON workload_backups (company_uid, kind);
CREATE INDEX workload_backups_by_agent ON workload_backups (agent_uid);
CREATE INDEX workload_backups_by_job ON workload_backups (job_uid) WHERE job_uid IS NOT NULL;
CREATE INDEX workload_backups_by_account ON workload_backups (account_uid) WHERE account_uid IS NOT NULL;

CREATE TABLE vb365_objects (
    uid                     BLOB NOT NULL PRIMARY KEY,
    agent_uid               BLOB NOT NULL REFERENCES agents (uid),
    company_uid             BLOB NOT NULL REFERENCES organizations (uid),
    account_uid             BLOB,
    key                     TEXT NOT NULL,
    -- As the server names it.
    id                      TEXT NOT NULL,
    name                    TEXT NOT NULL,
    name_folded             TEXT NOT NULL,
    type                    TEXT NOT NULL,
    server_uid              BLOB NOT NULL,
    server_name             TEXT NOT NULL,
    organization_uid        BLOB,
    organization_name       TEXT,
    repository_uid          BLOB NOT NULL,
    repository_name         TEXT NOT NULL,
    archive_repository_uid  BLOB,
    archive_repository_name TEXT,
    restore_points          INTEGER NOT NULL,
    archive_restore_points  INTEGER NOT NULL,
    newest_restore_point    INTEGER,
    licensed                INTEGER,
    educational             INTEGER,
    restore_portal          INTEGER NOT NULL,
    file_portal             INTEGER NOT NULL,
    file_portal_url         TEXT,
    epoch                   INTEGER NOT NULL,
    UNIQUE (agent_uid, key)
) STRICT;
CREATE INDEX vb365_objects_by_company ON vb365_objects (company_uid);
CREATE INDEX vb365_objects_by_name ON vb365_objects (name_folded);
