//! Mounts that this agent made. They are noted in a file, so that one that nobody closed, because the agent or the host was
//! restarted, is unmounted by the next agent; VBR itself unmounts what it made and this agent never heard of, after the same
//! idle time.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::call::Call;
use super::client::Client;
use super::error::VbrError;
use super::restore;
use crate::error::chain;

/// One mounted restore point.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Mount {
    /// The host's id of it: the same one opened twice is the same mount.
    pub(super) session: String,
    pub(super) point: String,
    /// VBR's id of it.
    pub(super) id: String,
    /// Nobody needs it after that, in unix milliseconds.
    pub(super) until: i64,
    /// Minutes without use after which it is over.
    pub(super) idle: i64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Mounts {
    path: PathBuf,
    known: Mutex<Option<Vec<Mount>>>,
}

impl Mounts {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Option<Vec<Mount>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = Some(self.load());
        }
        known
    }

    /// A file that cannot be read is no reason to do nothing: VBR's own idle time is the second line.
    fn load(&self) -> Vec<Mount> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                warn!("the note of open mounts cannot be read: {}", chain(&error));
                return Vec::new();
            }
        };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            warn!("the note of open mounts is damaged: {}", chain(&error));
            Vec::new()
        })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Mount>)) -> std::io::Result<()> {
        let mut known = self.known();
        let all = known.get_or_insert_default();
        change(all);
        let text = serde_json::to_string(all).unwrap_or_default();
        let temporary = self.path.with_extension("json.next");
        std::fs::write(&temporary, text)?;
        std::fs::rename(&temporary, &self.path)
    }

    /// By the host's id.
    pub(super) fn find(&self, session: &str) -> Option<Mount> {
        self.known().iter().flatten().find(|mount| mount.session == session).cloned()
    }

    /// Notes a new one.
    pub(super) fn add(&self, mount: Mount) -> std::io::Result<()> {
        self.change(|all| all.push(mount))
    }

    /// It was used: its time begins anew.
    pub(super) fn used(&self, session: &str, now: i64) {
        self.note(|all| {
            for mount in all.iter_mut().filter(|mount| mount.session == session) {
                mount.until = now.saturating_add(mount.idle * 60_000);
            }
        });
    }

    pub(super) fn remove(&self, session: &str) {
        self.note(|all| all.retain(|mount| mount.session != session));
    }

    fn note(&self, change: impl FnOnce(&mut Vec<Mount>)) {
        if let Err(error) = self.change(change) {
            warn!("the note of open mounts cannot be written: {}", chain(&error));
        }
    }

    /// Unmounts what nobody closed in time.
    pub(super) async fn sweep(&self, client: &Client) {
        let now = client.clock.now_ms();
        let over: Vec<Mount> =
            self.known().iter().flatten().filter(|mount| mount.until <= now).cloned().collect();
        for mount in over {
            // What is being restored from it would break off in the middle.
            if restore::is_busy(client, &mount.id).await {
                self.used(&mount.session, now);
                continue;
            }
            match unmount(client, &mount.id).await {
                Ok(()) => {
                    info!(mount.id, "unmounted a restore point that nobody closed");
                    self.remove(&mount.session);
                }
                // Next time.
                Err(error) => warn!("a forgotten mount stays for now: {}", chain(&error)),
            }
        }
    }
}

/// Unmounts; one that is no longer there is as good.
pub(super) async fn unmount(client: &Client, mount: &str) -> Result<(), VbrError> {
    match client.done(&Call::post(format!("/api/v1/restore/flr/{mount}/unmount"))).await {
        Ok(()) | Err(VbrError::NotFound { .. }) => Ok(()),
        Err(error) => {
            let listed = client
                .list(Call::get("/api/v1/backupBrowser/flr"), |open: super::model::FlrBrowseMountModel| {
                    Ok(open.session_id)
                });
            let open = listed.await?;
            if open.iter().any(|one| one == mount) { Err(error) } else { Ok(()) }
        }
    }
}
