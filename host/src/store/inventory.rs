//! Pages of what there is, for plugins: in the order of the ids, so that a page begins where the one before ended whatever changes
//! between.

use uuid::Uuid;

use super::due::{DueAgent, DueWorkload};
use super::{StoreError, Tx, on, statements};
use crate::id::CompanyUid;

macro_rules! workloads {
    ($of:literal) => {
        concat!(
            "SELECT w.uid, w.company_uid, a.location_uid, w.agent_uid, w.name, a.host_name, w.kind, \
            w.newest_restore_point, w.first_seen, w.restore_points, w.gone_at, CAST(0 AS BIGINT) AS revision \
            FROM workloads w JOIN agents a ON a.uid = w.agent_uid \
            WHERE w.uid > $1 AND w.kind = 'computer' AND w.gone_at IS NULL",
            $of,
            " ORDER BY w.uid LIMIT $2"
        )
    };
}

macro_rules! agents {
    ($of:literal) => {
        concat!(
            "SELECT uid, company_uid, location_uid, host_name, version, connected, last_heartbeat, enrolled_at, \
            misuse_seen_at, revision FROM agents WHERE uid > $1",
            $of,
            " ORDER BY uid LIMIT $2"
        )
    };
}

statements! {
    COMPUTERS = workloads!("");
    COMPUTERS_OF = workloads!(" AND w.company_uid = $3");
    AGENTS = agents!("");
    AGENTS_OF = agents!(" AND company_uid = $3");
}

impl Tx {
    /// What there is, page by page.
    pub fn inventory(&mut self) -> Inventory<'_> {
        Inventory(self)
    }
}

/// Pages of what there is, seen through a transaction.
#[derive(Debug)]
pub struct Inventory<'t>(&'t mut Tx);

impl Inventory<'_> {
    /// Computers with ids behind `after`, of one company or of all.
    pub async fn computers(
        &mut self,
        company: Option<CompanyUid>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<DueWorkload>, StoreError> {
        Ok(match company {
            None => on!(self.0, db => sqlx::query_as(COMPUTERS).bind(after).bind(limit).fetch_all(db).await?),
            Some(company) => on!(self.0, db => sqlx::query_as(COMPUTERS_OF)
                .bind(after)
                .bind(limit)
                .bind(company)
                .fetch_all(db)
                .await?),
        })
    }

    /// The same of management agents.
    pub async fn agents(
        &mut self,
        company: Option<CompanyUid>,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<DueAgent>, StoreError> {
        Ok(match company {
            None => on!(self.0, db => sqlx::query_as(AGENTS).bind(after).bind(limit).fetch_all(db).await?),
            Some(company) => on!(self.0, db => sqlx::query_as(AGENTS_OF)
                .bind(after)
                .bind(limit)
                .bind(company)
                .fetch_all(db)
                .await?),
        })
    }
}
