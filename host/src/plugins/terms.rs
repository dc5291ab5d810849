//! On whose behalf a call is, how much it gets and what it may do.

use super::abi;
use super::limits::{Budget, LOAD_CALL, RULE_CALL};
use crate::id::CompanyUid;

/// What a capability asks before it does anything.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) budget: Budget,
    /// The company on whose behalf it is; none for the provider.
    pub(super) company: Option<CompanyUid>,
    /// 1, or more if it failed before.
    pub(super) attempt: u32,
    /// The instant of a call that must be a pure function: same input, same answer, nothing done. Capabilities that would
    /// break that refuse.
    pub(super) pure_at: Option<i64>,
}

impl Terms {
    /// What a load asks: the plugin is judged and does not work yet.
    pub(super) fn load(now: i64) -> Self {
        Self { budget: LOAD_CALL, company: None, attempt: 1, pure_at: Some(now) }
    }

    /// A rule on a table of all companies.
    pub(super) fn rule(now: i64) -> Self {
        Self { budget: RULE_CALL, company: None, attempt: 1, pure_at: Some(now) }
    }

    /// Work that may have effects.
    pub(super) fn work(budget: Budget, company: Option<CompanyUid>, attempt: u32) -> Self {
        Self { budget, company, attempt, pure_at: None }
    }

    /// As the guest reads it.
    pub(super) fn context(&self, call_id: &str, now: i64) -> abi::types::Context {
        abi::types::Context {
            call_id: call_id.to_owned(),
            now: self.pure_at.unwrap_or(now),
            company: self.company.map(|company| company.to_string()),
            attempt: self.attempt,
        }
    }

    /// The error of a capability that a pure call does not have.
    pub(super) fn refuse_if_pure(&self, capability: &str) -> Result<(), abi::types::PluginError> {
        match self.pure_at {
            None => Ok(()),
            Some(_) => Err(abi::types::PluginError {
                code: "not-in-this-call".to_owned(),
                message: format!(
                    "`{capability}` is not for calls that must be pure functions: rules, and what is asked at a load; use it in a \
                     task, an event, a view or a route"
                ),
                retryable: false,
            }),
        }
    }
}
