//! An action's task, until its answer is kept.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument as _;

use super::answer::Answer;
use super::asked::purpose;
use super::registry::{Running, canceled};
use crate::api::ApiState;
use crate::api::error::ApiError;
use crate::clock::{HOUR, MINUTE};
use crate::error::chain;
use crate::model::{ActionKey, ActionStatus};

/// How long an answer is kept.
const KEEP: i64 = 5 * MINUTE;
/// How long the failure of an action is kept whose client did not wait for it.
const KEEP_FAILURE: i64 = HOUR;
/// Between attempts to keep an answer, when the database is away for a moment.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];

/// Looks after the task until its answer is kept.
pub(super) fn start(state: &ApiState, running: Arc<Running>, work: JoinHandle<Response>) {
    if running.abort.set(work.abort_handle()).is_err() {
        tracing::error!(action.id = %running.key.id, "an action was started twice");
    }
    let task = {
        let state = state.clone();
        async move {
            let (status, answer) = ended(&running, work.await).await;
            keep(&state, &running, status, answer).await;
            state.actions().leave(running.key);
        }
    };
    state.actions().tasks.spawn(task.in_current_span());
}

async fn ended(running: &Running, ended: Result<Response, JoinError>) -> (ActionStatus, Answer) {
    match ended {
        // Cancelled between two awaits of its last: its commit was refused, and that is all its answer can say.
        Ok(_) if running.point.is_refused() => (ActionStatus::Canceled, Answer::error(canceled()).await),
        Ok(response) => {
            let answer = Answer::of(response).await;
            let good = answer.status().is_success();
            (if good { ActionStatus::Succeed } else { ActionStatus::Failed }, answer)
        }
        Err(error) if error.is_cancelled() => (ActionStatus::Canceled, Answer::error(canceled()).await),
        Err(error) => (ActionStatus::Failed, Answer::error(ApiError::internal(error)).await),
    }
}

/// Writes down how it ended, and tells whoever waits. A fault of the host's that changed nothing, and that its client reads
/// now, is forgotten instead: the client will send the same again, under the same id, and it must act then.
async fn keep(state: &ApiState, running: &Running, status: ActionStatus, answer: Answer) {
    let may_be_repeated =
        answer.status().is_server_error() || answer.status() == StatusCode::TOO_MANY_REQUESTS;
    let is_detached = state.actions().settle(running);
    let forget = may_be_repeated && !is_detached && !running.point.is_passed();
    let for_long = is_detached && status != ActionStatus::Succeed;
    let expires_at = state.clock().now_ms().saturating_add(if for_long { KEEP_FAILURE } else { KEEP });
    let end = (!forget).then_some((status, expires_at));
    let mut written = if forget { None } else { Some(write(state, running.key, end, &answer).await) };
    // A repeat that comes before the row says so is answered from memory.
    running.answer.send_replace(Some(answer.clone()));
    let mut pauses = PAUSES.iter();
    while !matches!(written, Some(Ok(()))) {
        if let Some(Err(error)) = written {
            let Some(pause) = pauses.next() else {
                let id = running.key.id;
                tracing::error!(action.id = %id, error = chain(&*error), "the answer of an action is not kept");
                return;
            };
            tokio::time::sleep(*pause).await;
        }
        written = Some(write(state, running.key, end, &answer).await);
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn write(
    state: &ApiState,
    key: ActionKey,
    end: Option<(ActionStatus, i64)>,
    answer: &Answer,
) -> Result<(), Failure> {
    let mut tx = state.store().write().await?;
    match end {
        None => tx.actions().forget(key).await?,
        Some((status, expires_at)) => {
            let sealed = state.actions().seal.seal(&purpose("answer", key), &answer.to_bytes())?;
            tx.actions().end(key, status, Some(&sealed), expires_at).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Notes that nobody works on an action any more.
pub(super) async fn lose(state: &ApiState, keys: &[ActionKey]) -> Result<(), crate::store::StoreError> {
    let mut tx = state.store().write().await?;
    let expires_at = state.clock().now_ms().saturating_add(KEEP_FAILURE);
    for key in keys {
        tx.actions().end(*key, ActionStatus::Failed, None, expires_at).await?;
    }
    tx.commit().await
}
