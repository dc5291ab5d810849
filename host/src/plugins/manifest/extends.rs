//! `[extends]`: where a plugin adds to Keelson.

use std::time::Duration;

use serde::Deserialize;
use toml::{Table, Value};

use crate::plugins::work::schedule;

use super::{check_label, check_once, check_text};

/// Known to the format.
pub(super) const POINTS: &[&str] =
    &["alert-rules", "licensing", "restore", "usage-export", "events", "tasks", "views", "routes"];
/// Offered by this host.
const OFFERED: &[&str] = &["alert-rules", "views", "routes", "tasks"];
/// Keys of a task.
pub(super) const TASK: &[&str] = &["id", "name", "cron", "jitter", "timeout", "overlap"];
/// Keys of a view.
pub(super) const VIEW: &[&str] = &["id", "title", "slot"];

/// Tasks and views of one plugin, each.
const MOST: usize = 32;
/// A task may be spread over so much time at most.
const MAX_JITTER: Duration = Duration::from_hours(1);
/// The longest that a task may run.
pub(in crate::plugins) const MAX_TASK: Duration = Duration::from_mins(15);

/// Where it adds to Keelson.
#[derive(Debug, Clone, Default)]
pub(in crate::plugins) struct Extends {
    pub(in crate::plugins) alert_rules: bool,
    pub(in crate::plugins) routes: bool,
    pub(in crate::plugins) tasks: Vec<Task>,
    pub(in crate::plugins) views: Vec<View>,
}

/// Something that is done by the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Task {
    pub(in crate::plugins) id: String,
    /// For people.
    pub(in crate::plugins) name: String,
    /// Minute, hour, day, month, weekday; UTC.
    pub(in crate::plugins) cron: String,
    /// So much later at random, so that a thousand hosts do not call one server at once.
    pub(in crate::plugins) jitter: Duration,
    /// From its start to its end.
    pub(in crate::plugins) timeout: Duration,
    pub(in crate::plugins) overlap: Overlap,
}

/// What to do when a task is due and still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::plugins) enum Overlap {
    /// Nothing: the next time is soon enough.
    #[default]
    Skip,
    /// It runs once more as soon as it has ended.
    Queue,
}

/// A part of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct View {
    pub(in crate::plugins) id: String,
    /// For people.
    pub(in crate::plugins) title: String,
    pub(in crate::plugins) slot: Slot,
}

/// Where in the console a view stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plugins) enum Slot {
    /// A card on the overview.
    DashboardCard,
    /// A tab of a company's page.
    CompanyTab,
    /// A page of its own, in the navigation.
    Page,
    /// On the plugin's own page.
    Settings,
}

impl Slot {
    const ALL: [(&'static str, Self); 4] = [
        ("dashboard.card", Self::DashboardCard),
        ("company.tab", Self::CompanyTab),
        ("page", Self::Page),
        ("settings", Self::Settings),
    ];

    /// As the manifest writes it.
    pub(in crate::plugins) fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, slot)| *slot == self).map_or("", |(name, _)| name)
    }

    fn parse(name: &str) -> Result<Self, String> {
        let known = Self::ALL.map(|(name, _)| name);
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found
            .map(|(_, slot)| slot)
            .ok_or_else(|| format!("[[extends.views]] slot `{name}`{}", super::nearest(name, &known)))
    }
}

/// As it is written.
#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct Raw {
    alert_rules: bool,
    routes: bool,
    tasks: Vec<RawTask>,
    views: Vec<RawView>,
}

#[derive(Deserialize)]
struct RawTask {
    id: String,
    name: String,
    cron: String,
    jitter: Option<String>,
    timeout: Option<String>,
    #[serde(default)]
    overlap: Overlap,
}

#[derive(Deserialize)]
struct RawView {
    id: String,
    title: String,
    slot: String,
}

impl Raw {
    pub(super) fn check(self) -> Result<Extends, String> {
        for (what, count) in [("tasks", self.tasks.len()), ("views", self.views.len())] {
            if count > MOST {
                return Err(format!("[extends] {what}: {count} of them; {MOST} at most"));
            }
        }
        check_once("the task", self.tasks.iter().map(|task| task.id.as_str()))?;
        check_once("the view", self.views.iter().map(|view| view.id.as_str()))?;
        Ok(Extends {
            alert_rules: self.alert_rules,
            routes: self.routes,
            tasks: self.tasks.into_iter().map(RawTask::check).collect::<Result<_, _>>()?,
            views: self.views.into_iter().map(RawView::check).collect::<Result<_, _>>()?,
        })
    }
}

impl RawTask {
    fn check(self) -> Result<Task, String> {
        check_label("the task", &self.id)?;
        check_text("name", &self.name)?;
        schedule::parse(&self.cron).map_err(|reason| format!("cron of the task `{}`: {reason}", self.id))?;
        let span = |key: &str, text: &Option<String>, otherwise: Duration, most: Duration| {
            let Some(text) = text else { return Ok(otherwise) };
            let span = parse_span(text).filter(|span| *span <= most);
            span.ok_or_else(|| {
                format!(
                    "{key} `{text}` of the task `{}` must be written as \"30s\" or \"5m\", {} m at most",
                    self.id,
                    most.as_secs() / 60
                )
            })
        };
        let jitter = span("jitter", &self.jitter, Duration::ZERO, MAX_JITTER)?;
        let timeout = span("timeout", &self.timeout, MAX_TASK, MAX_TASK)?;
        if timeout.is_zero() {
            return Err(format!("timeout of the task `{}` is nothing; give it at least \"1s\"", self.id));
        }
        Ok(Task { id: self.id, name: self.name, cron: self.cron, jitter, timeout, overlap: self.overlap })
    }
}

impl RawView {
    fn check(self) -> Result<View, String> {
        check_label("the view", &self.id)?;
        check_text("title", &self.title)?;
        Ok(View { slot: Slot::parse(&self.slot)?, id: self.id, title: self.title })
    }
}

/// `30s`, `5m`, `1h`.
fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// A plugin that needs what is not there must not run half.
pub(super) fn check_offered(table: &Table) -> Result<(), String> {
    let extends = table.get("extends").and_then(Value::as_table);
    for (point, value) in extends.into_iter().flatten() {
        if value.as_bool() != Some(false) && !OFFERED.contains(&point.as_str()) {
            return Err(format!(
                "it extends `{point}`, which this host does not offer (it offers {}); use a newer Keelson",
                OFFERED.join(", ")
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_with_their_unit() {
        assert_eq!(parse_span("90s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_span("5m"), Some(Duration::from_mins(5)));
        assert_eq!(parse_span("1h"), Some(Duration::from_hours(1)));
        assert!(
            ["", "5", "m", "5d", "-1s", "99999999999999999999h", "5 m", "5µ"]
                .iter()
                .all(|text| parse_span(text).is_none())
        );
    }
}
