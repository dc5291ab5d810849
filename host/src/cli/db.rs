//! The database, looked after.

use anyhow::bail;
use clap::Subcommand;

use super::{Place, say};
use crate::store::{AuditRow, Extent, Store};

/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// The database.
#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Walk the activity log's chain of hashes; fails at the first row that was changed or taken out
    VerifyAudit,
}

impl DbCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::VerifyAudit = self;
        let (rows, hash) = verify(&place.store().await?).await?;
        say(&format!("the activity log is whole: {rows} rows, the last hash is {}", hex::encode(hash)))
    }
}

/// How many rows there are, and the hash of the last: whoever writes it down elsewhere will see if the whole chain is made
/// anew.
async fn verify(store: &Store) -> anyhow::Result<(i64, Vec<u8>)> {
    // What is written meanwhile is for the next time.
    let extent = store.read_long().await?.audit().extent().await?;
    let (last, head) = (extent.last, &extent.hash);
    let (mut position, mut hash) = (0, Vec::new());
    while position < last {
        // A transaction a page: a read may not take long, a whole log may.
        let rows = store.read().await?.audit().after(position, PAGE.min(last - position)).await?;
        if rows.is_empty() {
            bail!("the rows {} to {last} of the activity log are missing", position + 1);
        }
        for row in rows {
            check(&row, position, &hash)?;
            (position, hash) = (row.position, row.hash);
        }
    }
    outside(&extent)?;
    if hash != *head {
        bail!("the activity log's last row {last} is not the one that the head of the chain names");
    }
    Ok((position, hash))
}

/// Rows that nobody's chain has: the list would show them, the walk would not come by.
fn outside(extent: &Extent) -> anyhow::Result<()> {
    if extent.lowest < 1 {
        bail!("the row {} of the activity log stands before its first", extent.lowest);
    }
    if extent.highest > extent.last || extent.count != extent.last {
        bail!(
            "the activity log has {} rows up to {}, and the head of its chain names {}: rows were added, or the head was \
             set back",
            extent.count,
            extent.highest,
            extent.last
        );
    }
    Ok(())
}

fn check(row: &AuditRow, before: i64, hash: &[u8]) -> anyhow::Result<()> {
    if row.position > before + 2 {
        bail!("the rows {} to {} of the activity log are missing", before + 1, row.position - 1);
    }
    if row.position != before + 1 {
        bail!("the row {} of the activity log is missing", before + 1);
    }
    if row.hash != row.expected_hash(hash) {
        let (who, what) = (&row.user_name, &row.operation);
        bail!("the row {} of the activity log ({who}, {what}) was changed", row.position);
    }
    Ok(())
}
