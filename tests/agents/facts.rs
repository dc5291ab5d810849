//! Every kind of fact, from an agent's batch to the REST API, and away again.

use keelson_proto::v1::cloud_gone::What as Gone;
use keelson_proto::v1::record::Kind;
use keelson_proto::v1::{
    BackupGone, BackupServer, CloudBackupResourceKey, CloudReplicationUsageKey, LicenseGone, Record,
    Repository, RestorePoint, Vb365ObjectGone, Workload,
};
use keelson_tests::link::{Identity, Session};
use keelson_tests::{Client, TestHost, on_both};
use serde_json::{Value, json};
use tonic::Code;

use super::{complete, end, enrolled, server};
use records::{
    INSTANT, copy_job, gone, license, machine, mailbox, record, repository, run, site, virtual_machine,
};

mod records;

async fn say(session: &mut Session, sequence: u64, records: Vec<Record>) {
    session.batch(1, sequence, records).await;
    assert_eq!(session.acknowledged().await, (1, sequence));
}

async fn only(client: &Client, path: &str) -> Value {
    let mut found = client.data(path).await;
    assert_eq!(found.as_array().unwrap().len(), 1, "{path}: {found}");
    found[0].take()
}

async fn none(client: &Client, path: &str) {
    let found = client.data(path).await;
    assert_eq!(found, json!([]), "{path}");
}

/// An agent of the provider's own, which may speak for a Cloud Connect server.
async fn own_agent(host: &TestHost) -> (Client, Identity) {
    let token = host.command(&["agent", "token", "--provider", "--door", "hosted"]);
    let addresses = host.addresses();
    let port = addresses.agents_hosted.port();
    let identity = Identity::enroll(port, &addresses.ca_file, &token).await.unwrap();
    (host.administrator(), identity)
}

