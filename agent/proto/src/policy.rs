//! What a provider's Cloud Connect server may not do, whoever asks: the host refuses before it writes a command, and the agent
//! refuses before it acts on one. The table is here so that both read the same.

use std::fmt;

/// What is asked of a server, as far as the rules look at it. What is not known is what forbids more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The command: "job-start".
    pub command: &'a str,
    /// The server is a provider's Cloud Connect server.
    pub cloud_connect: bool,
    /// It is a Cloud Connect for the Enterprise.
    pub enterprise: bool,
    /// The kind of the job that the command is about: "BackupVm"; empty: not known.
    pub job: &'a str,
    /// The job copies what public-cloud appliances made.
    pub public_cloud: bool,
    /// The backup is of a job of the server's own, and no tenant's.
    pub own_backup: bool,
    /// The provider that is to be added.
    pub provider: Provider,
}

/// Which server is to be added as a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Provider {
    /// Some other.
    #[default]
    Other,
    /// The very server that it is added on.
    Itself,
    /// Another Cloud Connect for the Enterprise.
    Enterprise,
}

/// One thing that is not done.
#[derive(Debug)]
pub struct Rule {
    /// Short, for people who look it up.
    pub name: &'static str,
    /// The commands that it looks at.
    pub commands: &'static [&'static str],
    /// Why.
    pub reason: &'static str,
    /// What to do instead.
    pub way_out: &'static str,
    forbids: fn(&Asked<'_>) -> bool,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {}); {}", self.reason, self.name, self.way_out)
    }
}

/// All of them, one row for each.
pub const RULES: &[Rule] = &[
    Rule {
        name: "no-restore-of-tenants-backups",
        commands: &["restore-open", "restore-list", "restore-search", "restore-fetch", "restore-write"],
        reason: "a provider's Cloud Connect server restores nothing of its tenants' backups, except by Instant Recovery and to \
                 Azure or EC2",
        way_out: "restore on a separate backup server: rescan the repository there, for which the Cloud Connect licence may be \
                  used, or import the backups, which needs a licence of its own (a trial serves)",
        forbids: |asked| !(asked.enterprise && asked.own_backup),
    },
    Rule {
        name: "no-jobs",
        commands: &["job-start", "job-retry"],
        reason: "a provider's Cloud Connect server runs no backup, backup copy or replication jobs, except copies of what \
                 public-cloud appliances made, and except Cloud Connect for the Enterprise",
        way_out: "run the job on a separate backup server, with a licence of its own",
        forbids: |asked| {
            let harmless = ["SureBackup", "SobrMaintenance"].contains(&asked.job);
            let copies = ["BackupCopy", "SimpleBackupCopy"].contains(&asked.job) && asked.public_cloud;
            !(asked.enterprise || harmless || copies)
        },
    },
    Rule {
        name: "services-stay-up",
        commands: &["service-stop", "service-restart", "agent-stop", "computer-reboot"],
        reason: "the services of a provider's Cloud Connect server stay up: all tenants' backups go through it",
        way_out: "turn on the site's maintenance mode, and do it on the machine itself",
        forbids: |_| true,
    },
    Rule {
        name: "not-its-own-provider",
        commands: &["provider-add"],
        reason: "a Cloud Connect server cannot be added as a provider on itself",
        way_out: "add it on another backup server; a separate one that adds it as a tenant may use the Cloud Connect licence",
        forbids: |asked| asked.provider == Provider::Itself,
    },
    Rule {
        name: "no-providers-of-each-other",
        commands: &["provider-add"],
        reason: "two servers of Cloud Connect for the Enterprise cannot be added on each other",
        way_out: "add one of them on a backup server that is no Cloud Connect server",
        forbids: |asked| asked.enterprise && asked.provider == Provider::Enterprise,
    },
];

/// Whether any rule looks at a command: others need not be judged.
pub fn concerns(command: &str) -> bool {
    RULES.iter().any(|rule| rule.commands.contains(&command))
}

