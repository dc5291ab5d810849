//! What is known of a user beside name, password and role.

use uuid::Uuid;

/// How a user is reached.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// `Mr`, `Miss`, `Mrs`, `Ms` or `Unknown`.
    pub title: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Where mails go.
    pub email: Option<String>,
    /// Telephone.
    pub phone: Option<String>,
    /// Postal address.
    pub address: Option<String>,
}

/// What a subtenant may use of their company's backup resources, in the words of the API's `UserBackupResourceInput`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupResource {
    /// The company's resource of which this is a part.
    pub tenant_backup_resource_uid: Uuid,
    /// Its name for the subtenant.
    pub resource_friendly_name: String,
    /// In free words.
    pub description: Option<String>,
    /// Whether only the company's own quota limits it.
    #[serde(default = "yes")]
    pub is_storage_quota_unlimited: bool,
    /// Bytes.
    pub storage_quota: Option<i64>,
    /// On which site.
    pub site_uid: Option<Uuid>,
    /// The subtenant's account in `VMware` Cloud Director.
    pub vcd_user_id: Option<String>,
}

fn yes() -> bool {
    true
}

impl BackupResource {
    /// The limit in bytes, if there is one of its own.
    pub fn quota(&self) -> Option<i64> {
        self.storage_quota.filter(|_| !self.is_storage_quota_unlimited)
    }
}
