//! A real agent and a real host with something between them: the agent says what it met, the host shows where it came from.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use keelson_tests::intercept::{ADDRESS, Interception, Interceptor};
use keelson_tests::link::token_at;
use keelson_tests::process::keelson_agent;
use keelson_tests::{Client, TestHost, eventually, on_both};
use serde_json::Value;
use tempfile::TempDir;

use super::failure;

/// A host, something before it, and an agent's data folder.
struct Scene {
    host: TestHost,
    client: Client,
    between: Interceptor,
    folder: TempDir,
}

impl Scene {
    async fn set(database: keelson_tests::TestDatabase, mode: Interception) -> Self {
        let host = TestHost::start(database).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let client = host.administrator();
        let between =
            Interceptor::start(host.addresses().agents_remote, &host.data.path().join("pki"), mode).await;
        Self { host, client, between, folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> &Path {
        self.folder.path()
    }

    /// An enrolment by way of what is between, as far as it gets.
    async fn enroll(&self) -> Output {
        let token = self.host.command(&["agent", "token", "--company", "Bakery"]);
        let file = self.data().join("token");
        std::fs::write(&file, token_at(&token, self.between.port)).unwrap();
        let mut command = Command::new(keelson_agent());
        command.args(["enroll", "--force", "--driver", "simulated", "--token-file"]).arg(file);
        ended(command.arg("--data").arg(self.data().join("agent"))).await
    }

    /// `run`, which what is between ends at once.
    async fn run(&self) -> Output {
        let mut command = Command::new(keelson_agent());
        ended(command.arg("run").arg("--data").arg(self.data().join("agent"))).await
    }
}

/// The program's end. The host and what is between live in this process: they must not be kept from answering.
pub(super) async fn ended(command: &mut Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The line for programs.
fn event(output: &Output) -> Value {
    let text = stderr(output);
    let line = text.lines().find(|line| line.starts_with('{'));
    serde_json::from_str(line.unwrap_or_else(|| panic!("no line of JSON in: {text}"))).unwrap()
}

on_both! {
    /// Case 47 of the fault list: an inspecting proxy whose CA the machine trusts, with its issuer's name.
    fn an_inspecting_firewall_is_named_by_the_agent_and_its_address_shown_by_the_host(database) {
        let scene = Scene::set(database, Interception::Inspect("Corp Proxy CA")).await;
        let dialled = format!("localhost:{}", scene.between.port);
        let enrolment = scene.enroll().await;
        let met = |output: &Output| {
            let text = stderr(output);
            assert_eq!(output.status.code(), Some(3), "{text}");
            for part in [
                "signed by 'CN=Corp Proxy CA'".to_owned(),
                "expected Keelson CA ".to_owned(),
                format!("exempt {dialled} from inspection"),
            ] {
                assert!(text.contains(&part), "{part}: {text}");
            }
            let event = event(output);
            assert_eq!((&event["event"], &event["issuer"]), (&"tls-pin-mismatch".into(), &"CN=Corp Proxy CA".into()));
            assert_eq!((&event["address"], &event["expectedPin"]), (&dialled.as_str().into(), &scene.host.addresses().ca_fingerprint.as_str().into()));
        };
        met(&enrolment);
        let shown = failure(&scene.client, ADDRESS, "NoClientCertificate").await;
        assert!(shown["recommendation"].as_str().unwrap().contains("TLS-inspecting firewall"), "{shown}");

        scene.between.set(Interception::Pass);
        assert!(scene.enroll().await.status.success());
        let mended = failure(&scene.client, ADDRESS, "NoClientCertificate").await;
        assert!(mended["lastSuccess"].is_string(), "{mended}");
        scene.between.set(Interception::Inspect("Corp Proxy CA"));
        met(&scene.run().await);
        eventually("the host to have seen the second time", || async {
            (failure(&scene.client, ADDRESS, "NoClientCertificate").await["count"] == 2).then_some(())
        })
        .await;
        scene.host.stop().await;
    }

    fn a_ca_that_only_has_the_name_of_the_hosts_is_told_by_its_key(database) {
        let scene = Scene::set(database, Interception::Inspect("Keelson CA")).await;
        let output = scene.enroll().await;
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let event = event(&output);
        assert_eq!(event["issuer"], "CN=Keelson CA");
        let seen = event["seenPins"].as_array().unwrap();
        assert!(!seen.is_empty() && !seen.contains(&event["expectedPin"]), "{event}");
        scene.host.stop().await;
    }

    fn a_downgrade_and_an_answer_in_clear_text_end_the_agent_with_a_code_of_their_own(database) {
        let scene = Scene::set(database, Interception::Downgrade).await;
        for (mode, kind) in [(Interception::Downgrade, "OldTls"), (Interception::Inject, "PlainHttp")] {
            scene.between.set(mode);
            let output = scene.enroll().await;
            let text = stderr(&output);
            assert_eq!(output.status.code(), Some(8), "{mode:?}: {text}");
            assert!(text.contains("does not speak the agent protocol"), "{text}");
            assert_eq!(event(&output)["event"], "tls-protocol-mismatch");
            failure(&scene.client, ADDRESS, kind).await;
        }
        scene.host.stop().await;
    }

    fn a_load_balancer_that_ends_tls_takes_the_agents_certificate_away(database) {
        let scene = Scene::set(database, Interception::Pass).await;
        assert!(scene.enroll().await.status.success());
        scene.between.set(Interception::Terminate);
        let log = scene.data().join("log");
        let mut command = Command::new(keelson_agent());
        command.args(["run", "--max-backoff", "1", "--data"]).arg(scene.data().join("agent")).stdin(Stdio::null());
        let mut agent = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let text = eventually("the agent to say that its certificate is gone", || async {
            let text = std::fs::read_to_string(&log).unwrap();
            text.contains("does not see this agent's certificate").then_some(text)
        })
        .await;
        assert!(text.contains("tls-client-certificate-stripped"), "{text}");
        agent.kill().unwrap();
        agent.wait().unwrap();
        let shown = failure(&scene.client, ADDRESS, "NoClientCertificate").await;
        assert!(shown["detail"].as_str().unwrap().contains("needs an agent's certificate"), "{shown}");
        scene.host.stop().await;
    }
}
