//! restic's output as it comes: never more of it in memory than a few buffers.

use std::io::{self, Cursor};
use std::ops::ControlFlow;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdout};
use tokio::sync::mpsc::{self, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::StreamReader;

use super::command::{Command, ResticError, not_started};
use crate::driver::restore::Bytes;

/// Read at once; so many of them wait for whoever reads.
const BUFFER: usize = 64 * 1024;
const WAITING: usize = 4;
/// Of one line: a name has at most a few hundred bytes, what a repository says beside is not trusted.
const LONGEST_LINE: usize = 256 * 1024;
/// Of what restic complains of; the end tells why.
const COMPLAINTS: usize = 16 * 1024;

type Chunk = io::Result<Cursor<Vec<u8>>>;

/// A restic that runs.
struct Running {
    child: Child,
    output: ChildStdout,
    complaints: JoinHandle<String>,
}

/// What to take of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Bytes to leave out at the start: restic cannot begin anywhere else, so they are read and dropped.
    pub(super) offset: u64,
    /// What the whole must have, where that is known.
    pub(super) size: Option<u64>,
}

impl Command {
    fn start(&self, arguments: &[&str]) -> Result<Running, ResticError> {
        let mut command = self.prepare(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(not_started)?;
        let missing = || ResticError::Start(io::Error::other("its output was not piped"));
        let output = child.stdout.take().ok_or_else(missing)?;
        let complaints = tokio::spawn(tail(child.stderr.take().ok_or_else(missing)?));
        Ok(Running { child, output, complaints })
    }

    /// Hands over each line until there is no more, or `each` has enough.
    pub(super) async fn lines(
        &self,
        arguments: &[&str],
        mut each: impl FnMut(&[u8]) -> Result<ControlFlow<()>, ResticError>,
    ) -> Result<(), ResticError> {
        let mut running = self.start(arguments)?;
        let mut buffer = Vec::new();
        loop {
            let read = timeout(self.limit, running.output.read_buf(&mut buffer)).await;
            let read = read.map_err(|_| ResticError::TimeLimit(self.limit))?.map_err(ResticError::Read)?;
            let mut begin = 0;
            while let Some(length) = line(&buffer, begin) {
                let text = buffer.get(begin..begin + length).unwrap_or_default();
                if each(text)?.is_break() {
                    return Ok(());
                }
                begin += length + 1;
            }
            buffer.drain(..begin.min(buffer.len()));
            if read == 0 {
                return self.ended(running).await;
            }
            if buffer.len() > LONGEST_LINE {
                return Err(ResticError::Read(io::Error::other("a line of its answer is too long")));
            }
            buffer.reserve(BUFFER);
        }
    }

    /// What restic writes, read only as fast as it is taken. restic is ended when nobody takes it any more.
    pub(super) fn bytes(self: &Arc<Self>, arguments: &[&str], part: Part) -> Result<Bytes, ResticError> {
        let running = self.start(arguments)?;
        let (sender, receiver) = mpsc::channel::<Chunk>(WAITING);
        let command = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = tokio::select! {
                outcome = command.pump(running, part, &sender) => outcome,
                () = sender.closed() => Ok(()),
            };
            if let Err(error) = outcome {
                sender.send(Err(io::Error::other(error))).await.ok();
            }
        });
        Ok(Box::pin(StreamReader::new(ReceiverStream::new(receiver))))
    }

    async fn pump(
        &self,
        mut running: Running,
        part: Part,
        sender: &Sender<Chunk>,
    ) -> Result<(), ResticError> {
        let mut position: u64 = 0;
        loop {
            let mut buffer = Vec::with_capacity(BUFFER);
            let read = timeout(self.limit, running.output.read_buf(&mut buffer)).await;
            let read = read.map_err(|_| ResticError::TimeLimit(self.limit))?.map_err(ResticError::Read)?;
            if read == 0 {
                break;
            }
            let skipped = part.offset.saturating_sub(position).min(read as u64);
            position += read as u64;
            if skipped < read as u64 {
                buffer.drain(..usize::try_from(skipped).unwrap_or(read));
                if sender.send(Ok(Cursor::new(buffer))).await.is_err() {
                    return Ok(());
                }
            }
        }
        self.ended(running).await?;
        match part.size.filter(|size| *size != position) {
            Some(size) => Err(ResticError::Short { said: size, gave: position }),
            None => Ok(()),
        }
    }

    async fn ended(&self, mut running: Running) -> Result<(), ResticError> {
        let status = timeout(self.limit, running.child.wait()).await;
        let status = status.map_err(|_| ResticError::TimeLimit(self.limit))?.map_err(ResticError::Read)?;
        self.judge(status, &running.complaints.await.unwrap_or_default())
    }
}

/// How long the line is that begins there, if it is whole.
fn line(buffer: &[u8], begin: usize) -> Option<usize> {
    buffer.get(begin..)?.iter().position(|byte| *byte == b'\n')
}

/// The last that is read.
async fn tail(mut source: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    while matches!(source.read_buf(&mut kept).await, Ok(read) if read > 0) {
        let surplus = kept.len().saturating_sub(COMPLAINTS);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
