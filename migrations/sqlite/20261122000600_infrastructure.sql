-- What agents report, seen by organisations of every kind: a Cloud Connect server and a hosted one are the provider's own. What a
-- list shows or filters by stands on the listed row, so that a page of a million rows is read from an index.

-- SQLite changes a foreign key only by a new table. New ones are filled parents first, old ones dropped children first.
CREATE TABLE new_locations (
    uid         BLOB NOT NULL PRIMARY KEY,
    company_uid BLOB NOT NULL REFERENCES organizations (uid),
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL DEFAULT '',
    -- Default, Hosted or Custom.
    type        TEXT NOT NULL DEFAULT 'Default',
    quota_gb    INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO new_locations (uid, company_uid, name, name_folded, type, quota_gb)
SELECT uid, company_uid, name, name_folded, type, quota_gb FROM locations;

CREATE TABLE new_join_tokens (
    uid          BLOB NOT NULL PRIMARY KEY,
    company_uid  BLOB NOT NULL REFERENCES organizations (uid),
    location_uid BLOB NOT NULL REFERENCES new_locations (uid),
    hash         BLOB NOT NULL UNIQUE,
    door         TEXT NOT NULL,
    uses_left    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- The account that agents enrolled with this token connect in the name of.
    account_uid  BLOB
) STRICT;
INSERT INTO new_join_tokens (uid, company_uid, location_uid, hash, door, uses_left, created_at, expires_at)
SELECT uid, company_uid, location_uid, hash, door, uses_left, created_at, expires_at FROM join_tokens;

CREATE TABLE new_agents (
    uid              BLOB NOT NULL PRIMARY KEY,
    company_uid      BLOB NOT NULL REFERENCES organizations (uid),
    location_uid     BLOB NOT NULL REFERENCES new_locations (uid),
    host_name        TEXT NOT NULL,
    host_name_folded TEXT NOT NULL,
    machine_id       TEXT NOT NULL,
    platform         TEXT NOT NULL,
    os_version       TEXT NOT NULL,
    version          TEXT NOT NULL,
    version_status   TEXT NOT NULL,
    driver           TEXT NOT NULL,
    -- Which door it came through: remote or hosted.
    door             TEXT NOT NULL,
    -- SHA-256 of the certificates it may use: the current one, and the one before until the current one was seen.
    certificate      BLOB NOT NULL,
    former_certificate BLOB,
    enrolled_at      INTEGER NOT NULL,
    connected        INTEGER NOT NULL,
    last_heartbeat   INTEGER NOT NULL,
    -- Of the session that said so last: an older one that ends late must not speak for the agent.
    session          INTEGER NOT NULL,
    -- The last batch that was committed.
    epoch            INTEGER NOT NULL,
    sequence         INTEGER NOT NULL,
    due_at           INTEGER,
    revision         INTEGER NOT NULL,
    friendly_name TEXT,
    agent_label TEXT,
    -- Client, or Master: discovers and updates others in its network.
    role TEXT NOT NULL DEFAULT 'Client',
    -- It stands on a Cloud Connect server: a site.
    cloud_connect INTEGER NOT NULL DEFAULT 0,
    reboot_required INTEGER NOT NULL DEFAULT 0,
    -- What it says of itself: Warning, Updating, Error … Absent: nothing but that it is there.
    reported_status TEXT,
    -- The user or the cloud tenant in whose name it was enrolled: subtenants see what is theirs.
    account_uid BLOB,
    clustered_agents TEXT NOT NULL DEFAULT '[]',
    -- The machine's; the rest of this block is what it says of its machine, lists as JSON.
    computer_uid BLOB,
    bios_uuid BLOB,
    fqdn TEXT,
    guest_os TEXT,
    guest_os_type TEXT,
    guest_os_version TEXT,
    guest_os_sku INTEGER,
    platform_type TEXT,
    ip_addresses TEXT NOT NULL DEFAULT '[]',
    mac_addresses TEXT NOT NULL DEFAULT '[]',
    applications TEXT
) STRICT;
INSERT INTO new_agents (
    uid, company_uid, location_uid, host_name, host_name_folded, machine_id, platform, os_version, version, version_status,
    driver, door, certificate, former_certificate, enrolled_at, connected, last_heartbeat, session, epoch, sequence, due_at, revision
)
SELECT
    uid, company_uid, location_uid, host_name, host_name_folded, machine_id, platform, os_version, version, version_status,
    driver, door, certificate, former_certificate, enrolled_at, connected, last_heartbeat, session, epoch, sequence, due_at, revision
FROM agents;

CREATE TABLE new_backup_servers (
    uid         BLOB NOT NULL PRIMARY KEY,
    agent_uid   BLOB NOT NULL REFERENCES new_agents (uid),
    company_uid BLOB NOT NULL REFERENCES organizations (uid),
    name        TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    key         TEXT NOT NULL,
    engine      TEXT NOT NULL,
    version     TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    -- The engine's id of its installation; absent: its key.
    installation_uid TEXT,
    display_version TEXT,
    label TEXT,
    clustered INTEGER NOT NULL DEFAULT 0,
    -- What its agent says of it while it is connected.
    status TEXT NOT NULL DEFAULT 'Healthy',
    UNIQUE (agent_uid, key)
) STRICT;
INSERT INTO new_backup_servers (uid, agent_uid, company_uid, name, name_folded, key, engine, version, epoch)
SELECT uid, agent_uid, company_uid, name, name_folded, key, engine, version, epoch FROM backup_servers;

CREATE TABLE new_workloads (
    uid                  BLOB NOT NULL PRIMARY KEY,
    server_uid           BLOB NOT NULL REFERENCES new_backup_servers (uid),
    agent_uid            BLOB NOT NULL REFERENCES new_agents (uid),
    company_uid          BLOB NOT NULL REFERENCES organizations (uid),
    key                  TEXT NOT NULL,
    name                 TEXT NOT NULL,
    name_folded          TEXT NOT NULL,
    -- computer, managed_computer, virtual_machine, file_share; for life.
    kind                 TEXT NOT NULL,
    operation_mode       TEXT NOT NULL,
    backed_up_items      TEXT NOT NULL,
    first_seen           INTEGER NOT NULL,
    newest_restore_point INTEGER,
    restore_points       INTEGER NOT NULL,
    -- The epoch that mentioned it last: what a full inventory leaves behind is gone.
    epoch                INTEGER NOT NULL,
    gone_at              INTEGER,
    due_at               INTEGER,
    revision             INTEGER NOT NULL,
    -- The agent's account, repeated here so that a subtenant's lists need no join.
    account_uid BLOB,
    job_uid BLOB,
    object_uid BLOB,
    source_uid BLOB,
    platform TEXT,
    guest_os TEXT,
    ip_addresses TEXT NOT NULL DEFAULT '[]',
    protection_groups TEXT NOT NULL DEFAULT '[]',
    hierarchy_ref TEXT,
    parent_host_ref TEXT,
    malware_state TEXT NOT NULL DEFAULT 'Unknown',
    immutable INTEGER NOT NULL DEFAULT 0,
    jobs INTEGER NOT NULL DEFAULT 0,
    provisioned_size INTEGER,
    used_size INTEGER,
    -- Of its restore points; kept by the statement that keeps newest_restore_point.
    latest_size INTEGER,
    total_size INTEGER,
    archive_points INTEGER NOT NULL DEFAULT 0,
    archive_size INTEGER NOT NULL DEFAULT 0,
    UNIQUE (server_uid, key)
) STRICT;
INSERT INTO new_workloads (
    uid, server_uid, agent_uid, company_uid, key, name, name_folded, kind, operation_mode, backed_up_items, first_seen,
    newest_restore_point, restore_points, epoch, gone_at, due_at, revision
)
SELECT
    uid, server_uid, agent_uid, company_uid, key, name, name_folded, kind, operation_mode, backed_up_items, first_seen,
    newest_restore_point, restore_points, epoch, gone_at, due_at, revision
FROM workloads;

CREATE TABLE new_restore_points (
    uid          BLOB NOT NULL PRIMARY KEY,
    workload_uid BLOB NOT NULL REFERENCES new_workloads (uid) ON DELETE CASCADE,
    key          TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    size         INTEGER,
    source_size  INTEGER,
    destination  TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    -- The workload's owner, agent, account and kind, repeated so that a list of points needs no join.
    company_uid BLOB NOT NULL,
    agent_uid BLOB NOT NULL,
    account_uid BLOB,
    kind TEXT NOT NULL,
    -- The newest one of its workload.
    latest INTEGER NOT NULL DEFAULT 0,
    server_uid BLOB,
    backup_uid BLOB,
    job_uid BLOB,
    repository_uid BLOB,
    target_type TEXT,
    tier TEXT,
    file_path TEXT,
    file_created_at INTEGER,
    gfs TEXT NOT NULL DEFAULT '[]',
    immutable_till INTEGER,
    consistent INTEGER,
    cpu_cores INTEGER,
    memory INTEGER,
    increment_size INTEGER,
    provisioned_size INTEGER,
    used_size INTEGER,
    archive INTEGER NOT NULL DEFAULT 0,
    malware_state TEXT NOT NULL DEFAULT 'Unknown',
    UNIQUE (workload_uid, key)
) STRICT;
INSERT INTO new_restore_points (
    uid, workload_uid, key, created_at, size, source_size, destination, epoch, company_uid, agent_uid, kind, server_uid
)
SELECT
    r.uid, r.workload_uid, r.key, r.created_at, r.size, r.source_size, r.destination, r.epoch, w.company_uid, w.agent_uid, w.kind,
    w.server_uid
FROM restore_points r JOIN workloads w ON w.uid = r.workload_uid;

CREATE TABLE new_alarms (
    uid            BLOB NOT NULL PRIMARY KEY,
    template_uid   BLOB NOT NULL REFERENCES alarm_templates (uid),
    company_uid    BLOB NOT NULL REFERENCES organizations (uid),
    location_uid   BLOB,
    agent_uid      BLOB,
    object_type    TEXT NOT NULL,
    object_uid     BLOB NOT NULL,
    object_name    TEXT NOT NULL,
    object_name_folded TEXT NOT NULL,
    computer_name  TEXT NOT NULL,
    -- The last activation, repeated here so that lists need no join.
    activation_uid BLOB NOT NULL,
    status         TEXT NOT NULL,
    message        TEXT NOT NULL,
    remark         TEXT NOT NULL,
    changed_at     INTEGER NOT NULL,
    repeat_count   INTEGER NOT NULL,
    UNIQUE (template_uid, object_uid)
) STRICT;
INSERT INTO new_alarms (
    uid, template_uid, company_uid, location_uid, agent_uid, object_type, object_uid, object_name, object_name_folded,
    computer_name, activation_uid, status, message, remark, changed_at, repeat_count
)
SELECT
    uid, template_uid, company_uid, location_uid, agent_uid, object_type, object_uid, object_name, object_name_folded,
    computer_name, activation_uid, status, message, remark, changed_at, repeat_count
FROM alarms;
CREATE TABLE new_alarm_activations (
    uid        BLOB NOT NULL PRIMARY KEY,
    alarm_uid  BLOB NOT NULL REFERENCES new_alarms (uid) ON DELETE CASCADE,
    status     TEXT NOT NULL,
    message    TEXT NOT NULL,
    remark     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO new_alarm_activations (uid, alarm_uid, status, message, remark, created_at)
SELECT uid, alarm_uid, status, message, remark, created_at FROM alarm_activations;

DROP TABLE alarm_activations;
DROP TABLE alarms;
DROP TABLE restore_points;
DROP TABLE workloads;
DROP TABLE backup_servers;
DROP TABLE agents;
DROP TABLE join_tokens;
DROP TABLE locations;
ALTER TABLE new_locations RENAME TO locations;
ALTER TABLE new_join_tokens RENAME TO join_tokens;
ALTER TABLE new_agents RENAME TO agents;
ALTER TABLE new_backup_servers RENAME TO backup_servers;
ALTER TABLE new_workloads RENAME TO workloads;
ALTER TABLE new_restore_points RENAME TO restore_points;
ALTER TABLE new_alarms RENAME TO alarms;
ALTER TABLE new_alarm_activations RENAME TO alarm_activations;

CREATE INDEX locations_by_company ON locations (company_uid);
CREATE INDEX agents_by_company ON agents (company_uid);
CREATE INDEX agents_due ON agents (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX backup_servers_by_company ON backup_servers (company_uid);
CREATE INDEX workloads_by_agent ON workloads (agent_uid);
CREATE INDEX workloads_due ON workloads (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX restore_points_by_time ON restore_points (workload_uid, created_at);
CREATE INDEX alarms_by_company ON alarms (company_uid);
CREATE INDEX alarms_by_object ON alarms (object_uid);
CREATE INDEX alarms_by_time ON alarms (changed_at);
CREATE INDEX alarm_activations_by_alarm ON alarm_activations (alarm_uid, created_at);

UPDATE workloads SET
    latest_size = (SELECT r.size FROM restore_points r WHERE r.workload_uid = workloads.uid ORDER BY r.created_at DESC, r.uid DESC LIMIT 1),
    total_size = (SELECT CAST(sum(r.size) AS BIGINT) FROM restore_points r WHERE r.workload_uid = workloads.uid);
UPDATE restore_points SET latest = 1 WHERE uid IN (
    SELECT (SELECT r.uid FROM restore_points r WHERE r.workload_uid = w.uid ORDER BY r.created_at DESC, r.uid DESC LIMIT 1)
    FROM workloads w
);

CREATE INDEX agents_by_location ON agents (location_uid);
CREATE INDEX agents_by_name ON agents (host_name_folded);
CREATE INDEX agents_by_account ON agents (account_uid) WHERE account_uid IS NOT NULL;
CREATE INDEX backup_servers_by_name ON backup_servers (name_folded);
-- The orders of the fleet-wide lists, each kind by itself: an index over all kinds would lure SQLite, which knows nothing of how
-- many rows a kind has, away from the index over one company's or one workload's.
CREATE INDEX workloads_computer_by_uid ON workloads (uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_computer_by_name ON workloads (name, uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_computer_by_folded_name ON workloads (name_folded, name, uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_computer_by_age ON workloads (newest_restore_point, uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_uid ON workloads (uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_name ON workloads (name, uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_folded_name ON workloads (name_folded, name, uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_age ON workloads (newest_restore_point, uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_uid ON workloads (uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_name ON workloads (name, uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_folded_name ON workloads (name_folded, name, uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_age ON workloads (newest_restore_point, uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_uid ON workloads (uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_name ON workloads (name, uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_folded_name ON workloads (name_folded, name, uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_age ON workloads (newest_restore_point, uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_by_company ON workloads (company_uid, kind);
CREATE INDEX workloads_by_job ON workloads (job_uid) WHERE job_uid IS NOT NULL;
CREATE INDEX workloads_by_account ON workloads (account_uid) WHERE account_uid IS NOT NULL;
CREATE INDEX restore_points_computer_by_uid ON restore_points (uid) WHERE kind = 'computer';
CREATE INDEX restore_points_computer_by_age ON restore_points (created_at) WHERE kind = 'computer';
CREATE INDEX restore_points_managed_computer_by_uid ON restore_points (uid) WHERE kind = 'managed_computer';
CREATE INDEX restore_points_managed_computer_by_age ON restore_points (created_at) WHERE kind = 'managed_computer';
CREATE INDEX restore_points_virtual_machine_by_uid ON restore_points (uid) WHERE kind = 'virtual_machine';
CREATE INDEX restore_points_virtual_machine_by_age ON restore_points (created_at) WHERE kind = 'virtual_machine';
CREATE INDEX restore_points_file_share_by_uid ON restore_points (uid) WHERE kind = 'file_share';
CREATE INDEX restore_points_file_share_by_age ON restore_points (created_at) WHERE kind = 'file_share';
CREATE INDEX restore_points_managed_computer_latest ON restore_points (latest, uid) WHERE kind = 'managed_computer' AND latest = TRUE;
CREATE INDEX restore_points_virtual_machine_latest ON restore_points (latest, uid) WHERE kind = 'virtual_machine' AND latest = TRUE;
CREATE INDEX restore_points_by_company ON restore_points (company_uid, kind, latest, uid);
CREATE INDEX restore_points_latest_of ON restore_points (workload_uid) WHERE latest;
CREATE INDEX restore_points_by_job ON restore_points (job_uid) WHERE job_uid IS NOT NULL;
CREATE INDEX restore_points_by_account ON restore_points (account_uid) WHERE account_uid IS NOT NULL;
