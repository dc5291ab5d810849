//! What is read, against what the server has.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const HOUR: i64 = 3_600_000;

/// What an inventory says of restore points, as the server keeps it.
fn points(inventory: &Inventory) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for point in &inventory.restore_points {
        all.entry(point.workload_key.clone()).or_default().insert(point.key.clone());
    }
    all
}

fn expected(server: &VbrServer) -> BTreeMap<String, BTreeSet<String>> {
    let all = server.with(|world| world.points_by_object());
    let texts = all.into_iter().map(|(object, points)| {
        (object.to_string(), points.into_iter().map(|point| point.to_string()).collect())
    });
    texts.collect()
}

#[tokio::test]
async fn everything_that_a_server_has_is_read_row_by_row() {
    let beside = Beside::start().await;
    let inventory = beside.collect().await.unwrap();
    assert_eq!(points(&inventory), expected(&beside.server));
    beside.server.with(|world| {
        assert_eq!(inventory.server.key, world.id.to_string());
        assert_eq!((&inventory.server.name, &inventory.server.version), (&world.name, &world.version));
        assert_eq!(inventory.server.engine, "vbr");
        assert_eq!(inventory.repositories.len(), world.repositories.len());
        for known in &world.repositories {
            let found = inventory.repositories.iter().find(|one| one.key == known.id.to_string()).unwrap();
            assert_eq!((&found.name, &found.path), (&known.name, &known.path));
            #[expect(clippy::cast_possible_truncation, reason = "the fake's are whole")]
            let bytes = |gigabytes: f64| (known.capacity_gb > 0.0).then_some((gigabytes as i64) << 30);
            assert_eq!((found.capacity, found.free_space), (bytes(known.capacity_gb), bytes(known.free_gb)));
        }
        let kinds: Vec<&str> = inventory.repositories.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(BTreeSet::from_iter(kinds), BTreeSet::from(["Windows", "LinuxHardened", "S3Compatible"]));
        assert_eq!(inventory.jobs.len(), world.jobs.len());
        for known in &world.jobs {
            let found = inventory.jobs.iter().find(|one| one.key == known.id.to_string()).unwrap();
            assert_eq!((found.name.as_str(), found.status.as_str()), (known.name.as_str(), "Success"));
            assert_eq!((found.enabled, found.last_run), (true, known.last_run));
            assert_eq!(found.repository_key, world.repositories[known.repository].id.to_string());
            assert_eq!(found.processing_rate, Some(100.0));
        }
        assert_eq!(inventory.workloads.len(), world.objects.len());
        for known in &world.objects {
            let found = inventory.workloads.iter().find(|one| one.key == known.id.to_string()).unwrap();
            assert_eq!(found.name, known.name);
        }
    });
    let computer = inventory.workloads.iter().find(|one| one.name == "FS-01").unwrap();
    assert_eq!((computer.kind.as_str(), computer.operation_mode.as_str()), ("managed_computer", "server"));
    let details = computer.details.as_ref().unwrap();
    assert_eq!((details.platform.as_str(), details.jobs), ("Windows", 1));
    beside.well_behaved();
}

