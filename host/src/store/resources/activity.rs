//! The activity log, as the API shows it.

use crate::store::list::{Property, Reach, Resource};

/// SQL for the contract's word for what a row tells of, out of the operation that wrote it, and, where an operation does several
/// things that have words of their own, out of what it wrote: a JSON text that is in the row's `after`.
macro_rules! activity {
    ({$($single:literal: $by:literal $with:literal;)+} $($word:literal: $($operation:literal)+;)+) => {
        concat!(
            "CASE WHEN a.operation IN ('OAuth2IssueToken', 'BeginSession') THEN \
                CASE WHEN a.outcome <> 'Succeeded' THEN 'LoginFailed' \
                WHEN a.actor_uid IS NOT NULL THEN 'UserImpersonationSuccessful' ELSE 'LoginSuccessful' END \
            WHEN a.outcome <> 'Succeeded' THEN 'Unknown'",
            $(" WHEN a.operation = '", $by, "' AND a.after LIKE '", $with, "' THEN '", $single, "'",)+
            " ELSE CASE a.operation",
            $($(" WHEN '", $operation, "' THEN '", $word, "'",)+)+
            " ELSE 'Unknown' END END"
        )
    };
}

const TYPE: &str = activity! {
    {
        "BackupJobEnabled": "PatchBackupServerJob" "%\"job-enable\"%";
        "BackupJobDisabled": "PatchBackupServerJob" "%\"job-disable\"%";
        "BackupJobStarted": "PatchBackupServerJob" "%\"job-start\"%";
        "BackupJobStopped": "PatchBackupServerJob" "%\"job-stop\"%";
        "CompanyStatusUpdated": "PatchCompany" "%\"status\":%";
        "CompanyRESTAPIAccessModified": "PatchCompany" "%\"isRestAccessEnabled\":%";
        "CompanyMFAPolicyEnforcementUpdated": "PatchOrganizationPolicySettings" "%\"enforceMfaPolicy\":%";
        "CompanyMFAPolicyModified": "PatchOrganizationPolicySettings" "%\"mfaPolicyStatus\":%";
        "ResellerStatusUpdated": "PatchReseller" "%\"status\":%";
        "ResellerRESTAPIAccessModified": "PatchReseller" "%\"isRestAccessEnabled\":%";
        "TenantUnassigned": "PatchTenant" "%\"assignedForCompany\":null%";
        "TenantAssigned": "PatchTenant" "%\"assignedForCompany\":%";
        "UserRecordEnabled": "PatchUser" "%\"status\":\"Enabled\"%";
        "UserRecordDisabled": "PatchUser" "%\"status\":\"Disabled\"%";
        "ManagementAgentAssigned": "PatchManagementAgent" "%\"locationUid\":%";
    }
    "AgentPackagesDownloaded": "DownloadLinuxManagementPackage";
    "BackupJobAssigned": "AssignBackupServerJob";
    "BackupJobModified": "PatchBackupServerJob";
    "BackupJobRetried": "RetryBackupServerJob";
    "BackupJobRevoked": "UnassignBackupServerJob";
    "BackupJobStarted": "StartBackupServerJob";
    "BackupJobStopped": "StopBackupServerJob";
    "BackupServerResourceAdded": "CreateCompanyHostedVbrResource" "CreateCompanyHostedVbrBackupResource" "CreateTenantBackupResource";
    "BackupServerResourceRemoved": "DeleteCompanyHostedVbrResource" "DeleteTenantBackupResource";
    "CompanyAuthenticationTokenReset": "RefreshSecurityToken";
    "CompanyCreated": "CreateCompany" "CreateCompanyByPulseTenant" "company add";
    "CompanyDeleted": "DeleteCompany";
    "CompanyLocationCreated": "CreateLocation";
    "CompanyLocationModified": "PatchLocation";
    "CompanyLocationRemoved": "DeleteLocation";
    "CompanyModified": "PatchCompany" "PatchOrganization" "PatchOrganizationPolicySettings"
        "PatchOrganizationNotificationSettings" "PatchCompanyHostedVbrResource" "PatchEntityPermissions";
    "LicenseInstalled": "InstallBackupServerLicense" "InstallPulseLicense";
    "LicenseModified": "PatchBackupServerLicense" "PatchPulseLicense";
    "LicenseRevoked": "DeleteBackupServerLicense" "RevokePulseLicense";
    "LicenseUpdated": "UpdateBackupServerLicense";
    "LicenseUsageReportFinalized": "FinalizeLicensingReports";
    "ManagementAgentAccepted": "AcceptUnverifiedAgent";
    "ManagementAgentDeleted": "DeleteManagementAgent";
    "ManagementAgentRejected": "RejectUnverifiedAgent";
    "PortalBrandingModified": "PatchOrganizationBrandingSettings";
    "ResellerCreated": "CreateReseller";
    "ResellerDeleted": "DeleteReseller";
    "ResellerModified": "PatchReseller";
    "TenantAssigned": "AssignTenant";
    "TenantCreated": "CreateTenant";
    "TenantDisabled": "DisableTenant";
    "TenantEnabled": "EnableTenant";
    "TenantModified": "PatchTenant" "PatchTenantBackupResource";
    "TenantRemoved": "DeleteTenant";
    "UserLoginTypeCreated": "AddApiKeyLogin" "AddTotpLogin" "apikey add";
    "UserLoginTypeRemoved": "DeleteUserLogin";
    "UserRecordCreated": "CreateUser" "user add";
    "UserRecordModified": "PatchUser" "UpdateUserLogin" "CompleteResetPasswordRequest";
    "UserRecordRemoved": "DeleteUser";
    "UserTokenRevoked": "RevokeAuthenticationToken";
    "VCSPPulseTenantCreated": "CreatePulseTenantByCompany";
};

