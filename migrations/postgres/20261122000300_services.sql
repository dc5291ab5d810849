-- What companies and resellers are offered, a column for each number and switch, so that lists filter by them. An object that the API
-- shows may be absent as a whole (the service is off) or there with nothing in it (on, without limits): its own column says which.

ALTER TABLE companies ADD COLUMN hosted_services BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE companies ADD COLUMN hosted_public_cloud BOOLEAN DEFAULT FALSE;
ALTER TABLE companies ADD COLUMN remote_services BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE companies ADD COLUMN remote_backup_resources BOOLEAN DEFAULT TRUE;
ALTER TABLE companies ADD COLUMN remote_public_cloud BOOLEAN DEFAULT FALSE;
ALTER TABLE companies ADD COLUMN agents_managed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE companies ADD COLUMN agents_hard_quota BOOLEAN;
ALTER TABLE companies ADD COLUMN server_agents_quota BIGINT;
ALTER TABLE companies ADD COLUMN workstation_agents_quota BIGINT;
ALTER TABLE companies ADD COLUMN servers_managed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE companies ADD COLUMN servers_quota BIGINT;
ALTER TABLE companies ADD COLUMN vb365_managed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE companies ADD COLUMN vb365_quota BIGINT;
UPDATE companies SET
    hosted_services = coalesce(jsonb_typeof(services::jsonb #> '{hostedServices}') <> 'null', TRUE),
    hosted_public_cloud = coalesce((services::jsonb #>> '{hostedServices,isVbPublicCloudManagementEnabled}')::boolean, FALSE),
    remote_services = coalesce(jsonb_typeof(services::jsonb #> '{remoteServices}') <> 'null', TRUE),
    remote_backup_resources = coalesce((services::jsonb #>> '{remoteServices,isBackupResourcesEnabled}')::boolean, TRUE),
    remote_public_cloud = coalesce((services::jsonb #>> '{remoteServices,isVbPublicCloudManagementEnabled}')::boolean, FALSE),
    agents_managed = coalesce(jsonb_typeof(services::jsonb #> '{remoteServices,backupAgentsManagement}') <> 'null', FALSE),
    agents_hard_quota = (services::jsonb #>> '{remoteServices,backupAgentsManagement,isHardQuotaEnabled}')::boolean,
    server_agents_quota = (services::jsonb #>> '{remoteServices,backupAgentsManagement,serverAgentsQuota}')::bigint,
    workstation_agents_quota = (services::jsonb #>> '{remoteServices,backupAgentsManagement,workstationAgentsQuota}')::bigint,
    servers_managed = coalesce(jsonb_typeof(services::jsonb #> '{remoteServices,backupServersManagement}') <> 'null', FALSE),
    servers_quota = (services::jsonb #>> '{remoteServices,backupServersManagement,backupServerQuota}')::bigint,
    vb365_managed = coalesce(jsonb_typeof(services::jsonb #> '{remoteServices,vb365ServersManagement}') <> 'null', FALSE),
    vb365_quota = (services::jsonb #>> '{remoteServices,vb365ServersManagement,backupServerQuota}')::bigint;
UPDATE companies SET agents_hard_quota = FALSE WHERE agents_managed AND agents_hard_quota IS NULL;
ALTER TABLE companies DROP COLUMN services;

ALTER TABLE resellers ADD COLUMN file_level_restore BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN cloud_connect BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN cloud_quota BOOLEAN NOT NULL DEFAULT FALSE;
-- Bytes.
ALTER TABLE resellers ADD COLUMN data_transfer_out_quota BIGINT;
-- Days.
ALTER TABLE resellers ADD COLUMN insider_protection_quota BIGINT;
ALTER TABLE resellers ADD COLUMN wan_acceleration BOOLEAN;
ALTER TABLE resellers ADD COLUMN max_concurrent_task BIGINT;
ALTER TABLE resellers ADD COLUMN throttling_unit TEXT COLLATE "C";
ALTER TABLE resellers ADD COLUMN throttling_value BIGINT;
ALTER TABLE resellers ADD COLUMN hosted_backup_resources BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN hosted_vb365 BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN hosted_public_cloud BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN server_agents_quota BIGINT;
ALTER TABLE resellers ADD COLUMN workstation_agents_quota BIGINT;
ALTER TABLE resellers ADD COLUMN remote_backup_servers BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN remote_vb365 BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers ADD COLUMN remote_public_cloud BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE resellers DROP COLUMN services;

-- What an organisation's users may do with jobs: a JSON array of claims. Unless somebody says otherwise a company runs what stands with it.
ALTER TABLE organizations ADD COLUMN claims TEXT COLLATE "C" NOT NULL DEFAULT
    '["RemoteVbrJobStartStop","RemoteVbrJobEnableDisable","RemoteVbm365JobStartStop","RemoteVbm365JobEnableDisable","RemotePublicCloudJobStartStop","RemotePublicCloudJobEnableDisable"]';

CREATE INDEX users_owners ON users (organization_uid) WHERE role = 'CompanyOwner';
