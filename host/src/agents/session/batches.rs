//! Batches that follow each other and are here already are stored as one.

use futures_util::FutureExt as _;
use keelson_proto::v1::{AgentMessage, Batch, agent_message};
use prost::Message as _;
use tonic::{Status, Streaming};

use crate::agents::facts;
use crate::agents::pace::Pace;

/// Records that are stored as one when they came as several batches.
const TOGETHER: usize = 1_500;
/// Batches that are stored as one, however little they hold.
const MOST_TOGETHER: usize = 64;

/// A batch with those behind it that are here already and follow it, and the message that came then.
pub(super) fn following(
    first: Batch,
    messages: &mut Streaming<AgentMessage>,
    pace: &mut Pace,
) -> Result<(Vec<Batch>, Option<AgentMessage>), Status> {
    let (epoch, mut sequence, mut records) = (first.epoch, first.sequence, first.records.len());
    let mut batches = vec![first];
    while records < TOGETHER
        && batches.len() < MOST_TOGETHER
        && let Some(message) = messages.message().now_or_never()
    {
        let Some(message) = message? else { return Ok((batches, None)) };
        match message.kind {
            Some(agent_message::Kind::Batch(batch))
                if batch.epoch == epoch
                    && sequence.checked_add(1) == Some(batch.sequence)
                    && records + batch.records.len() <= facts::MOST_RECORDS =>
            {
                (sequence, records) = (batch.sequence, records + batch.records.len());
                // It is waited for with the first message that is not of these.
                pace.spend(batch.encoded_len());
                batches.push(batch);
            }
            kind => return Ok((batches, Some(AgentMessage { kind }))),
        }
    }
    Ok((batches, None))
}

/// As if it had come as one.
pub(super) fn joined(batches: &[Batch]) -> Option<Batch> {
    let last = batches.last()?;
    let records = batches.iter().flat_map(|batch| batch.records.iter().cloned()).collect();
    Some(Batch { epoch: last.epoch, sequence: last.sequence, records })
}
