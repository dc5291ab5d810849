//! Running restic, and saying in the operator's words why it failed.

use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// How to call restic for one repository.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) program: PathBuf,
    pub(super) repository: String,
    pub(super) password_file: PathBuf,
    pub(super) cache: PathBuf,
    pub(super) limit: Duration,
}

/// Why restic gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ResticError {
    /// No such program.
    #[error("restic is not installed or not in the PATH; install it (Debian: `apt-get install restic`)")]
    Missing(#[source] io::Error),
    /// The system did not run it.
    #[error("restic cannot be started")]
    Start(#[source] io::Error),
    /// It took too long.
    #[error("restic did not finish within {} s; is the repository's storage reachable?", .0.as_secs())]
    TimeLimit(Duration),
    /// The password file is absent or not readable.
    #[error("the restic password file {} cannot be read; check its name, and that the agent's user may read it", .0.display())]
    PasswordFile(PathBuf),
    /// No key fits.
    #[error("wrong password for the restic repository {0}; put the right one into the password file")]
    WrongPassword(String),
    /// Somebody holds it exclusively.
    #[error(
        "the restic repository {0} is locked by another process; it is read again at the next interval (`restic unlock` removes a stale lock)"
    )]
    Locked(String),
    /// There is none.
    #[error("there is no restic repository at {0}; check the location, or make one with `restic init`")]
    NoRepository(String),
    /// Anything else that restic says.
    #[error("restic failed ({status}): {message}")]
    Failed {
        /// As the system tells it.
        status: String,
        /// The last that restic wrote to its error output.
        message: String,
    },
    /// It broke off.
    #[error("the answer of restic cannot be read")]
    Read(#[source] io::Error),
    /// A file is not what the snapshot says.
    #[error("the snapshot says that the file has {said} bytes, and restic gave {gave}")]
    Short {
        /// By the snapshot.
        said: u64,
        /// By restic.
        gave: u64,
    },
    /// The answer is not what this version of the agent knows.
    #[error("the answer of `restic {0}` is not understood; is this restic older than 0.14?")]
    Output(String, #[source] serde_json::Error),
    /// A snapshot without a usable time.
    #[error("restic snapshot {0} has a time that cannot be read")]
    Time(String, #[source] time::error::Parse),
}

impl Command {
    /// Runs restic and parses what it prints.
    pub(super) async fn json<T: DeserializeOwned>(&self, arguments: &[&str]) -> Result<T, ResticError> {
        let text = self.run(arguments).await?;
        serde_json::from_str(&text).map_err(|error| ResticError::Output(arguments.join(" "), error))
    }

    /// Runs restic and gives what it prints.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<String, ResticError> {
        let output = timeout(self.limit, self.prepare(arguments).output())
            .await
            .map_err(|_| ResticError::TimeLimit(self.limit))?
            .map_err(not_started)?;
        self.judge(output.status, &String::from_utf8_lossy(&output.stderr))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// restic with what it needs to know, none of it secret: the password comes from its file.
    pub(super) fn prepare(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(&self.program);
        command
            .args(arguments)
            .env("RESTIC_REPOSITORY", &self.repository)
            .env("RESTIC_PASSWORD_FILE", &self.password_file)
            .env("RESTIC_CACHE_DIR", &self.cache)
            // These would win over, or collide with, what was just set.
            .env_remove("RESTIC_PASSWORD")
            .env_remove("RESTIC_PASSWORD_COMMAND")
            .env_remove("RESTIC_REPOSITORY_FILE")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// How restic ended.
    pub(super) fn judge(&self, status: ExitStatus, message: &str) -> Result<(), ResticError> {
        if status.success() {
            return Ok(());
        }
        Err(self.diagnose(status.code(), &status.to_string(), message.trim()))
    }

    /// restic 0.17 tells by exit code, older ones by their words alone.
    fn diagnose(&self, code: Option<i32>, status: &str, message: &str) -> ResticError {
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let repository = || self.repository.clone();
        if code == Some(12) || says(&["wrong password or no key found"]) {
            ResticError::WrongPassword(repository())
        } else if says(&["Resolving password failed", "empty password"]) {
            ResticError::PasswordFile(self.password_file.clone())
        } else if code == Some(11) || says(&["already locked"]) {
            ResticError::Locked(repository())
        } else if code == Some(10) || says(&["Is there a repository at the following location"]) {
            ResticError::NoRepository(repository())
        } else {
            let tail: Vec<&str> = message.lines().rev().take(3).collect();
            let message = tail.into_iter().rev().collect::<Vec<_>>().join("; ");
            ResticError::Failed { status: status.to_owned(), message }
        }
    }
}

pub(super) fn not_started(error: io::Error) -> ResticError {
    match error.kind() {
        io::ErrorKind::NotFound => ResticError::Missing(error),
        _ => ResticError::Start(error),
    }
}
