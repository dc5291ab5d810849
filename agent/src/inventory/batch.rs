//! Cutting records into batches.

use keelson_proto::v1::Record;
use prost::Message as _;

/// Most records in one batch.
pub const MAX_BATCH_RECORDS: usize = 500;
/// Most bytes in one batch, encoded.
pub const MAX_BATCH_BYTES: usize = 1 << 20;

/// What protobuf adds to a record inside a batch, and what a batch itself needs, at most.
const RECORD_OVERHEAD: usize = 8;
const BATCH_OVERHEAD: usize = 32;

/// Keeps the order. A single record over the limit, which no driver makes, still travels, alone.
pub(super) fn split(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut batches = Vec::new();
    let mut current = Vec::new();
    let mut bytes = BATCH_OVERHEAD;
    for record in records {
        let size = record.encoded_len() + RECORD_OVERHEAD;
        if !current.is_empty() && (current.len() == MAX_BATCH_RECORDS || bytes + size > MAX_BATCH_BYTES) {
            batches.push(std::mem::take(&mut current));
            bytes = BATCH_OVERHEAD;
        }
        bytes += size;
        current.push(record);
    }
    if !current.is_empty() {
        batches.push(current);
    }
    batches
}

#[cfg(test)]
mod tests {
    use keelson_proto::v1::Batch;
    use keelson_proto::v1::record::Kind;

    use super::*;
    use crate::testing::point;

    #[test]
    fn batches_keep_to_both_limits_and_to_the_order() {
        let record = |index: i64| {
            let mut point = point("s", "w", index);
            // Some large, some small.
            point.destination = "d".repeat(if index % 3 == 0 { 4000 } else { 10 });
            Record { kind: Some(Kind::RestorePoint(point)) }
        };
        let records: Vec<Record> = (0..1700).map(record).collect();
        let batches = split(records.clone());
        assert!(batches.len() > 3);
        for records in &batches {
            assert!(records.len() <= MAX_BATCH_RECORDS);
            let batch = Batch { epoch: u64::MAX, sequence: u64::MAX, records: records.clone() };
            assert!(batch.encoded_len() <= MAX_BATCH_BYTES);
        }
        assert_eq!(batches.concat(), records);
        assert!(split(Vec::new()).is_empty());
    }
}
