//! What names a reported object, and how its end is told.

use keelson_proto::v1::cloud::What;
use keelson_proto::v1::cloud_gone::What as Gone;
use keelson_proto::v1::record::Kind;
use keelson_proto::v1::{
    BackupGone, Cloud, CloudBackupResourceKey, CloudGone, CloudReplicationUsageKey, JobGone, LicenseGone,
    RepositoryGone, RestorePointGone, Vb365ObjectGone, WorkloadGone,
};

/// Names one reported object by its engine's keys. Their order is that in which they may come: ends are told backwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectId {
    /// The machine that the agent runs on.
    Machine,
    /// The server's key.
    Server(String),
    /// Server.
    License(String),
    /// Server and repository.
    Repository(String, String),
    /// Server and job.
    Job(String, String),
    /// Server and workload.
    Workload(String, String),
    /// Server, workload and backup.
    Backup(String, String, String),
    /// Server, workload and restore point.
    RestorePoint(String, String, String),
    /// Server and session.
    Session(String, String),
    /// Of a Microsoft 365 server.
    Vb365(String),
    /// Of a Cloud Connect server: server, the thing's key, or its tenant's and its own.
    Cloud(CloudKind, String, String, String),
}

/// What a Cloud Connect server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloudKind {
    /// The site itself.
    Site,
    /// A pool of gateways.
    GatewayPool,
    /// A gateway.
    Gateway,
    /// A repository.
    Repository,
    /// A WAN accelerator.
    WanAccelerator,
    /// A tenant.
    Tenant,
    /// A tenant's share of a repository.
    BackupResource,
    /// What a tenant may replicate to.
    Replication,
    /// What a tenant uses of a plan.
    ReplicationUsage,
    /// A tenant's backup.
    Backup,
}

impl CloudKind {
    /// All of them; their places are what a spool stores.
    pub const ALL: [Self; 10] = [
        Self::Site,
        Self::GatewayPool,
        Self::Gateway,
        Self::Repository,
        Self::WanAccelerator,
        Self::Tenant,
        Self::BackupResource,
        Self::Replication,
        Self::ReplicationUsage,
        Self::Backup,
    ];
}

/// How the host learns that an object is no more.
pub(super) enum End {
    /// By a record.
    Told(Box<Kind>),
    /// Not at all: it was an event.
    Untold,
    /// By a new epoch alone.
    Epoch,
}

/// What a record speaks of; `None`: of no object.
pub(crate) fn of(kind: &Kind) -> Option<ObjectId> {
    let id = match kind {
        Kind::Machine(_) => ObjectId::Machine,
        Kind::Server(server) => ObjectId::Server(server.key.clone()),
        Kind::License(license) => ObjectId::License(license.server_key.clone()),
        Kind::Repository(one) => ObjectId::Repository(one.server_key.clone(), one.key.clone()),
        Kind::Job(one) => ObjectId::Job(one.server_key.clone(), one.key.clone()),
        Kind::Workload(one) => ObjectId::Workload(one.server_key.clone(), one.key.clone()),
        Kind::Backup(one) => {
            ObjectId::Backup(one.server_key.clone(), one.workload_key.clone(), one.key.clone())
        }
        Kind::RestorePoint(one) => {
            ObjectId::RestorePoint(one.server_key.clone(), one.workload_key.clone(), one.key.clone())
        }
        Kind::Session(one) => ObjectId::Session(one.server_key.clone(), one.key.clone()),
        Kind::Vb365Object(one) => ObjectId::Vb365(one.key.clone()),
        Kind::Cloud(cloud) => return of_cloud(cloud),
        Kind::LicenseGone(_)
        | Kind::RepositoryGone(_)
        | Kind::JobGone(_)
        | Kind::WorkloadGone(_)
        | Kind::BackupGone(_)
        | Kind::RestorePointGone(_)
        | Kind::Vb365ObjectGone(_)
        | Kind::InventoryComplete(_)
        | Kind::Gap(_) => return None,
    };
    Some(id)
}

