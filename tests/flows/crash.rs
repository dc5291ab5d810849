//! `kill -9`, of either side, at the worst moments: nothing is lost, nothing counts twice.

use keelson_tests::database::Jam;
use keelson_tests::{Agent, HostProcess, Repository, TestDatabase, eventually, on_both};
use sqlx::Connection as _;

use super::view::{restore_points, restore_points_become};

/// What the host writes to its log when a frame has arrived, before it stores it.
const RECEIVED: &str = "agents.batch.received";

/// A host whose agent does not write heartbeats in between, and an agent beside a repository.
async fn host_and_agent(database: TestDatabase) -> (HostProcess, Agent, Repository) {
    let host = HostProcess::start_with_heartbeat(database, None, 600).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery"]);
    let repository = Repository::create();
    let agent = Agent::enroll(&token, &repository);
    (host, agent, repository)
}

on_both! {
    fn a_host_killed_between_frame_and_commit_gets_the_frame_again(database) {
        let (mut host, mut agent, repository) = host_and_agent(database).await;
        let client = host.administrator();
        repository.back_up("oven", 2);
        agent.start();
        restore_points_become(&client, 1).await;

        let jam = Jam::on(&host.database).await;
        let before = host.logged(RECEIVED);
        repository.back_up("oven", 1);
        eventually("the frame to arrive", || async { (host.logged(RECEIVED) > before).then_some(()) }).await;
        host.kill();
        jam.clear().await;
        host.restart().await;
        restore_points_become(&client, 2).await;
        assert!(host.logged(RECEIVED) > before + 1, "the frame came again");
    }

    fn however_often_the_host_is_killed_each_backup_is_there_once(database) {
        let (mut host, mut agent, repository) = host_and_agent(database).await;
        let client = host.administrator();
        agent.start();
        for round in 1..=4 {
            let before = host.logged(RECEIVED);
            repository.back_up("oven", 100 - round);
            // Somewhere between the frame, the commit and the acknowledgement.
            eventually("the frame to arrive", || async { (host.logged(RECEIVED) > before).then_some(()) }).await;
            host.kill();
            host.restart().await;
        }
        restore_points_become(&client, 4).await;
        let mut dates = restore_points(&client).await;
        dates.dedup();
        assert_eq!(dates.len(), 4);
    }

    fn an_agent_killed_between_spool_and_send_sends_after_its_restart(database) {
        let (mut host, mut agent, repository) = host_and_agent(database).await;
        let client = host.administrator();
        repository.back_up("oven", 2);
        agent.start();
        restore_points_become(&client, 1).await;

        host.kill();
        repository.back_up("oven", 1);
        let spool = format!("sqlite:{}?mode=ro", agent.spool().display());
        eventually("the batch to be in the spool", || async {
            let mut spool = sqlx::SqliteConnection::connect(&spool).await.ok()?;
            let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM batch").fetch_one(&mut spool).await.ok()?;
            (waiting > 0).then_some(())
        })
        .await;
        agent.kill();
        host.restart().await;
        assert_eq!(restore_points(&client).await.len(), 1, "it was not sent");
        agent.start();
        restore_points_become(&client, 2).await;
    }

    fn an_agent_that_lost_its_spool_starts_over_without_doubling_anything(database) {
        let (host, mut agent, repository) = host_and_agent(database).await;
        let client = host.administrator();
        repository.back_up("oven", 2);
        repository.back_up("till", 2);
        agent.start();
        restore_points_become(&client, 2).await;
        agent.kill();
        for file in [agent.spool(), agent.spool().with_extension("db-wal"), agent.spool().with_extension("db-shm")] {
            drop(std::fs::remove_file(file));
        }
        repository.forget("till");
        repository.back_up("oven", 1);
        agent.start();
        eventually("just the two backups of the oven", || async {
            let computers = client.data("/protectedWorkloads/computersManagedByConsole").await;
            let names: Vec<_> = computers.as_array()?.iter().map(|computer| computer["name"].clone()).collect();
            (names == ["oven"] && restore_points(&client).await.len() == 2).then_some(())
        })
        .await;
    }
}
