//! File-level restore: a restore point is mounted, browsed, searched and read, and closed.
//!
//! The slice of the API has no way to ask how far a task is: a search and a download are asked for until they are there, a
//! restore is followed in the mount's audit.

use reqwest::Response;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::call::Call;
use super::client::Client;
use super::error::VbrError;
use super::model::{
    FlrAuditMountModel, FlrBrowseMountModel, FlrBrowserItemModel, FlrItems, ObjectRestorePointModel,
    TaskModel, instant,
};
use super::mounts::{Mount, Mounts, unmount};
use super::orders::{is_id, same_server, text};
use super::{licence, refused};
use crate::driver::restore::contract::MOST_BYTES;
use crate::driver::{Done, Order, Refused};

/// Minutes without use after which a mount is over, unless the host says so.
const IDLE: i64 = 30;
/// Entries of a listing, unless the host wants fewer.
const PAGE: u64 = 1000;
/// Paths of one order.
const MOST_PATHS: usize = 1000;

pub(super) async fn act(client: &Client, mounts: &Mounts, order: &Order) -> Result<Done, Refused> {
    let session =
        text(order, "session").ok_or_else(|| Refused("the command names no restore session".to_owned()))?;
    if order.kind == "restore-open" {
        return open(client, mounts, order, session).await;
    }
    // What others mounted on this server is theirs.
    let found = mounts.find(session);
    if order.kind == "restore-close" {
        if let Some(found) = found {
            unmount(client, &found.id).await.map_err(|error| refused(&error))?;
            mounts.remove(session);
        }
        return Ok(Done::saying("the restore point is closed"));
    }
    let mount = found.ok_or_else(closed)?.id;
    mounts.used(session, client.clock.now_ms());
    let outcome = match order.kind.as_str() {
        "restore-list" => list(client, &mount, order).await,
        "restore-search" => search(client, &mount, order).await,
        "restore-fetch" => fetch(client, &mount, order).await,
        "restore-write" => write(client, &mount, order).await,
        _ => return Err(Refused::unknown("vbr", order)),
    };
    mounts.used(session, client.clock.now_ms());
    outcome
}

fn closed() -> Refused {
    Refused("this restore session is not open (any more); open the restore point again".to_owned())
}

async fn open(client: &Client, mounts: &Mounts, order: &Order, session: &str) -> Result<Done, Refused> {
    let point = text(order, "restorePoint").filter(|id| is_id(id));
    let point =
        point.ok_or_else(|| Refused("the command names no restore point of this server".to_owned()))?;
    same_server(client, order).await?;
    if let Some(known) = mounts.find(session) {
        let path = format!("/api/v1/backupBrowser/flr/{}", known.id);
        match client.json::<FlrBrowseMountModel>(&Call::get(path)).await {
            Ok(found) if known.point == point => {
                mounts.used(session, client.clock.now_ms());
                return Ok(opened(&found));
            }
            Ok(_) => {
                return Err(Refused("this restore session is open for another restore point".to_owned()));
            }
            Err(VbrError::NotFound { .. }) => mounts.remove(session),
            Err(error) => return Err(refused(&error)),
        }
    }
    licence::may_restore(client).await?;
    let idle = order.payload.get("idleMinutes").and_then(Value::as_i64).unwrap_or(IDLE).clamp(1, 24 * 60);
    let found = mount(client, point, idle).await.map_err(|error| refused(&error))?;
    let until = client.clock.now_ms().saturating_add(idle * 60_000);
    let id = found.session_id.clone();
    let note = Mount { session: session.to_owned(), point: point.to_owned(), id, until, idle };
    if let Err(error) = mounts.add(note) {
        // What is not noted would not be cleaned up.
        let closed = unmount(client, &found.session_id).await;
        let rest = closed.err().map(|error| format!("; it stays mounted: {error}")).unwrap_or_default();
        return Err(Refused(format!("the mount cannot be noted in the agent's data folder: {error}{rest}")));
    }
    Ok(opened(&found))
}

async fn mount(client: &Client, point: &str, idle: i64) -> Result<FlrBrowseMountModel, VbrError> {
    let known: ObjectRestorePointModel =
        client.json(&Call::get(format!("/api/v1/restorePoints/{point}"))).await?;
    let kind = if known.guest_os_family.as_deref() == Some("Linux") { "Linux" } else { "Windows" };
    let body = json!({
        "restorePointId": point,
        "type": kind,
        "autoUnmount": {"isEnabled": true, "noActivityPeriodInMinutes": idle},
        "reason": "Keelson file restore",
    });
    client.json(&Call::post("/api/v1/restore/flr").body(body)).await
}