#[tokio::test]
async fn backups_runs_and_the_licence_are_read_with_what_they_belong_to() {
    let beside = Beside::start().await;
    let inventory = beside.collect().await.unwrap();
    beside.server.with(|world| {
        assert_eq!(inventory.backups.len(), world.objects.len(), "each is in one backup");
        for backup in &inventory.backups {
            let known = world.backups.iter().find(|one| one.id.to_string() == backup.key).unwrap();
            assert_eq!(backup.job_key, world.jobs[known.job].id.to_string());
            assert_eq!(
                backup.repository_key,
                world.repositories[world.jobs[known.job].repository].id.to_string()
            );
            assert_eq!((backup.backup_type.as_str(), backup.target_type.as_str()), ("Backup", "Local"));
        }
        for point in &inventory.restore_points {
            let known = world.points.iter().find(|one| one.id.to_string() == point.key).unwrap();
            let details = point.details.as_ref().unwrap();
            assert_eq!((point.created_at, point.source_size), (known.created, Some(known.size)));
            assert_eq!(details.backup_key, world.backups[known.backup].id.to_string());
            assert_eq!(details.malware_state, known.malware);
        }
        assert_eq!(inventory.sessions.len(), world.sessions.len());
        for session in &inventory.sessions {
            let known = world.sessions.iter().find(|one| one.id.to_string() == session.key).unwrap();
            assert_eq!((session.started_at, session.ended_at), (known.created, known.ended));
            assert_eq!(
                (session.status.as_str(), &session.job_name),
                (known.result, &world.jobs[known.job].name)
            );
            let made = world.points.iter().filter(|point| point.session == Some(known.id)).count();
            assert_eq!(session.tasks.len(), made);
        }
        let (told, known) = (inventory.license.as_ref().unwrap(), &world.licence);
        assert_eq!(
            (told.r#type.as_str(), told.status.as_str(), told.edition.as_str()),
            ("Rental", "Valid", "Enterprise Plus")
        );
        assert_eq!((&told.company, &told.support_ids), (&known.licensed_to, &vec![known.support_id.clone()]));
        assert_eq!((told.expires_at, told.support_expires_at), (known.expires, known.support_expires));
        let units = (told.units, told.used_units, told.new_units, told.rental_units);
        assert_eq!(units, (Some(known.instances), Some(known.used), Some(known.new), Some(known.rental)));
        assert_eq!((told.sockets, told.used_sockets), (Some(8.0), Some(4.0)));
        assert_eq!(
            (told.capacity, told.used_capacity),
            (Some(known.capacity_tb), Some(known.capacity_used_tb))
        );
        assert_eq!(
            (told.cloud_connect.as_str(), told.packages.as_slice()),
            ("No", ["Suite".to_owned()].as_slice())
        );
        assert_eq!(Some(told.uses[0].used_units), told.used_units);
    });
    beside.well_behaved();
}

#[tokio::test]
async fn a_repository_that_cannot_be_reached_is_not_taken_for_full() {
    let beside = Beside::start().await;
    beside.server.with(|world| {
        let first = &mut world.repositories[0];
        (first.online, first.capacity_gb, first.free_gb) = (false, 0.0, 0.0);
    });
    let inventory = beside.collect().await.unwrap();
    let first = beside.server.with(|world| world.repositories[0].id.to_string());
    let found = inventory.repositories.iter().find(|one| one.key == first).unwrap();
    assert_eq!((found.capacity, found.free_space, found.used_space), (None, None, None));
    beside.well_behaved();
}

#[tokio::test]
async fn a_run_shows_its_tasks_and_a_failed_one_says_at_what_and_why() {
    let beside = Beside::start().await;
    beside
        .server
        .with(|world| world.job_named("VM Backup 01").fails = Some((2, "The host cannot be reached")));
    beside.tell_job("job-start", "VM Backup 01").await.unwrap();
    let job =
        |inventory: &Inventory| inventory.jobs.iter().find(|job| job.name == "VM Backup 01").unwrap().clone();
    let running = job(&beside.collect().await.unwrap());
    assert_eq!((running.status.as_str(), running.last_run, running.last_end), ("Running", Some(NOW), None));
    beside.advance(Duration::from_mins(1));
    let failed = job(&beside.collect().await.unwrap());
    assert_eq!((failed.status.as_str(), failed.last_end), ("Failed", Some(NOW + 60_000)));
    assert!(failed.failure.contains("The host cannot be reached"), "{}", failed.failure);
    let tasks: Vec<_> =
        failed.tasks.iter().map(|task| (task.object_name.as_str(), task.status.as_str())).collect();
    assert_eq!(tasks[0], ("vm-0002", "Failed"));
    assert_eq!(failed.tasks[0].failures, ["The host cannot be reached"]);
    assert_eq!(tasks.iter().filter(|(_, status)| *status == "Success").count(), 3);
    // What is known for good is not asked again.
    beside.server.take_asked();
    beside.collect().await.unwrap();
    assert!(!beside.server.take_asked().iter().any(|asked| asked.contains("/logs")));
    beside.well_behaved();
}

#[tokio::test]
async fn the_last_run_of_a_job_is_known_however_long_ago_and_asked_for_once() {
    let beside = Beside::start().await;
    let (began, ended) = (NOW - 9 * 86_400_000, NOW - 9 * 86_400_000 + 5_000);
    let id = beside.server.with(|world| {
        let job = world.job_named("Shares");
        job.last_run = Some(began);
        let id = job.session.unwrap();
        let session = world.sessions.iter_mut().find(|session| session.id == id).unwrap();
        (session.created, session.ended) = (began, Some(ended));
        id
    });
    for asked in [1, 0] {
        let inventory = beside.collect().await.unwrap();
        let job = inventory.jobs.iter().find(|job| job.name == "Shares").unwrap();
        assert_eq!((job.last_run, job.last_end), (Some(began), Some(ended)));
        let questions = beside.server.take_asked();
        assert_eq!(questions.iter().filter(|one| one.contains(&id.to_string())).count(), asked);
    }
    beside.well_behaved();
}

/// Gives a job a run of its own, beside the last one.
fn ran(beside: &Beside, began: i64, ended: Option<i64>) -> String {
    let id = uuid::Uuid::from_u128(u128::try_from(began).unwrap());
    beside.server.with(|world| {
        let mut session = world.sessions[0].clone();
        (session.id, session.created, session.ended) = (id, began, ended);
        world.sessions.push(session);
        world.sessions.sort_by_key(|session| session.created);
    });
    id.to_string()
}

fn has_run(inventory: &Inventory, id: &str) -> bool {
    inventory.sessions.iter().any(|session| session.key == id)
}

#[tokio::test]
async fn runs_that_ended_while_the_agent_was_away_for_days_are_read_until_the_host_has_them() {
    let mut beside = Beside::start().await;
    let under_way = ran(&beside, NOW - 20 * HOUR, None);
    assert!(has_run(&beside.collect().await.unwrap(), &under_way));
    beside.driver.delivered();
    let missed = ran(&beside, NOW + 10 * HOUR, Some(NOW + 11 * HOUR));
    beside.server.with(|world| {
        let session = world.sessions.iter_mut().find(|session| session.id.to_string() == under_way).unwrap();
        session.ended = Some(NOW + 30 * HOUR);
    });
    beside.advance(Duration::from_hours(7 * 24));
    for _ in 0..2 {
        beside.restart_agent();
        let inventory = beside.collect().await.unwrap();
        assert!(has_run(&inventory, &missed), "it is not delivered yet");
        let run = inventory.sessions.iter().find(|session| session.key == under_way);
        assert_eq!(run.unwrap().ended_at, Some(NOW + 30 * HOUR));
    }
    beside.driver.delivered();
    assert!(!has_run(&beside.collect().await.unwrap(), &missed), "the host has it");
    beside.restart_agent();
    assert!(!has_run(&beside.collect().await.unwrap(), &missed), "nor is it read after a restart");
    beside.well_behaved();
}

#[tokio::test]
async fn runs_that_a_host_of_before_had_are_read_again_for_one_that_starts_over() {
    let mut beside = Beside::start().await;
    beside.collect().await.unwrap();
    beside.driver.delivered();
    let run = ran(&beside, NOW + HOUR, Some(NOW + 2 * HOUR));
    beside.advance(Duration::from_hours(7 * 24));
    assert!(has_run(&beside.collect().await.unwrap(), &run));
    beside.driver.delivered();
    assert!(!has_run(&beside.collect().await.unwrap(), &run), "the host has it");
    beside.driver.lost();
    assert!(has_run(&beside.collect().await.unwrap(), &run));
    // It is not delivered by what was read before.
    beside.restart_agent();
    assert!(has_run(&beside.collect().await.unwrap(), &run));
    beside.well_behaved();
}

#[tokio::test]
async fn runs_of_longer_ago_than_the_host_keeps_them_are_not_read() {
    let mut beside = Beside::start().await;
    beside.collect().await.unwrap();
    beside.driver.delivered();
    let old = ran(&beside, NOW + HOUR, Some(NOW + 2 * HOUR));
    beside.advance(Duration::from_hours(40 * 24));
    let young = ran(&beside, NOW + 10 * 24 * HOUR, Some(NOW + 10 * 24 * HOUR + 1));
    beside.restart_agent();
    let inventory = beside.collect().await.unwrap();
    assert!(!has_run(&inventory, &old) && has_run(&inventory, &young));
    beside.well_behaved();
}

#[tokio::test]
async fn what_a_first_collection_found_is_found_again_when_it_was_not_delivered() {
    let mut beside = Beside::start().await;
    let run = ran(&beside, NOW - 5 * HOUR, Some(NOW - 4 * HOUR));
    assert!(has_run(&beside.collect().await.unwrap(), &run));
    beside.advance(Duration::from_hours(3 * 24));
    beside.restart_agent();
    assert!(has_run(&beside.collect().await.unwrap(), &run));
    beside.well_behaved();
}

#[tokio::test]
async fn points_of_machines_with_one_name_go_to_the_right_machine() {
    let beside = Beside::of(VbrScale { twins: true, ..VbrScale::SMALL }).await;
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    beside.server.take_asked();
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    let asked = beside.server.take_asked();
    assert!(!asked.iter().any(|asked| asked.contains("backupObjects/")), "asked once: {asked:?}");
    // A machine that was renamed keeps its points.
    beside.server.with(|world| {
        let twin = world.objects.iter_mut().rev().find(|object| object.name == "twin").unwrap();
        twin.name = "renamed".to_owned();
    });
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    // An agent that has just been started finds out as well.
    let mut beside = beside;
    beside.restart_agent();
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    beside.well_behaved();
}

#[tokio::test]
async fn machines_with_one_name_are_told_apart_where_none_says_how_many_points_it_has() {
    let beside = Beside::of(VbrScale { twins: true, ..VbrScale::SMALL }).await;
    beside.server.with(|world| world.counts_points = false);
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    beside.server.take_asked();
    beside.collect().await.unwrap();
    let asked = beside.server.take_asked();
    assert!(
        !asked.iter().any(|one| one.contains("backupObjects/") || one.ends_with("/objects")),
        "{asked:?}"
    );
    beside.well_behaved();
}

#[tokio::test]
async fn points_that_have_another_name_than_their_machine_by_now_stay_its_own() {
    let beside = Beside::start().await;
    beside.server.with(|world| world.objects[0].name = "renamed".to_owned());
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    beside.server.take_asked();
    beside.collect().await.unwrap();
    assert!(
        !beside.server.take_asked().iter().any(|asked| asked.contains("backupObjects/")),
        "it is asked once"
    );
    beside.well_behaved();
}

#[tokio::test]
async fn a_point_that_no_object_owns_is_not_left_out() {
    let beside = Beside::start().await;
    beside.server.with(|world| world.objects[0].listed = false);
    let inventory = beside.collect().await.unwrap();
    let total = beside.server.with(|world| world.points.len());
    assert_eq!(inventory.restore_points.len(), total);
    let workloads: BTreeSet<&str> = inventory.workloads.iter().map(|one| one.key.as_str()).collect();
    assert!(inventory.restore_points.iter().all(|point| workloads.contains(point.workload_key.as_str())));
    beside.well_behaved();
}

#[tokio::test]
async fn a_server_that_gives_small_pages_is_read_whole() {
    let beside = Beside::with(VbrOptions { page: 3, ..VbrOptions::at(NOW) }, PACE).await;
    assert_eq!(points(&beside.collect().await.unwrap()), expected(&beside.server));
    beside.well_behaved();
}

#[tokio::test]
async fn two_thousand_machines_and_fifty_thousand_points_take_few_questions() {
    let beside = Beside::of(VbrScale { machines: 2_000, points: 25, twins: false }).await;
    let inventory = beside.collect().await.unwrap();
    assert_eq!(points(&inventory), expected(&beside.server));
    assert!(inventory.restore_points.len() >= 50_000);
    let asked = beside.server.take_asked().len();
    assert!(asked <= 75, "{asked} questions");
    beside.well_behaved();
}

#[tokio::test]
async fn words_that_nobody_knows_and_members_that_are_missing_lose_nothing() {
    let beside = Beside::start().await;
    for trouble in [keelson_tests::vbr::Trouble::StrangeWords, keelson_tests::vbr::Trouble::NoOptionals] {
        beside.server.break_it(keelson_tests::vbr::Fault::always("/api/v1/", trouble));
        let inventory = beside.collect().await.unwrap();
        let total = beside.server.with(|world| (world.jobs.len(), world.points.len()));
        assert_eq!((inventory.jobs.len(), inventory.restore_points.len()), total, "{trouble:?}");
        beside.server.mend();
    }
    beside.well_behaved();
}
