//! The pages that are measured, each three times over: for the list engine, for the API, and by hand.

use keelson::clock::{Clock as _, DAY, SystemClock};
use keelson::store::list::{Collation, Comparison, Condition, ListQuery, Resource, Sort, Value};
use keelson::store::{COMPANIES, COMPUTERS, LATEST_VIRTUAL_MACHINE_POINTS, LOCATION_USAGE, usage_on};
use uuid::Uuid;

/// A page, three times over.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// For the engine.
    pub(super) resource: &'static Resource,
    pub(super) query: ListQuery,
    /// For the API.
    pub(super) path: String,
    /// By hand: the statements of the page, and the one that counts the list, where a page needs one.
    pub(super) page: Vec<String>,
    pub(super) count: Option<&'static str>,
    /// How many rows the page has.
    pub(super) rows: usize,
}

fn sort(resource: &Resource, name: &str, descending: bool) -> Vec<Sort> {
    let property = *resource.property(name).expect("a property");
    vec![Sort { property, descending, collation: Collation::Ordinal }]
}

/// The names of all companies, from the first.
pub(super) fn companies() -> Case {
    Case {
        name: "companies",
        resource: &COMPANIES,
        query: ListQuery { sort: sort(&COMPANIES, "name", false), ..ListQuery::default() },
        path: r#"/organizations/companies?limit=100&sort=[{"property":"name","direction":"ascending"}]"#.to_owned(),
        page: vec!["SELECT c.uid, o.name, c.status, c.reseller_uid, c.subscription_plan_uid, c.alarm_detect_enabled, \
            c.rest_access_enabled, coalesce((SELECT min(u.name) FROM users u WHERE u.organization_uid = c.uid AND \
            u.role = 'CompanyOwner'), c.owner_name), c.hosted_services, c.hosted_public_cloud, c.remote_services, \
            c.remote_backup_resources, c.remote_public_cloud, c.agents_managed, c.agents_hard_quota, c.server_agents_quota, \
            c.workstation_agents_quota, c.servers_managed, c.servers_quota, c.vb365_managed, c.vb365_quota \
            FROM companies c JOIN organizations o ON o.uid = c.uid ORDER BY o.name, c.uid LIMIT 100"
            .to_owned()],
        count: Some("SELECT count(*) FROM companies"),
        rows: 100,
    }
}

/// Servers by the age of their newest restore point, far from the first.
pub(super) fn workloads(deep: u32) -> Case {
    let property = *COMPUTERS.property("operationMode").expect("a property");
    let filter = Condition::Compare {
        property,
        comparison: Comparison::Equals,
        value: Value::Text("Server".to_owned()),
        collation: Collation::Ordinal,
    };
    let sort = sort(&COMPUTERS, "latestRestorePointDate", false);
    Case {
        name: "workloads.deep",
        resource: &COMPUTERS,
        query: ListQuery { filter, sort, limit: 100, offset: deep },
        path: format!(
            r#"/protectedWorkloads/computersManagedByConsole?limit=100&offset={deep}&filter=[{{"property":"operationMode","operation":"equals","value":"Server"}}]&sort=[{{"property":"latestRestorePointDate","direction":"ascending"}}]"#
        ),
        page: vec![format!(
            "SELECT w.uid, w.company_uid, w.name, w.operation_mode, w.jobs, w.newest_restore_point FROM workloads w \
             WHERE w.kind = 'computer' AND w.gone_at IS NULL AND w.operation_mode = 'Server' \
             ORDER BY w.newest_restore_point NULLS FIRST, w.uid LIMIT 100 OFFSET {deep}"
        )],
        count: Some(
            "SELECT count(*) FROM workloads w WHERE w.kind = 'computer' AND w.gone_at IS NULL AND w.operation_mode = 'Server'",
        ),
        rows: 100,
    }
}

