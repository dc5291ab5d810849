-- What agents report, seen by organisations of every kind: a Cloud Connect server and a hosted one are the provider's own. What a
-- list shows or filters by stands on the listed row, so that a page of a million rows is read from an index.

ALTER TABLE locations DROP CONSTRAINT locations_company_uid_fkey, ADD FOREIGN KEY (company_uid) REFERENCES organizations (uid);
ALTER TABLE join_tokens DROP CONSTRAINT join_tokens_company_uid_fkey, ADD FOREIGN KEY (company_uid) REFERENCES organizations (uid);
ALTER TABLE agents DROP CONSTRAINT agents_company_uid_fkey, ADD FOREIGN KEY (company_uid) REFERENCES organizations (uid);
ALTER TABLE backup_servers DROP CONSTRAINT backup_servers_company_uid_fkey,
    ADD FOREIGN KEY (company_uid) REFERENCES organizations (uid);
ALTER TABLE workloads DROP CONSTRAINT workloads_company_uid_fkey, ADD FOREIGN KEY (company_uid) REFERENCES organizations (uid);
ALTER TABLE alarms DROP CONSTRAINT alarms_company_uid_fkey, ADD FOREIGN KEY (company_uid) REFERENCES organizations (uid);

-- The account that agents enrolled with this token connect in the name of.
ALTER TABLE join_tokens ADD COLUMN account_uid UUID;

ALTER TABLE agents ADD COLUMN friendly_name TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN agent_label TEXT COLLATE "C";
-- Client, or Master: discovers and updates others in its network.
ALTER TABLE agents ADD COLUMN role TEXT COLLATE "C" NOT NULL DEFAULT 'Client';
-- It stands on a Cloud Connect server: a site.
ALTER TABLE agents ADD COLUMN cloud_connect BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE agents ADD COLUMN reboot_required BOOLEAN NOT NULL DEFAULT FALSE;
-- What it says of itself: Warning, Updating, Error … Absent: nothing but that it is there.
ALTER TABLE agents ADD COLUMN reported_status TEXT COLLATE "C";
-- The user or the cloud tenant in whose name it was enrolled: subtenants see what is theirs.
ALTER TABLE agents ADD COLUMN account_uid UUID;
ALTER TABLE agents ADD COLUMN clustered_agents TEXT COLLATE "C" NOT NULL DEFAULT '[]';
-- The machine's; the rest of this block is what it says of its machine, lists as JSON.
ALTER TABLE agents ADD COLUMN computer_uid UUID;
ALTER TABLE agents ADD COLUMN bios_uuid UUID;
ALTER TABLE agents ADD COLUMN fqdn TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN guest_os TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN guest_os_type TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN guest_os_version TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN guest_os_sku BIGINT;
ALTER TABLE agents ADD COLUMN platform_type TEXT COLLATE "C";
ALTER TABLE agents ADD COLUMN ip_addresses TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN mac_addresses TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE agents ADD COLUMN applications TEXT COLLATE "C";

-- The engine's id of its installation; absent: its key.
ALTER TABLE backup_servers ADD COLUMN installation_uid TEXT COLLATE "C";
ALTER TABLE backup_servers ADD COLUMN display_version TEXT COLLATE "C";
ALTER TABLE backup_servers ADD COLUMN label TEXT COLLATE "C";
ALTER TABLE backup_servers ADD COLUMN clustered BOOLEAN NOT NULL DEFAULT FALSE;
-- What its agent says of it while it is connected.
ALTER TABLE backup_servers ADD COLUMN status TEXT COLLATE "C" NOT NULL DEFAULT 'Healthy';

