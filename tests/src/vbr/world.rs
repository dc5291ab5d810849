//! What a fake server has, made from a seed.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::files::Mounts;
use super::licence::Licence;

const HOUR: i64 = 3_600_000;
const GIB: i64 = 1 << 30;
/// Virtual machines of a job.
const PER_JOB: usize = 50;

/// How much a server protects.
#[derive(Debug, Clone, Copy)]
pub struct VbrScale {
    /// Virtual machines.
    pub machines: usize,
    /// Restore points of each.
    pub points: usize,
    /// Whether there are machines of the same name: two in different jobs, and two in one.
    pub twins: bool,
}

impl VbrScale {
    /// A few of everything.
    pub const SMALL: Self = Self { machines: 4, points: 3, twins: false };
}

/// A repository with its figures.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Repository {
    pub id: Uuid,
    pub name: String,
    pub kind: &'static str,
    pub path: String,
    pub host: String,
    pub capacity_gb: f64,
    pub free_gb: f64,
    pub used_gb: f64,
    pub online: bool,
}

/// A job.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Job {
    pub id: Uuid,
    pub name: String,
    pub kind: &'static str,
    pub workload: &'static str,
    pub platform: &'static str,
    pub repository: usize,
    pub disabled: bool,
    pub last_result: &'static str,
    pub last_run: Option<i64>,
    pub session: Option<Uuid>,
    /// When the run that is under way ends by itself.
    pub ends: Option<i64>,
    /// The object that the next run fails at, and why.
    pub fails: Option<(usize, &'static str)>,
}

/// What a job has stored.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Backup {
    pub id: Uuid,
    pub name: String,
    pub job: usize,
    pub created: i64,
}

/// Something protected.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Object {
    pub id: Uuid,
    pub name: String,
    pub kind: &'static str,
    pub platform: &'static str,
    pub backups: Vec<usize>,
    pub last_run_failed: bool,
    /// Whether the lists of objects have it.
    pub listed: bool,
}

/// A state of an object that can be restored.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Point {
    pub id: Uuid,
    pub object: usize,
    /// As the object was called when it was made.
    pub name: String,
    pub backup: usize,
    pub file: Uuid,
    pub created: i64,
    pub kind: &'static str,
    pub size: i64,
    pub session: Option<Uuid>,
    pub malware: &'static str,
}

/// A run of a job.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Session {
    pub id: Uuid,
    pub job: usize,
    pub kind: &'static str,
    pub created: i64,
    pub ended: Option<i64>,
    pub result: &'static str,
    pub message: String,
    pub canceled: bool,
}

/// What a run did to one object.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Task {
    pub id: Uuid,
    pub session: Uuid,
    pub object: usize,
    pub created: i64,
    pub ended: Option<i64>,
    pub result: &'static str,
    pub message: String,
}

/// Everything that a server has.
#[derive(Debug)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct World {
    pub seed: u64,
    /// Unix milliseconds.
    pub now: i64,
    pub id: Uuid,
    pub name: String,
    pub version: String,
    pub patches: Vec<String>,
    pub repositories: Vec<Repository>,
    pub jobs: Vec<Job>,
    pub backups: Vec<Backup>,
    pub objects: Vec<Object>,
    pub points: Vec<Point>,
    pub sessions: Vec<Session>,
    pub tasks: Vec<Task>,
    pub licence: Licence,
    pub mounts: Mounts,
    /// Whether objects say how many points they have.
    pub counts_points: bool,
    pub(super) made: u64,
}

