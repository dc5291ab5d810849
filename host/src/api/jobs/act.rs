//! `POST …/jobs/{jobUid}/start`, `stop`, `retry`: an order to the server's agent. A server that is out of reach gets it when it is
//! back, if that is before the deadline.

use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::order::{self, Order};
use crate::model::CommandKind;
use crate::store::list::Condition;
use crate::store::{JOBS, ServerJob, Tx};

/// States of a job that is under way, or about to be.
const UNDER_WAY: &[&str] = &["Running", "Starting", "Stopping", "WaitingTape", "WaitingRepository"];

/// Starts a job.
pub(super) async fn start(change: Change) -> Result<Response, ApiError> {
    act(change, CommandKind::JobStart).await
}

/// Stops a job.
pub(super) async fn stop(change: Change) -> Result<Response, ApiError> {
    act(change, CommandKind::JobStop).await
}

/// Runs again what failed.
pub(super) async fn retry(change: Change) -> Result<Response, ApiError> {
    act(change, CommandKind::JobRetry).await
}

async fn act(mut change: Change, kind: CommandKind) -> Result<Response, ApiError> {
    let uid = change.ask.uid("jobUid")?;
    let mut tx = change.begin().await?;
    let document = seen(&change, &mut tx, uid).await?;
    tell(&mut change, &mut tx, uid, &document, kind).await?;
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// The job as the caller sees it, kept for this transaction: two who start it at once go one after the other.
pub(super) async fn seen(change: &Change, tx: &mut Tx, uid: Uuid) -> Result<Value, ApiError> {
    let all = Condition::All(Vec::new());
    let found = tx.document(&JOBS, &change.ask.caller.scope, &all, uid).await?;
    found.map(|found| found.value()).ok_or_else(|| ApiError::absent(JOBS.name, uid))
}

/// Writes the order and notes it.
pub(super) async fn tell(
    change: &mut Change,
    tx: &mut Tx,
    uid: Uuid,
    document: &Value,
    kind: CommandKind,
) -> Result<(), ApiError> {
    let status = document.get("status").and_then(Value::as_str).unwrap_or_default();
    let job = tx.infrastructure().job(uid).await?.ok_or_else(|| ApiError::absent(JOBS.name, uid))?;
    must_be_allowed(change, tx, &job, kind).await?;
    must_fit(&job, status, kind)?;
    let taken_back = kind == CommandKind::JobStop && take_back(change, tx, uid).await?;
    if !taken_back {
        order::place(change, tx, order(&job, kind)).await?;
    }
    let object = Object { kind: JOBS.name, uid, name: &job.name, organization: Some(job.holder_uid.0) };
    change.note(
        &object,
        Some(&json!({"status": status, "isEnabled": job.enabled})),
        Some(&json!({"command": kind.name()})),
    );
    Ok(())
}

/// What a company's users may do with jobs is granted to the company: apart for its own servers and for the provider's.
async fn must_be_allowed(
    change: &Change,
    tx: &mut Tx,
    job: &ServerJob,
    kind: CommandKind,
) -> Result<(), ApiError> {
    let Some(company) = change.ask.caller.scope.company() else { return Ok(()) };
    let hosted = job.company_uid != company;
    let claim = match (hosted, kind) {
        (true, CommandKind::JobEnable | CommandKind::JobDisable) => "HostedVbrJobEnableDisable",
        (true, _) => "HostedVbrJobStartStop",
        (false, CommandKind::JobEnable | CommandKind::JobDisable) => "RemoteVbrJobEnableDisable",
        (false, _) => "RemoteVbrJobStartStop",
    };
    let claims = tx.hosted().claims(company.0).await?.unwrap_or_default();
    let claims: Vec<String> = serde_json::from_str(&claims).map_err(ApiError::internal)?;
    if claims.iter().any(|granted| granted == claim) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!("your company was not granted {claim}; ask the provider")))
}

/// A start that has not gone out yet is simply taken back.
async fn take_back(change: &Change, tx: &mut Tx, uid: Uuid) -> Result<bool, ApiError> {
    let open = order::open(tx, uid, &[CommandKind::JobStart, CommandKind::JobRetry]).await?;
    let Some(start) = open.first() else { return Ok(false) };
    Ok(tx.commands().cancel(change.ask.state.clock(), start.uid).await?)
}

fn must_fit(job: &ServerJob, status: &str, kind: CommandKind) -> Result<(), ApiError> {
    let under_way = UNDER_WAY.contains(&status);
    let refusal = match kind {
        CommandKind::JobStart | CommandKind::JobRetry if under_way => {
            Some(format!("job \"{}\" is under way already (its status is {status})", job.name))
        }
        CommandKind::JobStart | CommandKind::JobRetry if !job.may_run => Some(format!(
            "job \"{}\" does not start: a provider's Cloud Connect server runs no jobs of its own; use a separate backup server",
            job.name
        )),
        CommandKind::JobRetry if !["Failed", "Warning"].contains(&status) => {
            Some(format!("job \"{}\" has nothing to retry: its status is {status}; start it", job.name))
        }
        CommandKind::JobStop if status == "Stopping" => {
            Some(format!("job \"{}\" is being stopped already", job.name))
        }
        CommandKind::JobStop if !under_way => {
            Some(format!("job \"{}\" is not under way: its status is {status}", job.name))
        }
        _ => None,
    };
    refusal.map_or(Ok(()), |message| Err(ApiError::conflict(message)))
}

fn order(job: &ServerJob, kind: CommandKind) -> Order {
    let verb = match kind {
        CommandKind::JobStop => "Stop",
        CommandKind::JobRetry => "Retry",
        CommandKind::JobEnable => "Enable",
        CommandKind::JobDisable => "Disable",
        _ => "Start",
    };
    Order {
        agent: job.agent_uid,
        kind,
        subject: job.uid,
        description: format!("{verb} job \"{}\" on backup server \"{}\"", job.name, job.server_name),
        payload: json!({"server": job.server_key, "job": job.key}),
    }
}
