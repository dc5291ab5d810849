//! A PostgreSQL cluster that lives as long as one run: made in a temporary folder, durable to nothing, gone at the end.
//!
//! The server refuses to run as root, so root hands it to `postgres` or `nobody`. Dropping [`Postgres`] stops the
//! server and removes its folder; that covers errors, panics and Ctrl-C.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tempfile::TempDir;

use crate::process::{self, Daemon};
use crate::step;

const USER: &str = "keelson";
const START_PATIENCE: Duration = Duration::from_secs(30);

/// A running cluster. The server stands before its folder, because fields are dropped in this order.
#[derive(Debug)]
pub(crate) struct Postgres {
    server: Daemon,
    port: u16,
    folder: TempDir,
}

impl Postgres {
    /// Makes and starts a cluster.
    pub(crate) fn start() -> anyhow::Result<Self> {
        step::run("postgresql", || {
            let programs = programs().context("no PostgreSQL programs here: run `cargo xtask setup`")?;
            let folder = tempfile::Builder::new().prefix("keelson-postgres-").tempdir()?;
            let owner = Owner::choose()?;
            if let Some(owner) = &owner {
                chown(folder.path(), Some(owner.uid), Some(owner.gid))
                    .context("failed to hand the folder over")?;
            }
            make_cluster(&programs, folder.path(), owner.as_ref())?;
            let port = free_port()?;
            let mut server = serve(&programs, folder.path(), port, owner.as_ref())?;
            wait_until_ready(&programs, &mut server, port)?;
            let cluster = Self { server, port, folder };
            step::say(format_args!("  {} in {}", cluster.url(), cluster.folder.path().display()));
            Ok(cluster)
        })
    }

    /// Where the cluster's own database is; whoever uses it makes databases of its own.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Makes a database of one's own.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<String> {
        let programs = programs().context("no PostgreSQL programs here: run `cargo xtask setup`")?;
        let mut create = Command::new(programs.join("createdb"));
        create.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", USER, name]);
        process::read(&mut create)?;
        Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port))
    }

    /// Fails when the server has ended by itself.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        self.server.check()
    }
}

/// The folder with the server's programs: on the PATH, else the newest of Debian's.
pub(crate) fn programs() -> Option<PathBuf> {
    let whole = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).is_file())
    };
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).find(whole).or_else(|| {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?.filter_map(Result::ok);
        versions.map(|version| version.path().join("bin")).filter(whole).max_by_key(|bin| major_version(bin))
    })
}

fn major_version(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// A port that nothing listens on at this moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// Who the server runs as when we are root.
#[derive(Debug)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    fn choose() -> anyhow::Result<Option<Self>> {
        if !process::is_root() {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").context("failed to read /etc/passwd")?;
        let owner = ["postgres", "nobody"].into_iter().find_map(|name| Self::named(&passwd, name));
        owner
            .context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
            .map(Some)
    }

    fn named(passwd: &str, name: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut ids = line.split(':').skip(2);
        Some(Self { uid: ids.next()?.parse().ok()?, gid: ids.next()?.parse().ok()? })
    }
}

/// The folder becomes the current one, because the owner may not read ours.
fn as_owner<'c>(command: &'c mut Command, folder: &Path, owner: Option<&Owner>) -> &'c mut Command {
    command.current_dir(folder).env_remove("LD_LIBRARY_PATH");
    if let Some(owner) = owner {
        command.uid(owner.uid).gid(owner.gid);
    }
    command
}

fn make_cluster(programs: &Path, folder: &Path, owner: Option<&Owner>) -> anyhow::Result<()> {
    let mut initdb = Command::new(programs.join("initdb"));
    initdb
        .args(["-A", "trust", "-U", USER, "--no-sync", "-E", "UTF8", "--locale=C", "-D"])
        .arg(folder.join("data"));
    process::read(as_owner(&mut initdb, folder, owner)).map(drop)
}

fn serve(programs: &Path, folder: &Path, port: u16, owner: Option<&Owner>) -> anyhow::Result<Daemon> {
    let mut command = Daemon::command(&programs.join("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
    for setting in [
        "listen_addresses=127.0.0.1",
        "max_connections=300",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
    ] {
        command.args(["-c", setting]);
    }
    command.arg("-c").arg(format!("unix_socket_directories={}", folder.display()));
    let log = folder.join("server.log");
    // SIGQUIT is the immediate shutdown: nothing here is worth a checkpoint.
    Daemon::spawn("postgres", as_owner(&mut command, folder, owner), log, "QUIT")
}

fn wait_until_ready(programs: &Path, server: &mut Daemon, port: u16) -> anyhow::Result<()> {
    process::wait_for("the start of PostgreSQL", START_PATIENCE, || {
        server.check()?;
        let mut probe = Command::new(programs.join("pg_isready"));
        probe.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", USER]);
        let ready = probe.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success();
        Ok(ready.then_some(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_read_from_passwd_by_its_whole_name() {
        let passwd =
            "nobody2:x:7:8::/:/bin/false\nnobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";
        let owner = Owner::named(passwd, "nobody").unwrap();
        assert_eq!((owner.uid, owner.gid), (65534, 65533));
        assert!(Owner::named(passwd, "postgres").is_none());
    }

    #[test]
    fn the_newest_version_wins_by_number_not_by_text() {
        assert!(major_version(Path::new("/p/15/bin")) > major_version(Path::new("/p/9/bin")));
    }

    #[test]
    fn a_cluster_answers_and_leaves_nothing_behind() {
        let mut cluster = Postgres::start().unwrap();
        cluster.check().unwrap();
        let address = ("127.0.0.1", cluster.port);
        let folder = cluster.folder.path().to_path_buf();
        assert!(cluster.url().contains(&cluster.port.to_string()));
        assert!(std::net::TcpStream::connect(address).is_ok());
        drop(cluster);
        assert!(std::net::TcpStream::connect(address).is_err());
        assert!(!folder.exists());
    }
}
