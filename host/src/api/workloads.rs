//! Protected computers and their restore points.

use serde::Serialize;
use utoipa::{OpenApi, ToSchema};
use uuid::Uuid;

use crate::api::instant::Instant;
use crate::api::operations::Routes;
use crate::api::query::Offer;
use crate::model::{RestorePoint, Workload};

mod list;
mod restore_points;

const COMPUTER: Offer = Offer { schema: "ProtectedComputerManagedByConsole", expand: &[] };
const RESTORE_POINT: Offer = Offer { schema: "ProtectedComputerManagedByConsoleRestorePoint", expand: &[] };

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .add("GetProtectedComputersManagedByConsole", list::list)
        .add("GetProtectedComputersManagedByConsoleRestorePoints", restore_points::list)
}

/// Their documentation.
#[derive(Debug, OpenApi)]
#[openapi(paths(list::list, restore_points::list))]
pub(crate) struct Docs;

/// A computer that is backed up. Its id is `backupAgentUid`, which restore points name too.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProtectedComputerManagedByConsole {
    backup_agent_uid: Uuid,
    organization_uid: Uuid,
    name: String,
    #[schema(value_type = ProtectedComputerOperationMode)]
    operation_mode: String,
    /// Absent: never backed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_restore_point_date: Option<Instant>,
}

/// What a computer is used as.
#[derive(Debug, Clone, Copy, ToSchema)]
#[expect(dead_code, reason = "documents the words")]
enum ProtectedComputerOperationMode {
    Unknown,
    Server,
    Workstation,
}

/// A state that a computer can be restored to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProtectedComputerManagedByConsoleRestorePoint {
    instance_uid: Uuid,
    backup_agent_uid: Uuid,
    creation_date: Instant,
    /// Bytes stored, where the engine says.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i64>,
    /// Bytes protected, where the engine says.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_size: Option<i64>,
    destination: String,
    backedup_items: String,
}

impl From<Workload> for ProtectedComputerManagedByConsole {
    fn from(workload: Workload) -> Self {
        Self {
            backup_agent_uid: workload.uid.0,
            organization_uid: workload.company_uid.0,
            name: workload.name,
            operation_mode: workload.operation_mode,
            latest_restore_point_date: workload.newest_restore_point.map(Instant),
        }
    }
}

impl From<RestorePoint> for ProtectedComputerManagedByConsoleRestorePoint {
    fn from(point: RestorePoint) -> Self {
        Self {
            instance_uid: point.uid.0,
            backup_agent_uid: point.workload_uid.0,
            creation_date: Instant(point.created_at),
            size: point.size,
            source_size: point.source_size,
            destination: point.destination,
            backedup_items: point.backed_up_items,
        }
    }
}
