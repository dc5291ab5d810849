//! The host's end of the socket.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{NAME, Reply, Request, address, read_line};
use crate::app::App;
use crate::cli::{Cli, Place, Running, output};
use crate::config::Config;

/// Commands that are worked on at the same time.
const AT_ONCE: usize = 8;
/// A request that is not there by then is given up.
const REQUEST: Duration = Duration::from_secs(30);
/// At the end, commands under way may take this long.
const DRAIN: Duration = Duration::from_secs(20);
/// After a failed accept, so that the loop does not spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the command line until it is closed.
#[derive(Debug)]
pub struct AdminSocket {
    path: PathBuf,
    tasks: TaskTracker,
    closing: CancellationToken,
}

/// What every connection gets.
#[derive(Debug)]
struct Desk {
    place: Place,
    seats: Semaphore,
}

impl AdminSocket {
    /// Opens it for a host on its data folder. What a dead host left there is replaced: this one holds the folder's lock.
    pub fn open(data: &Path, config: &Config, app: &App) -> anyhow::Result<Self> {
        let listener = bind(data).with_context(|| format!("cannot open {}", data.join(NAME).display()))?;
        let running = Running {
            store: app.store().clone(),
            plugins: app.plugins().clone(),
            agents: app.agents().clone(),
        };
        let place = Place { data: data.to_owned(), config: config.clone(), running: Some(running) };
        let desk = Arc::new(Desk { place, seats: Semaphore::new(AT_ONCE) });
        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(accept(listener, desk, tasks.clone(), closing.clone()));
        Ok(Self { path: data.join(NAME), tasks, closing })
    }

    /// Takes no more commands, and waits for those that are under way.
    pub async fn close(self) {
        self.closing.cancel();
        // Gone before the lock is: whoever comes now waits for the lock.
        drop(std::fs::remove_file(&self.path));
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!(commands = self.tasks.len(), "commands that did not end in time are cut");
        }
    }
}

/// Nobody else may open it, not even for a moment: it gets its name when it has its mode.
fn bind(data: &Path) -> anyhow::Result<UnixListener> {
    let (_folder, path) = address(data)?;
    let draft = path.with_extension("sock.new");
    drop(std::fs::remove_file(&draft));
    let listener = UnixListener::bind(&draft)?;
    std::fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
    std::fs::rename(&draft, &path)?;
    Ok(listener)
}

async fn accept(listener: UnixListener, desk: Arc<Desk>, tasks: TaskTracker, closing: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = closing.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                tasks.spawn(async move {
                    if let Err(error) = desk.serve(stream).await {
                        tracing::warn!("a command at {NAME} was not served: {error:#}");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a command at {NAME}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl Desk {
    async fn serve(&self, mut stream: UnixStream) -> anyhow::Result<()> {
        let caller = stream.peer_cred()?.uid();
        if caller != own_uid()? && caller != 0 {
            bail!("user {caller} is neither the host's own nor root");
        }
        let _seat = self.seats.acquire().await?;
        let line = tokio::time::timeout(REQUEST, read_line(&mut stream)).await??;
        let request: Request = serde_json::from_str(&line)?;
        let words = request.arguments.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
        tracing::info!(user = caller, "command: {words}");
        let (outcome, output) = output::captured(request.input.clone(), self.run(request)).await;
        let reply = Reply { output, error: outcome.err().map(|error| format!("{error:#}")) };
        let mut line = serde_json::to_vec(&reply)?;
        line.push(b'\n');
        tokio::time::timeout(REQUEST, stream.write_all(&line)).await??;
        Ok(())
    }

    async fn run(&self, request: Request) -> anyhow::Result<()> {
        if request.database.is_some() && request.database != self.place.config.database {
            bail!(
                "a keelson runs on {} with another database than --database says; leave --database out, or stop it",
                self.place.data.display()
            );
        }
        let arguments = std::iter::once("keelson".to_owned()).chain(request.arguments);
        let cli = Cli::try_parse_from(arguments).with_context(|| {
            let own = env!("CARGO_PKG_VERSION");
            format!(
                "the running host is keelson {own} and does not understand this command of {}",
                request.version
            )
        })?;
        Box::pin(cli.command.run(&self.place)).await
    }
}

/// Whom this process belongs to.
fn own_uid() -> std::io::Result<u32> {
    Ok(std::fs::metadata("/proc/self")?.uid())
}
