//! What only a copy of an agent or somebody hostile does is in the activity log, and does not fill it: cases 39, 40 and 41.

use keelson_proto::v1::{
    CommandReport, CommandResult, ConsoleMessage, RenewRequest, agent_message, command_report,
    console_message,
};
use keelson_tests::link::{Identity, Session};
use keelson_tests::{Client, TestHost, eventually, on_both};
use rcgen::{CertificateParams, KeyPair};
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;

use super::super::{complete, enrolled, server, workload};

/// Rows of the log about what was denied to an agent, once there are some.
async fn denied(host: &TestHost, client: &Client, what: &str) -> Vec<Value> {
    eventually(what, || async {
        let rows = client.data("/eventLogs/activityLogs?limit=500").await;
        let rows = rows.as_array()?.iter();
        let found: Vec<Value> = rows
            .filter(|row| row["message"].as_str().is_some_and(|text| text.contains(what)))
            .cloned()
            .collect();
        (!found.is_empty()).then_some(found)
    })
    .await
    .into_iter()
    .inspect(|row| assert!(row["organizationUid"].is_string(), "its company sees it: {row}, {host:?}"))
    .collect()
}

/// Says how a command ended, and waits for the host to have heard.
async fn report(session: &mut Session, uid: Vec<u8>, attempt: u32) {
    let what = command_report::What::Result(CommandResult { done: true, ..CommandResult::default() });
    session.send(agent_message::Kind::Report(CommandReport { uid, attempt, what: Some(what) })).await;
    loop {
        match session.next().await.unwrap() {
            Some(ConsoleMessage { kind: Some(console_message::Kind::Heard(_)) }) => return,
            Some(_) => {}
            None => panic!("the session ended"),
        }
    }
}

async fn another(host: &TestHost) -> Identity {
    host.command(&["company", "add", "--name", "Butcher"]);
    let token = host.command(&["agent", "token", "--company", "Butcher"]);
    let addresses = host.addresses();
    Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap()
}

on_both! {
    /// Case 39.
    fn facts_of_an_epoch_that_is_over_are_told_once_however_many_come(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(9, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        for sequence in 1..100 {
            session.batch(8, sequence, vec![server()]).await;
            session.acknowledged().await;
        }
        let rows = denied(&host, &client, "a history that is over").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        // What comes again because its answer was lost is no incident.
        let mut session = identity.session().await.unwrap();
        session.batch(9, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(session.acknowledged().await, (9, 1));
        drop(session);
        host.stop().await;
    }

    /// Case 39: a copy of an agent from before its certificate was renewed.
    fn a_certificate_that_was_renewed_since_is_refused_and_told(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
        let answer = identity.client().await.renew(RenewRequest { certificate_request: request }).await;
        let renewed = identity.clone().with(answer.unwrap().into_inner(), &key);
        renewed.session().await.unwrap();
        let refused = identity.session().await.unwrap_err();
        assert_eq!((refused.code(), refused.metadata().get("keelson-reason")), (Code::Unauthenticated, None));
        assert!(refused.message().contains("has a newer one"), "{refused:?}");
        denied(&host, &client, "a certificate that it has renewed since").await;
        host.stop().await;
    }

    /// Case 40: a report on what another company's agent is to do is refused, told, and shows on the agent.
    fn an_agent_that_reports_on_anothers_command_shows_as_misused(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let other = another(&host).await;
        let mut victim = identity.session().await.unwrap();
        victim.batch(1, 1, vec![server(), complete()]).await;
        victim.acknowledged().await;
        let servers = client.data("/infrastructure/backupServers").await;
        let path = format!("/infrastructure/backupServers/{}/collect", servers[0]["instanceUid"].as_str().unwrap());
        client.json(Method::POST, &path, &json!(null)).await;
        let Some(console_message::Kind::Command(command)) = victim.next().await.unwrap().unwrap().kind else {
            panic!("a command");
        };
        let mut attacker = other.session().await.unwrap();
        for attempt in 0..50 {
            report(&mut attacker, command.uid.clone(), attempt).await;
        }
        let rows = denied(&host, &client, "a command of another agent").await;
        assert_eq!(rows.len(), 1, "{rows:?}");
        let agent = eventually("it to show on the agent", || async {
            let path = format!("/infrastructure/managementAgents/{}", other.agent);
            let agent = client.data(&path).await;
            agent["misuseSeenTime"].is_string().then_some(agent)
        })
        .await;
        assert!(agent["misuseReason"].as_str().unwrap().contains("another agent, from 127.0.0.1"), "{agent}");
        let innocent = client.data(&format!("/infrastructure/managementAgents/{}", identity.agent)).await;
        assert_eq!(innocent["misuseSeenTime"], json!(null));
        let alarm = eventually("an active alarm", || async {
            let alarms = client.data("/alarms/active").await;
            let of_it = |alarm: &&Value| alarm["lastActivation"]["message"].as_str().unwrap_or_default().contains("what is another agent's");
            alarms.as_array()?.iter().find(of_it).cloned()
        })
        .await;
        assert_eq!(alarm["object"]["managementAgentUid"], json!(other.agent), "{alarm}");
        host.stop().await;
    }

    /// Case 41.
    fn reports_on_commands_that_never_were_are_told_once_with_their_number(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        for number in 0..200_u8 {
            report(&mut session, vec![number; 16], 1).await;
        }
        let rows = denied(&host, &client, "a command that it was never given").await;
        assert!(rows.len() <= 1, "{rows:?}");
        assert_eq!(client.data("/infrastructure/managementAgents").await[0]["misuseSeenTime"], json!(null));
        host.stop().await;
    }
}