/// The rule that forbids it.
pub fn forbidden(asked: &Asked<'_>) -> Option<&'static Rule> {
    let judges = |rule: &&Rule| rule.commands.contains(&asked.command) && (rule.forbids)(asked);
    RULES.iter().filter(|_| asked.cloud_connect).find(judges)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Asked<'_> = Asked {
        command: "",
        cloud_connect: true,
        enterprise: false,
        job: "",
        public_cloud: false,
        own_backup: false,
        provider: Provider::Other,
    };

    /// Each of a rule's commands is refused as asked, names the rule and what to do, and nothing is refused elsewhere.
    fn refused(name: &str, asked: Asked<'_>) {
        let rule = RULES.iter().find(|rule| rule.name == name).unwrap();
        for command in rule.commands {
            let asked = Asked { command, ..asked };
            let found = forbidden(&asked).unwrap();
            assert_eq!(found.name, name, "{command}");
            let message = found.to_string();
            assert!(message.contains(name) && message.contains(rule.way_out), "{message}");
            assert!(
                forbidden(&Asked { cloud_connect: false, ..asked }).is_none(),
                "{command} is for Cloud Connect alone"
            );
            assert!(concerns(command));
        }
    }

    fn allowed(asked: Asked<'_>) {
        assert!(forbidden(&asked).is_none(), "{asked:?}");
    }

    #[test]
    fn tenants_backups_are_not_restored() {
        refused("no-restore-of-tenants-backups", PLAIN);
        refused("no-restore-of-tenants-backups", Asked { own_backup: true, ..PLAIN });
        refused("no-restore-of-tenants-backups", Asked { enterprise: true, ..PLAIN });
        allowed(Asked { command: "restore-open", enterprise: true, own_backup: true, ..PLAIN });
        allowed(Asked { command: "restore-close", ..PLAIN });
    }

    #[test]
    fn jobs_do_not_start() {
        for job in ["BackupVm", "ReplicationVM", "BackupCopy", "AgentBackupJob", "Unknown", ""] {
            refused("no-jobs", Asked { job, ..PLAIN });
            allowed(Asked { command: "job-start", enterprise: true, job, ..PLAIN });
            allowed(Asked { command: "job-stop", job, ..PLAIN });
        }
        refused("no-jobs", Asked { job: "BackupVm", public_cloud: true, ..PLAIN });
        for job in ["SureBackup", "SobrMaintenance"] {
            allowed(Asked { command: "job-start", job, ..PLAIN });
        }
        for job in ["BackupCopy", "SimpleBackupCopy"] {
            allowed(Asked { command: "job-retry", job, public_cloud: true, ..PLAIN });
        }
    }

    #[test]
    fn services_stay_up() {
        refused("services-stay-up", PLAIN);
        refused("services-stay-up", Asked { enterprise: true, ..PLAIN });
        allowed(Asked { command: "agent-restart", ..PLAIN });
    }

    #[test]
    fn a_server_is_not_its_own_provider() {
        refused("not-its-own-provider", Asked { provider: Provider::Itself, ..PLAIN });
        refused("not-its-own-provider", Asked { provider: Provider::Itself, enterprise: true, ..PLAIN });
        allowed(Asked { command: "provider-add", ..PLAIN });
    }

    #[test]
    fn two_enterprise_servers_are_not_providers_of_each_other() {
        refused(
            "no-providers-of-each-other",
            Asked { provider: Provider::Enterprise, enterprise: true, ..PLAIN },
        );
        allowed(Asked { command: "provider-add", provider: Provider::Enterprise, ..PLAIN });
        allowed(Asked { command: "provider-add", enterprise: true, ..PLAIN });
    }

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let names: std::collections::HashSet<&str> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        assert!(!concerns("collect") && !concerns("tenant-create"));
    }
}
