//! What plugins do by the clock.

use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::find;
use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::instant::Instant;
use crate::store::PluginTask;

/// A task, and how it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PluginTaskInfo {
    plugin_id: Uuid,
    /// Its id in the plugin.
    task: String,
    /// Whether a run is under way: at work, between two parts, or before another try.
    running: bool,
    /// How often this part of the run was tried.
    attempt: i64,
    /// When it is looked at next: its turn, the next part, another try.
    next_run: Instant,
    /// Of the run that is under way, or of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Instant>,
    /// Of the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Instant>,
    /// `Succeeded`, `Failed`; absent if it has never ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// What it, or the host, said last.
    summary: String,
}

/// The tasks of a plugin.
#[utoipa::path(
    get, path = "/plugins/{pluginId}/tasks", operation_id = "GetPluginTasks",
    params(("pluginId" = Uuid, Path)),
    responses((status = 200, description = "Its tasks", body = Envelope<Vec<PluginTaskInfo>>)),
)]
pub(super) async fn list(ask: Ask) -> Result<Response, ApiError> {
    let plugin = find(&ask).await?;
    let tasks = ask.state.plugins().tasks().await?.into_iter().filter(|task| task.plugin_id == plugin.id);
    envelope::all(
        &tasks.map(|task| PluginTaskInfo::new(plugin.uid, task)).collect::<Vec<_>>(),
        &Shape::default(),
    )
}

/// Has a task run now. The body is an object that it is told.
#[utoipa::path(
    post, path = "/plugins/{pluginId}/tasks/{task}/run", operation_id = "RunPluginTask",
    params(("pluginId" = Uuid, Path), ("task" = String, Path)),
    request_body = Object,
    responses((status = 200, description = "It runs as soon as a host is free", body = envelope::EmptyResponse)),
)]
pub(super) async fn run(
    mut change: Change,
    JsonBody(arguments): JsonBody<Value>,
) -> Result<Response, ApiError> {
    if !arguments.is_object() {
        return Err(ApiError::bad_request("the body must be a JSON object: what the task is told"));
    }
    let uid = change.ask.uid("pluginId")?;
    let views = super::visible(&change.ask.state, change.ask.caller.scope).await?;
    let plugin =
        views.into_iter().find(|view| view.uid == uid).ok_or_else(|| ApiError::absent("PluginInfo", uid))?;
    let task = change.ask.word("task")?.to_owned();
    let tx = change.begin().await?;
    let name = format!("{}: {task}", plugin.id);
    change.note(
        &Object { kind: "PluginInfo", uid, name: &name, organization: None },
        Some(&Value::Null),
        Some(&arguments),
    );
    change.commit(tx).await?;
    change.ask.state.plugins().ask_for_task(&plugin.id, &task, &arguments.to_string()).await?;
    Ok(envelope::empty())
}

impl PluginTaskInfo {
    fn new(plugin_id: Uuid, task: PluginTask) -> Self {
        Self {
            plugin_id,
            task: task.task,
            running: task.running,
            attempt: task.attempt,
            next_run: Instant(task.due_at),
            started_at: task.started_at.map(Instant),
            ended_at: task.ended_at.map(Instant),
            outcome: task.outcome,
            summary: task.summary,
        }
    }
}
