//! `DELETE /organizations/companies/{companyUid}`.

use axum::response::Response;
use serde_json::json;

use crate::api::ApiState;
use crate::api::change::{Change, Object};
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::users::subtenant;
use crate::clock::DAY;
use crate::id::{AgentUid, CommandUid, CompanyUid};
use crate::model::{CommandKind, Company, NewCommand};
use crate::store::{COMPANIES, NewAuditRow, StoreError, Tx};

/// How long an agent that is not connected is waited for.
const PATIENCE: i64 = 7 * DAY;
const REMOVE_AGENTS: &str = "removeAllAgents";

/// A company goes, with all that is about it. Its agents are told to leave first; until they have, the company is there
/// as `Deleting`, and nobody of it signs in.
pub(super) async fn remove(mut change: Change) -> Result<Response, ApiError> {
    let asked = change.ask.flag_parameter(REMOVE_AGENTS)?;
    let remove_agents = asked.ok_or_else(|| {
        let message = format!("{REMOVE_AGENTS} is missing: true also removes the company's agents, false refuses while it has any");
        ApiError::parameter(REMOVE_AGENTS, message)
    })?;
    let uid = CompanyUid(change.ask.object()?.1);
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &COMPANIES, uid.0).await?;
    let company = tx.companies().get(uid).await?;
    let company = company.ok_or_else(|| ApiError::absent(COMPANIES.name, uid))?;
    let agents = tx.removal().agents_of(uid).await?;
    if !agents.is_empty() && !remove_agents {
        return Err(ApiError::conflict(format!(
            "\"{}\" has {} management agents; remove them first, or send {REMOVE_AGENTS}=true",
            company.name,
            agents.len()
        )));
    }
    subtenant::take_all(&change, &mut tx, uid).await?;
    if agents.is_empty() {
        tx.removal().company(uid).await?;
    } else {
        send_away(&change, &mut tx, &company, &agents).await?;
    }
    let object = Object { kind: COMPANIES.name, uid: uid.0, name: &company.name, organization: Some(uid.0) };
    let before = json!({"name": company.name, "owner": company.owner_name, "agents": agents.len()});
    change.note(&object, Some(&before), None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// Tells all agents to leave, and stops looking after the company.
async fn send_away(
    change: &Change,
    tx: &mut Tx,
    company: &Company,
    agents: &[AgentUid],
) -> Result<(), ApiError> {
    if company.status == "Deleting" {
        return Err(ApiError::conflict(format!(
            "\"{}\" is being deleted already; it goes when its agents have left",
            company.name
        )));
    }
    let clock = change.ask.state.clock();
    for agent in agents {
        let command = NewCommand {
            uid: CommandUid::new(clock),
            agent: *agent,
            kind: CommandKind::AgentRevoke,
            description: format!("leave, because the company \"{}\" is deleted", company.name),
            subject: Some(agent.0),
            payload: json!({}),
            sealed: None,
            key: Some(format!("company-deleted:{}", company.uid)),
            deadline: clock.now_ms().saturating_add(PATIENCE),
            user: Some(change.ask.caller.uid),
            operation: change.ask.operation.id.to_owned(),
        };
        tx.commands().put(clock, &command).await?;
    }
    tx.standing().set(company.uid, "Deleting").await?;
    tx.standing().stop(clock, company.uid, "The company is deleted.").await?;
    Ok(())
}

/// Takes out the companies whose agents have left; called again and again.
pub(crate) async fn release(state: &ApiState) -> Result<(), StoreError> {
    let clock = state.clock();
    let gone = state.store().read().await?.removal().released(clock).await?;
    for uid in gone {
        let mut tx = state.store().write().await?;
        let Some(company) = tx.companies().get(uid).await? else { continue };
        tx.removal().company(uid).await?;
        tx.audit().add(&noted(&company, clock.now_ms())).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn noted(company: &Company, at: i64) -> NewAuditRow {
    NewAuditRow {
        at,
        user_name: "Keelson".to_owned(),
        operation: "DeleteCompany".to_owned(),
        outcome: "Succeeded",
        organization_uid: Some(company.uid.0),
        object_type: COMPANIES.name.to_owned(),
        object_uid: Some(company.uid.0),
        object_name: company.name.clone(),
        message: format!("the agents of \"{}\" have left; it is deleted", company.name),
        before: Some(json!({"name": company.name, "status": company.status}).to_string()),
        ..NewAuditRow::default()
    }
}
