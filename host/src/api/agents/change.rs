//! `PATCH`, `DELETE` and `POST …/restart` of a management agent.

use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::change::{Change, Input, Object};
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::order::{self, Order};
use crate::api::patch::{JsonPatch, Patched};
use crate::id::{AgentUid, LocationUid};
use crate::model::CommandKind;
use crate::store::list::Condition;
use crate::store::{AGENTS, LOCATIONS, Tx};

/// Something that a person still has to do, or should know.
#[derive(Debug, Serialize)]
struct Warning {
    message: String,
}

/// Names an agent, labels it, moves it to another location of its organisation.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("managementAgentUid")?;
    let mut tx = change.begin().await?;
    let patched = change.patched(&mut tx, &AGENTS, uid, &steps, &[]).await?;
    let organization = patched.text("organizationUid").parse::<Uuid>().ok();
    let location = new_location(&change, &mut tx, &patched, organization).await?;
    let name = patched.text("hostName").to_owned();
    change.write(&mut tx, uid, &patched, &name, organization).await?;
    if let Some(location) = location {
        tx.infrastructure().move_alarms(AgentUid(uid), location).await?;
    }
    change.commit(tx).await?;
    change.reply(&AGENTS, uid).await
}

/// Where the patch puts the agent, if it moves it.
async fn new_location(
    change: &Change,
    tx: &mut Tx,
    patched: &Patched,
    organization: Option<Uuid>,
) -> Result<Option<LocationUid>, ApiError> {
    let Some(location) = patched.changed("locationUid") else { return Ok(None) };
    let location = location.as_str().and_then(|text| text.parse().ok());
    let location = location
        .ok_or_else(|| ApiError::property("/locationUid", "locationUid must be the UUID of a location"))?;
    must_belong(change, tx, location, organization).await?;
    Ok(Some(LocationUid(location)))
}

/// An agent stands at a location of its own organisation, one that the caller sees.
async fn must_belong(
    change: &Change,
    tx: &mut Tx,
    location: Uuid,
    organization: Option<Uuid>,
) -> Result<(), ApiError> {
    let all = Condition::All(Vec::new());
    let found = tx.document(&LOCATIONS, &change.ask.caller.scope, &all, location).await?;
    let found = found.map(|found| found.value());
    let owner = found.as_ref().and_then(|found| found.get("organizationUid")).and_then(Value::as_str);
    if owner.is_some() && owner.and_then(|text| text.parse().ok()) == organization {
        return Ok(());
    }
    let message = format!("there is no location {location} of the agent's organisation");
    Err(ApiError::property("/locationUid", message))
}

/// Removes an agent and everything that it reported; its certificate opens no door any more.
pub(super) async fn delete(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("managementAgentUid")?;
    let shape = change.ask.shape("Warning")?;
    let mut tx = change.begin().await?;
    let agent = seen(&change, &mut tx, uid).await?;
    let (host, text) = (agent.name(), |name: &str| agent.text(name));
    if let Some(site) = tx.infrastructure().site_of(AgentUid(uid)).await? {
        return Err(ApiError::conflict(format!(
            "the agent on {host} serves the Cloud Connect site \"{site}\"; remove the site first"
        )));
    }
    let removed = tx.infrastructure().remove_agent(change.ask.state.clock(), AgentUid(uid)).await?;
    let object = Object { kind: AGENTS.name, uid, name: host, organization: agent.organization() };
    change.note(&object, Some(&json!({"hostName": host, "version": text("version")})), None);
    change.commit(tx).await?;
    change.ask.state.agents().expel(AgentUid(uid));
    let mut warnings = vec![Warning {
        message: format!(
            "the program stays on {host}, where it is no longer let in; remove it there: systemctl disable --now keelson-agent"
        ),
    }];
    if removed.servers > 0 || removed.workloads > 0 {
        let message = format!(
            "{} backup servers and {} workloads that it reported are no longer monitored",
            removed.servers, removed.workloads
        );
        warnings.push(Warning { message });
    }
    envelope::all(&warnings, &shape)
}

/// Has an agent's process start anew.
pub(super) async fn restart(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("managementAgentUid")?;
    let mut tx = change.begin().await?;
    let agent = seen(&change, &mut tx, uid).await?;
    let host = agent.name();
    if !order::open(&mut tx, uid, &[CommandKind::AgentRestart]).await?.is_empty() {
        return Err(ApiError::conflict(format!("the agent on {host} was told to restart already")));
    }
    let order = Order {
        agent: AgentUid(uid),
        kind: CommandKind::AgentRestart,
        subject: uid,
        description: format!("Restart the management agent on {host}"),
        payload: json!({}),
    };
    order::place(&change, &mut tx, order).await?;
    let object = Object { kind: AGENTS.name, uid, name: host, organization: agent.organization() };
    change.note(&object, Some(&json!({})), Some(&json!({"command": CommandKind::AgentRestart.name()})));
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// An agent's document.
struct Seen(Value);

impl Seen {
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn name(&self) -> &str {
        self.text("hostName")
    }

    fn organization(&self) -> Option<Uuid> {
        self.text("organizationUid").parse().ok()
    }
}

/// The agent as the caller sees it, kept for this transaction.
async fn seen(change: &Change, tx: &mut Tx, uid: Uuid) -> Result<Seen, ApiError> {
    let all = Condition::All(Vec::new());
    let found = tx.document(&AGENTS, &change.ask.caller.scope, &all, uid).await?;
    found.map(|found| Seen(found.value())).ok_or_else(|| ApiError::absent(AGENTS.name, uid))
}