/// The newest restore points of all machines, the newest first.
pub(super) fn points() -> Case {
    Case {
        name: "points.latest",
        resource: &LATEST_VIRTUAL_MACHINE_POINTS,
        query: ListQuery {
            sort: sort(&LATEST_VIRTUAL_MACHINE_POINTS, "backupCreationTime", true),
            ..ListQuery::default()
        },
        path: r#"/protectedWorkloads/virtualMachines/backupRestorePoints/latest?limit=100&sort=[{"property":"backupCreationTime","direction":"descending"}]"#.to_owned(),
        page: vec!["SELECT r.uid, r.workload_uid, r.server_uid, r.backup_uid, r.job_uid, r.repository_uid, r.file_path, r.size, \
            r.provisioned_size, r.used_size, r.increment_size, r.cpu_cores, r.memory, r.created_at, r.file_created_at, \
            r.immutable_till, r.consistent, r.gfs, r.tier, r.malware_state FROM restore_points r \
            WHERE r.kind = 'virtual_machine' AND r.latest ORDER BY r.created_at DESC NULLS LAST, r.uid LIMIT 100"
            .to_owned()],
        count: Some("SELECT count(*) FROM restore_points r WHERE r.kind = 'virtual_machine' AND r.latest"),
        rows: 100,
    }
}

/// What one company uses today, by location. By hand: one statement a table, grouped by location, as somebody would write it who
/// needs just this.
pub(super) fn usage(company: Uuid, rows: usize, sqlite: bool) -> Case {
    let now = SystemClock.now_ms();
    let resource = usage_on(now - now.rem_euclid(DAY), &LOCATION_USAGE, &[]);
    let property = *resource.property("companyUid").expect("a property");
    let (comparison, value) = (Comparison::Equals, Value::Uuid(company));
    let filter = Condition::Compare { property, comparison, value, collation: Collation::Ordinal };
    let id = if sqlite { format!("x'{}'", company.simple()) } else { format!("'{company}'::uuid") };
    let tally = |condition: &str| format!("count(CASE WHEN {condition} THEN 1 END)");
    let agent = "w.kind IN ('computer', 'managed_computer')";
    let system = |name: &str| format!("{agent} AND coalesce(w.platform, a.platform) = '{name}'");
    let workloads = [
        tally("w.kind = 'virtual_machine'"),
        tally("w.kind = 'virtual_machine' AND w.newest_restore_point IS NOT NULL"),
        tally(&format!("{agent} AND w.operation_mode = 'Server'")),
        tally(&format!("{agent} AND w.operation_mode = 'Workstation'")),
        tally(&format!("{} AND w.operation_mode <> 'Workstation'", system("Windows"))),
        tally(&format!("{} AND w.operation_mode = 'Workstation'", system("Windows"))),
        tally(&system("Linux")),
        tally(&system("Mac")),
        "sum(CASE WHEN w.kind IN ('virtual_machine', 'managed_computer') THEN w.total_size END)".to_owned(),
        tally("w.kind = 'file_share'"),
        "sum(CASE WHEN w.kind = 'file_share' THEN w.total_size - w.archive_size END)".to_owned(),
        "sum(CASE WHEN w.kind = 'file_share' THEN w.archive_size END)".to_owned(),
        "sum(CASE WHEN w.kind = 'file_share' THEN w.used_size END)".to_owned(),
    ];
    let page = vec![
        format!(
            "SELECT l.uid, c.reseller_uid FROM locations l JOIN companies c ON c.uid = l.company_uid WHERE c.uid = {id} ORDER BY l.uid"
        ),
        format!(
            "SELECT a.location_uid, {} FROM workloads w JOIN agents a ON a.uid = w.agent_uid WHERE w.company_uid = {id} \
             AND w.gone_at IS NULL GROUP BY a.location_uid",
            workloads.join(", ")
        ),
        format!(
            "SELECT a.location_uid, o.type, o.educational, count(*) FROM vb365_objects o JOIN agents a ON a.uid = o.agent_uid \
             WHERE o.company_uid = {id} GROUP BY a.location_uid, o.type, o.educational"
        ),
        format!(
            "SELECT sum(b.vm_backups), sum(b.server_backups), sum(b.workstation_backups), sum(b.used_space), sum(b.performance_tier), \
             sum(b.capacity_tier), sum(b.archive_tier) FROM tenant_backup_resources b JOIN cloud_tenants t ON t.uid = b.tenant_uid \
             WHERE t.company_uid = {id}"
        ),
        format!("SELECT sum(t.data_out), sum(t.data_in) FROM cloud_tenants t WHERE t.company_uid = {id}"),
        format!(
            "SELECT sum(p.vms), sum(p.storage) FROM tenant_replication_usages p JOIN cloud_tenants t ON t.uid = p.tenant_uid \
             WHERE t.company_uid = {id}"
        ),
    ];
    let path = format!("/organizations/companies/{company}/usage");
    Case {
        name: "usage.company",
        resource,
        query: ListQuery { filter, ..ListQuery::default() },
        path,
        page,
        count: None,
        rows,
    }
}