fn opened(mount: &FlrBrowseMountModel) -> Done {
    let warnings: Vec<&str> = mount.mount_errors.iter().map(|error| error.message.as_str()).collect();
    let result = json!({
        "machine": mount.source_properties.machine_name,
        "system": mount.kind,
        "separator": mount.properties.as_ref().map_or("\\", |properties| properties.path_separator.as_str()),
        "warnings": warnings,
    });
    let message = format!("the restore point {} is open", mount.source_properties.restore_point_name);
    Done { message, result: Some(result) }
}

/// `offset` and `limit` of the payload.
fn pagination(order: &Order) -> Value {
    let number = |name| order.payload.get(name).and_then(Value::as_u64);
    json!({"skip": number("offset").unwrap_or_default(), "limit": number("limit").unwrap_or(PAGE).clamp(1, PAGE)})
}

async fn list(client: &Client, mount: &str, order: &Order) -> Result<Done, Refused> {
    let path = order.payload.get("path").and_then(Value::as_str).unwrap_or_default();
    let body = json!({
        "path": path,
        "pagination": pagination(order),
        "order": {"orderColumn": "Name", "orderAsc": true},
    });
    let call = Call::post(format!("/api/v1/backupBrowser/flr/{mount}/browse")).body(body);
    let found: FlrItems = client.json(&call).await.map_err(|error| refused(&error))?;
    Ok(Done { message: String::new(), result: Some(listing(path, &found, order)) })
}

async fn search(client: &Client, mount: &str, order: &Order) -> Result<Done, Refused> {
    let wanted =
        text(order, "text").ok_or_else(|| Refused("the command says not what to search for".to_owned()))?;
    let path = order.payload.get("path").and_then(Value::as_str).unwrap_or_default();
    let body = json!({"path": path, "searchString": wanted, "disableRecursiveSearch": false});
    let base = format!("/api/v1/backupBrowser/flr/{mount}/search");
    let begun: TaskModel =
        client.json(&Call::post(&base).body(body)).await.map_err(|error| refused(&error))?;
    let body = json!({"pagination": pagination(order), "order": {"orderColumn": "Name", "orderAsc": true}});
    let call = Call::post(format!("{base}/{}/browse", begun.id)).body(body);
    let answer = patiently(client, &call).await.map_err(|error| refused(&error))?;
    let found: FlrItems = client.parse(&call, answer).await.map_err(|error| refused(&error))?;
    Ok(Done { message: String::new(), result: Some(listing(path, &found, order)) })
}

/// Asks again while the task is not finished, which the server answers with 400.
async fn patiently(client: &Client, call: &Call) -> Result<Response, VbrError> {
    let late = Instant::now() + client.pace.task;
    loop {
        match client.send(call).await {
            Err(VbrError::Failed { status: 400, .. }) if Instant::now() < late => {
                tokio::time::sleep(client.pace.look).await;
            }
            answered => return answered,
        }
    }
}

/// As many items as fit into an answer; `next` is the offset to go on with.
fn listing(path: &str, found: &FlrItems, order: &Order) -> Value {
    let count = u64::try_from(found.items.len()).unwrap_or(u64::MAX);
    let offset = order.payload.get("offset").and_then(Value::as_u64).unwrap_or_default();
    let total = found.pagination.as_ref().and_then(|one| u64::try_from(one.total).ok()).unwrap_or(count);
    let mut room = MOST_BYTES;
    let fits = |item: &Value| {
        let needs = item.to_string().len() + 1;
        room = room.saturating_sub(needs);
        room > 0
    };
    let items: Vec<Value> = found.items.iter().map(item).take_while(fits).collect();
    let end = offset.saturating_add(u64::try_from(items.len()).unwrap_or(u64::MAX));
    let goes_on = end < total && !items.is_empty();
    let path = found.path.as_deref().unwrap_or(path);
    if goes_on {
        json!({"path": path, "items": items, "total": total, "next": end})
    } else {
        json!({"path": path, "items": items, "total": total})
    }
}

fn item(item: &FlrBrowserItemModel) -> Value {
    json!({
        "name": item.name,
        "title": item.display_name,
        "folder": item.location,
        "type": item.kind,
        "size": item.size.max(0),
        "created": instant(&item.creation_date),
        "modified": instant(&item.modified_date),
        "state": item.item_state,
        "owner": item.owner,
    })
}

fn paths(order: &Order) -> Result<Vec<&str>, Refused> {
    let paths = order.payload.get("paths").and_then(Value::as_array);
    let paths: Vec<&str> = paths.into_iter().flatten().filter_map(Value::as_str).collect();
    if paths.is_empty() || paths.len() > MOST_PATHS {
        return Err(Refused(format!(
            "the command names {} files or folders; 1 to {MOST_PATHS} are possible",
            paths.len()
        )));
    }
    Ok(paths)
}

