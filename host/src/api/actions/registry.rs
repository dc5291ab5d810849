//! What runs in this process, and what the rows say about the rest.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::task::TaskTracker;

use super::answer::Answer;
use super::asked::purpose;
use crate::api::error::ApiError;
use crate::model::{Action, ActionKey, ActionStatus};
use crate::seal::Seal;
use crate::store::CommitPoint;

/// Actions that one user has going on after their 202.
const AT_ONCE: usize = 4;
/// For whoever has too many.
const RETRY: Duration = Duration::from_secs(5);

/// All actions of this process.
#[derive(Debug)]
pub(crate) struct Actions {
    pub(super) seal: Seal,
    /// How long an answer is waited for before there is a 202 instead.
    pub(super) patience: Duration,
    running: Mutex<HashMap<ActionKey, Arc<Running>>>,
    pub(super) tasks: TaskTracker,
}

/// An action that this process works on.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) key: ActionKey,
    pub(super) fingerprint: [u8; 32],
    pub(super) point: Arc<CommitPoint>,
    /// Whether its client was sent away with a 202.
    detached: AtomicBool,
    /// Whether it has ended, so that nobody is sent away any more.
    settled: AtomicBool,
    pub(super) abort: OnceLock<AbortHandle>,
    pub(super) answer: watch::Sender<Option<Answer>>,
}

impl Running {
    /// Whether its client was sent away with a 202.
    pub(super) fn is_detached(&self) -> bool {
        self.detached.load(Ordering::SeqCst)
    }

    /// Its answer, when there is one.
    pub(super) async fn answered(&self) -> Answer {
        let mut answer = self.answer.subscribe();
        let answer = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        match answer {
            Some(answer) => answer,
            None => Answer::error(ApiError::internal("an action ended without an answer")).await,
        }
    }
}

/// Whether a request may begin.
pub(super) enum Place {
    /// It may.
    New(Arc<Running>),
    /// The same is under way.
    Taken(Arc<Running>),
}

impl Actions {
    /// None yet.
    pub(crate) fn new(seal: Seal, patience: Duration) -> Self {
        Self { seal, patience, running: Mutex::default(), tasks: TaskTracker::new() }
    }

    /// Waits for what still runs, up to a point.
    pub(crate) async fn finish(&self, patience: Duration) {
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(actions = self.tasks.len(), "actions that did not end in time are cut");
        }
    }

    fn running(&self) -> MutexGuard<'_, HashMap<ActionKey, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the place of this id, and one of the user's four if its client does not wait for it.
    pub(super) fn enter(
        &self,
        key: ActionKey,
        fingerprint: [u8; 32],
        point: Arc<CommitPoint>,
        detached: bool,
    ) -> Result<Place, ApiError> {
        let mut all = self.running();
        let crowded = detached && is_crowded(&all, key);
        match all.entry(key) {
            Entry::Occupied(taken) => Ok(Place::Taken(Arc::clone(taken.get()))),
            Entry::Vacant(_) if crowded => Err(ApiError::too_many_requests(
                format!("{AT_ONCE} actions of yours are running; wait until one has ended"),
                RETRY,
            )),
            Entry::Vacant(free) => {
                let running = Running {
                    key,
                    fingerprint,
                    point,
                    detached: AtomicBool::new(detached),
                    settled: AtomicBool::new(false),
                    abort: OnceLock::new(),
                    answer: watch::Sender::new(None),
                };
                Ok(Place::New(Arc::clone(free.insert(Arc::new(running)))))
            }
        }
    }

    /// Makes it one whose client was sent away, if the user may have another of those.
    pub(super) fn detach(&self, running: &Running) -> bool {
        let all = self.running();
        if running.settled.load(Ordering::SeqCst) || !running.is_detached() && is_crowded(&all, running.key) {
            return false;
        }
        running.detached.store(true, Ordering::SeqCst);
        true
    }

    /// It has ended: whoever waits for it is not sent away now. Whether somebody was before.
    pub(super) fn settle(&self, running: &Running) -> bool {
        let _all = self.running();
        running.settled.store(true, Ordering::SeqCst);
        running.is_detached()
    }

    /// It has ended, or never began.
    pub(super) fn leave(&self, key: ActionKey) {
        self.running().remove(&key);
    }

    /// The one under this id.
    pub(super) fn find(&self, key: ActionKey) -> Option<Arc<Running>> {
        self.running().get(&key).cloned()
    }

    /// All of them.
    pub(super) fn keys(&self) -> Vec<ActionKey> {
        self.running().keys().copied().collect()
    }

    /// Ends one before it takes effect; false when it is too late.
    pub(super) async fn cancel(&self, key: ActionKey) -> Result<bool, ApiError> {
        let Some(running) = self.find(key) else {
            return Err(ApiError::conflict(format!(
                "the action {} does not run on this host, so it cannot be cancelled here; ask for its status",
                key.id
            )));
        };
        if !running.point.close() {
            return Ok(false);
        }
        if let Some(abort) = running.abort.get() {
            abort.abort();
        }
        // Only when its task is gone has its transaction been rolled back.
        running.answered().await;
        Ok(true)
    }

    /// What an action that has ended answered.
    pub(super) fn answer_of(&self, action: &Action) -> Response {
        if action.status() == ActionStatus::Canceled {
            return canceled().into_response();
        }
        let Some(sealed) = &action.answer else { return lost(action.committed).into_response() };
        match self.seal.unseal(&purpose("answer", action.key()), sealed) {
            Ok(bytes) => Answer::from_bytes(&bytes).map_or_else(
                || ApiError::internal("the stored answer of an action is damaged").into_response(),
                |answer| answer.respond(),
            ),
            Err(error) => ApiError::internal(error).into_response(),
        }
    }

    /// Whether the row is of this very request.
    pub(super) fn is_same(&self, action: &Action, fingerprint: &[u8; 32]) -> bool {
        let known = self.seal.unseal(&purpose("fingerprint", action.key()), &action.fingerprint);
        known.is_ok_and(|known| known == fingerprint)
    }
}

fn is_crowded(all: &HashMap<ActionKey, Arc<Running>>, key: ActionKey) -> bool {
    all.values().filter(|running| running.key.user == key.user && running.is_detached()).count() >= AT_ONCE
}

/// What whoever waits for a cancelled action reads.
pub(super) fn canceled() -> ApiError {
    ApiError::conflict("the action was cancelled before it took effect; nothing of it happened")
}

/// What became of an action whose host died with it.
fn lost(committed: bool) -> ApiError {
    let what = if committed {
        "the host stopped after the change had been made and before its answer was kept: the change is in effect, so \
         do not repeat it"
    } else {
        "the host stopped before the change was made: nothing of it happened; send it again under a new X-Request-id"
    };
    ApiError::conflict(what)
}
