//! What an agent that is broken or hostile may say: cases 34 to 45. It has a certificate; everything it says is judged.

use keelson_proto::v1::{
    Batch, CommandReport, CommandResult, License, LicenseUse, Record, RestorePoint, Workload, WorkloadGone,
    agent_message, command_report, console_message, record,
};
use keelson_tests::link::{Identity, Session};
use keelson_tests::{TestHost, on_both};
use tonic::{Code, Status};

use super::super::{complete, computers, end, enrolled, point, server, workload};

fn named(key: &str, name: &str) -> Record {
    let workload = Workload {
        server_key: "s".into(),
        key: key.into(),
        name: name.into(),
        kind: "computer".into(),
        ..Workload::default()
    };
    Record { kind: Some(record::Kind::Workload(workload)) }
}

fn at(key: &str, created_at: i64, size: i64) -> Record {
    let point = RestorePoint {
        server_key: "s".into(),
        workload_key: "oven".into(),
        key: key.into(),
        created_at,
        size: Some(size),
        ..RestorePoint::default()
    };
    Record { kind: Some(record::Kind::RestorePoint(point)) }
}

/// How the host takes a batch that a good one went before.
async fn judged(identity: &Identity, records: Vec<Record>) -> Result<(), Status> {
    let mut session = identity.session().await?;
    let epoch = session.welcome.epoch + 1;
    session.batch(epoch, 1, vec![server(), workload("oven"), complete()]).await;
    assert_eq!(session.acknowledged().await, (epoch, 1));
    session.batch(epoch, 2, records).await;
    match session.next().await? {
        Some(message) if matches!(message.kind, Some(console_message::Kind::Acknowledge(_))) => Ok(()),
        other => panic!("an acknowledgement or an end, not {other:?}"),
    }
}

/// The host wants a new epoch.
async fn resync(session: &mut Session) {
    let answer = session.next().await.unwrap().unwrap();
    assert!(matches!(answer.kind, Some(console_message::Kind::Resync(_))), "{answer:?}");
}

