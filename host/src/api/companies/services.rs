//! What a company is offered.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::input::Check;

/// What a company is offered; what is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CompanyServices {
    #[serde(deserialize_with = "null_is_default")]
    hosted_services: CompanyHostedServices,
    #[serde(deserialize_with = "null_is_default")]
    remote_services: CompanyRemoteServices,
}

/// What runs at the provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct CompanyHostedServices {
    is_vb_public_cloud_management_enabled: bool,
}

/// What runs at the company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct CompanyRemoteServices {
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_agents_management: Option<CompanyBackupAgentsManagement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_servers_management: Option<CompanyBackupServerManagement>,
    is_backup_resources_enabled: bool,
    is_vb_public_cloud_management_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    vb365_servers_management: Option<CompanyVb365ServerManagement>,
}

impl Default for CompanyRemoteServices {
    fn default() -> Self {
        Self {
            backup_agents_management: None,
            backup_servers_management: None,
            is_backup_resources_enabled: true,
            is_vb_public_cloud_management_enabled: false,
            vb365_servers_management: None,
        }
    }
}

/// Backup agents and their quotas.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct CompanyBackupAgentsManagement {
    is_hard_quota_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 99_999)]
    server_agents_quota: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 99_999)]
    workstation_agents_quota: Option<i32>,
}

/// Backup servers and their quota.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct CompanyBackupServerManagement {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    backup_server_quota: Option<i32>,
}

/// Microsoft 365 backup servers and their quota.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
struct CompanyVb365ServerManagement {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    backup_server_quota: Option<i32>,
}

impl CompanyServices {
    /// Holds the quotas to the schema's limits.
    pub(super) fn check(&self, check: &mut Check) {
        let remote = &self.remote_services;
        let path = |name: &str| format!("companyServices.remoteServices.{name}");
        if let Some(agents) = &remote.backup_agents_management {
            let path = |name: &str| path(&format!("backupAgentsManagement.{name}"));
            check.number(&path("serverAgentsQuota"), agents.server_agents_quota, 0..=99_999);
            check.number(&path("workstationAgentsQuota"), agents.workstation_agents_quota, 0..=99_999);
        }
        let servers =
            remote.backup_servers_management.as_ref().and_then(|servers| servers.backup_server_quota);
        check.number(&path("backupServersManagement.backupServerQuota"), servers, 1..=i32::MAX);
        let vb365 = remote.vb365_servers_management.as_ref().and_then(|servers| servers.backup_server_quota);
        check.number(&path("vb365ServersManagement.backupServerQuota"), vb365, 1..=i32::MAX);
    }
}

fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
