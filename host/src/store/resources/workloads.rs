//! What is protected, and the states it can be restored to.

use crate::store::list::{Property, Reach, Resource};

/// Computers managed by the console. Their id is `backupAgentUid`, which restore points name too.
pub static COMPUTERS: Resource = Resource {
    name: "ProtectedComputerManagedByConsole",
    table: "workloads",
    key: "uid",
    from: "workloads w JOIN agents a ON a.uid = w.agent_uid WHERE w.kind = 'computer' AND w.gone_at IS NULL",
    id: "w.uid",
    reach: Reach::organization("w.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("backupAgentUid", "w.uid"),
        Property::uuid("organizationUid", "w.company_uid").indexed(),
        Property::text("name", "w.name").folded("w.name_folded"),
        Property::code("operationMode", "w.operation_mode"),
        Property::instant("latestRestorePointDate", "w.newest_restore_point"),
    ],
};

/// Restore points of those computers.
pub static RESTORE_POINTS: Resource = Resource {
    name: "ProtectedComputerManagedByConsoleRestorePoint",
    table: "restore_points",
    key: "uid",
    from: "restore_points r JOIN workloads w ON w.uid = r.workload_uid JOIN agents a ON a.uid = w.agent_uid \
        WHERE w.kind = 'computer' AND w.gone_at IS NULL",
    id: "r.uid",
    reach: Reach::organization("w.company_uid").location("a.location_uid IN ({})"),
    properties: &[
        Property::uuid("instanceUid", "r.uid"),
        Property::uuid("backupAgentUid", "r.workload_uid").indexed(),
        Property::instant("creationDate", "r.created_at"),
        Property::integer("size", "r.size"),
        Property::integer("sourceSize", "r.source_size"),
        Property::text("destination", "r.destination"),
        Property::text("backedupItems", "w.backed_up_items"),
    ],
};