-- The agent's account, repeated here so that a subtenant's lists need no join.
ALTER TABLE workloads ADD COLUMN account_uid UUID;
ALTER TABLE workloads ADD COLUMN job_uid UUID;
ALTER TABLE workloads ADD COLUMN object_uid UUID;
ALTER TABLE workloads ADD COLUMN source_uid UUID;
ALTER TABLE workloads ADD COLUMN platform TEXT COLLATE "C";
ALTER TABLE workloads ADD COLUMN guest_os TEXT COLLATE "C";
ALTER TABLE workloads ADD COLUMN ip_addresses TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE workloads ADD COLUMN protection_groups TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE workloads ADD COLUMN hierarchy_ref TEXT COLLATE "C";
ALTER TABLE workloads ADD COLUMN parent_host_ref TEXT COLLATE "C";
ALTER TABLE workloads ADD COLUMN malware_state TEXT COLLATE "C" NOT NULL DEFAULT 'Unknown';
ALTER TABLE workloads ADD COLUMN immutable BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE workloads ADD COLUMN jobs BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workloads ADD COLUMN provisioned_size BIGINT;
ALTER TABLE workloads ADD COLUMN used_size BIGINT;
-- Of its restore points; kept by the statement that keeps newest_restore_point.
ALTER TABLE workloads ADD COLUMN latest_size BIGINT;
ALTER TABLE workloads ADD COLUMN total_size BIGINT;
ALTER TABLE workloads ADD COLUMN archive_points BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workloads ADD COLUMN archive_size BIGINT NOT NULL DEFAULT 0;

ALTER TABLE restore_points ADD COLUMN company_uid UUID;
ALTER TABLE restore_points ADD COLUMN agent_uid UUID;
ALTER TABLE restore_points ADD COLUMN account_uid UUID;
ALTER TABLE restore_points ADD COLUMN kind TEXT COLLATE "C";
-- The newest one of its workload.
ALTER TABLE restore_points ADD COLUMN latest BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE restore_points ADD COLUMN server_uid UUID;
ALTER TABLE restore_points ADD COLUMN backup_uid UUID;
ALTER TABLE restore_points ADD COLUMN job_uid UUID;
ALTER TABLE restore_points ADD COLUMN repository_uid UUID;
ALTER TABLE restore_points ADD COLUMN target_type TEXT COLLATE "C";
ALTER TABLE restore_points ADD COLUMN tier TEXT COLLATE "C";
ALTER TABLE restore_points ADD COLUMN file_path TEXT COLLATE "C";
ALTER TABLE restore_points ADD COLUMN file_created_at BIGINT;
ALTER TABLE restore_points ADD COLUMN gfs TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE restore_points ADD COLUMN immutable_till BIGINT;
ALTER TABLE restore_points ADD COLUMN consistent BOOLEAN;
ALTER TABLE restore_points ADD COLUMN cpu_cores BIGINT;
ALTER TABLE restore_points ADD COLUMN memory BIGINT;
ALTER TABLE restore_points ADD COLUMN increment_size BIGINT;
ALTER TABLE restore_points ADD COLUMN provisioned_size BIGINT;
ALTER TABLE restore_points ADD COLUMN used_size BIGINT;
ALTER TABLE restore_points ADD COLUMN archive BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE restore_points ADD COLUMN malware_state TEXT COLLATE "C" NOT NULL DEFAULT 'Unknown';
UPDATE restore_points r SET company_uid = w.company_uid, agent_uid = w.agent_uid, server_uid = w.server_uid, kind = w.kind
FROM workloads w WHERE w.uid = r.workload_uid;
ALTER TABLE restore_points ALTER COLUMN company_uid SET NOT NULL, ALTER COLUMN agent_uid SET NOT NULL, ALTER COLUMN kind SET NOT NULL;

DROP INDEX workloads_by_company;
UPDATE workloads SET
    latest_size = (SELECT r.size FROM restore_points r WHERE r.workload_uid = workloads.uid ORDER BY r.created_at DESC, r.uid DESC LIMIT 1),
    total_size = (SELECT CAST(sum(r.size) AS BIGINT) FROM restore_points r WHERE r.workload_uid = workloads.uid);
UPDATE restore_points SET latest = TRUE WHERE uid IN (
    SELECT (SELECT r.uid FROM restore_points r WHERE r.workload_uid = w.uid ORDER BY r.created_at DESC, r.uid DESC LIMIT 1)
    FROM workloads w
);

