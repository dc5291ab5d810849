//! Workloads, as reported: what is backed up. A workload's kind is for life: its restore points repeat it.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::list::Value;
use super::super::{StoreError, Tx};
use super::{Of, json_list};

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::workloads::PUT",
    fixed: &[("now", Type::Int)],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("kind", Type::Text),
        ("operation_mode", Type::Text),
        ("backed_up_items", Type::Text),
    ],
    text: "INSERT INTO workloads (uid, server_uid, agent_uid, company_uid, account_uid, key, name, name_folded, kind, \
        operation_mode, backed_up_items, first_seen, restore_points, epoch) \
        SELECT uid, server_uid, input.agent_uid, input.company_uid, (SELECT a.account_uid FROM agents a WHERE a.uid = input.agent_uid), key, name, \
        name_folded, kind, operation_mode, backed_up_items, :now, 0, input.epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET name = excluded.name, name_folded = excluded.name_folded, \
        operation_mode = excluded.operation_mode, backed_up_items = excluded.backed_up_items, \
        epoch = excluded.epoch, gone_at = NULL",
};

const PUT_DETAILED: BulkStatement = BulkStatement {
    name: "store::infrastructure::workloads::PUT_DETAILED",
    fixed: &[("now", Type::Int)],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("uid", Type::Uuid),
        ("server_uid", Type::Uuid),
        ("key", Type::Text),
        ("name", Type::Text),
        ("name_folded", Type::Text),
        ("kind", Type::Text),
        ("operation_mode", Type::Text),
        ("backed_up_items", Type::Text),
        ("job_uid", Type::Uuid),
        ("object_uid", Type::Uuid),
        ("source_uid", Type::Uuid),
        ("platform", Type::Text),
        ("guest_os", Type::Text),
        ("ip_addresses", Type::Text),
        ("protection_groups", Type::Text),
        ("hierarchy_ref", Type::Text),
        ("parent_host_ref", Type::Text),
        ("malware_state", Type::Text),
        ("immutable", Type::Flag),
        ("jobs", Type::Int),
        ("provisioned_size", Type::Int),
        ("used_size", Type::Int),
    ],
    // A job of a hosted server that was mapped to a company takes its workloads along.
    text: "INSERT INTO workloads (uid, server_uid, agent_uid, company_uid, account_uid, key, name, name_folded, kind, \
        operation_mode, backed_up_items, job_uid, object_uid, source_uid, platform, guest_os, ip_addresses, \
        protection_groups, hierarchy_ref, parent_host_ref, malware_state, immutable, jobs, provisioned_size, used_size, \
        first_seen, restore_points, epoch) \
        SELECT uid, server_uid, input.agent_uid, \
        coalesce((SELECT j.mapped_company_uid FROM backup_jobs j WHERE j.uid = input.job_uid), input.company_uid), \
        (SELECT a.account_uid FROM agents a WHERE a.uid = input.agent_uid), key, name, name_folded, kind, operation_mode, \
        backed_up_items, job_uid, object_uid, source_uid, platform, guest_os, ip_addresses, protection_groups, \
        hierarchy_ref, parent_host_ref, malware_state, immutable, jobs, provisioned_size, used_size, \
        :now, 0, input.epoch FROM input WHERE 1 = 1 \
        ON CONFLICT (uid) DO UPDATE SET company_uid = excluded.company_uid, name = excluded.name, \
        name_folded = excluded.name_folded, operation_mode = excluded.operation_mode, \
        backed_up_items = excluded.backed_up_items, job_uid = excluded.job_uid, object_uid = excluded.object_uid, \
        source_uid = excluded.source_uid, platform = excluded.platform, guest_os = excluded.guest_os, \
        ip_addresses = excluded.ip_addresses, protection_groups = excluded.protection_groups, \
        hierarchy_ref = excluded.hierarchy_ref, parent_host_ref = excluded.parent_host_ref, \
        malware_state = excluded.malware_state, immutable = excluded.immutable, jobs = excluded.jobs, \
        provisioned_size = excluded.provisioned_size, used_size = excluded.used_size, \
        epoch = excluded.epoch, gone_at = NULL",
};

// What hangs on a workload whose job moved to another company goes with it.
const POINTS_FOLLOW: BulkStatement = BulkStatement {
    name: "store::infrastructure::workloads::POINTS_FOLLOW",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "UPDATE restore_points SET company_uid = w.company_uid FROM workloads w, input \
        WHERE w.uid = input.uid AND restore_points.workload_uid = w.uid AND restore_points.company_uid <> w.company_uid",
};

const BACKUPS_FOLLOW: BulkStatement = BulkStatement {
    name: "store::infrastructure::workloads::BACKUPS_FOLLOW",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "UPDATE workload_backups SET company_uid = w.company_uid FROM workloads w, input WHERE w.uid = input.uid \
        AND workload_backups.workload_uid = w.uid AND workload_backups.company_uid <> w.company_uid",
};

const MARK_GONE: BulkStatement = BulkStatement {
    name: "store::infrastructure::workloads::MARK_GONE",
    fixed: &[("now", Type::Int)],
    columns: &[("uid", Type::Uuid)],
    text: "UPDATE workloads SET gone_at = :now WHERE uid IN (SELECT uid FROM input) AND gone_at IS NULL",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, PUT_DETAILED, POINTS_FOLLOW, BACKUPS_FOLLOW, MARK_GONE];

