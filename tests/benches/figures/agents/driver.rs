//! A full inventory of a large Veeam server: requests, seconds, and what the agent took at most; beside it, the same pages
//! read by a bare client that throws them away.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use keelson::clock::{Clock as _, SystemClock};
use keelson_tests::agent::Agent;
use keelson_tests::client::escape;
use keelson_tests::vbr::{PASSWORD, USER, VbrOptions, VbrScale, VbrServer};
use keelson_tests::{HostProcess, TestDatabase};

use super::lower;
use crate::figure::Figure;

const MACHINES: usize = 2_000;
const POINTS: usize = 25;
/// Long before that it is there, or never.
const PATIENCE: Duration = Duration::from_mins(10);
/// As large as the server gives them.
const PAGE: usize = 1_000;

pub(super) async fn inventory() -> Figure {
    let scale = VbrScale { machines: MACHINES, points: POINTS, twins: false };
    let server = VbrServer::start(VbrOptions { scale, ..VbrOptions::at(SystemClock.now_ms()) }).await;
    let host = HostProcess::start(TestDatabase::sqlite(), None).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery"]);
    let enrolling = tokio::task::block_in_place(|| Agent::enroll_vbr(&token, &server));
    let mut agent = enrolling.0;
    server.take_asked();
    let client = host.administrator();
    let begun = Instant::now();
    agent.start();
    let all = format!(r#"[{{"property":"restorePoints","operation":"equals","value":{POINTS}}}]"#);
    let all = format!("/protectedWorkloads/virtualMachines?limit=1&filter={}", escape(&all));
    // A look is not free: a few a second.
    while client.get(&all).await.1["meta"]["pagingInfo"]["total"].as_u64() != Some(MACHINES as u64) {
        assert!(begun.elapsed() < PATIENCE, "the inventory is not in REST after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let took = begun.elapsed().as_secs_f64();
    let peak = agent.memory("VmHWM:");
    agent.kill();
    let asked = server.take_asked();
    let begun = Instant::now();
    let read = throw_away(&server, &asked).await;
    let bare = begun.elapsed().as_secs_f64();
    tracing::warn!(
        requests = asked.len(),
        took,
        bare,
        read,
        peak,
        "a full inventory, in seconds, bytes and MiB"
    );
    lower("agents.driver.vbr", "s", "the same pages, thrown away", 10.0, (took, bare))
}

/// Reads the same lists to their ends, page by page, and forgets them; the bytes.
async fn throw_away(server: &VbrServer, asked: &[String]) -> usize {
    let (client, base) = server.stranger();
    let form = format!("grant_type=Password&username={}&password={}", escape(USER), escape(PASSWORD));
    let login = client.post(format!("{base}/api/oauth2/token")).header("x-api-version", "1.3-rev1");
    let login = login.header("content-type", "application/x-www-form-urlencoded").body(form);
    let login: serde_json::Value =
        serde_json::from_slice(&login.send().await.expect("a login").bytes().await.expect("a body"))
            .expect("JSON");
    let token = login["access_token"].as_str().expect("a token");
    let lists: BTreeSet<&str> = asked.iter().filter_map(|line| line.strip_prefix("GET ")).collect();
    let mut bytes = 0;
    for path in lists {
        for skip in (0..).step_by(PAGE) {
            let url = format!("{base}{path}?skip={skip}&limit={PAGE}");
            let request = client.get(url).header("x-api-version", "1.3-rev1").bearer_auth(token);
            let body = request.send().await.expect("an answer").bytes().await.expect("a body");
            bytes += body.len();
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            if page["data"].as_array().is_none_or(|rows| rows.len() < PAGE) {
                break;
            }
        }
    }
    bytes
}
