//! `/healthz` and `/readyz`, for the machines that watch machines: plain HTTP on a listener of their own, where a 503
//! is a 503.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use tower::Layer as _;
use tower_http::normalize_path::NormalizePathLayer;

use crate::api::ApiState;
use crate::api::app::App;
use crate::error::chain;
use crate::store::StoreError;

/// A database that needs longer is not ready.
const PATIENCE: Duration = Duration::from_secs(3);

/// Both.
pub(super) fn app(state: ApiState) -> App {
    let router = Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready)).with_state(state);
    NormalizePathLayer::trim_trailing_slash().layer(router)
}

/// The process runs and answers.
async fn healthy() -> &'static str {
    "ok\n"
}

/// The database answers too.
async fn ready(State(state): State<ApiState>) -> (StatusCode, String) {
    let reason = match tokio::time::timeout(PATIENCE, ping(&state)).await {
        Ok(Ok(())) => return (StatusCode::OK, "ready\n".to_owned()),
        Ok(Err(error)) => {
            tracing::warn!(error = chain(&error), "not ready");
            error.to_string()
        }
        Err(_) => "the database does not answer in time".to_owned(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"))
}

async fn ping(state: &ApiState) -> Result<(), StoreError> {
    state.store().is_sound()?;
    state.store().read().await?.ping().await
}