impl World {
    /// The same seed, scale and time give the same server.
    pub(super) fn generate(seed: u64, scale: VbrScale, now: i64) -> Self {
        let mut world = Self {
            seed,
            now,
            id: Uuid::nil(),
            name: format!("vbr{seed:02}.example"),
            version: "13.0.1.1071".to_owned(),
            patches: vec!["P20251013".to_owned()],
            repositories: Vec::new(),
            jobs: Vec::new(),
            backups: Vec::new(),
            objects: Vec::new(),
            points: Vec::new(),
            sessions: Vec::new(),
            tasks: Vec::new(),
            licence: Licence::rental(now),
            mounts: Mounts::default(),
            counts_points: true,
            made: 0,
        };
        world.id = world.fresh();
        world.repository("Default Backup Repository", "WinLocal", r"D:\Backup", 8192.0);
        world.repository("Vault 01", "LinuxHardened", "/srv/vault", 32768.0);
        world.repository("Archive", "S3Compatible", "", 0.0);
        for (number, first) in (0..scale.machines).step_by(PER_JOB).enumerate() {
            let job = world.job(
                &format!("VM Backup {:02}", number + 1),
                "VSphereBackup",
                ("Vm", "VMware"),
                number % 2,
            );
            for machine in first..scale.machines.min(first + PER_JOB) {
                world.object(job, &format!("vm-{machine:04}"), "VM", scale.points);
            }
        }
        let agents = world.job("Windows Servers", "WindowsAgentBackup", ("Server", "WindowsPhysical"), 0);
        world.object(agents, "FS-01", "Computer", scale.points.min(3));
        world.object(agents, "SQL-01", "Computer", scale.points.min(3));
        let shares = world.job("Shares", "FileBackup", ("File", "UnstructuredData"), 1);
        world.object(shares, r"\\nas\projects", "FileShare", scale.points.min(3));
        if scale.twins {
            let other = world.job("VM Backup Twins", "HyperVBackup", ("Vm", "HyperV"), 1);
            world.object(other, "twin", "VM", 2);
            let other = world.job("VM Backup Twins 2", "HyperVBackup", ("Vm", "HyperV"), 0);
            for points in [3, 4, 1] {
                world.object(other, if points == 1 { "loner" } else { "twin" }, "VM", points);
            }
        }
        world
    }

    /// An id that nothing else has.
    pub(super) fn fresh(&mut self) -> Uuid {
        self.made += 1;
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("vbr {} {}", self.seed, self.made).as_bytes())
    }

    fn repository(&mut self, name: &str, kind: &'static str, path: &str, capacity_gb: f64) {
        let id = self.fresh();
        let repository = Repository {
            id,
            name: name.to_owned(),
            kind,
            path: path.to_owned(),
            host: self.name.clone(),
            capacity_gb,
            free_gb: capacity_gb / 4.0,
            used_gb: capacity_gb / 4.0 * 3.0,
            online: true,
        };
        self.repositories.push(repository);
    }

    /// A job that ran two hours ago, and its backup.
    fn job(
        &mut self,
        name: &str,
        kind: &'static str,
        what: (&'static str, &'static str),
        repository: usize,
    ) -> usize {
        let index = self.jobs.len();
        let (id, backup, session) = (self.fresh(), self.fresh(), self.fresh());
        let began = self.now - 2 * HOUR;
        self.jobs.push(Job {
            id,
            name: name.to_owned(),
            kind,
            workload: what.0,
            platform: what.1,
            repository,
            disabled: false,
            last_result: "Success",
            last_run: Some(began),
            session: Some(session),
            ends: None,
            fails: None,
        });
        self.backups.push(Backup {
            id: backup,
            name: name.to_owned(),
            job: index,
            created: self.now - 900 * HOUR,
        });
        self.sessions.push(Session {
            id: session,
            job: index,
            kind: super::jobs::session_kind(kind),
            created: began,
            ended: Some(began + HOUR / 4),
            result: "Success",
            message: String::new(),
            canceled: false,
        });
        index
    }

    /// Something that a job protects, with points of its last nights and of its last run.
    fn object(&mut self, job: usize, name: &str, kind: &'static str, points: usize) {
        let object = self.objects.len();
        let id = self.fresh();
        self.objects.push(Object {
            id,
            name: name.to_owned(),
            kind,
            platform: self.jobs[job].platform,
            backups: vec![job],
            last_run_failed: false,
            listed: true,
        });
        for back in (0..points).rev() {
            let created = self.now - 2 * HOUR - i64::try_from(back).expect("few points") * 24 * HOUR;
            let session = if back == 0 { self.jobs[job].session } else { None };
            self.point(object, job, created, session);
        }
    }

    /// One more point of an object.
    pub(super) fn point(&mut self, object: usize, backup: usize, created: i64, session: Option<Uuid>) {
        let (id, file) = (self.fresh(), self.fresh());
        let size = (i64::try_from(object % 7).expect("small") + 1) * 10 * GIB;
        self.points.push(Point {
            id,
            object,
            name: self.objects[object].name.clone(),
            backup,
            file,
            created,
            kind: "Increment",
            size,
            session,
            malware: if object % 5 == 4 { "Suspicious" } else { "Clean" },
        });
    }

    /// A job by its name.
    pub fn job_named(&mut self, name: &str) -> &mut Job {
        self.jobs.iter_mut().find(|job| job.name == name).expect("a job of this name")
    }

    /// Its objects, by backup and name, with the ids of their points: what a reader must come to.
    pub fn points_by_object(&self) -> BTreeMap<Uuid, Vec<Uuid>> {
        let mut all = BTreeMap::new();
        for point in &self.points {
            all.entry(self.objects[point.object].id).or_insert_with(Vec::new).push(point.id);
        }
        all
    }
}
