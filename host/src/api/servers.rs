//! Backup servers and their repositories.

use axum::response::Response;
use serde_json::{Value, json};

use crate::api::ask::Ask;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::order::{self, Order};
use crate::id::AgentUid;
use crate::model::CommandKind;
use crate::store::list::{Collation, Condition, Value as Bound};
use crate::store::{BACKUP_SERVERS, COMPANIES, REPOSITORIES};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetBackupServers", &BACKUP_SERVERS)
        .get("GetBackupServer", &BACKUP_SERVERS)
        .add("ForceCollectBackupServer", collect)
        .list("GetBackupRepositories", &REPOSITORIES)
        .add("GetBackupRepositoriesByServer", repositories)
        .get("GetBackupRepository", &REPOSITORIES)
}

/// A server's repositories; with `companyUid`, those that hold, or are to hold, something of that company.
async fn repositories(ask: Ask) -> Result<Rendered, ApiError> {
    let server = ask.uid("backupServerUid")?;
    let mut tx = ask.state.store().read().await?;
    ask.must_see(&mut tx, &BACKUP_SERVERS, server).await?;
    let mut of = vec![ask.belongs(&REPOSITORIES, "backupServerUid", "backupServerUid")?];
    if let Some(company) = ask.uid_parameter("companyUid")? {
        ask.must_see(&mut tx, &COMPANIES, company).await?;
        let used = tx.infrastructure().repositories_of(server, company).await?;
        let id = REPOSITORIES.property("instanceUid");
        let property = *id.ok_or_else(|| ApiError::internal("repositories have no instanceUid"))?;
        let values = used.into_iter().map(Bound::Uuid).collect();
        of.push(Condition::In { property, values, collation: Collation::Ordinal });
    }
    ask.page(&mut tx, &REPOSITORIES, &Condition::All(of)).await
}

/// Has the server's agent report everything anew. Asked again before it did, it is the same request.
async fn collect(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("backupServerUid")?;
    let mut tx = change.begin().await?;
    let found =
        tx.document(&BACKUP_SERVERS, &change.ask.caller.scope, &Condition::All(Vec::new()), uid).await?;
    let server = found.ok_or_else(|| ApiError::absent(BACKUP_SERVERS.name, uid))?.value();
    let text = |name: &str| server.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = |name: &str| text(name).parse::<uuid::Uuid>().ok();
    let agent =
        id("managementAgentUid").ok_or_else(|| ApiError::internal("a backup server without an agent"))?;
    if order::open(&mut tx, uid, &[CommandKind::Collect]).await?.is_empty() {
        let order = Order {
            agent: AgentUid(agent),
            kind: CommandKind::Collect,
            subject: uid,
            description: format!("Collect all data of backup server \"{}\"", text("name")),
            payload: json!({"server": uid}),
        };
        order::place(&change, &mut tx, order).await?;
    }
    let object =
        Object { kind: BACKUP_SERVERS.name, uid, name: text("name"), organization: id("organizationUid") };
    let asked = json!({"command": CommandKind::Collect.name()});
    change.note(&object, Some(&json!({})), Some(&asked));
    change.commit(tx).await?;
    Ok(envelope::empty())
}
