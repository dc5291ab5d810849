//! What a list shows of a workload's restore points without looking at them: the newest, how many, how large. Read back after
//! each change, not remembered: right whatever was added or removed, by index look-ups.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type};
use super::super::sums::sum;
use super::super::{StoreError, Tx, on, statements};
use crate::id::AgentUid;

macro_rules! count_workloads {
    () => {
        concat!(
            "UPDATE workloads SET \
        (newest_restore_point, restore_points, total_size, archive_points, archive_size) = \
        (SELECT max(r.created_at), count(*), ",
            sum!("r.size"),
            ", count(CASE WHEN r.archive THEN 1 END), coalesce(",
            sum!("CASE WHEN r.archive THEN r.size END"),
            ", 0) FROM restore_points r WHERE r.workload_uid = workloads.uid), \
        latest_size = (SELECT r.size FROM restore_points r WHERE r.workload_uid = workloads.uid \
        ORDER BY r.created_at DESC, r.uid DESC LIMIT 1) "
        )
    };
}

macro_rules! count_backups {
    () => {
        concat!(
            "UPDATE workload_backups SET \
        (newest_restore_point, restore_points, total_size) = \
        (SELECT max(r.created_at), count(*), ",
            sum!("r.size"),
            " FROM restore_points r \
        WHERE r.workload_uid = workload_backups.workload_uid AND r.backup_uid = workload_backups.uid), \
        latest_size = (SELECT r.size FROM restore_points r \
        WHERE r.workload_uid = workload_backups.workload_uid AND r.backup_uid = workload_backups.uid \
        ORDER BY r.created_at DESC, r.uid DESC LIMIT 1) "
        )
    };
}

// A new point may have the mark already (`points.rs`); what else is the newest now gets it after the former has lost it.
macro_rules! mark {
    () => {
        "UPDATE restore_points SET latest = TRUE WHERE NOT latest AND uid IN (SELECT (SELECT r.uid FROM restore_points r \
        WHERE r.workload_uid = w.uid ORDER BY r.created_at DESC, r.uid DESC LIMIT 1) "
    };
}

const COUNT: BulkStatement = BulkStatement {
    name: "store::infrastructure::newest::COUNT",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: concat!(count_workloads!(), "WHERE uid IN (SELECT uid FROM input)"),
};

const COUNT_BACKUPS: BulkStatement = BulkStatement {
    name: "store::infrastructure::newest::COUNT_BACKUPS",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: concat!(count_backups!(), "WHERE workload_uid IN (SELECT uid FROM input)"),
};

const UNMARK: BulkStatement = BulkStatement {
    name: "store::infrastructure::newest::UNMARK",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    // By workload: a condition on all marked points would be looked at for each that there is. At most one is out of date.
    text: "UPDATE restore_points SET latest = FALSE WHERE uid IN (SELECT (SELECT o.uid FROM restore_points o \
        WHERE o.workload_uid = w.uid AND o.latest AND o.uid <> (SELECT r.uid FROM restore_points r \
        WHERE r.workload_uid = w.uid ORDER BY r.created_at DESC, r.uid DESC LIMIT 1) LIMIT 1) FROM input w)",
};

const MARK: BulkStatement = BulkStatement {
    name: "store::infrastructure::newest::MARK",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: concat!(mark!(), "FROM input w)"),
};

pub(super) const BULK: &[BulkStatement] = &[COUNT, COUNT_BACKUPS, UNMARK, MARK];

statements! {
    COUNT_OF_AGENT = concat!(count_workloads!(), "WHERE agent_uid = $1");
    COUNT_BACKUPS_OF_AGENT = concat!(count_backups!(), "WHERE agent_uid = $1");
    UNMARK_OF_AGENT = "UPDATE restore_points SET latest = FALSE WHERE uid IN (SELECT o.uid FROM workloads w \
        JOIN restore_points o ON o.workload_uid = w.uid AND o.latest WHERE w.agent_uid = $1 \
        AND o.uid <> (SELECT r.uid FROM restore_points r WHERE r.workload_uid = w.uid \
        ORDER BY r.created_at DESC, r.uid DESC LIMIT 1))";
    MARK_OF_AGENT = concat!(mark!(), "FROM workloads w WHERE w.agent_uid = $1)");
}

/// Brings these workloads up to date, each named once.
pub(in crate::store) async fn refresh(tx: &mut Tx, workloads: Vec<Uuid>) -> Result<(), StoreError> {
    let columns = [Column::Uuid(workloads)];
    for statement in [COUNT, COUNT_BACKUPS, UNMARK, MARK] {
        statement.execute(tx, &[], &columns).await?;
    }
    Ok(())
}

/// Brings all workloads of an agent up to date.
pub(in crate::store) async fn refresh_agent(tx: &mut Tx, agent: AgentUid) -> Result<(), StoreError> {
    for statement in [COUNT_OF_AGENT, COUNT_BACKUPS_OF_AGENT, UNMARK_OF_AGENT, MARK_OF_AGENT] {
        on!(tx, db => sqlx::query(statement).bind(agent).execute(db).await?.rows_affected());
    }
    Ok(())
}
