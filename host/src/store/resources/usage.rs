//! What companies and resellers use, counted from what is there when somebody asks: a row a location, or a reseller, for the
//! current day. Each table is read once for a row, whatever is counted of it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::store::list::{Kind, Property, Reach, Resource};
use crate::store::sums::sum;

/// One element of `counters`.
macro_rules! counter {
    ($kind:literal, $value:expr) => {
        concat!("'{\"type\":\"", $kind, "\",\"value\":' || ", $value, " || '}'")
    };
}

/// A sum of nothing is none.
macro_rules! total {
    ($of:expr) => {
        concat!("coalesce(", sum!($of), ", 0)")
    };
}

macro_rules! tally {
    ($condition:expr) => {
        concat!("count(CASE WHEN ", $condition, " THEN 1 END)")
    };
}

/// Counters of one table, with commas between them.
macro_rules! counters {
    ($first:expr $(, $more:expr)* $(,)?) => { concat!($first $(, " || ',' || ", $more)*) };
}

/// Of `workloads w JOIN agents a`.
macro_rules! of_workloads {
    () => {
        counters!(
            counter!("ManagedVms", tally!("w.kind = 'virtual_machine'")),
            counter!("BackedupVms", tally!("w.kind = 'virtual_machine' AND w.newest_restore_point IS NOT NULL")),
            counter!("ManagedServerAgents", tally!("w.kind IN ('computer', 'managed_computer') AND w.operation_mode = 'Server'")),
            counter!(
                "ManagedWorkstationAgents",
                tally!("w.kind IN ('computer', 'managed_computer') AND w.operation_mode = 'Workstation'")
            ),
            counter!(
                "ManagedAgentsWindowsServerOS",
                tally!("w.kind IN ('computer', 'managed_computer') AND coalesce(w.platform, a.platform) = 'Windows' \
                    AND w.operation_mode <> 'Workstation'")
            ),
            counter!(
                "ManagedAgentsWindowsDesktopOS",
                tally!("w.kind IN ('computer', 'managed_computer') AND coalesce(w.platform, a.platform) = 'Windows' \
                    AND w.operation_mode = 'Workstation'")
            ),
            counter!(
                "ManagedAgentsLinuxOS",
                tally!("w.kind IN ('computer', 'managed_computer') AND coalesce(w.platform, a.platform) = 'Linux'")
            ),
            counter!(
                "ManagedAgentsMacOS",
                tally!("w.kind IN ('computer', 'managed_computer') AND coalesce(w.platform, a.platform) = 'Mac'")
            ),
            counter!("VbrBackupSize", total!("CASE WHEN w.kind IN ('virtual_machine', 'managed_computer') THEN w.total_size END")),
            counter!("ProtectedFileShares", tally!("w.kind = 'file_share'")),
            counter!("FileShareBackupSize", total!("CASE WHEN w.kind = 'file_share' THEN w.total_size - w.archive_size END")),
            counter!("FileShareArchiveSize", total!("CASE WHEN w.kind = 'file_share' THEN w.archive_size END")),
            counter!("FileShareSourceSize", total!("CASE WHEN w.kind = 'file_share' THEN w.used_size END")),
        )
    };
}

/// Of `vb365_objects o`.
macro_rules! of_vb365 {
    () => {
        counters!(
            counter!("Vb365ProtectedUsers", tally!("o.type = 'User'")),
            counter!("Vb365ProtectedEducationalUsers", tally!("o.type = 'User' AND o.educational")),
            counter!("Vb365ProtectedGroups", tally!("o.type = 'Group'")),
            counter!("Vb365ProtectedSites", tally!("o.type = 'Site'")),
            counter!("Vb365ProtectedTeams", tally!("o.type = 'Teams'")),
        )
    };
}

/// Of `tenant_backup_resources b`.
macro_rules! of_resources {
    () => {
        counters!(
            counter!("VmCloudBackups", total!("b.vm_backups")),
            counter!("ServerCloudBackups", total!("b.server_backups")),
            counter!("WorkstationCloudBackups", total!("b.workstation_backups")),
            counter!("CloudTotalUsage", total!("b.used_space")),
            counter!("CloudPerformanceTierBackupSize", total!("b.performance_tier")),
            counter!("CloudCapacityTierBackupSize", total!("b.capacity_tier")),
            counter!("CloudArchiveTierBackupSize", total!("b.archive_tier")),
        )
    };
}

/// Of `cloud_tenants t`.
macro_rules! of_tenants {
    () => {
        counters!(
            counter!("VbrCloudBackupsDataTransferOut", total!("t.data_out")),
            counter!("VbrCloudBackupsDataTransferIn", total!("t.data_in")),
        )
    };
}

/// Of `tenant_replication_usages p`.
macro_rules! of_replicas {
    () => {
        counters!(
            counter!("VmCloudReplicas", total!("p.vms")),
            counter!("VmCloudReplicaStorageUsage", total!("p.storage"))
        )
    };
}

