//! The kinds of commands.

use std::str::FromStr;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident $stored:literal $task:literal,)+) => {
        /// What an agent can be told to do. Append-only: a host may meet rows of an older one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum CommandKind { $($(#[$doc])+ $name,)+ }

        impl CommandKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As stored and sent.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $stored,)+ }
            }

            /// The API's word for a task of this kind; most kinds have none.
            pub fn task_type(self) -> &'static str {
                match self { $(Self::$name => $task,)+ }
            }
        }
    };
}

kinds! {
    /// Report everything anew.
    Collect "collect" "DataCollectionJob",
    /// Start a job.
    JobStart "job-start" "VBRJobActionExecution",
    /// Stop a job.
    JobStop "job-stop" "VBRJobActionExecution",
    /// Run what failed again.
    JobRetry "job-retry" "VBRJobActionExecution",
    /// Let a job's schedule run.
    JobEnable "job-enable" "VBRJobActionExecution",
    /// Hold a job's schedule.
    JobDisable "job-disable" "VBRJobActionExecution",
    /// A newer agent is there.
    AgentUpdate "agent-update" "ManagementAgentUpdate",
    /// The agent's own process starts anew.
    AgentRestart "agent-restart" "ManagementAgentTaskStart",
    /// The agent's machine starts anew.
    ComputerReboot "computer-reboot" "ComputerReboot",
    /// The agent leaves.
    AgentRevoke "agent-revoke" "ManagementAgentRemoval",
    /// Cloud Connect: hold, or let go on, what tenants run against the site.
    SiteMaintenance "site-maintenance" "Unknown",
    /// Cloud Connect: lock, or open, tenants in the server's own console.
    SiteTenantManagement "site-tenant-management" "Unknown",
    /// Cloud Connect: make a tenant.
    TenantCreate "tenant-create" "Unknown",
    /// Cloud Connect: change a tenant.
    TenantEdit "tenant-edit" "Unknown",
    /// Cloud Connect: let a tenant in.
    TenantEnable "tenant-enable" "Unknown",
    /// Cloud Connect: keep a tenant out.
    TenantDisable "tenant-disable" "Unknown",
    /// Cloud Connect: remove a tenant.
    TenantDelete "tenant-delete" "Unknown",
    /// Cloud Connect: give a tenant a share of a repository.
    BackupResourceCreate "backup-resource-create" "BackupRepositoryReconfiguration",
    /// Cloud Connect: change a share.
    BackupResourceEdit "backup-resource-edit" "BackupRepositoryReconfiguration",
    /// Cloud Connect: take a share away.
    BackupResourceDelete "backup-resource-delete" "BackupRepositoryReconfiguration",
    /// Cloud Connect: make a subtenant with their part of a tenant's share.
    SubtenantCreate "subtenant-create" "Unknown",
    /// Cloud Connect: take a subtenant away.
    SubtenantDelete "subtenant-delete" "Unknown",
    /// Cloud Connect: let a subtenant in or keep them out, and set their password if the command has one.
    SubtenantEdit "subtenant-edit" "Unknown",
    /// Put a licence on a server. Payload: `server`; secret: `license`, the file as it is.
    LicenseInstall "license-install" "FilesUpload",
    /// Take a server's licence away. Payload: `server`.
    LicenseRemove "license-remove" "Unknown",
    /// Make the files of a restore point readable. Payload: `server`, `workload`, `restorePoint`, `session` (an id of the host's).
    RestoreOpen "restore-open" "Unknown",
    /// What lies in a folder of an open session. Payload: `session`, `path`, `offset`, `limit`.
    RestoreList "restore-list" "Unknown",
    /// Names below a folder of an open session. Payload: `session`, `path`, `text`, `limit`.
    RestoreSearch "restore-search" "Unknown",
    /// Make files ready to be fetched. Payload: `session`, `paths`.
    RestoreFetch "restore-fetch" "FilesDownload",
    /// Write files back. Payload: `session`, `paths`, `target` (absent: where they were), `existing` (`keep` or `overwrite`).
    RestoreWrite "restore-write" "Unknown",
    /// The session is over. Payload: `session`.
    RestoreClose "restore-close" "Unknown",
}

impl FromStr for CommandKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("'{text}' is no kind of command that this version knows"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for kind in CommandKind::ALL {
            assert_eq!(kind.name().parse(), Ok(*kind));
        }
        assert!("reboot-everything".parse::<CommandKind>().is_err());
    }
}
