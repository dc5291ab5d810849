//! What plugins do by the clock.

use anyhow::Context as _;
use clap::Subcommand;

use super::super::{Place, say};
use super::open;
use crate::instant;
use crate::plugins::Plugins;
use crate::store::PluginTask;

/// Tasks.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WorkCommand {
    /// Show the tasks of plugins, and how each went
    Tasks {
        /// Of this plugin only
        plugin: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Have a task run now
    Run {
        /// `vendor.name`
        plugin: String,
        /// The task's id
        task: String,
        /// What it is told: a JSON object
        #[arg(long, default_value = "{}")]
        arguments: String,
    },
}

impl WorkCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let plugins = open(place).await?;
        let outcome = self.on(place, &plugins).await;
        if place.running.is_none() {
            plugins.stop().await;
        }
        outcome
    }

    async fn on(self, place: &Place, plugins: &Plugins) -> anyhow::Result<()> {
        match self {
            Self::Tasks { plugin, json } => {
                let mut tasks = plugins.tasks().await?;
                tasks.retain(|task| plugin.as_ref().is_none_or(|plugin| *plugin == task.plugin_id));
                show(&tasks, json)
            }
            Self::Run { plugin, task, arguments } => {
                let given: serde_json::Value = serde_json::from_str(&arguments)
                    .ok()
                    .filter(serde_json::Value::is_object)
                    .context("--arguments must be a JSON object")?;
                plugins.ask_for_task(&plugin, &task, &given.to_string()).await?;
                let when = if place.running.is_some() { "now" } else { "as soon as a host runs" };
                say(&format!("{plugin}: {task} runs {when}"))
            }
        }
    }
}

fn show(tasks: &[PluginTask], json: bool) -> anyhow::Result<()> {
    if json {
        let of = |task: &PluginTask| {
            serde_json::json!({
                "plugin": task.plugin_id, "task": task.task, "running": task.running, "attempt": task.attempt,
                "nextRun": instant::format(task.due_at), "startedAt": task.started_at.map(instant::format),
                "endedAt": task.ended_at.map(instant::format), "outcome": task.outcome, "summary": task.summary,
            })
        };
        return say(&serde_json::to_string_pretty(&tasks.iter().map(of).collect::<Vec<_>>())?);
    }
    for task in tasks {
        let state = if task.running { "runs" } else { task.outcome.as_deref().unwrap_or("has not run yet") };
        say(&format!("{} {} {state}; next {}", task.plugin_id, task.task, instant::format(task.due_at)))?;
        if !task.summary.is_empty() {
            say(&format!("  {}", task.summary))?;
        }
    }
    Ok(())
}