CREATE INDEX agents_by_location ON agents (location_uid);
CREATE INDEX agents_by_name ON agents (host_name_folded NULLS FIRST);
CREATE INDEX agents_by_account ON agents (account_uid) WHERE account_uid IS NOT NULL;
CREATE INDEX backup_servers_by_name ON backup_servers (name_folded NULLS FIRST);
-- The orders of the fleet-wide lists, each kind by itself: an index over all kinds would lure SQLite, which knows nothing of how
-- many rows a kind has, away from the index over one company's or one workload's.
CREATE INDEX workloads_computer_by_uid ON workloads (uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_computer_by_name ON workloads (name NULLS FIRST, uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_computer_by_folded_name ON workloads (name_folded NULLS FIRST, name NULLS FIRST, uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_computer_by_age ON workloads (newest_restore_point NULLS FIRST, uid) WHERE kind = 'computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_uid ON workloads (uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_name ON workloads (name NULLS FIRST, uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_folded_name ON workloads (name_folded NULLS FIRST, name NULLS FIRST, uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_managed_computer_by_age ON workloads (newest_restore_point NULLS FIRST, uid) WHERE kind = 'managed_computer' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_uid ON workloads (uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_name ON workloads (name NULLS FIRST, uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_folded_name ON workloads (name_folded NULLS FIRST, name NULLS FIRST, uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_virtual_machine_by_age ON workloads (newest_restore_point NULLS FIRST, uid) WHERE kind = 'virtual_machine' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_uid ON workloads (uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_name ON workloads (name NULLS FIRST, uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_folded_name ON workloads (name_folded NULLS FIRST, name NULLS FIRST, uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_file_share_by_age ON workloads (newest_restore_point NULLS FIRST, uid) WHERE kind = 'file_share' AND gone_at IS NULL;
CREATE INDEX workloads_by_company ON workloads (company_uid, kind);
CREATE INDEX workloads_by_job ON workloads (job_uid) WHERE job_uid IS NOT NULL;
CREATE INDEX workloads_by_account ON workloads (account_uid) WHERE account_uid IS NOT NULL;
CREATE INDEX restore_points_computer_by_uid ON restore_points (uid) WHERE kind = 'computer';
CREATE INDEX restore_points_computer_by_age ON restore_points (created_at NULLS FIRST) WHERE kind = 'computer';
CREATE INDEX restore_points_managed_computer_by_uid ON restore_points (uid) WHERE kind = 'managed_computer';
CREATE INDEX restore_points_managed_computer_by_age ON restore_points (created_at NULLS FIRST) WHERE kind = 'managed_computer';
CREATE INDEX restore_points_virtual_machine_by_uid ON restore_points (uid) WHERE kind = 'virtual_machine';
CREATE INDEX restore_points_virtual_machine_by_age ON restore_points (created_at NULLS FIRST) WHERE kind = 'virtual_machine';
CREATE INDEX restore_points_file_share_by_uid ON restore_points (uid) WHERE kind = 'file_share';
CREATE INDEX restore_points_file_share_by_age ON restore_points (created_at NULLS FIRST) WHERE kind = 'file_share';
CREATE INDEX restore_points_managed_computer_latest ON restore_points (latest, uid) WHERE kind = 'managed_computer' AND latest = TRUE;
CREATE INDEX restore_points_virtual_machine_latest ON restore_points (latest, uid) WHERE kind = 'virtual_machine' AND latest = TRUE;
CREATE INDEX restore_points_by_company ON restore_points (company_uid, kind, latest, uid);
CREATE INDEX restore_points_latest_of ON restore_points (workload_uid) WHERE latest;
CREATE INDEX restore_points_by_job ON restore_points (job_uid) WHERE job_uid IS NOT NULL;
CREATE INDEX restore_points_by_account ON restore_points (account_uid) WHERE account_uid IS NOT NULL;
