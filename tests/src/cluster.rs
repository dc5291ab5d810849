//! A PostgreSQL cluster of a test's own, which may be killed and started again.
//!
//! The server refuses to run as root, so root hands it to `postgres` or `nobody`. Dropped, the server ends and its folder goes.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::process::run;
use crate::{TestDatabase, eventually};

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    server: Option<Child>,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    folder: TempDir,
}

/// What its settings are where a test says nothing else.
const SETTINGS: [&str; 4] =
    ["listen_addresses=127.0.0.1", "max_connections=40", "fsync=off", "full_page_writes=off"];

impl Cluster {
    /// Makes one and starts it.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with its journal, in small pieces, in a folder of another disk.
    pub async fn start_with_journal(disk: &Path) -> Self {
        let journal = disk.join("journal");
        fs::create_dir(&journal).expect("a folder for the journal");
        let journal = journal.to_str().expect("a path of ours");
        Self::start_with(&["--waldir", journal, "--wal-segsize", "1"]).await
    }

    async fn start_with(options: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("keelson-postgres-").tempdir().expect("a temporary folder");
        let owner = owner(&folder);
        if let Some((uid, gid)) = owner {
            let journal = options.iter().map(Path::new).filter(|path| path.is_absolute());
            for folder in journal.chain([folder.path()]) {
                chown(folder, Some(uid), Some(gid)).expect("a folder that is handed over");
            }
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut cluster = Self { server: None, programs: programs(), owner, port, folder };
        let data = cluster.folder.path().join("data");
        run(cluster
            .program("initdb")
            .args(options)
            .args([
                "-A",
                "trust",
                "--data-checksums",
                "-U",
                "keelson",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C",
                "-D",
            ])
            .arg(data));
        cluster.restart().await;
        cluster
    }

    /// Its one database.
    pub fn database(&self) -> TestDatabase {
        TestDatabase::at(&format!("postgres://keelson@127.0.0.1:{}/postgres", self.port))
    }

    /// Starts it again, on the port it had; it recovers from what was written.
    pub async fn restart(&mut self) {
        self.restart_with(&[]).await;
    }

    /// The same with other settings.
    pub async fn restart_with(&mut self, settings: &[&str]) {
        self.kill();
        let mut server = self.program("postgres");
        server.arg("-D").arg(self.folder.path().join("data")).arg("-p").arg(self.port.to_string());
        for setting in SETTINGS.iter().chain(settings) {
            server.args(["-c", setting]);
        }
        server.arg("-c").arg(format!("unix_socket_directories={}", self.folder.path().display()));
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(server.spawn().expect("the server's program starts"));
        eventually("PostgreSQL to be ready", || async {
            let mut probe = self.program("pg_isready");
            probe.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "keelson"]);
            let ready = probe.stdout(Stdio::null()).stderr(Stdio::null()).status();
            ready.is_ok_and(|status| status.success()).then_some(())
        })
        .await;
    }

    /// Ends it at once, in the middle of whatever it does: an immediate shutdown, which takes its processes along.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            run(Command::new("kill").args(["-QUIT", &server.id().to_string()]));
            server.wait().expect("a process of ours");
        }
    }

    /// Ends it in order, with everything in its files.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            run(Command::new("kill").args(["-INT", &server.id().to_string()]));
            server.wait().expect("a process of ours");
        }
    }

    /// The files of tables.
    pub async fn files_of(&self, tables: &[&str]) -> Vec<PathBuf> {
        use sqlx::Connection as _;
        let mut connection = sqlx::PgConnection::connect(&self.database().url).await.expect("the database");
        let mut files = Vec::new();
        for table in tables {
            let query = sqlx::query_scalar("SELECT pg_relation_filepath($1::REGCLASS)").bind(table);
            let path: String = query.fetch_one(&mut connection).await.expect("a table's file");
            files.push(self.folder.path().join("data").join(path));
        }
        files
    }

    /// The folder becomes the current one, because the owner may not read ours.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).env_remove("LD_LIBRARY_PATH");
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Who the server runs as when we are root.
fn owner(folder: &TempDir) -> Option<(u32, u32)> {
    let ours = fs::metadata(folder.path()).expect("a folder of ours").uid();
    if ours != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("the users of this machine");
    let named = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        Some((ids.next()?.ok()?, ids.next()?.ok()?))
    };
    Some(named("postgres").or_else(|| named("nobody")).expect("a user that PostgreSQL may run as"))
}

/// The folder with the server's programs: on the PATH, else the newest of Debian's.
fn programs() -> PathBuf {
    let whole =
        |folder: &PathBuf| ["initdb", "postgres", "pg_isready"].iter().all(|one| folder.join(one).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let version = |bin: &PathBuf| -> u32 {
        let name = bin.parent().and_then(|parent| parent.file_name()?.to_str()?.parse().ok());
        name.unwrap_or_default()
    };
    let debians = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
        versions.map(|one| one.path().join("bin")).filter(whole).max_by_key(version)
    };
    std::env::split_paths(&path)
        .find(whole)
        .or_else(debians)
        .expect("no PostgreSQL programs here; install them with: cargo xtask setup")
}
