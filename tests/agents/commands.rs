//! What the API asks of an agent, on its way to the agent and back.

use std::sync::Arc;
use std::time::Duration;

use keelson::clock::{Clock as _, ManualClock, SharedClock};
use keelson_proto::v1::{
    Command, CommandProgress, CommandReport, CommandResult, Heartbeat, agent_message, command_report,
    console_message,
};
use keelson_tests::link::{Identity, Session};
use keelson_tests::wait::eventually;
use keelson_tests::{Client, TestDatabase, TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{complete, enrolled, server};

/// A host at a time of the test's choosing, an agent with one server, and the server's id.
struct Place {
    host: TestHost,
    clock: Arc<ManualClock>,
    client: Client,
    identity: Identity,
    server: String,
}

async fn place(database: TestDatabase) -> Place {
    // The host's certificates are of the machine's time.
    let clock = ManualClock::at(keelson::clock::SystemClock.now_ms());
    let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
    let host = TestHost::start_with(database, None, shared).await;
    let (client, identity) = enrolled(&host).await;
    let mut session = identity.session().await.unwrap();
    session.batch(1, 1, vec![server(), complete()]).await;
    session.acknowledged().await;
    let server =
        client.data("/infrastructure/backupServers").await[0]["instanceUid"].as_str().unwrap().to_owned();
    Place { host, clock, client, identity, server }
}

impl Place {
    /// Wants the server's state collected.
    async fn ask(&self) {
        let path = format!("/infrastructure/backupServers/{}/collect", self.server);
        let (status, answer) = self.client.json(Method::POST, &path, &json!(null)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }

    async fn tasks(&self) -> Vec<Value> {
        self.client.data("/eventLogs/managementAgentTasks").await.as_array().unwrap().clone()
    }

    async fn until_task_is(&self, status: &str) -> Value {
        eventually(&format!("the task to be {status}"), || async {
            self.tasks().await.into_iter().find(|task| task["status"] == status)
        })
        .await
    }
}

async fn command(session: &mut Session) -> Command {
    match session.next().await.unwrap().and_then(|message| message.kind) {
        Some(console_message::Kind::Command(command)) => command,
        other => panic!("a command, not {other:?}"),
    }
}

/// The next command, for which the host may need a moment: it wants to hear from its agent meanwhile.
async fn patiently(session: &mut Session) -> Command {
    for _ in 0..100 {
        session.send(agent_message::Kind::Heartbeat(Heartbeat::default())).await;
        if let Ok(command) = tokio::time::timeout(Duration::from_millis(300), command(session)).await {
            return command;
        }
    }
    panic!("no command came");
}

async fn heard(session: &mut Session) -> Vec<u8> {
    match session.next().await.unwrap().and_then(|message| message.kind) {
        Some(console_message::Kind::Heard(heard)) => heard.uid,
        other => panic!("that it was heard, not {other:?}"),
    }
}

async fn say(session: &Session, command: &Command, what: command_report::What) {
    let report = CommandReport { uid: command.uid.clone(), attempt: command.attempt, what: Some(what) };
    session.send(agent_message::Kind::Report(report)).await;
}

fn done(message: &str) -> command_report::What {
    command_report::What::Result(CommandResult {
        done: true,
        message: message.to_owned(),
        result: String::new(),
    })
}

on_both! {
    fn a_task_that_waits_for_an_agent_can_be_cancelled_and_one_that_went_out_cannot(database) {
        let place = place(database).await;
        eventually("the agent to be away", || async {
            let agents = place.client.data("/infrastructure/managementAgents").await;
            (agents[0]["connectionStatus"] == "Inaccessible").then_some(())
        })
        .await;
        place.ask().await;
        let task = place.until_task_is("Scheduled").await;
        let path = format!("/eventLogs/managementAgentTasks/{}/cancel", task["instanceUid"].as_str().unwrap());
        let (status, answer) = place.client.json(Method::POST, &path, &json!(null)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        place.until_task_is("Canceled").await;
        let (status, answer) = place.client.json(Method::POST, &path, &json!(null)).await;
        assert_eq!(status, StatusCode::CONFLICT, "{answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains("it is canceled"), "{answer}");
        place.host.stop().await;
    }

    fn what_the_api_asks_reaches_the_agent_and_its_result_the_api(database) {
        let place = place(database).await;
        let mut session = place.identity.session().await.unwrap();
        place.ask().await;
        let command = command(&mut session).await;
        assert_eq!((command.kind.as_str(), command.attempt), ("collect", 1));
        assert!(command.deadline > place.clock.now_ms());
        say(&session, &command, command_report::What::Progress(CommandProgress { per_cent: 40, message: "halfway".into() })).await;
        place.until_task_is("Running").await;
        say(&session, &command, done("all of it")).await;
        assert_eq!(heard(&mut session).await, command.uid);
        place.until_task_is("Success").await;
        // Said again, as after a lost answer: it is heard again and nothing changes.
        say(&session, &command, done("all of it")).await;
        assert_eq!(heard(&mut session).await, command.uid);
        assert_eq!(place.tasks().await.len(), 1);
        place.host.stop().await;
    }

    fn an_agent_that_was_away_gets_what_was_asked_meanwhile_when_it_comes(database) {
        let place = place(database).await;
        place.ask().await;
        let mut session = place.identity.session().await.unwrap();
        let command = command(&mut session).await;
        say(&session, &command, command_report::What::Result(CommandResult {
            done: false, message: "no room on the disk".into(), result: String::new(),
        })).await;
        heard(&mut session).await;
        let task = place.until_task_is("Failed").await;
        assert!(task.to_string().contains("no room on the disk"), "{task}");
        place.host.stop().await;
    }

    fn a_command_without_an_answer_goes_out_again_and_only_the_last_attempt_counts(database) {
        let place = place(database).await;
        let mut session = place.identity.session().await.unwrap();
        place.ask().await;
        let first = command(&mut session).await;
        place.clock.advance(61_000);
        let second = patiently(&mut session).await;
        assert_eq!((&second.uid, second.attempt), (&first.uid, 2));
        say(&session, &first, done("by the first")).await;
        say(&session, &second, done("by the second")).await;
        assert_eq!(heard(&mut session).await, second.uid);
        let task = place.until_task_is("Success").await;
        assert!(!task.to_string().contains("by the first"), "{task}");
        place.host.stop().await;
    }

    /// Case 41, and 40: an agent speaks for itself alone.
    fn what_an_agent_says_of_anothers_command_changes_nothing(database) {
        let place = place(database).await;
        let mut session = place.identity.session().await.unwrap();
        place.ask().await;
        let command = command(&mut session).await;
        let token = place.host.command(&["agent", "token", "--company", "Bakery"]);
        let addresses = place.host.addresses();
        let stranger = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
        let mut other = stranger.session().await.unwrap();
        say(&other, &command, done("it was me")).await;
        heard(&mut other).await;
        assert!(place.tasks().await.iter().all(|task| task["status"] != "Success"));
        let nobodys = Command { uid: vec![9; 16], attempt: 1, ..command.clone() };
        say(&other, &nobodys, done("out of the blue")).await;
        assert_eq!(heard(&mut other).await, nobodys.uid);
        say(&session, &command, done("mine")).await;
        heard(&mut session).await;
        place.until_task_is("Success").await;
        place.host.stop().await;
    }

    fn an_agent_that_was_deleted_is_told_nothing_more(database) {
        let place = place(database).await;
        let mut session = place.identity.session().await.unwrap();
        let agents = place.client.data("/infrastructure/managementAgents").await;
        let uid = agents[0]["instanceUid"].as_str().unwrap().to_owned();
        let path = format!("/infrastructure/managementAgents/{uid}");
        let (status, answer) = place.client.json(Method::DELETE, &path, &json!(null)).await;
        assert!(status.is_success(), "{answer}");
        while let Ok(Some(_)) = session.next().await {}
        assert!(place.identity.session().await.is_err());
        place.host.stop().await;
    }
}
