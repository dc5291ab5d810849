//! The licence as a host wants it, and what a Cloud Connect server may not do.

use serde_json::{Value, json};

use super::call::Call;
use super::client::Client;
use super::model::JobStateModel;
use super::orders::same_server;
use super::refused;
use crate::driver::{Done, Order, Refused};

const LICENCE: &str = "/api/v1/license";
/// Bytes of a licence file; real ones have a few thousand.
const LARGEST: usize = 1 << 20;

pub(super) async fn act(client: &Client, order: &Order) -> Result<Done, Refused> {
    same_server(client, order).await?;
    match order.kind.as_str() {
        "license-install" => install(client, order).await,
        "license-remove" => remove(client).await,
        "license-report" => report(client).await,
        _ => Err(Refused::unknown("vbr", order)),
    }
}

/// The file comes as a secret: it is worth money. The same file a second time changes nothing.
async fn install(client: &Client, order: &Order) -> Result<Done, Refused> {
    let file = order.secret.get("license").and_then(Value::as_str);
    let file = file.filter(|text| !text.trim().is_empty() && text.len() <= LARGEST);
    let file = file.ok_or_else(|| Refused("the command carries no licence file".to_owned()))?;
    let body = json!({"license": file});
    let call = Call::post(format!("{LICENCE}/install")).body(body);
    let installed: Value = client.json(&call).await.map_err(|error| refused(&error))?;
    Ok(Done {
        message: format!("the licence is installed: {}", describe(&installed)),
        result: Some(summary(&installed)),
    })
}

async fn remove(client: &Client) -> Result<Done, Refused> {
    let before: Value = client.json(&Call::get(LICENCE)).await.map_err(|error| refused(&error))?;
    if matches!(word(&before, "type"), "Empty" | "Free") {
        return Ok(Done { message: "no licence is installed".to_owned(), result: Some(summary(&before)) });
    }
    let call = Call::post(format!("{LICENCE}/remove")).body(json!({"section": "All"}));
    let left: Value = client.json(&call).await.map_err(|error| refused(&error))?;
    Ok(Done {
        message: format!("the licence is removed: {} is left", describe(&left)),
        result: Some(summary(&left)),
    })
}

/// The server's own usage report, as JSON.
async fn report(client: &Client) -> Result<Done, Refused> {
    let call = Call::post(format!("{LICENCE}/createReport")).body(json!({"reportFormat": "Json"}));
    let bytes = client.bytes(&call, LARGEST).await.map_err(|error| refused(&error))?;
    let report = serde_json::from_slice(&bytes)
        .map_err(|error| Refused(format!("the backup server's licence report is not JSON: {error}")))?;
    Ok(Done { message: "the licence report is made".to_owned(), result: Some(report) })
}

fn word<'l>(licence: &'l Value, name: &str) -> &'l str {
    licence.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn describe(licence: &Value) -> String {
    let (edition, kind) = (word(licence, "edition"), word(licence, "type"));
    match word(licence, "expirationDate") {
        "" => format!("{edition} ({kind})"),
        until => format!("{edition} ({kind}), until {until}"),
    }
}

/// What a host needs to see that it is the one; nothing that opens anything.
fn summary(licence: &Value) -> Value {
    let names = ["edition", "type", "status", "licensedTo", "supportId", "expirationDate"];
    names.into_iter().filter_map(|name| Some((name.to_owned(), licence.get(name)?.clone()))).collect()
}

/// What the licence says of Cloud Connect: "Disabled", "Enabled", "Enterprise".
async fn cloud_connect(client: &Client) -> Result<String, Refused> {
    let licence: Value = client.json(&Call::get(LICENCE)).await.map_err(|error| refused(&error))?;
    Ok(word(&licence, "cloudConnect").to_owned())
}

/// A provider's Cloud Connect server runs no backup, backup copy or replication jobs, but for copies of what public-cloud
/// appliances made; Cloud Connect for the Enterprise may.
pub(super) async fn may_run(client: &Client, job: &JobStateModel) -> Result<(), Refused> {
    if job.kind.starts_with("CloudBackup") || cloud_connect(client).await? != "Enabled" {
        return Ok(());
    }
    Err(Refused(format!(
        "this is a Cloud Connect server: its licence does not cover the job {}; run it on a backup server of its own",
        job.name
    )))
}

/// Nor does it give back what tenants stored: that is for a restore server of its own.
pub(super) async fn may_restore(client: &Client) -> Result<(), Refused> {
    if matches!(cloud_connect(client).await?.as_str(), "Enabled" | "Enterprise") {
        let why = "this is a Cloud Connect server: files of tenants are restored by a backup server of its own that has the \
                   repository rescanned";
        return Err(Refused(why.to_owned()));
    }
    Ok(())
}