on_both! {
    fn a_licence_is_shown_until_its_server_has_none(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        say(&mut session, 1, vec![server(), license(), complete()]).await;
        let shown = only(&client, "/licensing/backupServers").await;
        assert_eq!((&shown["type"], &shown["usedUnits"]), (&json!("Rental"), &json!(17.5)));
        assert_eq!(shown["licenseIds"], json!(["6f1c2d8e-1111-4222-8333-944445555666"]));
        assert_eq!(shown["sockets"], json!(null), "what is no number is not there");
        let uid = shown["backupServerUid"].as_str().unwrap();
        assert_eq!(client.data(&format!("/licensing/backupServers/{uid}")).await, shown);
        say(&mut session, 2, vec![record(Kind::LicenseGone(LicenseGone { server_key: "s".into() }))]).await;
        none(&client, "/licensing/backupServers").await;
        host.stop().await;
    }

    fn what_an_agent_says_of_its_machine_stands_with_the_agent(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        say(&mut session, 1, vec![machine(), server(), complete()]).await;
        let agent = only(&client, "/infrastructure/managementAgents").await;
        let computer = &agent["computerInfo"];
        assert_eq!((&agent["status"], &agent["isRebootRequired"]), (&json!("Warning"), &json!(true)));
        assert_eq!(computer["fqdn"], json!("vbr.bakery.test"));
        assert_eq!(computer["applications"], json!(["PostgreSQL", "Unknown"]));
        host.stop().await;
    }

    fn a_machine_its_backup_and_its_restore_point_are_shown_with_job_and_repository(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        let mut records = vec![server(), repository(), copy_job()];
        records.extend(virtual_machine());
        records.push(complete());
        say(&mut session, 1, records).await;
        let job = only(&client, "/infrastructure/backupServers/jobs").await;
        let copy = only(&client, "/infrastructure/backupServers/jobs/backupCopyJobs").await;
        assert_eq!((&copy["retentionPolicyType"], &copy["rpoOptionsValue"]), (&json!("GFS"), &json!(2)));
        let machine = only(&client, "/protectedWorkloads/virtualMachines").await;
        assert_eq!((&machine["name"], &machine["jobUid"]), (&json!("Oven"), &job["instanceUid"]));
        let backup = only(&client, "/protectedWorkloads/virtualMachines/backups").await;
        assert_eq!((&backup["backupType"], &backup["jobUid"]), (&json!("BackupCopy"), &job["instanceUid"]));
        assert_eq!(backup["restorePoints"], json!(1));
        let uid = machine["instanceUid"].as_str().unwrap();
        let point =
            only(&client, &format!("/protectedWorkloads/virtualMachines/{uid}/backupRestorePoints")).await;
        assert_eq!(point["gfsType"], json!(["Weekly,"]), "in the contract's spelling");
        let key = BackupGone { server_key: "s".into(), workload_key: "vm".into(), key: "b".into() };
        say(&mut session, 2, vec![record(Kind::BackupGone(key))]).await;
        none(&client, "/protectedWorkloads/virtualMachines/backups").await;
        host.stop().await;
    }

    fn a_session_that_began_and_ended_is_one_and_outlives_its_job(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        say(&mut session, 1, vec![server(), copy_job(), run("Running", None), complete()]).await;
        let job = only(&client, "/infrastructure/backupServers/jobs").await;
        let path =
            format!("/infrastructure/backupServers/jobs/{}/sessions", job["instanceUid"].as_str().unwrap());
        assert_eq!(only(&client, &path).await["status"], json!("Running"));
        say(&mut session, 2, vec![run("Success", Some(INSTANT + 60_000))]).await;
        let shown = only(&client, &path).await;
        assert_eq!((&shown["status"], &shown["duration"]), (&json!("Success"), &json!(60)));
        session.batch(2, 1, vec![server(), copy_job(), complete()]).await;
        assert_eq!(session.acknowledged().await, (2, 1));
        assert_eq!(only(&client, &path).await, shown, "an inventory without it does not undo it");
        host.stop().await;
    }

    fn microsoft_365_objects_come_and_go(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        say(&mut session, 1, vec![server(), mailbox(), complete()]).await;
        let shown = only(&client, "/protectedWorkloads/vb365ProtectedObjects").await;
        assert_eq!((&shown["name"], &shown["consumesLicense"]), (&json!("Ada"), &json!(true)));
        say(&mut session, 2, vec![record(Kind::Vb365ObjectGone(Vb365ObjectGone { key: "m".into() }))]).await;
        none(&client, "/protectedWorkloads/vb365ProtectedObjects").await;
        host.stop().await;
    }

    fn a_cloud_connect_server_s_tenants_and_what_they_have_come_and_go(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = own_agent(&host).await;
        let mut session = identity.session().await.unwrap();
        let mut records = vec![server()];
        records.extend(site());
        records.push(complete());
        say(&mut session, 1, records).await;
        let lists = [
            "/infrastructure/sites",
            "/infrastructure/sites/cloudgatewaypools",
            "/infrastructure/sites/cloudgateways",
            "/infrastructure/sites/tenants",
            "/infrastructure/sites/tenants/backupResources",
            "/infrastructure/sites/tenants/backupResources/usage",
            "/infrastructure/sites/tenants/replicationResources",
            "/infrastructure/sites/tenants/replicationResources/usage",
            "/infrastructure/sites/backups",
        ];
        for list in lists {
            only(&client, list).await;
        }
        let usage = only(&client, lists[5]).await;
        assert_eq!(usage["usedStorageQuota"], json!(4_000));
        let share = CloudBackupResourceKey { tenant_key: "t".into(), key: "share".into() };
        let used = CloudReplicationUsageKey { tenant_key: "t".into(), plan_key: "plan".into() };
        say(&mut session, 2, vec![
            gone(Gone::BackupKey("cb".into())),
            gone(Gone::ReplicationUsage(used)),
            gone(Gone::ReplicationKey("t".into())),
            gone(Gone::BackupResource(share)),
            gone(Gone::TenantKey("t".into())),
            gone(Gone::GatewayKey("gate".into())),
            gone(Gone::GatewayPoolKey("pool".into())),
            gone(Gone::RepositoryKey("cr".into())),
        ])
        .await;
        for list in &lists[1..] {
            none(&client, list).await;
        }
        host.stop().await;
    }

    fn a_company_s_agent_has_no_say_in_cloud_connect(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        let mut records = vec![server()];
        records.extend(site());
        say(&mut session, 1, records).await;
        none(&client, "/infrastructure/sites").await;
        none(&client, "/infrastructure/sites/tenants").await;
        host.stop().await;
    }

    fn a_number_below_nothing_refuses_the_batch_by_its_place(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        let session = identity.session().await.unwrap();
        let bad = Repository { capacity: Some(-1), server_key: "s".into(), key: "r".into(), ..Repository::default() };
        session.batch(1, 1, vec![server(), record(Kind::Repository(bad))]).await;
        let status = end(session).await;
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "record 1: the capacity is -1; it must not be negative");
        host.stop().await;
    }

    fn a_label_and_a_version_for_people_stand_with_the_server(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        let told = BackupServer {
            key: "s".into(),
            name: "Server".into(),
            engine: "vbr".into(),
            version: "13.0.1.180".into(),
            display_version: "13.0.1".into(),
            label: "gold".into(),
            status: "Sleepy".into(),
            ..BackupServer::default()
        };
        say(&mut session, 1, vec![record(Kind::Server(told)), complete()]).await;
        let shown = only(&client, "/infrastructure/backupServers").await;
        assert_eq!((&shown["displayVersion"], &shown["label"]), (&json!("13.0.1"), &json!("gold")));
        assert_eq!(shown["status"], json!("Unknown"));
        host.stop().await;
    }

    fn sizes_that_an_agent_makes_up_stay_numbers_for_everybody(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        let mut records = vec![server()];
        for machine in ["one", "two"] {
            let workload = Workload {
                server_key: "s".into(),
                key: machine.into(),
                name: machine.into(),
                kind: "virtual_machine".into(),
                ..Workload::default()
            };
            records.push(record(Kind::Workload(workload)));
            let point = |number: i64| RestorePoint {
                server_key: "s".into(),
                workload_key: machine.into(),
                key: number.to_string(),
                created_at: INSTANT + number,
                size: Some(i64::MAX),
                ..RestorePoint::default()
            };
            // More than a sum of whole numbers can hold.
            records.extend((0..600).map(|number| record(Kind::RestorePoint(point(number)))));
        }
        records.push(complete());
        say(&mut session, 1, records).await;
        let machines = client.data("/protectedWorkloads/virtualMachines").await;
        assert_eq!(machines[0]["totalRestorePointSize"], json!(9_007_199_254_740_991_i64));
        assert_eq!(machines.as_array().unwrap().len(), 2);
        let usage = client.data("/organizations/companies/usage").await;
        assert!(usage.to_string().contains("9007199254740991"), "{usage}");
        host.stop().await;
    }
}
