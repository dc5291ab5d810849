//! Hosts: in this process, for the API; as a process of their own, for everything that kills one.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use keelson::app::{App, RunFile};
use keelson::cli::AdminSocket;
use keelson::clock::{SharedClock, SystemClock};
use keelson::config::Config;
use keelson::store::Store;
use tempfile::TempDir;

use crate::process::{answer, keelson, packages};
use crate::{Client, TestDatabase, eventually};

/// A host in this process.
#[derive(Debug)]
pub struct TestHost {
    app: Option<App>,
    socket: Option<AdminSocket>,
    config: Config,
    /// The same database, for a look behind the API.
    pub store: Store,
    /// A client without a credential.
    pub client: Client,
    /// Where it runs.
    pub data: TempDir,
    database: TestDatabase,
}

impl TestHost {
    /// With the shipped plugins and the machine's clock.
    pub async fn start(database: TestDatabase) -> Self {
        Self::start_with(database, Some(packages()), Arc::new(SystemClock)).await
    }

    /// With nothing installed yet, and this library beside the host.
    pub async fn start_with_library(database: TestDatabase, library: PathBuf) -> Self {
        let config = Config { library: Some(library), ..Self::config(&database, None) };
        let data = tempfile::tempdir().expect("a temporary folder");
        Self::start_in(data, database, config, Arc::new(SystemClock)).await
    }

    /// With any folder of plugins and any clock.
    pub async fn start_with(database: TestDatabase, plugins: Option<PathBuf>, clock: SharedClock) -> Self {
        let config = Self::config(&database, plugins);
        Self::start_in(tempfile::tempdir().expect("a temporary folder"), database, config, clock).await
    }

    fn config(database: &TestDatabase, plugins: Option<PathBuf>) -> Config {
        let free = || "127.0.0.1:0".parse().expect("an address");
        Config {
            database: Some(database.url.clone()),
            api: free(),
            agents_remote: free(),
            agents_hosted: free(),
            health: free(),
            plugins,
            advertise: Some("localhost".to_owned()),
            heartbeat_seconds: 1,
            // Throttling has tests of its own; the others ask as fast as they can.
            user_requests_per_second: 0,
            address_requests_per_second: 0,
            ..Config::default()
        }
    }

    /// The same host stops and starts again: on its folder, its database and the ports that it had.
    pub async fn again(mut self, clock: SharedClock) -> Self {
        let RunFile { api, agents_remote, agents_hosted, health, .. } = self.addresses().clone();
        let config = Config { api, agents_remote, agents_hosted, health, ..self.config.clone() };
        self.close().await;
        Self::start_in(self.data, self.database, config, clock).await
    }

    async fn start_in(data: TempDir, database: TestDatabase, config: Config, clock: SharedClock) -> Self {
        let app = App::start_at(data.path(), &config, clock).await.expect("the host starts");
        let socket = AdminSocket::open(data.path(), &config, &app).expect("the command line's socket");
        let client = Client::new(app.addresses.api.port(), &app.addresses.ca_file);
        let store = database.store().await;
        Self { app: Some(app), socket: Some(socket), config, store, client, data, database }
    }

    /// Its ports.
    pub fn addresses(&self) -> &RunFile {
        &self.app.as_ref().expect("a host that runs").addresses
    }

    /// The database that it was given.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Its database.
    pub fn database_url(&self) -> String {
        self.database.url.clone()
    }

    /// Does something behind the host's back.
    pub async fn execute(&self, statement: &str) {
        self.database.execute(statement).await;
    }

    /// The number that a query behind the host's back gives.
    pub async fn count(&self, query: &str) -> i64 {
        self.database.count(query).await
    }

    /// A client that may do everything.
    pub fn administrator(&self) -> Client {
        let key = self.command(&["apikey", "add", "--user", &self.user("PortalAdministrator", None)]);
        self.client.with(&key)
    }

    /// A client of a role of a company.
    pub fn member(&self, role: &str, company: &str) -> Client {
        let key = self.command(&["apikey", "add", "--user", &self.user(role, Some(company))]);
        self.client.with(&key)
    }

    fn user(&self, role: &str, company: Option<&str>) -> String {
        let name = format!("{role}-{}", crate::database::unique());
        let mut arguments = vec!["user", "add", "--name", &name, "--role", role];
        arguments.extend(company.into_iter().flat_map(|company| ["--company", company]));
        self.command(&arguments);
        name
    }

    /// Runs a command of the host's program on the same data; what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        command(self.data.path(), &self.database.url, arguments)
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        self.close().await;
    }

    async fn close(&mut self) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
    }
}

fn command(data: &Path, database: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(keelson());
    command.args(arguments).args(["--data".as_ref(), data.as_os_str()]).args(["--database", database]);
    answer(command.env("KEELSON_ADVERTISE", "localhost"))
}

/// A host as a process of its own, which may be killed and started again on the same data and ports.
#[derive(Debug)]
pub struct HostProcess {
    child: Option<Child>,
    data: TempDir,
    /// Its database.
    pub database: TestDatabase,
    plugins: Option<PathBuf>,
    heartbeat_seconds: u32,
    /// What the shell does before it becomes the host.
    limits: String,
    addresses: Option<RunFile>,
}

