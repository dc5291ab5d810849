//! The API's documentation: the OpenAPI document, and a page for people that reads it.

use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::get;
use http::header::CONTENT_TYPE;

use crate::api::{ApiState, openapi};

/// `/api/v3/openapi.json`.
pub(super) fn document() -> Router<ApiState> {
    Router::new()
        .route("/openapi.json", get(async || ([(CONTENT_TYPE, "application/json")], openapi::text())))
}

/// `/api/docs`, and `/api` as the clients' usual server has it.
pub(super) fn page() -> Router<ApiState> {
    const SCRIPT: &str = include_str!("docs/docs.js");
    const STYLE: &str = include_str!("docs/docs.css");
    Router::new()
        .route("/api", get(async || Redirect::temporary("/api/docs")))
        .route("/api/docs", get(async || Html(include_str!("docs/docs.html"))))
        .route(
            "/api/docs/docs.js",
            get(async || ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)),
        )
        .route("/api/docs/docs.css", get(async || ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
}
