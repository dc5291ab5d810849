//! `POST …/jobs/{jobUid}/start`, `stop`, `retry`: an order to the server's agent. A server that is out of reach gets it when it is
//! back, if that is before the deadline.

use axum::response::Response;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Object};
use crate::api::companies::must_stay;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::order::{self, Order};
use crate::api::permissions;
use crate::id::CompanyUid;
use crate::model::{Command, CommandKind, OrganizationKind};
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

/// Holds a job, or lets it go on, unless it was told so last, or is so and was told nothing; whether anything was done. An order to
/// the contrary that has not gone out is taken back.
pub(super) async fn turn(
    change: &mut Change,
    tx: &mut Tx,
    uid: Uuid,
    document: &Value,
    on: bool,
) -> Result<bool, ApiError> {
    let (enable, disable) = (CommandKind::JobEnable, CommandKind::JobDisable);
    let (kind, opposite) = if on { (enable, disable) } else { (disable, enable) };
    let job = tx.infrastructure().job(uid).await?.ok_or_else(|| ApiError::absent(JOBS.name, uid))?;
    let mut open = order::open(tx, uid, &[kind, opposite]).await?;
    let is_on = |open: &[Command]| open.first().map_or(job.enabled, |last| last.kind == enable.name());
    if is_on(&open) == on {
        return Ok(false);
    }
    must_be_allowed(change, tx, &job, kind).await?;
    if let Some(last) = open.first()
        && tx.commands().cancel(change.ask.state.clock(), last.uid).await?
    {
        open.remove(0);
    }
    if is_on(&open) != on {
        order::place(change, tx, order(&job, kind)).await?;
    }
    let status = document.get("status").and_then(Value::as_str).unwrap_or_default();
    note(change, &job, status, kind);
    Ok(true)
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
    note(change, &job, status, kind);
    Ok(())
}

fn note(change: &mut Change, job: &ServerJob, status: &str, kind: CommandKind) {
    let organization = Some(job.holder_uid.0);
    let object = Object { kind: JOBS.name, uid: job.uid, name: &job.name, organization };
    let before = json!({"status": status, "isEnabled": job.enabled});
    change.note(&object, Some(&before), Some(&json!({"command": kind.name()})));
}

/// What the users of a company or a reseller may do with jobs is granted to it: apart for companies' own servers and for the
/// provider's. For a company that is being deleted nothing begins.
async fn must_be_allowed(
    change: &Change,
    tx: &mut Tx,
    job: &ServerJob,
    kind: CommandKind,
) -> Result<(), ApiError> {
    if kind != CommandKind::JobStop {
        must_stay(tx, job.holder_uid.0).await?;
    }
    let Some(granted) = permissions::of_scope(tx, change.ask.caller.scope).await? else { return Ok(()) };
    let owner = tx.organizations().kind(job.company_uid.0).await?;
    let claim = match (owner, kind) {
        (Some(OrganizationKind::Company), CommandKind::JobEnable | CommandKind::JobDisable) => {
            "RemoteVbrJobEnableDisable"
        }
        (Some(OrganizationKind::Company), _) => "RemoteVbrJobStartStop",
        (_, CommandKind::JobEnable | CommandKind::JobDisable) => "HostedVbrJobEnableDisable",
        _ => "HostedVbrJobStartStop",
    };
    if granted.iter().any(|granted| granted == claim) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!("your organisation was not granted {claim}; ask whoever manages it")))
}

/// A start that has not gone out yet is simply taken back.
async fn take_back(change: &Change, tx: &mut Tx, uid: Uuid) -> Result<bool, ApiError> {
    let open = order::open(tx, uid, &[CommandKind::JobStart, CommandKind::JobRetry]).await?;
    let Some(start) = open.first() else { return Ok(false) };
    Ok(tx.commands().cancel(change.ask.state.clock(), start.uid).await?)
}

/// Stops what runs for a company: it is not looked after any more.
pub(crate) async fn stop_all(change: &Change, tx: &mut Tx, company: CompanyUid) -> Result<(), ApiError> {
    for uid in tx.standing().jobs_under_way(company).await? {
        if order::open(tx, uid, &[CommandKind::JobStop]).await?.is_empty()
            && let Some(job) = tx.infrastructure().job(uid).await?
        {
            order::place(change, tx, order(&job, CommandKind::JobStop)).await?;
        }
    }
    Ok(())
}

fn must_fit(job: &ServerJob, status: &str, kind: CommandKind) -> Result<(), ApiError> {
    let under_way = UNDER_WAY.contains(&status);
    let refusal = match kind {
        CommandKind::JobStart | CommandKind::JobRetry if under_way => {
            Some(format!("job \"{}\" is under way already (its status is {status})", job.name))
        }
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

/// What the server's agent is to do with a job.
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