impl HostProcess {
    /// Starts one under limits of the machine's: what a shell does before, such as `ulimit -n 200`.
    pub async fn start_within(database: TestDatabase, limits: &str) -> Self {
        let mut host = Self::new(database, None, 60);
        host.restart_within(limits).await;
        host
    }

    /// Starts one whose agents say every second that they are there.
    pub async fn start(database: TestDatabase, plugins: Option<PathBuf>) -> Self {
        Self::start_with_heartbeat(database, plugins, 1).await
    }

    /// Starts one.
    pub async fn start_with_heartbeat(
        database: TestDatabase,
        plugins: Option<PathBuf>,
        heartbeat_seconds: u32,
    ) -> Self {
        let mut host = Self::new(database, plugins, heartbeat_seconds);
        host.restart().await;
        host
    }

    fn new(database: TestDatabase, plugins: Option<PathBuf>, heartbeat_seconds: u32) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let limits = "true".to_owned();
        Self { child: None, data, database, plugins, heartbeat_seconds, limits, addresses: None }
    }

    /// Starts it again under other limits.
    pub async fn restart_within(&mut self, limits: &str) {
        limits.clone_into(&mut self.limits);
        self.restart().await;
    }

    /// Starts it again, on the ports it had.
    pub async fn restart(&mut self) {
        self.kill();
        let port = |of: fn(&RunFile) -> u16| self.addresses.as_ref().map_or(0, of);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{} && exec \"$0\" \"$@\"", self.limits)]).arg(keelson());
        command.arg("serve").arg("--data").arg(self.data.path()).args(["--database", &self.database.url]);
        for (flag, port) in [
            ("--api", port(|run| run.api.port())),
            ("--agents-remote", port(|run| run.agents_remote.port())),
            ("--agents-hosted", port(|run| run.agents_hosted.port())),
            ("--health", port(|run| run.health.port())),
        ] {
            command.arg(flag).arg(format!("127.0.0.1:{port}"));
        }
        if let Some(plugins) = &self.plugins {
            command.arg("--plugins").arg(plugins);
        }
        drop(std::fs::remove_file(self.data.path().join("run.json")));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log");
        command.args([
            "--advertise",
            "localhost",
            "--heartbeat-seconds",
            &self.heartbeat_seconds.to_string(),
        ]);
        command
            .env("KEELSON_LOG", "info,keelson::agents=debug")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.child = Some(command.spawn().expect("the host's program starts"));
        let addresses = eventually("the host to be ready", || async {
            self.still_runs();
            RunFile::read(self.data.path())
        });
        self.addresses = Some(addresses.await);
    }

    fn still_runs(&self) {
        let log = || std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let pid = self.child.as_ref().map(Child::id).expect("a host that runs");
        let gone =
            std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z"));
        assert!(!gone, "the host ended: {}", log());
    }

    /// Sends a signal to its process, by name: `STOP`, `CONT`, `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().map(Child::id).expect("a host that runs").to_string();
        crate::process::run(Command::new("kill").args([&format!("-{name}"), &pid]));
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let child = self.child.as_mut().expect("a host that was started");
        child.try_wait().expect("a process of ours").is_some()
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> std::process::ExitStatus {
        let mut child = self.child.take().expect("a host that runs");
        eventually("the host to end", || {
            let status = child.try_wait().expect("a process of ours");
            async move { status }
        })
        .await
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a process of ours");
            child.wait().expect("a process of ours");
        }
    }

    /// A line of the process's status in MiB: `VmRSS:`, what it takes now; `VmHWM:`, the most it took.
    pub fn memory(&self, line: &str) -> f64 {
        crate::process::memory(self.pid(), line)
    }

    /// The database's address.
    pub fn database_url(&self) -> String {
        self.database.url.clone()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().map(Child::id).expect("a host that runs")
    }

    /// Its data folder.
    pub fn data_folder(&self) -> &Path {
        self.data.path()
    }

    /// Where it writes its log.
    pub fn log_file(&self) -> PathBuf {
        self.data.path().join("host.log")
    }

    /// How often a text stands in its log.
    pub fn logged(&self, text: &str) -> usize {
        std::fs::read_to_string(self.log_file()).unwrap_or_default().matches(text).count()
    }

    /// Its ports.
    pub fn addresses(&self) -> &RunFile {
        self.addresses.as_ref().expect("a host that was started")
    }

    /// Runs a command of the host's program on the same data; what it prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        command(self.data.path(), &self.database.url, arguments)
    }

    /// A client that may do everything.
    pub fn administrator(&self) -> Client {
        self.command(&["user", "add", "--name", "admin", "--role", "PortalAdministrator"]);
        let key = self.command(&["apikey", "add", "--user", "admin"]);
        self.client().with(&key)
    }

    /// A client without a credential, and without a connection yet.
    pub fn client(&self) -> Client {
        let addresses = self.addresses();
        Client::new(addresses.api.port(), &addresses.ca_file)
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(40).collect();
            #[expect(clippy::print_stderr, reason = "a test that fails shows the host's last words")]
            for line in tail.iter().rev() {
                eprintln!("host: {line}");
            }
        }
    }
}
