//! Case 33: a host whose database is that of an hour ago, restored from a backup or put back by hand. Agents send again what it has
//! lost; what they no longer have is a gap that is shown; and nothing that they were told to do is done twice.

use std::path::Path;

use keelson_agent::config::Settings;
use keelson_agent::spool::ReplayWindow;
use keelson_tests::account::{Row, of_host, settled};
use keelson_tests::database::Copy;
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{Client, HostProcess, TestDatabase, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How many there are.
const AGENTS: usize = 4;

/// A host as a process, with agents that are enrolled and do not run yet.
async fn place(database: TestDatabase) -> (HostProcess, Simulation) {
    let host = HostProcess::start(database, None).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "100"]);
    let size = Size { agents: 4, workloads: 12, seed: 33 };
    let simulation = Simulation::enroll(&token, size).await;
    (host, simulation)
}

/// The same with agents that run and have reported.
async fn living(database: TestDatabase) -> (HostProcess, Simulation) {
    let (host, mut simulation) = place(database).await;
    simulation.start().await;
    settled(&host.database, || simulation.account()).await;
    (host, simulation)
}

/// A backup, which the running host does not notice.
struct Backup(TempDir);

impl Backup {
    fn of(host: &HostProcess) -> Self {
        let folder = tempfile::tempdir().unwrap();
        host.command(&["db", "backup", text(&folder.path().join("backup"))]);
        Self(folder)
    }

    /// Kills the host, restores its database, and starts it again.
    async fn restore(&self, host: &mut HostProcess) {
        host.kill();
        host.command(&["db", "restore", text(&self.0.path().join("backup"))]);
        host.restart().await;
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// All that the host has, and the epochs that it stands in.
async fn whole(host: &HostProcess) -> (Vec<Row>, i64) {
    let mut rows = of_host(&host.database).await;
    rows.sort();
    (rows, host.database.count("SELECT CAST(SUM(epoch) AS BIGINT) FROM agents").await)
}

async fn gaps(client: &Client) -> Vec<Value> {
    let agents = client.data("/infrastructure/managementAgents").await;
    let seen = |agent: &&Value| agent["gapSeenTime"].is_string();
    agents.as_array().unwrap().iter().filter(seen).map(|agent| agent["gapReason"].clone()).collect()
}

/// Five hours of the agents' time, all of it reported.
async fn hours_pass(host: &HostProcess, simulation: &Simulation) {
    simulation.live(10).await;
    settled(&host.database, || simulation.account()).await;
}

on_both! {
    fn a_backup_that_is_restored_is_filled_up_with_what_agents_send_again(database) {
        let (mut host, simulation) = living(database).await;
        let client = host.administrator();
        let backup = Backup::of(&host);
        let then = whole(&host).await;
        hours_pass(&host, &simulation).await;
        let before = whole(&host).await;
        assert_ne!(then.0, before.0, "something happened in these hours");

        // A second restore finds the agents in the middle of it, or done.
        for _ in 0..2 {
            backup.restore(&mut host).await;
            settled(&host.database, || simulation.account()).await;
            let after = whole(&host).await;
            assert_eq!(after.1, before.1, "no epoch has begun");
            assert!(after.0 == before.0, "what happened in between, and no inventory tells any more, is there too");
        }
        assert_eq!(gaps(&client).await, [json!(null); 0]);
        assert!(host.logged("sends again what it has reported since") >= 2 * AGENTS);
        assert_eq!(host.logged("put back by hand"), 0);
        hours_pass(&host, &simulation).await;
    }

    fn what_agents_no_longer_have_is_a_gap_that_is_shown_and_the_present_is_whole(database) {
        let (mut host, mut simulation) = place(database).await;
        let client = host.administrator();
        for agent in 0..AGENTS {
            let folder = simulation.folder(agent);
            let mut settings = Settings::load(&folder).unwrap();
            settings.replay = ReplayWindow { bytes: 0, ..settings.replay };
            settings.store(&folder).unwrap();
        }
        simulation.start().await;
        settled(&host.database, || simulation.account()).await;
        let backup = Backup::of(&host);
        hours_pass(&host, &simulation).await;
        let before = whole(&host).await;

        backup.restore(&mut host).await;
        let gaps = eventually("every agent's gap to show", || async {
            let gaps = gaps(&client).await;
            (gaps.len() == AGENTS).then_some(gaps)
        })
        .await;
        assert!(gaps.iter().all(|gap| gap.as_str().unwrap().contains("up to batch")), "{gaps:?}");
        settled(&host.database, || simulation.account()).await;
        assert_eq!(host.logged("is lost in part"), AGENTS);
        assert!(whole(&host).await.1 > before.1, "epochs have begun");
        simulation.stop().await;
    }

    fn a_copy_that_was_put_back_by_hand_is_filled_up_too_and_the_log_says_what_it_looks_like(database) {
        let (mut host, simulation) = living(database).await;
        let client = host.administrator();
        host.kill();
        let copy = Copy::of(&host.database).await;
        host.restart().await;
        hours_pass(&host, &simulation).await;
        let before = whole(&host).await;

        host.kill();
        copy.put_back(&host.database).await;
        host.restart().await;
        settled(&host.database, || simulation.account()).await;
        assert!(whole(&host).await == before, "nothing is missing and no epoch has begun");
        assert_eq!(host.logged("was a copy put back by hand?"), AGENTS);
        assert_eq!(gaps(&client).await, [json!(null); 0]);
    }

    fn a_command_that_was_done_after_the_backup_is_not_done_again(database) {
        let (mut host, mut simulation) = living(database).await;
        let client = host.administrator();
        let jobs = client.data("/infrastructure/backupServers/jobs").await;
        simulation.stop().await;
        let path = format!("/infrastructure/backupServers/jobs/{}/start", jobs[0]["instanceUid"].as_str().unwrap());
        let (status, answer) = client.json(Method::POST, &path, &json!(null)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // The backup has it as what is still to be done.
        let backup = Backup::of(&host);
        simulation.start().await;
        done(&client).await;
        let deeds = simulation.deeds();
        assert_eq!(deeds.len(), 1, "{deeds:?}");

        backup.restore(&mut host).await;
        done(&client).await;
        settled(&host.database, || simulation.account()).await;
        assert_eq!(simulation.deeds(), deeds);
        simulation.stop().await;
    }
}

async fn done(client: &Client) {
    eventually("the task to have succeeded", || async {
        let tasks = client.data("/eventLogs/managementAgentTasks").await;
        (tasks.as_array()?.iter().all(|task| task["status"] == "Success")).then_some(())
    })
    .await;
}