/// The order in which rows were written; the API shows it as dates only.
pub static ACTIVITY_ORDER: Property = Property::integer("position", "a.position").indexed();

/// Who did, or was refused, what. What a person or a script asked for is external, what the host did by itself internal.
pub static ACTIVITY_LOGS: Resource = Resource {
    name: "ActivityLog",
    table: "audit",
    key: "position",
    from: "audit a",
    id: "a.position",
    reach: Reach::PROVIDER,
    properties: &[
        Property::text("message", "a.message"),
        Property::code("activityLogType", TYPE),
        Property::code("activityKind", "CASE WHEN a.user_uid IS NULL THEN 'Internal' ELSE 'External' END"),
        Property::instant("date", "a.at").indexed(),
        Property::uuid("userUid", "a.user_uid").indexed(),
        Property::uuid("organizationUid", "a.organization_uid").indexed(),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of an operation and a word for it: `WHEN 'operation' THEN 'Word'`, or `WHEN a.operation = 'operation' AND …`.
    fn pairs() -> Vec<(&'static str, &'static str)> {
        let whole = TYPE.split(" WHEN '").skip(1);
        let parts = TYPE.split(" WHEN a.operation = '").skip(1);
        let pair = |piece: &'static str| {
            let (operation, rest) = piece.split_once('\'').unwrap();
            (operation, rest.split_once("THEN '").unwrap().1.split('\'').next().unwrap())
        };
        whole.chain(parts).map(pair).collect()
    }

    #[test]
    fn every_operation_exists_and_every_word_is_the_contracts() {
        let operations = concat!(
            include_str!("../../api/operations.tsv"),
            include_str!("../../api/operations-keelson.tsv")
        );
        let contract: serde_json::Value =
            serde_json::from_str(include_str!("../../api/contract.json")).unwrap();
        let words = contract["components"]["schemas"]["ActivityLogType"]["enum"].as_array().unwrap();
        assert!(pairs().len() > 40);
        for (operation, word) in pairs() {
            let is_command = operation.ends_with(" add");
            assert!(is_command || operations.contains(&format!("\t{operation}\t")), "{operation}");
            assert!(words.contains(&word.into()), "{word}");
        }
    }
}
