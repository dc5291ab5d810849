//! The agent's doctor, as people run it.

use std::process::{Command, Stdio};

use keelson_tests::agent::{Agent, Repository};
use keelson_tests::{TestHost, eventually, on_both};
use serde_json::Value;

use super::interception::ended;

/// What the agent's doctor says, and its exit code.
async fn of_agent(agent: &Agent) -> (Option<i32>, Value) {
    let mut command = Command::new(keelson_tests::process::keelson_agent());
    let output = ended(command.args(["doctor", "--json", "--data"]).arg(agent.folder())).await;
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

/// The checks that are not well.
fn complaints(report: &Value) -> Vec<String> {
    let all = report["checks"].as_array().unwrap().iter();
    all.filter(|one| one["level"] != "ok").map(ToString::to_string).collect()
}

on_both! {
    fn the_agents_doctor_leaves_a_session_alone_and_sees_that_the_agent_was_removed(database) {
        let host = TestHost::start(database).await;
        let company = host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", &company]);
        let repository = Repository::create();
        let mut agent = Agent::enroll(&token, &repository);
        agent.start();
        let client = host.administrator();
        let status = async || client.data("/infrastructure/managementAgents").await[0]["status"].clone();
        eventually("the agent to be here", || async { (status().await == "Healthy").then_some(()) }).await;
        let (code, report) = of_agent(&agent).await;
        assert_eq!((code, complaints(&report)), (Some(0), Vec::new()), "{report}");
        let log = std::fs::read_to_string(agent.log_file()).unwrap();
        assert_eq!(log.matches("connected to localhost").count(), 1, "its session goes on: {log}");
        agent.kill();
        std::fs::write(repository.password_file(), "wrong").unwrap();
        // Another certificate than the agent's, whichever.
        host.execute("UPDATE agents SET certificate = (SELECT hash FROM join_tokens)").await;
        let (code, report) = of_agent(&agent).await;
        let complaints = complaints(&report);
        assert_eq!((code, complaints.len()), (Some(1), 2), "{report}");
        assert!(complaints[0].contains("no longer admitted") && complaints[1].contains("restic"), "{complaints:?}");
        host.stop().await;
    }
}

#[test]
fn the_agents_doctor_tells_people_a_line_a_check() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(keelson_tests::process::keelson_agent());
    command.args(["doctor", "--data"]).arg(folder.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.lines().all(|line| ["ok  ", "warn", "FAIL"].contains(&line.get(..4).unwrap())), "{text}");
    assert!(text.contains("FAIL  settings") && text.contains("enrol"), "{text}");
}
