//! Running a facet's program.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{Script, VERSION};
use crate::config::DataFolder;

/// A server with thousands of tenants takes a while.
const TIME_LIMIT: Duration = Duration::from_mins(10);
/// Of an answer.
const LARGEST: usize = 32 << 20;
/// Of what it complains of; the end tells why.
const COMPLAINTS: usize = 16 * 1024;

/// A facet's program.
#[derive(Debug)]
pub(super) struct Program {
    facet: &'static str,
    path: PathBuf,
    arguments: Vec<String>,
    /// The script that the agent brings, and where it is written before it is run.
    own: Option<(PathBuf, &'static str, DataFolder)>,
    limit: Duration,
    largest: usize,
}

/// Why a facet gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum FacetError {
    /// The script could not be put where it is run.
    #[error("the script cannot be written to the agent's data folder")]
    Write(#[source] crate::config::FileError),
    /// No such program, for instance.
    #[error("{} cannot be started", .0.display())]
    Start(PathBuf, #[source] io::Error),
    /// It broke off.
    #[error("the program's answer cannot be read")]
    Read(#[source] io::Error),
    /// It took too long.
    #[error("the program did not finish within {} s", .0.as_secs())]
    TimeLimit(Duration),
    /// It says more than anything could have to say.
    #[error("the program's answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// It says that it failed.
    #[error("the program failed ({status}): {message}")]
    Failed {
        /// As the system tells it.
        status: String,
        /// The last that it wrote to its error output.
        message: String,
    },
    /// Another version of the contract.
    #[error(
        "the program speaks version {0} of the contract, this agent version 1; update whichever is older"
    )]
    Version(u64),
    /// No JSON, or not by the contract.
    #[error("the program's answer is not as the contract says")]
    Contract(#[source] serde_json::Error),
    /// By the contract's letter, and no sense.
    #[error("the program's answer makes no sense: {0}")]
    Nonsense(String),
}

impl Program {
    pub(super) fn new(
        facet: &'static str,
        script: &Script,
        source: &'static str,
        folder: &DataFolder,
    ) -> Self {
        let (limit, largest) = (TIME_LIMIT, LARGEST);
        if let Some(program) = script.program.clone() {
            return Self {
                facet,
                path: program,
                arguments: script.arguments.clone(),
                own: None,
                limit,
                largest,
            };
        }
        let path = folder.path().join(format!("{facet}.ps1"));
        let arguments = ["-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(path.display().to_string());
        let own = Some((path, source, folder.clone()));
        Self { facet, path: PathBuf::from("pwsh.exe"), arguments, own, limit, largest }
    }

    /// Other limits than the usual.
    #[cfg(test)]
    pub(super) fn limited(mut self, limit: Duration, largest: usize) -> Self {
        (self.limit, self.largest) = (limit, largest);
        self
    }

    /// Runs it with a request, and gives what it answers.
    pub(super) async fn ask(&self, request: &Value) -> Result<Vec<u8>, FacetError> {
        if let Some((path, source, folder)) = &self.own {
            // Anew each time: whoever changed it meanwhile changed nothing.
            folder.replace(path, source.as_bytes()).map_err(FacetError::Write)?;
        }
        timeout(self.limit, self.run(request)).await.map_err(|_| FacetError::TimeLimit(self.limit))?
    }

    async fn run(&self, request: &Value) -> Result<Vec<u8>, FacetError> {
        let mut child = tokio::process::Command::new(&self.path)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| FacetError::Start(self.path.clone(), error))?;
        let (input, output, complaints) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let request = request.to_string();
        let write = async {
            let Some(mut input) = input else { return };
            // A program that does not want it to its end says so by its own end.
            if let Err(error) = input.write_all(request.as_bytes()).await {
                tracing::debug!(facet = self.facet, "the request was not read to its end: {error}");
            }
        };
        let ((), answer, message) = tokio::join!(write, self.answer(output), tail(complaints));
        let answer = answer?;
        let status = child.wait().await.map_err(FacetError::Read)?;
        if status.success() {
            return Ok(answer);
        }
        let lines: Vec<&str> = message.trim().lines().rev().take(3).collect();
        let message = lines.into_iter().rev().collect::<Vec<_>>().join("; ");
        Err(FacetError::Failed { status: status.to_string(), message })
    }

    async fn answer(&self, output: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, FacetError> {
        let mut answer = Vec::new();
        if let Some(output) = output {
            let most = self.largest as u64 + 1;
            output.take(most).read_to_end(&mut answer).await.map_err(FacetError::Read)?;
        }
        if answer.len() > self.largest { Err(FacetError::TooLarge(self.largest)) } else { Ok(answer) }
    }
}

async fn tail(source: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    if let Some(mut source) = source {
        while matches!(source.read_buf(&mut kept).await, Ok(read) if read > 0) {
            let surplus = kept.len().saturating_sub(COMPLAINTS);
            kept.drain(..surplus);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Whether a text has one; a backslash that stands for itself begins none.
fn holds_nul(mut json: &[u8]) -> bool {
    while let Some(at) = json.iter().position(|byte| *byte == b'\\') {
        let escape = json.get(at..).unwrap_or_default();
        if escape.starts_with(br"\u0000") {
            return true;
        }
        json = escape.get(2..).unwrap_or_default();
    }
    false
}

#[derive(Deserialize)]
struct Envelope {
    version: u64,
}

/// Reads an answer: first whether it is of this version, then to the letter. PowerShell may start it with a byte order mark.
pub(super) fn parse<T: DeserializeOwned>(answer: &[u8]) -> Result<T, FacetError> {
    let answer = answer.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer);
    let envelope: Envelope = serde_json::from_slice(answer).map_err(FacetError::Contract)?;
    if envelope.version != VERSION {
        return Err(FacetError::Version(envelope.version));
    }
    // The host keeps none, and would refuse all that travels with it.
    if holds_nul(answer) {
        return Err(FacetError::Nonsense("a text holds a NUL character (\\u0000)".to_owned()));
    }
    serde_json::from_slice(answer).map_err(FacetError::Contract)
}
