//! Real agents beside real restic repositories.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::process::{answer, keelson_agent, run};
use crate::vbr::VbrServer;

/// A restic repository with its password, and something to back up.
#[derive(Debug)]
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// Makes an empty one.
    pub fn create() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("password"), "correct horse").expect("a password file");
        std::fs::create_dir(folder.path().join("files")).expect("a folder");
        std::fs::write(folder.path().join("files/letter.txt"), "Dear reader").expect("a file");
        let repository = Self { folder };
        repository.restic(&["init"]);
        repository
    }

    /// Where the repository lies.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    /// The file with its password.
    pub fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// Backs up, as `host`, `hours` ago.
    pub fn back_up(&self, host: &str, hours_ago: i64) {
        let then = now() - time::Duration::hours(hours_ago);
        let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let then = then.format(format).expect("an instant");
        let files = self.folder.path().join("files");
        let files = files.to_str().expect("a plain path");
        self.restic(&["backup", "--host", host, "--time", &then, files]);
    }

    /// Forgets all snapshots of a host.
    pub fn forget(&self, host: &str) {
        let listed = answer(&mut self.command(&["snapshots", "--host", host, "--json"]));
        let snapshots: serde_json::Value = serde_json::from_str(&listed).expect("restic writes JSON");
        for snapshot in snapshots.as_array().expect("a list") {
            self.restic(&["forget", snapshot["id"].as_str().expect("an id")]);
        }
    }

    fn restic(&self, arguments: &[&str]) {
        run(&mut self.command(arguments));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("restic");
        command.args(arguments).env("RESTIC_REPOSITORY", self.path());
        command.env("RESTIC_PASSWORD_FILE", self.password_file());
        command.env("RESTIC_CACHE_DIR", self.folder.path().join("cache"));
        // `--time` is taken as local time.
        command.env("TZ", "UTC");
        command
    }
}

#[expect(clippy::disallowed_methods, reason = "restic's snapshots are made by the machine's clock")]
fn now() -> time::OffsetDateTime {
    time::OffsetDateTime::now_utc()
}

/// An enrolled agent, which may be killed and started again.
#[derive(Debug)]
pub struct Agent {
    child: Option<Child>,
    data: TempDir,
}

impl Agent {
    /// Enrols one for a repository.
    pub fn enroll(token: &str, repository: &Repository) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let token_file = data.path().join("token");
        std::fs::write(&token_file, token).expect("a token file");
        let mut command = Command::new(keelson_agent());
        command.arg("enroll").arg("--token-file").arg(&token_file).arg("--data").arg(Self::folder_in(&data));
        command.args(["--driver", "restic", "--restic-repo"]).arg(repository.path());
        command.arg("--restic-password-file").arg(repository.password_file());
        run(&mut command);
        Self { child: None, data }
    }

    /// Enrols one beside a Veeam server, and gives what that says.
    pub fn enroll_vbr(token: &str, server: &VbrServer) -> (Self, String) {
        let data = tempfile::tempdir().expect("a temporary folder");
        let token_file = data.path().join("token");
        let password_file = data.path().join("password");
        std::fs::write(&token_file, token).expect("a token file");
        std::fs::write(&password_file, crate::vbr::PASSWORD).expect("a password file");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&password_file, private).expect("a password file");
        let mut command = Command::new(keelson_agent());
        command.arg("enroll").arg("--token-file").arg(&token_file).arg("--data").arg(Self::folder_in(&data));
        command.args(["--driver", "vbr", "--vbr-address", &server.address(), "--vbr-user", crate::vbr::USER]);
        command.arg("--vbr-password-file").arg(password_file);
        let said = answer(&mut command);
        (Self { child: None, data }, said)
    }

    /// One beside a simulated server, which is enrolled already in a folder `agent` of this one.
    pub fn enrolled(data: TempDir) -> Self {
        Self { child: None, data }
    }

    /// What it keeps as its settings.
    pub fn settings(&self) -> String {
        std::fs::read_to_string(Self::folder_in(&self.data).join("agent.toml")).expect("its settings")
    }

    /// Its data folder.
    pub fn folder(&self) -> PathBuf {
        Self::folder_in(&self.data)
    }

    fn folder_in(data: &TempDir) -> PathBuf {
        data.path().join("agent")
    }

    /// Runs it.
    pub fn start(&mut self) {
        self.kill();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log");
        let mut command = Command::new(keelson_agent());
        command.arg("run").arg("--data").arg(self.folder()).args(["--interval", "1", "--max-backoff", "1"]);
        command.env("KEELSON_AGENT_LOG", "info,keelson_agent=debug");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("the agent's program starts"));
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a process of ours");
            child.wait().expect("a process of ours");
        }
    }

    /// A line of the process's status in MiB, such as `VmHWM:`, the most it took.
    pub fn memory(&self, line: &str) -> f64 {
        let pid = self.child.as_ref().map(Child::id).expect("an agent that runs");
        crate::process::memory(pid, line)
    }

    /// Where it writes its log.
    pub fn log_file(&self) -> PathBuf {
        self.data.path().join("agent.log")
    }

    /// Its spool's database.
    pub fn spool(&self) -> PathBuf {
        self.folder().join("spool.db")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            show("agent", &self.log_file());
        }
    }
}

fn show(who: &str, log: &Path) {
    let log = std::fs::read_to_string(log).unwrap_or_default();
    let tail: Vec<_> = log.lines().rev().take(40).collect();
    #[expect(clippy::print_stderr, reason = "a test that fails shows the last words of its parts")]
    for line in tail.iter().rev() {
        eprintln!("{who}: {line}");
    }
}