/// A workload, as reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadFact {
    /// The server's key.
    pub server: String,
    /// The engine's own id.
    pub key: String,
    /// For people.
    pub name: String,
    /// `computer` (backed up by an engine on it), `managed_computer` (by an agent of a backup server), `virtual_machine`,
    /// `file_share`; an open set.
    pub kind: String,
    /// `Server`, `Workstation`, `Unknown`.
    pub operation_mode: String,
    /// In words.
    pub backed_up_items: String,
    /// What only some engines know.
    pub details: Option<Box<WorkloadDetails>>,
}

/// What only some engines know of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadDetails {
    /// The key of the job that protects it.
    pub job: Option<String>,
    /// Its key in the hypervisor's inventory.
    pub object: Option<String>,
    /// The key of the machine that it is a backup of.
    pub source: Option<String>,
    /// A word of the API's platform types: `Windows`, `Linux`, `Mac`.
    pub platform: Option<String>,
    /// In the system's words.
    pub guest_os: Option<String>,
    /// All of them.
    pub ip_addresses: Vec<String>,
    /// The keys of the protection groups that it is in.
    pub protection_groups: Vec<String>,
    /// In the hypervisor's words.
    pub hierarchy_ref: Option<String>,
    /// The host it runs on, in the hypervisor's words.
    pub parent_host_ref: Option<String>,
    /// A word of the API's `MalwareState`; empty: unknown.
    pub malware_state: String,
    /// Some of its backups cannot be changed for a time.
    pub immutable: bool,
    /// How many jobs protect it.
    pub jobs: i64,
    /// Bytes that the machine was given.
    pub provisioned_size: Option<i64>,
    /// Bytes that it uses.
    pub used_size: Option<i64>,
}

/// Stores new or changed workloads; which.
pub(in crate::store) async fn put(
    tx: &mut Tx,
    now: i64,
    facts: &[Of<'_, WorkloadFact>],
) -> Result<Vec<Uuid>, StoreError> {
    let fixed = [Value::Integer(now)];
    let plain: Vec<_> = facts.iter().filter(|of| of.fact.details.is_none()).collect();
    let columns = columns!(plain, &Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.workload(&fact.server, &fact.key),
        Uuid source.server(&fact.server),
        Text fact.key.clone(),
        Text fact.name.clone(),
        Text fact.name.to_lowercase(),
        Text fact.kind.clone(),
        Text fact.operation_mode.clone(),
        Text fact.backed_up_items.clone(),
    });
    PUT.execute(tx, &fixed, &columns).await?;
    let detailed: Vec<_> =
        facts.iter().filter_map(|of| of.fact.details.as_deref().map(|details| (of, details))).collect();
    if !detailed.is_empty() {
        put_detailed(tx, &fixed, &detailed).await?;
    }
    Ok(facts.iter().map(|Of { source, fact }| source.workload(&fact.server, &fact.key)).collect())
}

async fn put_detailed(
    tx: &mut Tx,
    fixed: &[Value],
    facts: &[(&Of<'_, WorkloadFact>, &WorkloadDetails)],
) -> Result<(), StoreError> {
    let part = |of: &Of<'_, WorkloadFact>, kind: &str, key: &Option<String>| {
        key.as_deref().map(|key| of.source.part(&of.fact.server, kind, key))
    };
    let groups = |of: &Of<'_, WorkloadFact>, details: &WorkloadDetails| {
        let groups = details.protection_groups.iter();
        let groups = groups.map(|key| of.source.part(&of.fact.server, "protection-group", key));
        json_list(&groups.collect::<Vec<_>>())
    };
    let columns = columns!(facts, (of @ Of { source, fact }, details) => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.workload(&fact.server, &fact.key),
        Uuid source.server(&fact.server),
        Text fact.key.clone(),
        Text fact.name.clone(),
        Text fact.name.to_lowercase(),
        Text fact.kind.clone(),
        Text fact.operation_mode.clone(),
        Text fact.backed_up_items.clone(),
        MaybeUuid details.job.as_deref().map(|job| source.job(&fact.server, job)),
        MaybeUuid part(of, "object", &details.object),
        MaybeUuid part(of, "machine", &details.source),
        MaybeText details.platform.clone(),
        MaybeText details.guest_os.clone(),
        Text json_list(&details.ip_addresses),
        Text groups(of, details),
        MaybeText details.hierarchy_ref.clone(),
        MaybeText details.parent_host_ref.clone(),
        Text super::known(&details.malware_state),
        Flag details.immutable,
        Int details.jobs,
        MaybeInt details.provisioned_size,
        MaybeInt details.used_size,
    });
    PUT_DETAILED.execute(tx, fixed, &columns).await?;
    let uids: Vec<_> =
        facts.iter().map(|(Of { source, fact }, _)| source.workload(&fact.server, &fact.key)).collect();
    POINTS_FOLLOW.execute(tx, &[], &[Column::Uuid(uids.clone())]).await?;
    BACKUPS_FOLLOW.execute(tx, &[], &[Column::Uuid(uids)]).await?;
    Ok(())
}

/// Notes that workloads are no more: (server, key); which. The alarm pass takes them away.
pub(in crate::store) async fn mark_gone(
    tx: &mut Tx,
    now: i64,
    gone: &[Of<'_, (String, String)>],
) -> Result<Vec<Uuid>, StoreError> {
    let workloads: Vec<_> =
        gone.iter().map(|Of { source, fact: (server, key) }| source.workload(server, key)).collect();
    MARK_GONE.execute(tx, &[Value::Integer(now)], &[Column::Uuid(workloads.clone())]).await?;
    Ok(workloads)
}
