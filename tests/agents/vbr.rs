//! The agent beside a Veeam server: what it reads, what it does, and what it makes of a server that breaks.

use std::sync::Arc;
use std::time::Duration;

use keelson_agent::clock::{Clock as _, ManualClock, SharedClock};
use keelson_agent::config::DataFolder;
use keelson_agent::driver::vbr::{Access, Pace, Vbr};
use keelson_agent::driver::{Done, Driver as _, Order, Refused};
use keelson_agent::error::chain;
use keelson_agent::inventory::Inventory;
use keelson_tests::vbr::{PASSWORD, USER, VbrOptions, VbrScale, VbrServer};
use serde_json::{Value, json};
use tempfile::TempDir;

mod collect;
mod contract;
mod enroll;
mod faults;
mod host;
mod orders;
mod restore;

/// When the servers of these tests live.
const NOW: i64 = 1_795_000_000_000;

/// As patient as a test.
const PACE: Pace = Pace {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(30),
    whole: Duration::from_mins(1),
    tries: 3,
    back_off: Duration::from_millis(5),
    patience: Duration::from_secs(2),
    look: Duration::from_millis(5),
    task: Duration::from_secs(20),
};

/// A fake server with a driver beside it.
struct Beside {
    server: VbrServer,
    driver: Vbr,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Beside {
    async fn start() -> Self {
        Self::with(VbrOptions::at(NOW), PACE).await
    }

    async fn of(scale: VbrScale) -> Self {
        Self::with(VbrOptions { scale, ..VbrOptions::at(NOW) }, PACE).await
    }

    async fn with(options: VbrOptions, pace: Pace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = VbrServer::start(options).await;
        let clock = Arc::new(ManualClock::new(NOW));
        let driver = driver(&server, &folder, &clock, pace);
        Self { server, driver, clock, folder }
    }

    /// The agent was started anew.
    fn restart_agent(&mut self) {
        self.driver = driver(&self.server, &self.folder, &self.clock, PACE);
    }

    fn advance(&self, by: Duration) {
        self.server.advance(by);
        self.clock.advance(i64::try_from(by.as_millis()).unwrap());
    }

    async fn collect(&self) -> Result<Inventory, String> {
        self.driver.collect().await.map_err(|error| chain(&error))
    }

    async fn tell(&self, kind: &str, payload: Value) -> Result<Done, Refused> {
        self.tell_secretly(kind, payload, Value::Null).await
    }

    async fn tell_secretly(&self, kind: &str, payload: Value, secret: Value) -> Result<Done, Refused> {
        self.driver.execute(&Order { kind: kind.to_owned(), payload, secret }).await
    }

    /// Tells a job what to do, as a host does.
    async fn tell_job(&self, kind: &str, name: &str) -> Result<Done, Refused> {
        let (server, job) = self.server.with(|world| (world.id, world.job_named(name).id));
        self.tell(kind, json!({"server": server, "job": job})).await
    }

    fn well_behaved(&self) {
        assert_eq!(self.server.violations(), Vec::<String>::new());
    }
}

/// A file with the server's password, for the agent alone.
fn password_file(folder: &TempDir) -> std::path::PathBuf {
    let path = folder.path().join("password");
    write_private(&path, &format!("{PASSWORD}\n"));
    path
}

fn write_private(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn driver(server: &VbrServer, folder: &TempDir, clock: &Arc<ManualClock>, pace: Pace) -> Vbr {
    let access = Access {
        address: server.address().parse().unwrap(),
        user: USER.to_owned(),
        password_file: password_file(folder),
        fingerprint: server.fingerprint().parse().unwrap(),
    };
    let data = DataFolder::create(folder.path().join("agent")).unwrap();
    let clock: SharedClock = Arc::<ManualClock>::clone(clock);
    Vbr::new(access, pace, &data, clock)
}