/// All counters, from tables that `$which` limits: a join and a condition over the company `{}`.
macro_rules! all {
    ($workloads:literal, $vb365:literal, $tenants:literal) => {
        concat!(
            "'[' || (SELECT ",
            of_workloads!(),
            " FROM workloads w JOIN agents a ON a.uid = w.agent_uid ",
            $workloads,
            " AND w.gone_at IS NULL) || ',' || (SELECT ",
            of_vb365!(),
            " FROM vb365_objects o JOIN agents a ON a.uid = o.agent_uid ",
            $vb365,
            ") || ',' || (SELECT ",
            of_resources!(),
            " FROM tenant_backup_resources b JOIN cloud_tenants t ON t.uid = b.tenant_uid ",
            $tenants,
            ") || ',' || (SELECT ",
            of_tenants!(),
            " FROM cloud_tenants t ",
            $tenants,
            ") || ',' || (SELECT ",
            of_replicas!(),
            " FROM tenant_replication_usages p JOIN cloud_tenants t ON t.uid = p.tenant_uid ",
            $tenants,
            ") || ']'"
        )
    };
}

/// Cloud Connect and hosted servers count where the company has what the provider hosts, or else at its first location.
const OF_LOCATION: &str = all!(
    "WHERE w.company_uid = l.company_uid AND (a.location_uid = l.uid OR (a.company_uid <> l.company_uid AND l.uid = \
        (SELECT h.uid FROM locations h WHERE h.company_uid = l.company_uid \
        ORDER BY CASE h.type WHEN 'Hosted' THEN 0 ELSE 1 END, h.uid LIMIT 1)))",
    "WHERE o.company_uid = l.company_uid AND (a.location_uid = l.uid OR (a.company_uid <> l.company_uid AND l.uid = \
        (SELECT h.uid FROM locations h WHERE h.company_uid = l.company_uid \
        ORDER BY CASE h.type WHEN 'Hosted' THEN 0 ELSE 1 END, h.uid LIMIT 1)))",
    "WHERE t.company_uid = l.company_uid AND l.uid = (SELECT h.uid FROM locations h WHERE h.company_uid = l.company_uid \
        ORDER BY CASE h.type WHEN 'Hosted' THEN 0 ELSE 1 END, h.uid LIMIT 1)"
);

const OF_RESELLER: &str = all!(
    "JOIN companies c ON c.uid = w.company_uid WHERE c.reseller_uid = r.uid",
    "JOIN companies c ON c.uid = o.company_uid WHERE c.reseller_uid = r.uid",
    "JOIN companies c ON c.uid = t.company_uid WHERE c.reseller_uid = r.uid"
);

/// What companies use, by location; of the day that [`on`] says.
pub static LOCATION_USAGE: Resource = Resource {
    name: "LocationAggregatedUsage",
    table: "locations",
    key: "uid",
    from: "locations l JOIN companies c ON c.uid = l.company_uid",
    id: "l.uid",
    reach: Reach::organization("l.company_uid").location("l.uid IN ({})"),
    properties: &[
        Property::uuid("companyUid", "l.company_uid").indexed(),
        Property::uuid("locationUid", "l.uid").indexed(),
        Property::uuid("resellerUid", "c.reseller_uid").indexed(),
        Property::date("date", "CAST(0 AS BIGINT)"),
        Property::json("counters", OF_LOCATION),
    ],
};

/// What the companies of resellers use; of the day that [`on`] says.
pub static RESELLER_USAGE: Resource = Resource {
    name: "ResellerAggregatedUsage",
    table: "resellers",
    key: "uid",
    from: "resellers r",
    id: "r.uid",
    reach: Reach::organization("r.uid"),
    properties: &[
        Property::uuid("resellerUid", "r.uid").indexed(),
        Property::date("date", "CAST(0 AS BIGINT)"),
        Property::json("counters", OF_RESELLER),
    ],
};

type Days = BTreeMap<(&'static str, i64, usize), &'static Resource>;

/// A resource's columns are constants, and the day is one of them: a copy is made for each day on which somebody asks, and
/// kept, and for each version of the API that knows fewer counters. That is a few kilobytes a day.
static DAYS: LazyLock<Mutex<Days>> = LazyLock::new(Mutex::default);

/// One of the two above, of the day that begins at this instant, for a client that does not know these counters: the youngest,
/// so that their number says which they are.
pub fn on(day: i64, usage: &'static Resource, unknown: &'static [&'static str]) -> &'static Resource {
    let mut days = DAYS.lock().unwrap_or_else(PoisonError::into_inner);
    days.entry((usage.name, day, unknown.len())).or_insert_with(|| {
        let mut properties = usage.properties.to_vec();
        for property in &mut properties {
            let column = match property.kind {
                Kind::Date => format!("CAST({day} AS BIGINT)"),
                Kind::Json if !unknown.is_empty() => {
                    unknown.iter().fold(property.column.to_owned(), |column, word| {
                        column.replace(&format!("{{\"type\":\"{word}\""), "{\"type\":\"Unknown\"")
                    })
                }
                _ => continue,
            };
            property.column = Box::leak(column.into_boxed_str());
        }
        Box::leak(Box::new(Resource { properties: properties.leak(), ..*usage }))
    })
}
