//! The database, looked after.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Subcommand;

use super::log::WHO;
use super::{Place, say};
use crate::clock::{Clock as _, SystemClock};
use crate::store::{self, AuditRow, Extent, NewAuditRow, Store};

/// Rows that are read at once.
const PAGE: i64 = 1_000;

/// The database.
#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Walk the activity log's chain of hashes; fails at the first row that was changed or taken out
    VerifyAudit,
    /// Write all that the database holds into a file, while the host runs or not. The keys are not in it
    Backup {
        /// Where to; there is no such file yet
        file: PathBuf,
    },
    /// Put a backup in the place of all that the database holds, with the host stopped. Agents send again what they have
    /// reported since
    Restore {
        /// What `db backup` wrote
        file: PathBuf,
    },
}

impl DbCommand {
    /// Whether a running host does it: not what is about a file of the caller's, nor what no host may run at.
    pub(super) fn is_for_a_host(&self) -> bool {
        matches!(self, Self::VerifyAudit)
    }

    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        match self {
            Self::VerifyAudit => verify_audit(place).await,
            Self::Backup { file } => back_up(place, &file).await,
            Self::Restore { file } => restore(place, &file).await,
        }
    }
}

async fn back_up(place: &Place, file: &Path) -> anyhow::Result<()> {
    store::back_up(&place.config.database(&place.data), file).await?;
    let (file, data) = (file.display(), place.data.display());
    say(&format!(
        "the database is in {file}\nNOT in it are the keys: keep a copy of {data}/pki and {data}/secrets.key as well, without which no \
         agent comes back and no stored password opens"
    ))
}

async fn restore(place: &Place, file: &Path) -> anyhow::Result<()> {
    crate::app::make_data_folder(&place.data)?;
    let _lock = crate::app::lock(&place.data).await?;
    let note = NewAuditRow {
        at: SystemClock.now_ms(),
        user_name: WHO.to_owned(),
        address: "local".to_owned(),
        operation: "db restore".to_owned(),
        outcome: "Succeeded",
        object_type: "Database".to_owned(),
        object_name: file.display().to_string(),
        message: format!("{WHO}: db restore put {} in the place of the database", file.display()),
        ..NewAuditRow::default()
    };
    let restored = store::restore(&place.config.database(&place.data), file, &SystemClock, note).await?;
    crate::app::unmark(&place.data)?;
    say(&format!(
        "{} is restored, and the database begins the life {}",
        file.display(),
        restored.incarnation
    ))?;
    if let Some(former) = restored.former {
        say(&format!("the database of before is kept as {}; remove it when all is well", former.display()))?;
    }
    say(
        "agents send again what they have reported since the backup; what they no longer have, gapSeenTime of the agent shows\n\
         Agents that were enrolled or got a new certificate since enrol again: keelson-agent enroll --force",
    )
}

async fn verify_audit(place: &Place) -> anyhow::Result<()> {
    let (rows, hash) = verify(&place.store().await?).await?;
    say(&format!("the activity log is whole: {rows} rows, the last hash is {}", hex::encode(hash)))
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
