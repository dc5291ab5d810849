//! What the host knows, as rows.

use sqlx::{Sqlite, SqliteConnection, Transaction};

use crate::inventory::{Addition, CloudKind, ObjectId};

const LEARN: &str = "INSERT INTO known (server, workload, point, kind, digest) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (server, workload, point, kind) DO UPDATE SET digest = excluded.digest";
const FORGET: &str = "DELETE FROM known WHERE server = $1 AND workload = $2 AND point = $3 AND kind = $4";
const KNOWN: &str = "SELECT server, workload, point, kind, digest FROM known";

pub(super) type KnownRow = (String, String, String, i64, Vec<u8>);

/// All of it.
pub(super) async fn known_rows(connection: &mut SqliteConnection) -> Result<Vec<KnownRow>, sqlx::Error> {
    sqlx::query_as(KNOWN).fetch_all(connection).await
}

/// Takes over what is known after an addition.
pub(super) async fn learn(
    transaction: &mut Transaction<'_, Sqlite>,
    addition: &Addition,
) -> Result<(), sqlx::Error> {
    for (id, digest) in &addition.known {
        let (kind, server, workload, point) = columns(id);
        let query = sqlx::query(if digest.is_some() { LEARN } else { FORGET });
        let query = query.bind(server).bind(workload).bind(point).bind(kind);
        let query = match digest {
            Some(digest) => query.bind(digest.as_slice()),
            None => query,
        };
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Kinds of a Cloud Connect server's things begin here.
const CLOUD: i64 = 20;

/// What has no workload has its own key in that place.
fn columns(id: &ObjectId) -> (i64, &str, &str, &str) {
    match id {
        ObjectId::Server(server) => (1, server, "", ""),
        ObjectId::Workload(server, workload) => (2, server, workload, ""),
        ObjectId::RestorePoint(server, workload, point) => (3, server, workload, point),
        ObjectId::Repository(server, key) => (4, server, key, ""),
        ObjectId::Job(server, key) => (5, server, key, ""),
        ObjectId::Backup(server, workload, key) => (6, server, workload, key),
        ObjectId::License(server) => (7, server, "", ""),
        ObjectId::Session(server, key) => (8, server, key, ""),
        ObjectId::Machine => (9, "", "", ""),
        ObjectId::Vb365(key) => (10, "", key, ""),
        ObjectId::Cloud(kind, server, key, second) => {
            let place = CloudKind::ALL.iter().position(|one| one == kind).unwrap_or_default();
            (CLOUD + i64::try_from(place).unwrap_or_default(), server, key, second)
        }
    }
}

/// What a row is about; nothing, if it is of a kind that this agent does not know.
pub(super) fn object_id(kind: i64, server: String, workload: String, point: String) -> Option<ObjectId> {
    Some(match kind {
        1 => ObjectId::Server(server),
        2 => ObjectId::Workload(server, workload),
        3 => ObjectId::RestorePoint(server, workload, point),
        4 => ObjectId::Repository(server, workload),
        5 => ObjectId::Job(server, workload),
        6 => ObjectId::Backup(server, workload, point),
        7 => ObjectId::License(server),
        8 => ObjectId::Session(server, workload),
        9 => ObjectId::Machine,
        10 => ObjectId::Vb365(workload),
        _ => {
            let kind = *CloudKind::ALL.get(usize::try_from(kind - CLOUD).ok()?)?;
            ObjectId::Cloud(kind, server, workload, point)
        }
    })
}
