-- A workload's chains of restore points: one for each job and repository that keeps some. And what Microsoft 365 servers protect.

CREATE TABLE workload_backups (
    uid                  UUID NOT NULL PRIMARY KEY,
    workload_uid         UUID NOT NULL REFERENCES workloads (uid) ON DELETE CASCADE,
    server_uid           UUID NOT NULL,
    agent_uid            UUID NOT NULL,
    -- The workload's owner, account and kind.
    company_uid          UUID NOT NULL,
    account_uid          UUID,
    kind                 TEXT COLLATE "C" NOT NULL,
    key                  TEXT COLLATE "C" NOT NULL,
    object_uid           UUID,
    job_uid              UUID,
    job_name             TEXT COLLATE "C" NOT NULL,
    job_kind             TEXT COLLATE "C" NOT NULL,
    backup_type          TEXT COLLATE "C" NOT NULL,
    repository_uid       UUID,
    target_type          TEXT COLLATE "C" NOT NULL,
    tier                 TEXT COLLATE "C" NOT NULL,
    malware_state        TEXT COLLATE "C" NOT NULL,
    immutable            BOOLEAN NOT NULL,
    provisioned_size     BIGINT,
    used_size            BIGINT,
    -- Kept by the statement that keeps the workload's own.
    newest_restore_point BIGINT,
    restore_points       BIGINT NOT NULL,
    latest_size          BIGINT,
    total_size           BIGINT,
    epoch                BIGINT NOT NULL,
    UNIQUE (workload_uid, key)
);
CREATE INDEX workload_backups_managed_computer_by_uid ON workload_backups (uid) WHERE kind = 'managed_computer';
CREATE INDEX workload_backups_managed_computer_by_age ON workload_backups (newest_restore_point NULLS FIRST) WHERE kind = 'managed_computer';
CREATE INDEX workload_backups_virtual_machine_by_uid ON workload_backups (uid) WHERE kind = 'virtual_machine';
CREATE INDEX workload_backups_virtual_machine_by_age ON workload_backups (newest_restore_point NULLS FIRST) WHERE kind = 'virtual_machine';
CREATE INDEX workload_backups_by_company ON workload_backups (company_uid, kind);
CREATE INDEX workload_backups_by_agent ON workload_backups (agent_uid);
CREATE INDEX workload_backups_by_job ON workload_backups (job_uid) WHERE job_uid IS NOT NULL;
CREATE INDEX workload_backups_by_account ON workload_backups (account_uid) WHERE account_uid IS NOT NULL;

CREATE TABLE vb365_objects (
    uid                     UUID NOT NULL PRIMARY KEY,
    agent_uid               UUID NOT NULL REFERENCES agents (uid),
    company_uid             UUID NOT NULL REFERENCES organizations (uid),
    account_uid             UUID,
    key                     TEXT COLLATE "C" NOT NULL,
    -- As the server names it.
    id                      TEXT COLLATE "C" NOT NULL,
    name                    TEXT COLLATE "C" NOT NULL,
    name_folded             TEXT COLLATE "C" NOT NULL,
    type                    TEXT COLLATE "C" NOT NULL,
    server_uid              UUID NOT NULL,
    server_name             TEXT COLLATE "C" NOT NULL,
    organization_uid        UUID,
    organization_name       TEXT COLLATE "C",
    repository_uid          UUID NOT NULL,
    repository_name         TEXT COLLATE "C" NOT NULL,
    archive_repository_uid  UUID,
    archive_repository_name TEXT COLLATE "C",
    restore_points          BIGINT NOT NULL,
    archive_restore_points  BIGINT NOT NULL,
    newest_restore_point    BIGINT,
    licensed                BOOLEAN,
    educational             BOOLEAN,
    restore_portal          BOOLEAN NOT NULL,
    file_portal             BOOLEAN NOT NULL,
    file_portal_url         TEXT COLLATE "C",
    epoch                   BIGINT NOT NULL,
    UNIQUE (agent_uid, key)
);
CREATE INDEX vb365_objects_by_company ON vb365_objects (company_uid);
CREATE INDEX vb365_objects_by_name ON vb365_objects (name_folded NULLS FIRST);
