//! Two companies with a backup server each, and the provider's own Cloud Connect and hosted servers.

use std::sync::Arc;

use keelson::clock::{Clock as _, ManualClock, SharedClock};
use keelson::id::{AgentUid, CompanyUid};
use keelson::model::Door;
use keelson::store::{
    AgentJobFact, BackupFact, BackupKey, BackupRepositoryFact, ComputerFact, CopyJobFact, Facts,
    FileShareJobFact, JobDetails, JobFact, NewAgent, PointDetails, ReplicationJobFact, RestorePointFact,
    ServerDetails, ServerFact, Source, Vb365Fact, VmJobFact, WorkloadDetails, WorkloadFact,
};
use keelson_tests::{Client, TestDatabase, TestHost};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const NOW: i64 = 1_795_000_000_000;
const HOUR: i64 = 3_600_000;

/// A host with agents that have reported.
pub(crate) struct Fleet {
    pub(crate) host: TestHost,
    pub(crate) admin: Client,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) bakery: Uuid,
    pub(crate) butcher: Uuid,
    pub(crate) of_bakery: Source,
    pub(crate) of_butcher: Source,
    pub(crate) hosted: Source,
}

impl Fleet {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let clock = ManualClock::at(NOW);
        let shared: SharedClock = Arc::<ManualClock>::clone(&clock);
        let host = TestHost::start_with(database, None, shared).await;
        let admin = host.administrator();
        let bakery = company(&admin, "Bakery").await;
        let butcher = company(&admin, "Butcher").await;
        let provider = uid(&admin.data("/users/me").await["organizationUid"]);
        let nobody = Source { agent: AgentUid(Uuid::nil()), company: CompanyUid(Uuid::nil()), epoch: 1 };
        let (of_bakery, of_butcher, hosted) = (nobody, nobody, nobody);
        let mut fleet = Self { host, admin, clock, bakery, butcher, of_bakery, of_butcher, hosted };
        fleet.of_bakery = fleet.agent(bakery, Door::Remote, None).await;
        fleet.of_butcher = fleet.agent(butcher, Door::Remote, None).await;
        fleet.hosted = fleet.agent(provider, Door::Hosted, None).await;
        for source in [fleet.of_bakery, fleet.of_butcher, fleet.hosted] {
            fleet.report(source, &inventory()).await;
        }
        fleet
    }

    /// Enrols an agent at the default location of an organisation.
    pub(crate) async fn agent(&self, organization: Uuid, door: Door, account: Option<Uuid>) -> Source {
        let mut tx = self.host.store.write().await.unwrap();
        let company = CompanyUid(organization);
        let location = tx.companies().default_location(company).await.unwrap().unwrap();
        let agent = AgentUid::new(&*self.clock);
        let new = NewAgent {
            host_name: format!("backup-{}", &agent.to_string()[30..]),
            machine_id: agent.to_string(),
            platform: "Linux".to_owned(),
            os_version: "Debian 12".to_owned(),
            version: "0.1.0".to_owned(),
            door,
        };
        tx.agents().create(&*self.clock, agent, (company, location), account, &new, &[7; 32]).await.unwrap();
        tx.commit().await.unwrap();
        Source { agent, company, epoch: 1 }
    }

    /// What an agent says.
    pub(crate) async fn report(&self, source: Source, facts: &Facts) {
        let mut tx = self.host.store.write().await.unwrap();
        tx.ingest().store(&*self.clock, &[(source, facts)]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Marks an agent's machine as a Cloud Connect server.
    pub(crate) async fn make_cloud_connect(&self, source: Source) {
        let computer = ComputerFact { cloud_connect: true, ..ComputerFact::default() };
        self.report(source, &Facts { computer: Some(computer), ..Facts::default() }).await;
    }

    /// A user of the Bakery.
    pub(crate) fn baker(&self, role: &str) -> Client {
        if role == "CompanyOwner" { self.owner("Bakery") } else { self.host.member(role, "Bakery") }
    }

    /// A company's owner: there is one.
    pub(crate) fn owner(&self, company: &str) -> Client {
        let key = self.host.command(&["apikey", "add", "--user", &format!("{company}-owner")]);
        self.host.client.with(&key)
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now_ms()
    }
}

async fn company(admin: &Client, name: &str) -> Uuid {
    let body = json!({
        "organizationInput": {"name": name},
        "ownerCredentials": {"userName": format!("{name}-owner"), "password": "correct horse"},
        "isRestAccessEnabled": true,
    });
    let (status, body) = admin.json(Method::POST, "/organizations/companies", &body).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    uid(&body["data"]["instanceUid"])
}

pub(crate) fn uid(value: &Value) -> Uuid {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no id"))
}

/// The ids that a list answers with.
pub(crate) async fn uids(client: &Client, path: &str, name: &str) -> Vec<Uuid> {
    let page = client.data(path).await;
    page.as_array().unwrap().iter().map(|one| uid(&one[name])).collect()
}

fn job(key: &str, kind: &str, status: &str, details: JobDetails) -> JobFact {
    JobFact {
        server: "vbr".to_owned(),
        key: key.to_owned(),
        name: format!("Job {key}"),
        kind: kind.to_owned(),
        status: status.to_owned(),
        enabled: true,
        description: Some("every night".to_owned()),
        created_by: Some("admin".to_owned()),
        creation_time: Some(NOW - 1_000 * HOUR),
        last_run: Some(NOW - 5 * HOUR),
        last_end: Some(NOW - 4 * HOUR),
        last_duration: Some(3_600),
        average_duration: Some(3_500),
        processing_rate: Some(123.5),
        transferred_data: Some(5_000_000_000),
        backup_chain_size: Some(9_000_000_000),
        bottleneck: Some("Source".to_owned()),
        destination: Some("Main".to_owned()),
        failure_message: None,
        retention_limit: Some(14),
        retention_type: Some("Days".to_owned()),
        schedule: Some(r#"{"dailyScheduleOptions":{"kind":"Everyday","time":"22:00"}}"#.to_owned()),
        schedule_type: Some("Daily".to_owned()),
        session_tasks: r#"[{"objectName":"vm1","status":"Success","duration":60}]"#.to_owned(),
        target_type: Some("Local".to_owned()),
        details,
        ..JobFact::default()
    }
}

fn jobs() -> Vec<JobFact> {
    let repository = || Some("main".to_owned());
    let vm = VmJobFact { subtype: "VSphere".to_owned(), protected_vms: 2, repository: repository() };
    let agent = AgentJobFact {
        mode: "ManagedByBackupServer".to_owned(),
        license_type: "Server".to_owned(),
        os_type: "Windows".to_owned(),
        source: Some(r#"{"backupMode":"EntireComputer"}"#.to_owned()),
        success_jobs: 1,
        total_jobs: 1,
    };
    let copy = CopyJobFact {
        repository: repository(),
        retention_policy: "GFS".to_owned(),
        rpo_enabled: true,
        rpo_value: Some(1),
        rpo_unit: Some("Days".to_owned()),
        ..CopyJobFact::default()
    };
    let share = FileShareJobFact {
        repository: repository(),
        retention: 28,
        retention_unit: "Days".to_owned(),
        ..FileShareJobFact::default()
    };
    let replica = ReplicationJobFact {
        protected_vms: 1,
        target_host: Some("esx".to_owned()),
        ..ReplicationJobFact::default()
    };
    vec![
        job("vm", "BackupVm", "Success", JobDetails::Vm(vm)),
        job("agent", "AgentBackupJob", "Failed", JobDetails::Agent(agent)),
        job("copy", "BackupCopy", "Running", JobDetails::Copy(copy)),
        job("share", "BackupFile", "Warning", JobDetails::FileShare(share)),
        job("replica", "ReplicationVM", "Success", JobDetails::Replication(replica)),
    ]
}

fn workload(kind: &str, key: &str, job: &str) -> WorkloadFact {
    let details = WorkloadDetails {
        job: Some(job.to_owned()),
        object: Some(key.to_owned()),
        platform: Some("Windows".to_owned()),
        guest_os: Some("Windows Server 2025".to_owned()),
        ip_addresses: vec!["10.0.0.7".to_owned(), "fd00::7".to_owned()],
        protection_groups: vec!["all".to_owned()],
        hierarchy_ref: Some("vm-7".to_owned()),
        parent_host_ref: Some("host-1".to_owned()),
        malware_state: "Clean".to_owned(),
        jobs: 1,
        provisioned_size: Some(100),
        used_size: Some(50),
        ..WorkloadDetails::default()
    };
    WorkloadFact {
        server: "vbr".to_owned(),
        key: key.to_owned(),
        name: key.to_owned(),
        kind: kind.to_owned(),
        operation_mode: "Server".to_owned(),
        backed_up_items: "all".to_owned(),
        details: Some(Box::new(details)),
    }
}

/// A restore point of a workload, some hours old.
pub(crate) fn point(workload: &str, job: &str, hours: i64) -> RestorePointFact {
    let details = PointDetails {
        backup: Some("chain".to_owned()),
        job: Some(job.to_owned()),
        repository: Some("main".to_owned()),
        target_type: "Local".to_owned(),
        tier: "Performance".to_owned(),
        file_path: Some(format!("/backups/{workload}-{hours}.vib")),
        consistent: Some(true),
        cpu_cores: Some(4),
        memory: Some(8_000_000_000),
        malware_state: "Clean".to_owned(),
        archive: workload == "share1" && hours > 10,
        ..PointDetails::default()
    };
    RestorePointFact {
        server: "vbr".to_owned(),
        workload: workload.to_owned(),
        key: hours.to_string(),
        created_at: NOW - hours * HOUR,
        size: Some(100 + hours),
        source_size: Some(50),
        destination: "Main".to_owned(),
        details: Some(Box::new(details)),
    }
}

/// What a backup server of every kind of thing reports.
pub(crate) fn inventory() -> Facts {
    let things = [
        ("virtual_machine", "vm1", "vm"),
        ("virtual_machine", "vm2", "vm"),
        ("managed_computer", "pc1", "agent"),
        ("file_share", "share1", "share"),
        ("computer", "laptop", "agent"),
    ];
    let backup = |workload: &str, job: &str| BackupFact {
        key: BackupKey { server: "vbr".into(), workload: workload.into(), key: "chain".into() },
        job: Some(job.to_owned()),
        job_name: format!("Job {job}"),
        job_kind: "Backup".to_owned(),
        backup_type: "Backup".to_owned(),
        repository: Some("main".to_owned()),
        target_type: "Local".to_owned(),
        tier: "Performance".to_owned(),
        ..BackupFact::default()
    };
    Facts {
        computer: Some(ComputerFact {
            fqdn: Some("backup.example".to_owned()),
            guest_os_type: Some("Server".to_owned()),
            ip_addresses: vec!["10.0.0.1".to_owned()],
            applications: vec!["MicrosoftSqlServer".to_owned()],
            ..ComputerFact::default()
        }),
        servers: vec![ServerFact {
            key: "vbr".to_owned(),
            name: "Backup server".to_owned(),
            engine: "vbr".to_owned(),
            version: "13.0.1".to_owned(),
            details: ServerDetails { label: Some("blue".to_owned()), ..ServerDetails::default() },
        }],
        repositories: vec![BackupRepositoryFact {
            server: "vbr".to_owned(),
            key: "main".to_owned(),
            name: "Main".to_owned(),
            kind: "LinuxHardened".to_owned(),
            status: "Healthy".to_owned(),
            capacity: Some(1_000),
            free_space: Some(400),
            labels: vec!["gold".to_owned()],
            ..BackupRepositoryFact::default()
        }],
        jobs: jobs(),
        workloads: things.iter().map(|(kind, key, job)| workload(kind, key, job)).collect(),
        backups: things.iter().map(|(_, key, job)| backup(key, job)).collect(),
        restore_points: things
            .iter()
            .flat_map(|(_, key, job)| [point(key, job, 30), point(key, job, 6)])
            .collect(),
        vb365_objects: ["Ada", "Grace"].map(m365).to_vec(),
        ..Facts::default()
    }
}

fn m365(name: &str) -> Vb365Fact {
    Vb365Fact {
        key: name.to_owned(),
        id: format!("{name}:1"),
        name: name.to_owned(),
        kind: if name == "Ada" { "User".to_owned() } else { "Group".to_owned() },
        server: "m365".to_owned(),
        server_name: "M365".to_owned(),
        organization: Some("contoso".to_owned()),
        organization_name: Some("contoso.example".to_owned()),
        repository: "r".to_owned(),
        repository_name: "Default".to_owned(),
        restore_points: 3,
        newest_restore_point: Some(NOW - HOUR),
        licensed: Some(name == "Ada"),
        educational: Some(false),
        ..Vb365Fact::default()
    }
}
