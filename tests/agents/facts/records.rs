//! Records of every kind, hand-made.

use keelson_proto::v1::cloud::What;
use keelson_proto::v1::cloud_gone::What as Gone;
use keelson_proto::v1::record::Kind;
use keelson_proto::v1::{
    Backup, Cloud, CloudBackup, CloudBackupResource, CloudGateway, CloudGatewayPool, CloudGone,
    CloudReplication, CloudReplicationUsage, CloudRepository, CloudSite, CloudTenant, CopyJob, Job,
    JobSession, License, Machine, Record, Repository, RestorePoint, RestorePointDetails, Vb365Object,
    Workload, WorkloadDetails, cloud_replication, job,
};

pub(super) const INSTANT: i64 = 1_795_000_000_000;

pub(super) fn record(kind: Kind) -> Record {
    Record { kind: Some(kind) }
}

pub(super) fn license() -> Record {
    record(Kind::License(Box::new(License {
        server_key: "s".into(),
        r#type: "Rental".into(),
        status: "Valid".into(),
        company: "Bakery".into(),
        license_ids: vec!["6f1c2d8e-1111-4222-8333-944445555666".into(), "none".into()],
        support_ids: vec!["00112233".into()],
        expires_at: Some(INSTANT),
        unit_type: "Points".into(),
        units: Some(100.0),
        used_units: Some(17.5),
        sockets: Some(f64::NAN),
        ..License::default()
    })))
}

pub(super) fn machine() -> Record {
    record(Kind::Machine(Box::new(Machine {
        fqdn: "vbr.bakery.test".into(),
        guest_os_type: "Server".into(),
        reboot_required: true,
        ip_addresses: vec!["192.0.2.7".into()],
        status: "Warning".into(),
        applications: vec!["PostgreSQL".into(), "Doom".into()],
        ..Machine::default()
    })))
}

pub(super) fn copy_job() -> Record {
    record(Kind::Job(Box::new(Job {
        server_key: "s".into(),
        key: "copy".into(),
        name: "Off site".into(),
        kind: "BackupCopy".into(),
        status: "Success".into(),
        enabled: true,
        repository_key: "r".into(),
        details: Some(job::Details::Copy(CopyJob {
            retention_policy: "GFS".into(),
            weekly_points: 4,
            rpo_value: Some(2),
            rpo_unit: "Days".into(),
            ..CopyJob::default()
        })),
        ..Job::default()
    })))
}

pub(super) fn repository() -> Record {
    record(Kind::Repository(Repository {
        server_key: "s".into(),
        key: "r".into(),
        name: "Shelf".into(),
        kind: "Linux".into(),
        ..Repository::default()
    }))
}

pub(super) fn virtual_machine() -> Vec<Record> {
    let workload = Workload {
        server_key: "s".into(),
        key: "vm".into(),
        name: "Oven".into(),
        kind: "virtual_machine".into(),
        details: Some(Box::new(WorkloadDetails {
            job_key: "copy".into(),
            guest_os: "Debian".into(),
            malware_state: "Clean".into(),
            hierarchy_ref: "vm-17".into(),
            jobs: 1,
            used_size: Some(5_000),
            ..WorkloadDetails::default()
        })),
        ..Workload::default()
    };
    let backup = Backup {
        server_key: "s".into(),
        workload_key: "vm".into(),
        key: "b".into(),
        job_key: "copy".into(),
        job_name: "Off site".into(),
        backup_type: "BackupCopy".into(),
        repository_key: "r".into(),
        target_type: "Local".into(),
        ..Backup::default()
    };
    let point = RestorePoint {
        server_key: "s".into(),
        workload_key: "vm".into(),
        key: "p".into(),
        created_at: INSTANT,
        size: Some(1_000),
        details: Some(Box::new(RestorePointDetails {
            backup_key: "b".into(),
            job_key: "copy".into(),
            repository_key: "r".into(),
            gfs: vec!["Weekly".into(), "Fortnightly".into()],
            immutable_till: Some(INSTANT + 86_400_000),
            ..RestorePointDetails::default()
        })),
        ..RestorePoint::default()
    };
    [Kind::Workload(workload), Kind::Backup(Box::new(backup)), Kind::RestorePoint(point)]
        .into_iter()
        .map(record)
        .collect()
}

pub(super) fn run(status: &str, ended_at: Option<i64>) -> Record {
    record(Kind::Session(Box::new(JobSession {
        server_key: "s".into(),
        key: "run".into(),
        job_key: "copy".into(),
        job_name: "Off site".into(),
        kind: "BackupCopy".into(),
        status: status.into(),
        started_at: INSTANT,
        ended_at,
        ..JobSession::default()
    })))
}

pub(super) fn mailbox() -> Record {
    record(Kind::Vb365Object(Box::new(Vb365Object {
        key: "m".into(),
        id: "ada@bakery.test".into(),
        name: "Ada".into(),
        kind: "User".into(),
        server_key: "365".into(),
        server_name: "M365".into(),
        repository_key: "r".into(),
        repository_name: "Shelf".into(),
        restore_points: 3,
        licensed: true,
        ..Vb365Object::default()
    })))
}

pub(super) fn cloud(what: What) -> Record {
    record(Kind::Cloud(Box::new(Cloud { server_key: "s".into(), what: Some(what) })))
}

pub(super) fn gone(what: Gone) -> Record {
    cloud(What::Gone(CloudGone { what: Some(what) }))
}

pub(super) fn site() -> Vec<Record> {
    let tenant = || "t".to_owned();
    [
        What::Site(CloudSite { name: "Zürich".into(), port: 6180, ..CloudSite::default() }),
        What::GatewayPool(CloudGatewayPool { key: "pool".into(), name: "East".into() }),
        What::Gateway(CloudGateway {
            key: "gate".into(),
            pool_key: "pool".into(),
            name: "gw1".into(),
            host_key: "h".into(),
            port: 6180,
            external_port: 6180,
            status: "Healthy".into(),
            ..CloudGateway::default()
        }),
        What::Repository(CloudRepository {
            key: "cr".into(),
            name: "Vault".into(),
            ..CloudRepository::default()
        }),
        What::Tenant(CloudTenant {
            key: tenant(),
            name: "acme".into(),
            user_name: "acme".into(),
            enabled: true,
            max_concurrent_tasks: 2,
            throttling: Some(5),
            throttling_unit: "furlongs".into(),
            ..CloudTenant::default()
        }),
        What::BackupResource(CloudBackupResource {
            tenant_key: tenant(),
            key: "share".into(),
            repository_key: "cr".into(),
            name: "Acme's".into(),
            storage_quota: 10_000,
            used_space: 4_000,
            ..CloudBackupResource::default()
        }),
        What::Replication(CloudReplication {
            tenant_key: tenant(),
            plans: vec![cloud_replication::Plan { key: "plan".into(), ..cloud_replication::Plan::default() }],
            ..CloudReplication::default()
        }),
        What::ReplicationUsage(CloudReplicationUsage {
            tenant_key: tenant(),
            plan_key: "plan".into(),
            vms: 3,
            ..CloudReplicationUsage::default()
        }),
        What::Backup(CloudBackup {
            tenant_key: tenant(),
            key: "cb".into(),
            name: "Nightly".into(),
            kind: "VSphere".into(),
            repository_key: "cr".into(),
            object_key: "o".into(),
            ..CloudBackup::default()
        }),
    ]
    .into_iter()
    .map(cloud)
    .collect()
}
