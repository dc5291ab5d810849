//! The fleet's rows as columns of facts: the same for rules and for `inventory`.

use super::facts::{ABSENT, FactTable, Values};
use crate::store::{DueAgent, DueWorkload};

/// Workloads that are computers.
pub(crate) fn computers(rows: &[DueWorkload]) -> FactTable {
    let ints = |of: fn(&DueWorkload) -> i64| Values::Ints(rows.iter().map(of).collect());
    FactTable::new(rows.len())
        .with("newest-restore-point", ints(|row| row.newest_restore_point.unwrap_or(ABSENT)))
        .with("first-seen", ints(|row| row.first_seen))
        .with("restore-points", ints(|row| row.restore_points))
        .with("name", Values::Strings(rows.iter().map(|row| row.name.clone()).collect()))
}

/// Management agents. `heard_since` is when somebody began to listen: an agent cannot be blamed for its silence before.
pub(crate) fn agents(rows: &[DueAgent], heard_since: i64) -> FactTable {
    let ints = |of: &dyn Fn(&DueAgent) -> i64| Values::Ints(rows.iter().map(of).collect());
    FactTable::new(rows.len())
        .with("last-heartbeat", ints(&|row| row.last_heartbeat.max(heard_since)))
        .with("connected", Values::Flags(rows.iter().map(|row| u8::from(row.connected)).collect()))
        .with("version", Values::Strings(rows.iter().map(|row| row.version.clone()).collect()))
        .with("enrolled-at", ints(&|row| row.enrolled_at))
        .with("misuse-seen-at", ints(&|row| row.misuse_seen_at.unwrap_or(ABSENT)))
}
