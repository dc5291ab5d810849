//! The router: the API below `/api/v3`, its documentation, the page's session, and the page itself for all the rest.

use std::any::Any;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::{ApiState, docs, guard, routes, session, ui};

/// No operation takes a larger body.
pub(super) const LARGEST_BODY: usize = 1024 * 1024;

/// The whole application. A trailing slash is taken off before routing: clients in the wild send one.
pub(crate) type App = NormalizePath<Router>;

/// Puts it together.
pub(crate) fn app(state: ApiState) -> App {
    app_of(state, routes())
}

/// Puts it together around these operations.
pub(crate) fn app_of(state: ApiState, operations: Routes) -> App {
    let api = operations
        .into_router()
        .merge(docs::document())
        .fallback(nothing_here)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn(guard::client));
    let pages = Router::new()
        .merge(session::router())
        .merge(docs::page())
        .fallback(ui::page)
        .method_not_allowed_fallback(other_method);
    let gate = guard::Gate::default();
    let router = Router::new()
        .nest("/api/v3", api)
        .merge(pages)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(gate, guard::limit))
        .layer(from_fn_with_state(state.clone(), guard::identify))
        .layer(from_fn(ui::protect))
        .with_state(state);
    NormalizePathLayer::trim_trailing_slash().layer(router)
}

async fn nothing_here(request: Request) -> ApiError {
    let (method, path) = (request.method(), request.uri().path());
    ApiError::not_found(format!(
        "there is no operation {method} /api/v3{path}; /api/docs lists those there are"
    ))
}

async fn other_method(request: Request) -> ApiError {
    let method = request.method();
    ApiError::method_not_allowed(format!(
        "{method} is not among the methods of this path; the Allow header has them"
    ))
}

/// A handler panicked: a fault of ours, and of this one request only.
#[expect(clippy::needless_pass_by_value, reason = "as the layer wants it")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned();
    ApiError::internal(format!("a handler panicked: {text}")).into_response()
}
