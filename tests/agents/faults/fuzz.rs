//! The way from bytes to facts, on whatever bytes: it never panics, and what it makes of them is bounded.

use keelson_proto::codec;
use keelson_proto::v1::{
    AgentMessage, Backup, Batch, Job, JobSession, JobTask, License, Machine, Record, Repository,
    RestorePoint, Workload, WorkloadDetails, agent_message, record,
};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;

use super::super::{complete, point, server, workload};

const NOW: i64 = 1_795_000_000_000;
/// Records that a batch may have.
const MOST_RECORDS: usize = 2_000;

/// As a session does it.
fn take(bytes: &[u8]) {
    let Ok(message) = codec::read::<AgentMessage>(bytes) else { return };
    assert!(message.encoded_len() <= bytes.len() + 16, "what was read is more than what came");
    let Some(agent_message::Kind::Batch(batch)) = message.kind else { return };
    let records = batch.records.len();
    if let Ok(facts) = keelson::agents::read_batch(batch, NOW) {
        // Each record says one thing, and a workload that goes says two.
        assert!(records <= MOST_RECORDS && facts <= 2 * records, "{facts} facts of {records} records");
    }
}

/// Something of everything.
fn sample() -> Vec<u8> {
    let task = JobTask {
        key: "t".into(),
        object_name: "oven".into(),
        status: "Success".into(),
        ..JobTask::default()
    };
    let details = WorkloadDetails {
        job_key: "j".into(),
        ip_addresses: vec!["192.0.2.1".into()],
        ..WorkloadDetails::default()
    };
    let (s, key) = ("s".to_owned(), "k".to_owned());
    let kinds = vec![
        record::Kind::Machine(Box::new(Machine { bios_uuid: vec![7; 16], ..Machine::default() })),
        record::Kind::License(Box::new(License {
            server_key: s.clone(),
            units: Some(1.5),
            ..License::default()
        })),
        record::Kind::Repository(Repository {
            server_key: s.clone(),
            key: key.clone(),
            capacity: Some(9),
            ..Repository::default()
        }),
        record::Kind::Job(Box::new(Job {
            server_key: s.clone(),
            key: key.clone(),
            kind: "BackupVm".into(),
            tasks: vec![task.clone()],
            ..Job::default()
        })),
        record::Kind::Session(Box::new(JobSession {
            server_key: s.clone(),
            key: key.clone(),
            tasks: vec![task],
            ..JobSession::default()
        })),
        record::Kind::Workload(Workload {
            server_key: s.clone(),
            key: key.clone(),
            kind: "computer".into(),
            details: Some(Box::new(details)),
            ..Workload::default()
        }),
        record::Kind::Backup(Box::new(Backup {
            server_key: s.clone(),
            workload_key: key.clone(),
            key: key.clone(),
            ..Backup::default()
        })),
        record::Kind::RestorePoint(RestorePoint {
            server_key: s,
            workload_key: key.clone(),
            key,
            created_at: 1,
            size: Some(3),
            ..RestorePoint::default()
        }),
    ];
    let mut records = vec![server(), workload("oven"), point("oven", "a")];
    records.extend(kinds.into_iter().map(|kind| Record { kind: Some(kind) }));
    records.push(complete());
    let batch = Batch { epoch: 1, sequence: 1, records };
    AgentMessage { kind: Some(agent_message::Kind::Batch(batch)) }.encode_to_vec()
}

/// One change: where, what, and how.
#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Put(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), 0..8_u8).prop_map(|(place, bit)| Change::Flip(place, bit)),
        (place(), any::<u8>()).prop_map(|(place, byte)| Change::Put(place, byte)),
        place().prop_map(Change::Cut),
        (place(), vec(any::<u8>(), 1..12)).prop_map(|(place, bytes)| Change::Insert(place, bytes)),
        (place(), place()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match change {
        Change::Flip(place, bit) => bytes[place.index(length)] ^= 1 << bit,
        Change::Put(place, byte) => bytes[place.index(length)] = *byte,
        Change::Cut(place) => bytes.truncate(place.index(length)),
        Change::Insert(place, more) => {
            let place = place.index(length);
            bytes.splice(place..place, more.iter().copied());
        }
        Change::Repeat(from, to) => {
            let (from, to) = (from.index(length), to.index(length));
            let part = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.extend(part);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..2_048)) {
        take(&bytes);
    }

    #[test]
    fn a_message_that_was_changed_is_read_or_refused(changes in vec(change(), 1..12)) {
        let mut bytes = sample();
        for change in &changes {
            apply(&mut bytes, change);
        }
        take(&bytes);
    }

    /// Any text and any number in any place.
    #[test]
    fn any_words_and_numbers_are_read_or_refused(
        texts in vec(any::<String>(), 4),
        numbers in vec(prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(-1), Just(0)], 6),
        amounts in vec(any::<f64>(), 4),
    ) {
        for kind in saying(&texts, &numbers, &amounts) {
            let batch = Batch { epoch: 1, sequence: 1, records: vec![Record { kind: Some(kind) }] };
            let message = AgentMessage { kind: Some(agent_message::Kind::Batch(batch)) };
            take(&message.encode_to_vec());
        }
    }
}

/// Records of these words and numbers.
fn saying(texts: &[String], numbers: &[i64], amounts: &[f64]) -> [record::Kind; 4] {
    let text = |place: usize| texts[place].clone();
    let task = JobTask {
        key: text(0),
        object_name: text(1),
        started_at: numbers[0],
        ended_at: Some(numbers[1]),
        read: Some(numbers[2]),
        ..JobTask::default()
    };
    let job = Job {
        server_key: text(0),
        key: text(1),
        kind: text(2),
        last_run: Some(numbers[3]),
        last_end: Some(numbers[4]),
        average_duration: Some(numbers[5]),
        processing_rate: Some(amounts[0]),
        tasks: vec![task.clone()],
        ..Job::default()
    };
    let session = JobSession {
        server_key: text(0),
        key: text(1),
        started_at: numbers[0],
        ended_at: Some(numbers[1]),
        tasks: vec![task],
        ..JobSession::default()
    };
    let license = License {
        server_key: text(0),
        units: Some(amounts[1]),
        used_units: Some(amounts[2]),
        capacity: Some(amounts[3]),
        expires_at: Some(numbers[2]),
        ..License::default()
    };
    let point = RestorePoint {
        server_key: text(0),
        workload_key: text(1),
        key: text(2),
        created_at: numbers[3],
        size: Some(numbers[4]),
        source_size: Some(numbers[5]),
        destination: text(3),
        ..RestorePoint::default()
    };
    [
        record::Kind::Job(Box::new(job)),
        record::Kind::Session(Box::new(session)),
        record::Kind::License(Box::new(license)),
        record::Kind::RestorePoint(point),
    ]
}
