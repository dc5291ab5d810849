//! One request, from the guard to its answer.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::LOCATION;
use http::{HeaderName, HeaderValue, StatusCode};
use tracing::Instrument as _;

use super::TAG;
use super::answer::Answer;
use super::asked::{Asked, Wish};
use super::registry::{Place, Running};
use super::run::start;
use super::upkeep::LEASE;
use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::error::ApiError;
use crate::api::operations::Operation;
use crate::model::{Action, ActionKey, ActionStatus};
use crate::store::CommitPoint;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Has `act` work on the request, once, and answers for it.
pub(crate) async fn perform<F, W>(
    state: &ApiState,
    caller: &Caller,
    operation: &'static Operation,
    request: Request,
    act: F,
) -> Response
where
    F: FnOnce(Request) -> W,
    W: Future<Output = Response> + Send + 'static,
{
    // A read changes nothing: it may be repeated, and one that takes too long ends by itself. To keep its answer, even for
    // a client that prefers so, would let whoever may only read fill the database.
    let wish = Wish::of(&request).filter(|_| !operation.is_read() && operation.tag != TAG);
    let Some(wish) = wish else { return act(request).await };
    let (asked, request) = match Asked::read(caller, wish.id, operation, request).await {
        Ok(read) => read,
        Err(error) => return error.into_response(),
    };
    if wish.has_id || wish.patience.is_some() {
        remembered(state, &asked, wish, || act(request)).await.unwrap_or_else(ApiError::into_response)
    } else {
        waited_for(state, &asked, act(request)).await
    }
}

/// A request whose row stands before it acts.
async fn remembered<W>(
    state: &ApiState,
    asked: &Asked,
    wish: Wish,
    act: impl FnOnce() -> W,
) -> Result<Response, ApiError>
where
    W: Future<Output = Response> + Send + 'static,
{
    let actions = state.actions();
    let patience = wish.patience.unwrap_or(actions.patience);
    let point = CommitPoint::new(asked.key, true);
    let place = actions.enter(asked.key, asked.fingerprint, Arc::clone(&point), wish.patience.is_some())?;
    let running = match place {
        Place::New(running) => running,
        Place::Taken(running) if running.fingerprint == asked.fingerprint => {
            let patience = if running.is_detached() { Duration::ZERO } else { patience };
            return Ok(wait(state, &running, patience).await);
        }
        Place::Taken(_) => return Err(another(asked.key)),
    };
    match begin(state, asked, &point).await {
        Ok(None) => {}
        Ok(Some(known)) => {
            actions.leave(asked.key);
            return repeat(state, asked, &known);
        }
        Err(error) => {
            actions.leave(asked.key);
            running.answer.send_replace(Some(Answer::error(retry_later()).await));
            return Err(error);
        }
    }
    start(state, Arc::clone(&running), tokio::spawn(point.around(act()).in_current_span()));
    Ok(wait(state, &running, patience).await)
}

/// A request that nobody asks for again: it is remembered only if it takes long.
async fn waited_for<W>(state: &ApiState, asked: &Asked, work: W) -> Response
where
    W: Future<Output = Response> + Send + 'static,
{
    let actions = state.actions();
    let point = CommitPoint::new(asked.key, false);
    let mut work = Box::pin(Arc::clone(&point).around(work));
    if let Ok(response) = tokio::time::timeout(actions.patience, &mut work).await {
        return response;
    }
    let place = actions.enter(asked.key, asked.fingerprint, Arc::clone(&point), true);
    let Ok(Place::New(running)) = place else { return work.await };
    point.remember();
    // The work may hold the only writer: then it goes on here, and may even be done before the row can be written.
    let begun = tokio::select! {
        biased;
        response = &mut work => {
            actions.leave(asked.key);
            return response;
        }
        begun = begin(state, asked, &point) => begun,
    };
    if !matches!(begun, Ok(None)) {
        actions.leave(asked.key);
        return work.await;
    }
    start(state, running, tokio::spawn(work.in_current_span()));
    accepted(asked.key)
}

/// Writes the row; if there is one already, that.
async fn begin(state: &ApiState, asked: &Asked, point: &CommitPoint) -> Result<Option<Action>, ApiError> {
    let row = asked.row(&state.actions().seal)?;
    let mut tx = state.store().write().await?;
    if !tx.actions().begin(state.clock(), &row, LEASE).await? {
        let known = tx.actions().get(state.clock(), asked.key).await?;
        return known.map(Some).ok_or_else(retry_later);
    }
    if point.is_passed() {
        tx.actions().take_effect(asked.key).await?;
    }
    tx.commit().await?;
    Ok(None)
}

fn retry_later() -> ApiError {
    ApiError::unavailable("the request could not be remembered under its X-Request-id; send it again", None)
}

/// The answer to a request that was made before.
fn repeat(state: &ApiState, asked: &Asked, known: &Action) -> Result<Response, ApiError> {
    let actions = state.actions();
    if !actions.is_same(known, &asked.fingerprint) {
        return Err(another(asked.key));
    }
    if known.status() == ActionStatus::Running {
        return Ok(accepted(asked.key));
    }
    Ok(actions.answer_of(known))
}

fn another(key: ActionKey) -> ApiError {
    ApiError::conflict(format!(
        "the X-Request-id {} belongs to another request of yours; every request needs an id of its own",
        key.id
    ))
}

/// Waits for the answer, or sends the client away to ask again.
async fn wait(state: &ApiState, running: &Running, patience: Duration) -> Response {
    if let Ok(answer) = tokio::time::timeout(patience, running.answered()).await {
        return answer.respond();
    }
    if state.actions().detach(running) {
        return accepted(running.key);
    }
    running.answered().await.respond()
}

fn accepted(key: ActionKey) -> Response {
    let mut response = StatusCode::ACCEPTED.into_response();
    if let Ok(place) = HeaderValue::try_from(format!("/api/v3/asyncActions/{}", key.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    response.headers_mut().insert(PREFERENCE_APPLIED, HeaderValue::from_static("respond-async"));
    response
}