fn of_cloud(cloud: &Cloud) -> Option<ObjectId> {
    let (kind, key, second) = match cloud.what.as_ref()? {
        What::Site(_) => (CloudKind::Site, "", ""),
        What::GatewayPool(one) => (CloudKind::GatewayPool, one.key.as_str(), ""),
        What::Gateway(one) => (CloudKind::Gateway, one.key.as_str(), ""),
        What::Repository(one) => (CloudKind::Repository, one.key.as_str(), ""),
        What::WanAccelerator(one) => (CloudKind::WanAccelerator, one.key.as_str(), ""),
        What::Tenant(one) => (CloudKind::Tenant, one.key.as_str(), ""),
        What::BackupResource(one) => (CloudKind::BackupResource, one.tenant_key.as_str(), one.key.as_str()),
        What::Replication(one) => (CloudKind::Replication, one.tenant_key.as_str(), ""),
        What::ReplicationUsage(one) => {
            (CloudKind::ReplicationUsage, one.tenant_key.as_str(), one.plan_key.as_str())
        }
        What::Backup(one) => (CloudKind::Backup, one.key.as_str(), ""),
        What::Gone(_) => return None,
    };
    Some(ObjectId::Cloud(kind, cloud.server_key.clone(), key.to_owned(), second.to_owned()))
}

/// How to tell the host that an object is no more.
pub(super) fn end(id: &ObjectId) -> End {
    let kind = match id.clone() {
        // A machine that is no longer described, and a site that is none any more, are other machines.
        ObjectId::Machine | ObjectId::Server(_) | ObjectId::Cloud(CloudKind::Site, ..) => return End::Epoch,
        ObjectId::Session(..) => return End::Untold,
        ObjectId::License(server_key) => Kind::LicenseGone(LicenseGone { server_key }),
        ObjectId::Repository(server_key, key) => Kind::RepositoryGone(RepositoryGone { server_key, key }),
        ObjectId::Job(server_key, key) => Kind::JobGone(JobGone { server_key, key }),
        ObjectId::Workload(server_key, key) => Kind::WorkloadGone(WorkloadGone { server_key, key }),
        ObjectId::Backup(server_key, workload_key, key) => {
            Kind::BackupGone(BackupGone { server_key, workload_key, key })
        }
        ObjectId::RestorePoint(server_key, workload_key, key) => {
            Kind::RestorePointGone(RestorePointGone { server_key, workload_key, key })
        }
        ObjectId::Vb365(key) => Kind::Vb365ObjectGone(Vb365ObjectGone { key }),
        ObjectId::Cloud(kind, server_key, key, second) => {
            let what = Some(What::Gone(CloudGone { what: Some(gone(kind, key, second)) }));
            Kind::Cloud(Box::new(Cloud { server_key, what }))
        }
    };
    End::Told(Box::new(kind))
}

fn gone(kind: CloudKind, key: String, second: String) -> Gone {
    match kind {
        // `end` asks for none of a site.
        CloudKind::Site | CloudKind::GatewayPool => Gone::GatewayPoolKey(key),
        CloudKind::Gateway => Gone::GatewayKey(key),
        CloudKind::Repository => Gone::RepositoryKey(key),
        CloudKind::WanAccelerator => Gone::WanAcceleratorKey(key),
        CloudKind::Tenant => Gone::TenantKey(key),
        CloudKind::BackupResource => {
            Gone::BackupResource(CloudBackupResourceKey { tenant_key: key, key: second })
        }
        CloudKind::Replication => Gone::ReplicationKey(key),
        CloudKind::ReplicationUsage => {
            Gone::ReplicationUsage(CloudReplicationUsageKey { tenant_key: key, plan_key: second })
        }
        CloudKind::Backup => Gone::BackupKey(key),
    }
}