on_both! {
    /// Case 37.
    fn names_of_any_letters_are_kept_as_they_are(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let names = ["\u{202e}txet\u{202c}", "אופה", "=cmd|' /C calc'!A0", "a\u{301}\u{1f956}", "line\nbreak\t\u{7f}", "<b>&amp;\"'"];
        let records = names.iter().enumerate().map(|(number, name)| named(&format!("oven{number}"), name));
        let mut session = identity.session().await.unwrap();
        session.batch(1, 1, [server()].into_iter().chain(records).chain([complete()]).collect()).await;
        session.acknowledged().await;
        let mut found = computers(&client).await;
        found.sort();
        let mut names = names.map(str::to_owned);
        names.sort();
        assert_eq!(found, names);
        host.stop().await;
    }

    /// Case 37.
    fn a_name_of_a_megabyte_is_cut_and_one_with_nul_is_refused(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        judged(&identity, vec![named("oven", &"é".repeat(500_000))]).await.unwrap();
        let found = computers(&client).await;
        assert_eq!((found.len(), found[0].len()), (1, 4_096));
        for records in [vec![named("oven", "o\0ven")], vec![named("ov\0en", "oven")], vec![named(&"k".repeat(1_000_000), "oven")]] {
            let refused = judged(&identity, records).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
            assert!(refused.message().contains("record 0"), "{refused:?}");
        }
        host.stop().await;
    }

    /// Case 44.
    fn instants_of_1601_and_sizes_below_nothing_are_refused_and_those_of_9999_are_of_now(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        for record in [at("a", -11_644_473_600_000, 1), at("a", 1, -1), at("a", i64::MIN, 1), at("a", 1, i64::MIN)] {
            let refused = judged(&identity, vec![record]).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        }
        judged(&identity, vec![at("a", 253_402_300_799_999, 1), at("b", i64::MAX, i64::MAX)]).await.unwrap();
        let points = client.data("/protectedWorkloads/computersManagedByConsole/restorePoints").await;
        let points = points.as_array().unwrap();
        assert_eq!(points.len(), 2);
        let now = keelson::clock::Clock::now_ms(&keelson::clock::SystemClock);
        let year = time::OffsetDateTime::from_unix_timestamp(now / 1000).unwrap().year().to_string();
        for point in points {
            assert!(point["creationDate"].as_str().is_some_and(|at| at.starts_with(&year)), "{point}");
        }
        host.stop().await;
    }

    /// Case 44.
    fn amounts_that_are_no_numbers_are_left_out_of_a_licence(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let used = LicenseUse { kind: "Server".into(), count: 1, multiplier: odd, used_units: odd };
            let license = License {
                server_key: "s".into(), r#type: "Rental".into(), status: "Valid".into(),
                units: Some(odd), used_units: Some(odd), uses: vec![used], ..License::default()
            };
            judged(&identity, vec![Record { kind: Some(record::Kind::License(Box::new(license))) }]).await.unwrap();
        }
        let rows = keelson_tests::account::of_host(host.database()).await;
        let licence = rows.iter().find(|row| row.kind == "licence").unwrap();
        assert!(licence.content.ends_with("\u{1f}\u{1f}\u{1f}\u{1f}"), "{licence:?}");
        host.stop().await;
    }

    /// Case 38.
    fn gaps_repeats_and_numbers_at_the_end_of_all_numbers_store_nothing_wrong(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        let last = i64::MAX.unsigned_abs();
        session.batch(5, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(session.acknowledged().await, (5, 1));
        // Ahead, back to the start, and back to nothing.
        session.batch(5, 3, vec![workload("ahead")]).await;
        resync(&mut session).await;
        session.batch(5, 1, vec![workload("again")]).await;
        assert_eq!(session.acknowledged().await, (5, 1));
        session.batch(5, 0, vec![workload("before")]).await;
        assert_eq!(session.acknowledged().await, (5, 0));
        session.batch(5, last, vec![workload("far")]).await;
        resync(&mut session).await;
        for (epoch, sequence) in [(last + 1, 1), (5, last + 1), (u64::MAX, u64::MAX)] {
            let session = identity.session().await.unwrap();
            session.batch(epoch, sequence, vec![workload("beyond")]).await;
            assert_eq!(end(session).await.code(), Code::OutOfRange);
        }
        assert_eq!(computers(&client).await, ["oven"]);
        // An agent may begin the very last epoch there is, and live in it.
        let mut session = identity.session().await.unwrap();
        session.batch(last, 1, vec![server(), workload("mixer"), complete()]).await;
        assert_eq!(session.acknowledged().await, (last, 1));
        session.batch(last, 2, vec![workload("scale")]).await;
        assert_eq!(session.acknowledged().await, (last, 2));
        assert_eq!(computers(&client).await, ["mixer", "scale"]);
        host.stop().await;
    }

    /// Case 39: what is of an epoch that is over changes nothing; that it came is told in `audited.rs`.
    fn an_epoch_that_is_over_stays_over(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(9, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        for (epoch, sequence) in [(8, 1), (8, 2), (1, 1), (0, 0)] {
            session.batch(epoch, sequence, vec![server(), workload("old"), complete()]).await;
            assert_eq!(session.acknowledged().await, (epoch, sequence));
        }
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    /// Case 41.
    fn results_of_commands_that_never_were_change_nothing_and_end_nothing(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        for number in 0..200_u8 {
            let what = command_report::What::Result(CommandResult { done: true, ..CommandResult::default() });
            let report = CommandReport { uid: vec![number; 16], attempt: u32::from(number), what: Some(what) };
            session.send(agent_message::Kind::Report(report)).await;
            let heard = session.next().await.unwrap().unwrap().kind;
            assert!(matches!(heard, Some(console_message::Kind::Heard(_))), "{heard:?}");
        }
        session.batch(1, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(session.acknowledged().await, (1, 1));
        assert_eq!(client.data("/eventLogs/managementAgentTasks").await.as_array().unwrap().len(), 0);
        host.stop().await;
    }

    /// Case 42: a newer agent says what this host does not know.
    fn messages_and_records_of_kinds_unknown_are_passed_over(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.nothing().await;
        session.batch(1, 1, vec![server(), Record { kind: None }, workload("oven"), complete()]).await;
        assert_eq!(session.acknowledged().await, (1, 1));
        session.nothing().await;
        session.batch(1, 2, vec![Record { kind: None }]).await;
        assert_eq!(session.acknowledged().await, (1, 2));
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    /// Case 45.
    fn ten_thousand_workloads_that_vanish_at_once_are_held_for_a_day_and_raise_no_storm(database) {
        const MANY: usize = 10_000;
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(1, 1, vec![server()]).await;
        session.acknowledged().await;
        let keys: Vec<String> = (0..MANY).map(|number| format!("w{number:05}")).collect();
        let mut sequence = 1;
        for chunk in keys.chunks(1_000) {
            sequence += 1;
            session.batch(1, sequence, chunk.iter().map(|key| workload(key)).collect()).await;
            assert_eq!(session.acknowledged().await, (1, sequence));
        }
        session.batch(1, sequence + 1, vec![complete(), point("w00000", "a")]).await;
        session.acknowledged().await;
        session.batch(2, 1, vec![server(), workload("w00000"), complete()]).await;
        assert_eq!(session.acknowledged().await, (2, 1));
        let held = || async { client.get("/protectedWorkloads/computersManagedByConsole?limit=1").await.1["meta"]["pagingInfo"]["total"].as_u64() };
        assert_eq!(held().await, Some(MANY as u64));
        let log = client.data("/eventLogs/activityLogs?limit=500").await;
        assert!(log.to_string().contains("9999 of 10000 workloads"), "{log}");
        let alarms = client.data("/alarms/active?limit=500").await;
        let about = |alarm: &&serde_json::Value| alarm.to_string().contains("w0") && !alarm.to_string().contains("w00000");
        assert_eq!(alarms.as_array().unwrap().iter().filter(about).count(), 0, "no alarm about what is gone");
        // A day later it is asked once more, and says the same.
        host.database().execute("UPDATE agents SET vanished_at = 1").await;
        session.batch(3, 1, vec![server(), workload("w00000"), complete()]).await;
        assert_eq!(session.acknowledged().await, (3, 1));
        keelson_tests::eventually("one computer to be left", || async {
            (computers(&client).await == ["w00000"]).then_some(())
        })
        .await;
        host.stop().await;
    }

    /// Case 40: whatever keys an agent says, the rows are its own.
    fn an_agent_that_says_anothers_keys_touches_nothing_of_anothers(database) {
        let host = TestHost::start(database).await;
        let (_client, first) = enrolled(&host).await;
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let addresses = host.addresses();
        let second = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
        let mut victim = first.session().await.unwrap();
        victim.batch(1, 1, vec![server(), workload("oven"), point("oven", "a"), complete()]).await;
        victim.acknowledged().await;
        let before = keelson_tests::account::of_host(host.database()).await;
        let gone = WorkloadGone { server_key: "s".into(), key: "oven".into() };
        let gone = Record { kind: Some(record::Kind::WorkloadGone(gone)) };
        let mut attacker = second.session().await.unwrap();
        attacker.batch(1, 1, vec![server(), named("oven", "stolen"), at("a", 5, 5), at("b", 5, 5), complete()]).await;
        attacker.acknowledged().await;
        attacker.batch(1, 2, vec![gone]).await;
        attacker.acknowledged().await;
        attacker.batch(2, 1, vec![complete()]).await;
        attacker.acknowledged().await;
        let after = keelson_tests::account::of_host(host.database()).await;
        for row in before {
            assert!(after.contains(&row), "changed: {row:?}");
        }
        host.stop().await;
    }
}

/// Cases 35 and 36 as far as they reach the host's own code; the frames below are `frames.rs`.
#[test]
fn a_batch_of_ever_so_many_records_is_refused_by_its_number() {
    let records = vec![Record { kind: None }; 2_001];
    let batch = Batch { epoch: 1, sequence: 1, records };
    let refused = keelson::agents::read_batch(batch, 1).unwrap_err();
    assert!(refused.contains("at most 2000 records"), "{refused}");
}
