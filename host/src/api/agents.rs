//! Management agents: those that are in, those that wait, and what they were told to do.

use utoipa::OpenApi;

use crate::api::ask::Ask;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::store::list::{Collation, Comparison, Condition, Value};
use crate::store::{AGENT_TASKS, AGENTS, ASKED_AT, UNVERIFIED_AGENTS};

mod cancel;
mod change;
mod package;
mod place;
mod unverified;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetManagementAgents", &AGENTS)
        .get("GetManagementAgent", &AGENTS)
        .add("PatchManagementAgent", change::patch)
        .add("DeleteManagementAgent", change::delete)
        .add("RestartManagementAgent", change::restart)
        .add("DownloadLinuxManagementPackage", package::linux)
        .list("GetUnverifiedAgents", &UNVERIFIED_AGENTS)
        .get("GetUnverifiedAgent", &UNVERIFIED_AGENTS)
        .add("AcceptUnverifiedAgent", unverified::accept)
        .add("RejectUnverifiedAgent", unverified::reject)
        .add("GetManagementAgentTasks", tasks)
        .add("CancelManagementAgentTask", cancel::cancel)
}

/// The documentation of our additions.
#[derive(Debug, OpenApi)]
#[openapi(paths(cancel::cancel, unverified::reject))]
pub(crate) struct Docs;

/// What agents were told to do between two moments.
async fn tasks(ask: Ask) -> Result<Rendered, ApiError> {
    let bounds = [
        (ask.instant_parameter("from")?, Comparison::GreaterThanOrEqual),
        (ask.instant_parameter("to")?, Comparison::LessThanOrEqual),
    ];
    let collation = Collation::Ordinal;
    let bound = |(instant, comparison): (Option<i64>, Comparison)| {
        let value = Value::Integer(instant?);
        Some(Condition::Compare { property: ASKED_AT, comparison, value, collation })
    };
    let of = Condition::All(bounds.into_iter().filter_map(bound).collect());
    let mut tx = ask.state.store().read().await?;
    ask.page(&mut tx, &AGENT_TASKS, &of).await
}
