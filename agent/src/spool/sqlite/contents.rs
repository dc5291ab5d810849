//! Whether a spool's file still says what was put into it.

use futures_util::TryStreamExt as _;
use keelson_proto::v1::Batch;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use tracing::warn;

use super::known::known_rows;
use super::{gap, position, replay, signed, step, unsigned};
use crate::spool::{SpoolError, answers};

const READ_ALL: &str = "SELECT sequence, payload, digest FROM batch ORDER BY sequence";

/// SQLite has checked how the file hangs together, not what stands in it. What could not be read later would stop the agent
/// each time it comes to it; found here, the spool is begun anew.
pub(super) async fn check_contents(connection: &mut SqliteConnection) -> Result<(), SpoolError> {
    let torn = |what: &str| SpoolError::Corrupt(sqlx::Error::Protocol(what.to_owned()));
    let (position, _) = position(connection).await.map_err(step("open"))?;
    known_rows(connection).await.map_err(step("open"))?;
    answers::unheard(connection).await.map_err(step("open"))?;
    gap(connection).await.map_err(step("open"))?;
    let (mut next, mut spoilt) = (position.reaches, None);
    let mut rows = sqlx::query_as::<_, (i64, Vec<u8>, Option<Vec<u8>>)>(READ_ALL).fetch(&mut *connection);
    while let Some((sequence, payload, digest)) = rows.try_next().await.map_err(step("open"))? {
        next += 1;
        let sound = unsealed(&payload, digest.as_deref()).and_then(|batch| {
            let is_there = (batch.epoch, batch.sequence, sequence) == (position.epoch, next, signed(next));
            if is_there { Ok(()) } else { Err(torn("a batch is not where it belongs")) }
        });
        match sound {
            Ok(()) => {}
            // The host has it: only a host that came back from a backup would ask for it again.
            Err(error) if sequence <= signed(position.acknowledged) => {
                warn!(error = %crate::error::chain(&error), "the replay window is damaged: it is shortened");
                (next, spoilt) = (unsigned(sequence), Some(sequence));
            }
            Err(error) => return Err(error),
        }
    }
    drop(rows);
    if position.reaches > position.acknowledged || next != position.last {
        return Err(torn("batches are missing"));
    }
    match spoilt {
        Some(sequence) => replay::forget(connection, sequence).await.map_err(step("write")),
        None => Ok(()),
    }
}

/// What stands with a batch, so that it is noticed when it changes.
pub(super) fn seal(payload: &[u8]) -> [u8; 32] {
    Sha256::digest(payload).into()
}

/// A batch, if it is what was put in.
pub(super) fn unsealed(payload: &[u8], digest: Option<&[u8]>) -> Result<Batch, SpoolError> {
    if digest.is_some_and(|digest| digest != seal(payload)) {
        return Err(SpoolError::Corrupt(sqlx::Error::Protocol("a batch has changed".to_owned())));
    }
    Batch::decode(payload).map_err(SpoolError::Decode)
}
