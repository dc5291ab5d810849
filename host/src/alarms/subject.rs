//! What each kind of object is: to a rule a row of columns, to an alarm an object with a name and a place.

use uuid::Uuid;

use crate::id::{AgentUid, CompanyUid, LocationUid};
use crate::plugins::{FactTable, fleet};
use crate::store::{DueAgent, DueWorkload};

/// An object that rules look at.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) uid: Uuid,
    pub(super) company: CompanyUid,
    pub(super) location: LocationUid,
    pub(super) agent: AgentUid,
    /// A word of the API's object types.
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) computer: String,
    pub(super) revision: i64,
    /// It is no more: its alarms end, and its row goes.
    pub(super) gone: bool,
}

/// Objects of one subject, with their facts.
#[derive(Debug)]
pub(super) struct Cohort {
    pub(super) subject: &'static str,
    pub(super) objects: Vec<Object>,
    pub(super) facts: FactTable,
}

/// The word of the API's alarm categories for a subject.
pub(super) fn category(subject: &str) -> &'static str {
    match subject {
        "computer" => "BackupAgent",
        "management-agent" => "ManagementAgent",
        _ => "Unknown",
    }
}

fn objects(rows: &[DueWorkload]) -> Vec<Object> {
    let object = |row: &DueWorkload| Object {
        uid: row.uid.0,
        company: row.company_uid,
        location: row.location_uid,
        agent: row.agent_uid,
        kind: "BackupAgent",
        name: row.name.clone(),
        computer: row.name.clone(),
        revision: row.revision,
        gone: row.gone_at.is_some(),
    };
    rows.iter().map(object).collect()
}

/// Workloads of a kind that no subject describes: no rule looks at them, but what is gone must go.
pub(super) fn unruled(rows: &[DueWorkload]) -> Cohort {
    Cohort { subject: "", objects: objects(rows), facts: FactTable::new(rows.len()) }
}

/// Workloads that are computers.
pub(super) fn computers(rows: &[DueWorkload]) -> Cohort {
    let facts = fleet::computers(rows);
    Cohort { subject: "computer", objects: objects(rows), facts }
}

/// Management agents. While the host was down nobody could hear them: their silence counts from its start.
pub(super) fn agents(rows: &[DueAgent], awake_since: i64) -> Cohort {
    let objects = rows.iter().map(|row| Object {
        uid: row.uid.0,
        company: row.company_uid,
        location: row.location_uid,
        agent: row.uid,
        kind: "ManagementAgent",
        name: row.host_name.clone(),
        computer: row.host_name.clone(),
        revision: row.revision,
        gone: false,
    });
    let facts = fleet::agents(rows, awake_since);
    Cohort { subject: "management-agent", objects: objects.collect(), facts }
}
