//! On whose behalf a plugin works when a person asks it something: a company's own people for their company, others for the
//! provider or for a company that they name and see.

use uuid::Uuid;

use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::error::ApiError;
use crate::id::CompanyUid;
use crate::model::Scope;
use crate::plugins::{Blame, CallError, GuestFault, PluginView, Refusal};
use crate::store::COMPANIES;
use crate::store::list::Condition;

/// The company; none for the provider. `named` is what the request says.
pub(super) async fn company(
    state: &ApiState,
    caller: &Caller,
    named: Option<Uuid>,
) -> Result<Option<CompanyUid>, ApiError> {
    if let Some(own) = caller.scope.company() {
        return match named {
            Some(other) if other != own.0 => Err(ApiError::absent("Company", other)),
            _ => Ok(Some(own)),
        };
    }
    let Some(uid) = named else {
        return match caller.scope {
            Scope::Provider => Ok(None),
            _ => Err(ApiError::parameter("company", "company: say for which of your companies it is")),
        };
    };
    let mut tx = state.store().read().await?;
    let found = tx.document(&COMPANIES, &caller.scope, &Condition::All(Vec::new()), uid).await?;
    found.map(|_| Some(CompanyUid(uid))).ok_or_else(|| ApiError::absent("Company", uid))
}

/// The plugin that has this id in the API, if it works for that company and for this caller.
pub(super) async fn plugin(
    state: &ApiState,
    caller: &Caller,
    uid: Uuid,
    company: Option<CompanyUid>,
) -> Result<PluginView, ApiError> {
    let found = super::visible(state, caller.scope).await?.into_iter().find(|view| view.uid == uid);
    let works = |view: &PluginView| {
        view.state.is_some() && company.is_none_or(|company| state.plugins().serves(&view.id, company))
    };
    found.filter(works).ok_or_else(|| ApiError::absent("PluginInfo", uid))
}

/// What the API says of a call that gave nothing. Whatever a plugin says of a refusal is for whoever asked; how it fails is for
/// the log, beside what the caller can do.
#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
pub(super) fn failed(error: CallError) -> ApiError {
    match &error.blame {
        Blame::Guest(GuestFault::Answered { message, retryable: false, code }) => {
            ApiError::bad_request(format!("{}: {message} ({code})", error.plugin))
        }
        Blame::Policy(Refusal::NoSuchView(_) | Refusal::NoRoutes | Refusal::NotLoaded) => {
            ApiError::not_found(error.to_string())
        }
        Blame::Host(_) => ApiError::internal(error.to_string()),
        Blame::Guest(_) | Blame::Policy(_) => ApiError::unavailable(error.to_string(), None),
    }
}
