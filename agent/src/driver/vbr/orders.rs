//! Jobs as a host wants them. Each order looks first: what is already so is not done again.

use serde_json::json;

use super::call::Call;
use super::client::Client;
use super::error::VbrError;
use super::model::{JobModel, JobStateModel, ServerInfoModel};
use super::{licence, refused};
use crate::driver::{Done, Order, Refused};

/// What an order is about: the job, on this very server.
pub(super) async fn job(client: &Client, order: &Order) -> Result<Done, Refused> {
    let id = text(order, "job").ok_or_else(|| Refused("the command names no job".to_owned()))?;
    if !is_id(id) {
        return Err(Refused(format!("this server has no job \"{id}\"")));
    }
    same_server(client, order).await?;
    let outcome = match order.kind.as_str() {
        "job-start" | "job-retry" => run(client, order, id).await?,
        "job-stop" => stop(client, order, id).await,
        "job-enable" => switch(client, id, true).await,
        "job-disable" => switch(client, id, false).await,
        _ => return Err(Refused::unknown("vbr", order)),
    };
    outcome.map(Done::saying).map_err(|error| refused(&error))
}

/// A member of the payload.
pub(super) fn text<'o>(order: &'o Order, name: &str) -> Option<&'o str> {
    order.payload.get(name).and_then(serde_json::Value::as_str).filter(|text| !text.is_empty())
}

/// Ids become part of a path: nothing else may.
pub(super) fn is_id(text: &str) -> bool {
    text.parse::<uuid::Uuid>().is_ok()
}

/// A command that was meant for the server that stood here before does nothing to this one.
pub(super) async fn same_server(client: &Client, order: &Order) -> Result<(), Refused> {
    let Some(wanted) = text(order, "server") else { return Ok(()) };
    let info: Result<ServerInfoModel, _> = client.json(&Call::get("/api/v1/serverInfo")).await;
    let info = info.map_err(|error| refused(&error))?;
    if info.vbr_id == wanted {
        return Ok(());
    }
    Err(Refused(format!(
        "another backup server stands here now: {} instead of the one that was meant",
        info.name
    )))
}

async fn state(client: &Client, id: &str) -> Result<Option<JobStateModel>, VbrError> {
    let call = Call::get("/api/v1/jobs/states").with("idFilter", id);
    let found: Vec<JobStateModel> = client.list(call, Ok).await?;
    Ok(found.into_iter().find(|job| job.id == id))
}

fn gone(id: &str) -> VbrError {
    VbrError::NotFound { call: Call::get("/api/v1/jobs/states").to_string(), said: format!("no job {id}") }
}

/// A domain rule forbids some runs: that is a refusal of ours, not of the server.
async fn run(client: &Client, order: &Order, id: &str) -> Result<Result<&'static str, VbrError>, Refused> {
    let found = state(client, id).await.map_err(|error| refused(&error))?;
    let Some(job) = found else { return Err(refused(&gone(id))) };
    if matches!(job.status.as_str(), "Running" | "Starting") {
        return Ok(Ok("the job runs"));
    }
    licence::may_run(client, &job).await?;
    let again = order.kind == "job-retry";
    let call = if again {
        Call::post(format!("/api/v1/jobs/{id}/retry")).body(json!({"startChainedJobs": false}))
    } else {
        let full =
            order.payload.get("performActiveFull").and_then(serde_json::Value::as_bool).unwrap_or_default();
        Call::post(format!("/api/v1/jobs/{id}/start"))
            .body(json!({"performActiveFull": full, "startChainedJobs": false}))
    };
    let said = if again { "the job retries what failed" } else { "the job was started" };
    Ok(client.done(&call).await.map(|()| said))
}

/// At once, unless the host wants the machine that is being backed up to be finished first.
async fn stop(client: &Client, order: &Order, id: &str) -> Result<&'static str, VbrError> {
    let job = state(client, id).await?.ok_or_else(|| gone(id))?;
    if !matches!(job.status.as_str(), "Running" | "Starting") {
        return Ok(if job.status == "Stopping" { "the job is stopping" } else { "the job does not run" });
    }
    let graceful = order.payload.get("gracefulStop").and_then(serde_json::Value::as_bool).unwrap_or_default();
    let body = json!({"gracefulStop": graceful, "cancelChainedJobs": false});
    client.done(&Call::post(format!("/api/v1/jobs/{id}/stop")).body(body)).await?;
    Ok("the job was stopped")
}

async fn switch(client: &Client, id: &str, on: bool) -> Result<&'static str, VbrError> {
    let job: JobModel = client.json(&Call::get(format!("/api/v1/jobs/{id}"))).await?;
    if job.is_disabled == on {
        let verb = if on { "enable" } else { "disable" };
        client.done(&Call::post(format!("/api/v1/jobs/{id}/{verb}"))).await?;
    }
    Ok(if on { "the job is enabled" } else { "the job is disabled" })
}
