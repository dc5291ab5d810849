//! An object of which an engine says very much: what is for people is cut to what the host keeps of it, so that it travels. What names
//! something is left as it is; if that alone is too much, the object is left out, and the log says which.

use keelson_proto::limits::TEXT_BYTES;
use keelson_proto::v1::record::Kind;
use keelson_proto::v1::{Job, JobSession, JobTask, License, Record};
use prost::Message as _;
use tracing::warn;

use super::batch::MAX_BATCH_BYTES;
use super::object::ObjectId;

/// A record below this is looked at no further.
const LARGE: usize = 64 * 1024;
/// Tasks of a run, and lines of a task or entries of another list, that the host keeps.
const MOST_TASKS: usize = 200;
const MOST_ENTRIES: usize = 64;

/// Whether a record can travel, cut if need be.
pub(super) fn fit(id: &ObjectId, record: &mut Record) -> bool {
    if record.encoded_len() <= LARGE {
        return true;
    }
    match record.kind.as_mut() {
        Some(Kind::Job(one)) => job(one),
        Some(Kind::Session(one)) => session(one),
        Some(Kind::License(one)) => license(one),
        _ => {}
    }
    let size = record.encoded_len();
    let travels = size <= MAX_BATCH_BYTES;
    if !travels {
        warn!("{} is left out: it has {size} bytes, and {MAX_BATCH_BYTES} travel", name(id));
    }
    travels
}

/// For the log: keys may be what is too large.
fn name(id: &ObjectId) -> String {
    let mut name = format!("{id:?}");
    cut(&mut name, 200);
    name
}

fn cut(text: &mut String, most: usize) {
    text.truncate(text.floor_char_boundary(most));
}

fn job(job: &mut Job) {
    for text in [&mut job.name, &mut job.description, &mut job.failure, &mut job.destination] {
        cut(text, TEXT_BYTES);
    }
    tasks(&mut job.tasks);
}

fn session(session: &mut JobSession) {
    for text in [&mut session.job_name, &mut session.message] {
        cut(text, TEXT_BYTES);
    }
    tasks(&mut session.tasks);
}

/// Failed ones first, as the host keeps them.
fn tasks(tasks: &mut Vec<JobTask>) {
    tasks.sort_by_key(|task| task.failures.is_empty());
    tasks.truncate(MOST_TASKS);
    for task in tasks {
        cut(&mut task.object_name, TEXT_BYTES);
        task.failures.truncate(MOST_ENTRIES);
        let share = TEXT_BYTES / task.failures.len().max(1);
        for line in &mut task.failures {
            cut(line, share);
        }
    }
}

fn license(license: &mut License) {
    for text in [&mut license.edition, &mut license.company, &mut license.contact_person, &mut license.email]
    {
        cut(text, TEXT_BYTES);
    }
    for list in [&mut license.license_ids, &mut license.support_ids, &mut license.packages] {
        list.truncate(MOST_ENTRIES);
        for text in list {
            cut(text, TEXT_BYTES);
        }
    }
    license.uses.truncate(MOST_TASKS);
    for one in &mut license.uses {
        cut(&mut one.kind, TEXT_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: Kind) -> Record {
        Record { kind: Some(kind) }
    }

    fn travels(record: &mut Record) -> bool {
        fit(&ObjectId::Machine, record) && record.encoded_len() <= MAX_BATCH_BYTES
    }

    #[test]
    fn a_run_over_ten_thousand_machines_travels_with_its_failures() {
        let task = |number: usize| JobTask {
            key: number.to_string(),
            object_name: format!("vm {number}"),
            failures: if number > 9_900 { vec!["disk full ".repeat(2_000)] } else { Vec::new() },
            ..JobTask::default()
        };
        let tasks = (0..10_000).map(task).collect();
        let mut job = record(Kind::Job(Box::new(Job { key: "j".into(), tasks, ..Job::default() })));
        assert!(travels(&mut job));
        let Some(Kind::Job(job)) = job.kind else { panic!("a job") };
        assert_eq!(job.tasks.len(), MOST_TASKS);
        assert_eq!(job.tasks[0].key, "9901");
    }

    #[test]
    fn endless_texts_of_a_job_and_a_licence_are_cut() {
        let description = "d".repeat(3_000_000);
        let job = Job { key: "j".into(), description, ..Job::default() };
        let support_ids = vec!["9".repeat(4_000); 700];
        let license = License { server_key: "s".into(), support_ids, ..License::default() };
        for kind in [Kind::Job(Box::new(job)), Kind::License(Box::new(license))] {
            assert!(travels(&mut record(kind)));
        }
    }

    #[test]
    fn what_is_too_large_by_its_key_alone_is_left_out() {
        let job = Job { key: "k".repeat(2_000_000), ..Job::default() };
        assert!(!travels(&mut record(Kind::Job(Box::new(job)))));
    }

    #[test]
    fn what_is_small_is_left_as_it_is() {
        let job = Job { key: "j".into(), description: "d".repeat(TEXT_BYTES + 1), ..Job::default() };
        let before = record(Kind::Job(Box::new(job)));
        let mut after = before.clone();
        assert!(travels(&mut after));
        assert_eq!(after, before);
    }
}