async fn fetch(client: &Client, mount: &str, order: &Order) -> Result<Done, Refused> {
    let body = json!({"sourcePath": paths(order)?});
    let call = Call::post(format!("/api/v1/backupBrowser/flr/{mount}/prepareDownload")).body(body);
    let begun: TaskModel = client.json(&call).await.map_err(|error| refused(&error))?;
    Ok(Done { message: "the files are being made ready".to_owned(), result: Some(json!({"task": begun.id})) })
}

/// The bytes of a prepared download, as they come. The server makes one file of several.
pub(super) async fn download(
    client: &Client,
    mount: &str,
    task: &str,
    take: &mut (dyn FnMut(&[u8]) -> std::io::Result<()> + Send),
) -> Result<u64, VbrError> {
    let call = Call::post(format!("/api/v1/backupBrowser/flr/{mount}/prepareDownload/{task}/download"));
    let mut response = patiently(client, &call).await?;
    let mut length = 0;
    while let Some(chunk) = client.chunk(&call, &mut response).await? {
        length += chunk.len() as u64;
        take(&chunk).map_err(|error| VbrError::Broken { call: call.to_string(), source: Box::new(error) })?;
    }
    Ok(length)
}

async fn write(client: &Client, mount: &str, order: &Order) -> Result<Done, Refused> {
    let paths = paths(order)?;
    let how = match text(order, "existing") {
        Some("overwrite") => "Overwrite",
        None | Some("keep") => "Keep",
        Some(other) => return Err(Refused(format!("\"{other}\" is neither keep nor overwrite"))),
    };
    let mut body = serde_json::Map::new();
    body.insert("sourcePath".to_owned(), json!(paths));
    body.insert("restoreType".to_owned(), how.into());
    for (told, name) in [("target", "targetPath"), ("credentials", "credentialsId")] {
        if let Some(value) = text(order, told) {
            body.insert(name.to_owned(), value.into());
        }
    }
    let mut verb = "restore";
    if let Some(platform) = text(order, "host") {
        if let Some(missing) = ["target", "credentials"].into_iter().find(|name| text(order, name).is_none())
        {
            return Err(Refused(format!("a restore to another machine needs its \"{missing}\"")));
        }
        verb = "restoreTo";
        body.insert("targetHost".to_owned(), json!({"type": platform}));
    }
    let call = Call::post(format!("/api/v1/backupBrowser/flr/{mount}/{verb}")).body(body.into());
    let begun: TaskModel = client.json(&call).await.map_err(|error| refused(&error))?;
    follow(client, mount, &begun, &paths).await
}

/// Whether files are being restored from a mount. One that does not answer is not known to be.
pub(super) async fn is_busy(client: &Client, mount: &str) -> bool {
    let found: Result<FlrAuditMountModel, _> = client.json(&audit_of(mount)).await;
    found.is_ok_and(|audit| audit.items.iter().any(|item| is_under_way(&item.restore_status)))
}

fn audit_of(mount: &str) -> Call {
    Call::get(format!("/api/v1/backupBrowser/flr/{mount}/audit"))
}

fn is_under_way(status: &str) -> bool {
    matches!(status, "Pending" | "InProgress")
}

/// Waits until each of the paths has an outcome in the audit.
async fn follow(client: &Client, mount: &str, begun: &TaskModel, paths: &[&str]) -> Result<Done, Refused> {
    let since = instant(&begun.creation_time).unwrap_or_default();
    let late = Instant::now() + client.pace.task;
    let audit = audit_of(mount);
    loop {
        let audit: FlrAuditMountModel = client.json(&audit).await.map_err(|error| refused(&error))?;
        let ours = audit.items.iter().filter(|item| paths.contains(&item.source_path.as_str()));
        let ours: Vec<_> =
            ours.filter(|item| instant(&item.restore_start_time).is_none_or(|at| at >= since)).collect();
        let over = ours.iter().filter(|item| !is_under_way(&item.restore_status)).count();
        if over == ours.len() && over >= paths.len() {
            let failed: Vec<&str> = ours
                .iter()
                .filter(|item| matches!(item.restore_status.as_str(), "Failed" | "Cancelled"))
                .map(|item| item.source_path.as_str())
                .collect();
            if !failed.is_empty() {
                return Err(Refused(format!("the backup server could not restore {}", failed.join(", "))));
            }
            let bytes: i64 = ours.iter().map(|item| item.size.max(0)).sum();
            let targets: Vec<&str> = ours.iter().map(|item| item.target_path.as_str()).collect();
            let result = json!({"files": over, "bytes": bytes, "targets": targets});
            return Ok(Done { message: "restored".to_owned(), result: Some(result) });
        }
        if Instant::now() >= late {
            return Err(Refused(
                "the restore is not finished yet; the backup server goes on with it".to_owned(),
            ));
        }
        tokio::time::sleep(client.pace.look).await;
    }
}
