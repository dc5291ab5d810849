//! The command line's way into a running host: `keelson.sock` in the data folder, for its owner and for root.
//!
//! **Cast.** `keelson serve` opens an [`AdminSocket`]. Every other command first looks whether a host runs on its data
//! folder, and if so hands its arguments over: one line of JSON there, one back. The host then runs the same code that
//! the command would have run itself, on its own database connection and with its own plugins, and sends back what it
//! printed. Only when no host runs does a command open the database itself.
//!
//! **Crash.** A socket that a dead host left behind refuses connections, and the lock on the data folder is free: it is
//! stale. A socket that is missing while the lock is held belongs to a host that starts or stops: it is waited for.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;

use crate::app;

mod server;

pub use server::AdminSocket;

/// Its name in the data folder.
const NAME: &str = "keelson.sock";
/// No request and no answer is longer.
const LONGEST: u64 = 8 * 1024 * 1024;
/// Longer paths do not fit the address of a socket.
const LONGEST_PATH: usize = 100;
/// How long a host may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at a host that starts or stops.
const PAUSE: Duration = Duration::from_millis(50);

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    /// Of the program that asks.
    version: String,
    /// As they were typed.
    arguments: Vec<String>,
    /// The database that was asked for by name; the host must be the one that has it open.
    database: Option<String>,
    /// Standard input, for commands that read it.
    input: String,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
struct Reply {
    /// For standard output.
    output: String,
    /// Why it failed.
    error: Option<String>,
}

/// Has the host that runs on this data folder do it; none if no host runs there. With the database that was asked for, and whether
/// the command reads standard input though no flag says so.
pub(super) async fn ask(
    data: &Path,
    arguments: Vec<String>,
    (database, reads): (Option<String>, bool),
) -> anyhow::Result<Option<(String, Option<String>)>> {
    let Some(mut stream) = connect(data).await? else { return Ok(None) };
    let reads = reads || arguments.iter().any(|argument| argument.ends_with("-stdin"));
    let input = if reads { stdin()? } else { String::new() };
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let mut line = serde_json::to_vec(&Request { version, arguments, database, input })?;
    line.push(b'\n');
    stream.write_all(&line).await.context("cannot hand the command to the running host")?;
    let answer = read_line(&mut stream).await.context("the running host gave no answer; its log says why")?;
    let Reply { output, error } = serde_json::from_str(&answer).context(
        "the running host answered in a way this version does not understand; use its own keelson",
    )?;
    Ok(Some((output, error)))
}

fn stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(LONGEST / 8).read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text)
}

/// A connection to the host of this data folder, if one runs.
async fn connect(data: &Path) -> anyhow::Result<Option<UnixStream>> {
    let (_folder, path) = address(data)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(&path).await {
            Ok(stream) => {
                check(data, &stream)?;
                return Ok(Some(stream));
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {}
            Err(error) => {
                let path = data.join(NAME);
                return Err(error)
                    .with_context(|| format!("cannot reach the running host at {}", path.display()));
            }
        }
        if !app::is_running(data) {
            return Ok(None);
        }
        if tokio::time::Instant::now() > deadline {
            bail!(
                "a keelson runs on {} and does not answer at its {NAME}; wait until it has started, or stop it",
                data.display()
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A password is handed to nobody but the owner of the data folder, or root.
fn check(data: &Path, stream: &UnixStream) -> anyhow::Result<()> {
    let (host, owner) = (stream.peer_cred()?.uid(), data.metadata()?.uid());
    if host != owner && host != 0 {
        bail!("somebody else (user {host}) listens at {}; remove that socket", data.join(NAME).display());
    }
    Ok(())
}

/// The socket's path. One that is too long for a socket goes through the folder's descriptor, which is given too.
fn address(data: &Path) -> anyhow::Result<(Option<File>, PathBuf)> {
    let path = data.join(NAME);
    if path.as_os_str().len() <= LONGEST_PATH || !data.exists() {
        return Ok((None, path));
    }
    let folder = File::open(data).with_context(|| format!("cannot open {}", data.display()))?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()));
    Ok((Some(folder), path))
}

async fn read_line(stream: &mut UnixStream) -> anyhow::Result<String> {
    let mut line = String::new();
    BufReader::new(stream).take(LONGEST).read_line(&mut line).await?;
    if !line.ends_with('\n') {
        bail!("the connection ended in the middle of a line, or the line is too long");
    }
    Ok(line)
}
