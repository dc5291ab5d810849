//! The way of a company to a licence: its account with Cloud Connect, its backup servers, and only then the licence. Each
//! step is worked out from what is there; nobody ticks one off.

/// What the steps are worked out from.
#[derive(Debug, Clone, Copy, Default, sqlx::FromRow)]
pub struct OnboardingFacts {
    /// 1 if the company is offered cloud backup resources.
    pub cloud: i64,
    /// 1 if its backup servers are to be managed.
    pub servers_wanted: i64,
    /// Cloud tenants that are assigned to it.
    pub tenants: i64,
    /// Those of them that their server confirmed.
    pub verified: i64,
    /// Its management agents.
    pub agents: i64,
    /// Its backup servers, and its shares of the provider's.
    pub servers: i64,
}

/// A step that an administrator let pass.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Override {
    /// Which.
    pub step: String,
    /// Why.
    pub reason: String,
    /// Who, by their name at that time.
    pub user_name: String,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The company is there.
    Company,
    /// Its existing account on a Cloud Connect server is assigned to it, and confirmed.
    CloudConnect,
    /// Its backup servers are seen.
    BackupServers,
    /// It may get its licence.
    Licence,
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Done, or not needed.
    Done {
        /// Whether the company's services ask for it at all.
        needed: bool,
    },
    /// Somebody let it pass.
    Overridden,
    /// Its turn; what to do next.
    Open(&'static str),
    /// Another one comes first.
    Blocked(Step),
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Company, Self::CloudConnect, Self::BackupServers, Self::Licence];

    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::CloudConnect => "cloudConnect",
            Self::BackupServers => "backupServers",
            Self::Licence => "licence",
        }
    }

    /// The step of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Whether an administrator may let it pass: only what others wait for.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::CloudConnect | Self::BackupServers)
    }

    /// What is missing while it is not done, for whoever waits for it.
    pub fn lack(self) -> &'static str {
        match self {
            Self::Company => "the company is not there yet",
            Self::CloudConnect => "no confirmed Cloud Connect tenant is assigned to the company",
            Self::BackupServers => "no backup server of the company has been seen",
            Self::Licence => "the company has no licence",
        }
    }
}

/// Where all steps stand, in their order.
pub fn steps(facts: &OnboardingFacts, overrides: &[Override]) -> Vec<(Step, StepState)> {
    let mut states: Vec<(Step, StepState)> = Vec::new();
    let mut first_open = None;
    for step in Step::ALL {
        let passed = overrides.iter().any(|one| one.step == step.name());
        let state = match (step.needed(facts), step.next_action(facts)) {
            (false, _) => StepState::Done { needed: false },
            (true, None) => StepState::Done { needed: true },
            (true, Some(_)) if passed => StepState::Overridden,
            (true, Some(action)) => match first_open {
                Some(before) => StepState::Blocked(before),
                None => StepState::Open(action),
            },
        };
        if first_open.is_none() && matches!(state, StepState::Open(_)) {
            first_open = Some(step);
        }
        states.push((step, state));
    }
    states
}

impl Step {
    fn needed(self, facts: &OnboardingFacts) -> bool {
        match self {
            Self::Company | Self::Licence => true,
            Self::CloudConnect => facts.cloud != 0,
            Self::BackupServers => facts.servers_wanted != 0,
        }
    }

    /// What to do for it; nothing if it is done.
    fn next_action(self, facts: &OnboardingFacts) -> Option<&'static str> {
        match self {
            Self::Company => None,
            Self::CloudConnect if facts.verified > 0 => None,
            Self::CloudConnect if facts.tenants > 0 => Some(
                "wait until the Cloud Connect server confirms the assigned tenant; look at the tenant's status if it does not",
            ),
            Self::CloudConnect => {
                Some("assign the customer's existing tenant to the company, or make a tenant for it")
            }
            Self::BackupServers if facts.servers > 0 => None,
            Self::BackupServers if facts.agents > 0 => Some(
                "wait until the company's agent reports its backup server; look at the agent's connection if it does not",
            ),
            Self::BackupServers => Some(
                "install a management agent of the company beside its backup server, or assign a hosted backup server",
            ),
            Self::Licence => Some("issue the company's licence"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_WANTED: OnboardingFacts =
        OnboardingFacts { cloud: 1, servers_wanted: 1, tenants: 0, verified: 0, agents: 0, servers: 0 };

    fn state(facts: &OnboardingFacts, overrides: &[Override], step: Step) -> StepState {
        steps(facts, overrides).into_iter().find(|(one, _)| *one == step).unwrap().1
    }

    fn passed(step: Step) -> Override {
        let step = step.name().to_owned();
        Override { step, reason: "known".to_owned(), user_name: "ada".to_owned(), created_at: 0 }
    }

    #[test]
    fn each_step_waits_for_the_first_that_is_not_done() {
        assert!(matches!(state(&ALL_WANTED, &[], Step::CloudConnect), StepState::Open(_)));
        assert_eq!(state(&ALL_WANTED, &[], Step::BackupServers), StepState::Blocked(Step::CloudConnect));
        assert_eq!(state(&ALL_WANTED, &[], Step::Licence), StepState::Blocked(Step::CloudConnect));
        let mapped = OnboardingFacts { tenants: 1, verified: 1, ..ALL_WANTED };
        assert_eq!(state(&mapped, &[], Step::Licence), StepState::Blocked(Step::BackupServers));
        let seen = OnboardingFacts { servers: 1, ..mapped };
        assert!(matches!(state(&seen, &[], Step::Licence), StepState::Open(_)));
    }

    #[test]
    fn a_tenant_that_its_server_has_not_confirmed_is_not_enough() {
        let assigned = OnboardingFacts { tenants: 1, ..ALL_WANTED };
        assert!(matches!(state(&assigned, &[], Step::CloudConnect), StepState::Open(_)));
    }

    #[test]
    fn what_the_services_do_not_ask_for_counts_as_done() {
        let nothing = OnboardingFacts::default();
        assert_eq!(state(&nothing, &[], Step::CloudConnect), StepState::Done { needed: false });
        assert!(matches!(state(&nothing, &[], Step::Licence), StepState::Open(_)));
    }

    #[test]
    fn a_step_that_was_let_pass_blocks_nobody_and_is_done_once_its_facts_are_there() {
        let overrides = [passed(Step::CloudConnect)];
        assert_eq!(state(&ALL_WANTED, &overrides, Step::CloudConnect), StepState::Overridden);
        assert!(matches!(state(&ALL_WANTED, &overrides, Step::BackupServers), StepState::Open(_)));
        let mapped = OnboardingFacts { tenants: 1, verified: 1, ..ALL_WANTED };
        assert_eq!(state(&mapped, &overrides, Step::CloudConnect), StepState::Done { needed: true });
    }
}
