-- What companies and resellers are offered, a column for each number and switch, so that lists filter by them. An object that the API
-- shows may be absent as a whole (the service is off) or there with nothing in it (on, without limits): its own column says which.

ALTER TABLE companies ADD COLUMN hosted_services INTEGER NOT NULL DEFAULT 1;
ALTER TABLE companies ADD COLUMN hosted_public_cloud INTEGER DEFAULT 0;
ALTER TABLE companies ADD COLUMN remote_services INTEGER NOT NULL DEFAULT 1;
ALTER TABLE companies ADD COLUMN remote_backup_resources INTEGER DEFAULT 1;
ALTER TABLE companies ADD COLUMN remote_public_cloud INTEGER DEFAULT 0;
ALTER TABLE companies ADD COLUMN agents_managed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN agents_hard_quota INTEGER;
ALTER TABLE companies ADD COLUMN server_agents_quota INTEGER;
ALTER TABLE companies ADD COLUMN workstation_agents_quota INTEGER;
ALTER TABLE companies ADD COLUMN servers_managed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN servers_quota INTEGER;
ALTER TABLE companies ADD COLUMN vb365_managed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE companies ADD COLUMN vb365_quota INTEGER;
UPDATE companies SET
    hosted_services = coalesce(json_type(services, '$.hostedServices') <> 'null', 1),
    hosted_public_cloud = coalesce(services ->> '$.hostedServices.isVbPublicCloudManagementEnabled', 0),
    remote_services = coalesce(json_type(services, '$.remoteServices') <> 'null', 1),
    remote_backup_resources = coalesce(services ->> '$.remoteServices.isBackupResourcesEnabled', 1),
    remote_public_cloud = coalesce(services ->> '$.remoteServices.isVbPublicCloudManagementEnabled', 0),
    agents_managed = coalesce(json_type(services, '$.remoteServices.backupAgentsManagement') <> 'null', 0),
    agents_hard_quota = services ->> '$.remoteServices.backupAgentsManagement.isHardQuotaEnabled',
    server_agents_quota = services ->> '$.remoteServices.backupAgentsManagement.serverAgentsQuota',
    workstation_agents_quota = services ->> '$.remoteServices.backupAgentsManagement.workstationAgentsQuota',
    servers_managed = coalesce(json_type(services, '$.remoteServices.backupServersManagement') <> 'null', 0),
    servers_quota = services ->> '$.remoteServices.backupServersManagement.backupServerQuota',
    vb365_managed = coalesce(json_type(services, '$.remoteServices.vb365ServersManagement') <> 'null', 0),
    vb365_quota = services ->> '$.remoteServices.vb365ServersManagement.backupServerQuota';
UPDATE companies SET agents_hard_quota = 0 WHERE agents_managed AND agents_hard_quota IS NULL;
ALTER TABLE companies DROP COLUMN services;

ALTER TABLE resellers ADD COLUMN file_level_restore INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN cloud_connect INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN cloud_quota INTEGER NOT NULL DEFAULT 0;
-- Bytes.
ALTER TABLE resellers ADD COLUMN data_transfer_out_quota INTEGER;
-- Days.
ALTER TABLE resellers ADD COLUMN insider_protection_quota INTEGER;
ALTER TABLE resellers ADD COLUMN wan_acceleration INTEGER;
ALTER TABLE resellers ADD COLUMN max_concurrent_task INTEGER;
ALTER TABLE resellers ADD COLUMN throttling_unit TEXT;
ALTER TABLE resellers ADD COLUMN throttling_value INTEGER;
ALTER TABLE resellers ADD COLUMN hosted_backup_resources INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN hosted_vb365 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN hosted_public_cloud INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN server_agents_quota INTEGER;
ALTER TABLE resellers ADD COLUMN workstation_agents_quota INTEGER;
ALTER TABLE resellers ADD COLUMN remote_backup_servers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN remote_vb365 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers ADD COLUMN remote_public_cloud INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resellers DROP COLUMN services;

-- What an organisation's users may do with jobs: a JSON array of claims. Unless somebody says otherwise a company runs what stands with it.
ALTER TABLE organizations ADD COLUMN claims TEXT NOT NULL DEFAULT
    '["RemoteVbrJobStartStop","RemoteVbrJobEnableDisable","RemoteVbm365JobStartStop","RemoteVbm365JobEnableDisable","RemotePublicCloudJobStartStop","RemotePublicCloudJobEnableDisable"]';

CREATE INDEX users_owners ON users (organization_uid) WHERE role = 'CompanyOwner';
