//! The agent protocol, from the side of an agent that may be broken or hostile.

use keelson_proto::v1::{
    BackupServer, InventoryComplete, Record, RenewRequest, RestorePoint, Workload, console_message, record,
};
use keelson_tests::link::Identity;
use keelson_tests::{Client, TestHost, on_both};
use tonic::{Code, Status};

mod clones;
mod commands;
mod facts;
mod faults;
mod vbr;

fn server() -> Record {
    let server = BackupServer {
        key: "s".into(),
        name: "Server".into(),
        engine: "test".into(),
        version: "1".into(),
        ..BackupServer::default()
    };
    Record { kind: Some(record::Kind::Server(server)) }
}

fn workload(key: &str) -> Record {
    let workload = Workload {
        server_key: "s".into(),
        key: key.into(),
        name: key.into(),
        kind: "computer".into(),
        ..Workload::default()
    };
    Record { kind: Some(record::Kind::Workload(workload)) }
}

fn point(workload: &str, key: &str) -> Record {
    let point = RestorePoint {
        server_key: "s".into(),
        workload_key: workload.into(),
        key: key.into(),
        created_at: 1_795_000_000_000,
        ..RestorePoint::default()
    };
    Record { kind: Some(record::Kind::RestorePoint(point)) }
}

fn complete() -> Record {
    Record { kind: Some(record::Kind::InventoryComplete(InventoryComplete {})) }
}

async fn computers(client: &Client) -> Vec<String> {
    let found =
        client.data("/protectedWorkloads/computersManagedByConsole?sort=[{\"property\":\"name\"}]").await;
    found.as_array().unwrap().iter().map(|computer| computer["name"].as_str().unwrap().to_owned()).collect()
}

/// A host with a company, a client that may do everything, and an enrolled agent.
async fn enrolled(host: &TestHost) -> (Client, Identity) {
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery"]);
    let addresses = host.addresses();
    let identity =
        Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
    (host.administrator(), identity)
}

/// The status with which the host ends a stream.
async fn end(mut session: keelson_tests::link::Session) -> Status {
    loop {
        match session.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the stream ended without a reason"),
            Err(status) => return status,
        }
    }
}

on_both! {
    fn a_repeated_batch_is_acknowledged_and_counts_once(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        let records = || vec![server(), workload("oven"), point("oven", "a"), complete()];
        session.batch(7, 1, records()).await;
        assert_eq!(session.acknowledged().await, (7, 1));
        session.batch(7, 1, records()).await;
        assert_eq!(session.acknowledged().await, (7, 1));
        drop(session);
        let mut session = identity.session().await.unwrap();
        assert_eq!((session.welcome.epoch, session.welcome.sequence), (7, 1));
        session.batch(7, 1, records()).await;
        assert_eq!(session.acknowledged().await, (7, 1));
        let points = client.data("/protectedWorkloads/computersManagedByConsole/restorePoints").await;
        assert_eq!(points.as_array().unwrap().len(), 1);
        host.stop().await;
    }

    fn a_gap_asks_for_a_new_epoch_and_stores_nothing(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(7, 2, vec![server(), workload("oven")]).await;
        let answer = session.next().await.unwrap().unwrap();
        assert!(matches!(answer.kind, Some(console_message::Kind::Resync(_))), "{answer:?}");
        assert!(computers(&client).await.is_empty());
        session.batch(8, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(session.acknowledged().await, (8, 1));
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    fn a_batch_that_names_what_was_never_reported_is_refused_whole(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let session = identity.session().await.unwrap();
        session.batch(7, 1, vec![server(), workload("oven"), point("ghost", "a")]).await;
        let status = end(session).await;
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("never reported"), "{status:?}");
        assert!(computers(&client).await.is_empty());
        host.stop().await;
    }

    fn a_new_session_ends_the_old_one(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        let old = identity.session().await.unwrap();
        let _new = identity.session().await.unwrap();
        assert_eq!(end(old).await.code(), Code::Aborted);
        host.stop().await;
    }

    fn a_token_is_good_for_its_uses_and_its_door_only(database) {
        let host = TestHost::start(database).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery", "--door", "hosted"]);
        let addresses = host.addresses();
        let enroll = async |port: u16| Identity::enroll(port, &addresses.ca_file, &token).await.map(drop);
        let refused = enroll(addresses.agents_remote.port()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        enroll(addresses.agents_hosted.port()).await.unwrap();
        let used_up = enroll(addresses.agents_hosted.port()).await.unwrap_err();
        assert_eq!((used_up.code(), used_up.message()), (refused.code(), refused.message()));
        host.stop().await;
    }

    fn without_a_certificate_there_is_enrolment_and_nothing_else(database) {
        let host = TestHost::start(database).await;
        let addresses = host.addresses();
        let stranger = Identity::stranger(addresses.agents_remote.port(), &addresses.ca_file);
        assert_eq!(stranger.session().await.unwrap_err().code(), Code::Unauthenticated);
        let renewal = RenewRequest { certificate_request: Vec::new() };
        let refused = stranger.client().await.renew(renewal).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        host.stop().await;
    }

    fn a_frame_beyond_all_bounds_ends_the_session_and_not_the_host(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let session = identity.session().await.unwrap();
        session.batch(7, 1, vec![workload(&"k".repeat(3 << 20))]).await;
        let status = end(session).await;
        assert!(matches!(status.code(), Code::OutOfRange | Code::ResourceExhausted), "{status:?}");
        let session = identity.session().await.unwrap();
        session.batch(u64::MAX, 1, vec![server()]).await;
        assert_eq!(end(session).await.code(), Code::OutOfRange);
        let mut session = identity.session().await.unwrap();
        session.batch(7, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(session.acknowledged().await, (7, 1));
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    /// CVE-2026-58073: identity comes from this connection's certificate, and not from what the agent says.
    fn one_agent_cannot_speak_of_another_agents_workloads(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        host.command(&["company", "add", "--name", "Butcher"]);
        let token = host.command(&["agent", "token", "--company", "Butcher"]);
        let addresses = host.addresses();
        let other = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
        let mut session = identity.session().await.unwrap();
        session.batch(7, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        let mut session = other.session().await.unwrap();
        // The same keys: its own server, its own workload, and an inventory without the other's.
        session.batch(9, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        session.batch(10, 1, vec![server(), complete()]).await;
        session.acknowledged().await;
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    fn however_often_an_agent_reconnects_it_ends_up_online(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut last = identity.session().await.unwrap();
        for _ in 0..30 {
            let ((), begun) = tokio::join!(async { drop(last) }, identity.session());
            last = begun.unwrap();
        }
        // The old sessions' ends are written by now, or come while we look: none of them speaks for the agent.
        for _ in 0..10 {
            let agents = client.data("/infrastructure/managementAgents").await;
            assert_eq!(agents[0]["connectionStatus"], "Online");
        }
        drop(last);
        keelson_tests::eventually("the agent to be inaccessible", || async {
            let agents = client.data("/infrastructure/managementAgents").await;
            (agents[0]["connectionStatus"] == "Inaccessible").then_some(())
        })
        .await;
        host.stop().await;
    }

    fn a_server_that_an_agent_no_longer_reports_is_gone_with_its_workloads(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(7, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        session.batch(8, 1, vec![complete()]).await;
        session.acknowledged().await;
        keelson_tests::eventually("the server to go", || async {
            let servers = client.data("/infrastructure/backupServers").await;
            servers.as_array().unwrap().is_empty().then_some(())
        })
        .await;
        host.stop().await;
    }
}
