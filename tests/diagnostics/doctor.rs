//! Both doctors, as people run them.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use keelson_tests::agent::{Agent, Repository};
use keelson_tests::{HostProcess, TestHost, eventually, on_both};
use serde_json::Value;

use super::failure;
use super::interception::ended;
use super::strangers::speak;

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
        speak(Ipv4Addr::LOCALHOST, host.addresses().agents_remote, b"GET / HTTP/1.1\r\n\r\n").await;
        assert_eq!(failure(&client, Ipv4Addr::LOCALHOST, "PlainHttp").await["lastSuccess"], Value::Null);
        assert_eq!(of_agent(&agent).await.0, Some(0));
        let mended = failure(&client, Ipv4Addr::LOCALHOST, "PlainHttp").await;
        assert!(mended["lastSuccess"].is_string(), "a doctor that comes through shows that others can: {mended}");
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

/// The host's doctor on a data folder, as `serve` was started there.
async fn of_host(host: &HostProcess, more: &[&str]) -> (Option<i32>, Value) {
    let data = host.log_file().parent().unwrap().to_owned();
    let mut command = Command::new(keelson_tests::process::keelson());
    command
        .args(["doctor", "--json", "--database", &host.database.url, "--advertise", "localhost", "--data"])
        .arg(data);
    for port in ["--api", "--agents-remote", "--agents-hosted", "--health"] {
        if !more.contains(&port) {
            command.args([port, "127.0.0.1:0"]);
        }
    }
    let output = ended(command.args(more)).await;
    let report = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), serde_json::from_str(&report).unwrap_or_else(|_| panic!("{report}")))
}

/// The complaints that are not about this machine's size.
fn own_complaints(report: &Value) -> Vec<String> {
    let mut all = complaints(report);
    all.retain(|one| !one.contains("\"disk\"") && !one.contains("\"descriptors\""));
    all
}

on_both! {
    fn the_hosts_doctor_sees_a_running_host_whom_it_turned_away_and_a_newer_schema(database) {
        let mut host = HostProcess::start(database, None).await;
        // A temporary folder is open to all.
        let owner_only = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(host.log_file().parent().unwrap(), owner_only).unwrap();
        let (code, report) = of_host(&host, &[]).await;
        assert_eq!((code, own_complaints(&report)), (Some(0), Vec::new()), "{report}");
        let is_postgres = !host.database.is_sqlite();
        assert_eq!(report.to_string().contains("the database's are 0 s apart"), is_postgres, "{report}");
        speak(Ipv4Addr::new(127, 0, 0, 30), host.addresses().agents_remote, b"GET / HTTP/1.1\r\n\r\n").await;
        let turned_away = eventually("the host to have seen it", || async {
            own_complaints(&of_host(&host, &[]).await.1).pop()
        })
        .await;
        assert!(turned_away.contains("PlainHttp of 127.0.0.30 (1×)") && turned_away.contains("warn"), "{turned_away}");
        let lines = host.command(&["agent", "handshakes"]);
        assert!(lines.contains("127.0.0.30 remote PlainHttp 1×"), "{lines}");

        host.kill();
        let (code, report) = of_host(&host, &[]).await;
        assert_eq!((code, own_complaints(&report)), (Some(0), Vec::new()), "{report}");
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken_at = taken.local_addr().unwrap().to_string();
        let (code, report) = of_host(&host, &["--api", &taken_at]).await;
        assert!(code == Some(1) && own_complaints(&report)[0].contains(&taken_at), "{report}");
        let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
            SELECT version + 1, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations \
            WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
        host.database.execute(newer).await;
        let (code, report) = of_host(&host, &[]).await;
        assert!(code == Some(1) && own_complaints(&report)[0].contains("newer Keelson"), "{report}");
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
