//! Agents that were removed from the host stop, and say why: at once when they are connected, else when they next come.

use keelson_agent::agent::AgentError;
use keelson_tests::{Client, TestHost, eventually, on_both};
use reqwest::Method;
use serde_json::json;

use super::place;

async fn remove_all(host: &TestHost, client: &Client) {
    let agents = client.data("/infrastructure/managementAgents").await;
    for agent in agents.as_array().unwrap() {
        let path = format!("/infrastructure/managementAgents/{}", agent["instanceUid"].as_str().unwrap());
        let (status, answer) = client.json(Method::DELETE, &path, &json!(null)).await;
        assert!(status.is_success(), "{answer}");
    }
    assert_eq!(host.count("SELECT count(*) FROM agents").await, 0);
}

on_both! {
    fn an_agent_that_is_removed_stops_at_once_and_keeps_its_folder(database) {
        let (host, mut simulation) = place(database, 1, 3).await;
        let client = host.administrator();
        simulation.start().await;
        eventually("the agent to be online", || async {
            let agents = client.data("/infrastructure/managementAgents").await;
            (agents[0]["connectionStatus"] == "Online").then_some(())
        })
        .await;
        remove_all(&host, &client).await;
        eventually("the agent to stop", || std::future::ready(simulation.have_ended().then_some(()))).await;
        let ends = simulation.stop().await;
        assert!(matches!(ends.as_slice(), [Err(AgentError::Removed)]), "{ends:?}");
        assert!(simulation.folder(0).key().is_file(), "only whoever owns the machine removes its key");
        host.stop().await;
    }

    fn an_agent_that_was_away_when_it_was_removed_stops_when_it_comes(database) {
        let (host, mut simulation) = place(database, 1, 3).await;
        let client = host.administrator();
        remove_all(&host, &client).await;
        for _ in 0..2 {
            simulation.start().await;
            eventually("the agent to stop", || std::future::ready(simulation.have_ended().then_some(()))).await;
            let ends = simulation.stop().await;
            assert!(matches!(ends.as_slice(), [Err(AgentError::Removed)]), "{ends:?}");
        }
        host.stop().await;
    }
}
