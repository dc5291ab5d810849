//! What the stories look at, through the API.

use keelson_tests::client::escape;
use keelson_tests::{Client, eventually};
use serde_json::Value;

/// The alarm of a computer, if there is one in this state.
pub(super) async fn alarm(client: &Client, computer: &str, status: &str) -> Option<Value> {
    let filter = format!(
        r#"[{{"property":"object.computerName","operation":"equals","value":"{computer}"}},
            {{"property":"lastActivation.status","operation":"equals","value":"{status}"}}]"#
    );
    let found = client.data(&format!("/alarms/active?filter={}", escape(&filter))).await;
    found.as_array().expect("a list").first().cloned()
}

/// Waits for that.
pub(super) async fn alarm_becomes(client: &Client, computer: &str, status: &str) -> Value {
    eventually(&format!("the alarm of {computer} to become {status}"), || alarm(client, computer, status))
        .await
}

/// All restore points that the host knows, oldest first.
pub(super) async fn restore_points(client: &Client) -> Vec<String> {
    let sort = escape(r#"[{"property":"creationDate"}]"#);
    let path = format!("/protectedWorkloads/computersManagedByConsole/restorePoints?limit=500&sort={sort}");
    let found = client.data(&path).await;
    let dates = found.as_array().expect("a list").iter().map(|point| point["creationDate"].to_string());
    dates.collect()
}

/// Waits until there are so many restore points.
pub(super) async fn restore_points_become(client: &Client, number: usize) {
    eventually(&format!("{number} restore points"), || async {
        (restore_points(client).await.len() == number).then_some(())
    })
    .await;
}

/// The template of a rule.
pub(super) async fn template(client: &Client, name: &str) -> String {
    eventually(&format!("the template {name}"), || async {
        let templates = client.data("/alarms/templates").await;
        let found = templates.as_array().expect("a list").iter().find(|template| template["name"] == name);
        found.map(|template| template["instanceUid"].as_str().expect("an id").to_owned())
    })
    .await
}
