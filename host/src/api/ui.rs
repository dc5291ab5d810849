//! The console: built in `web/`, embedded here. It is a client of the API and has no privilege.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Dist;

const INDEX: &str = "index.html";
/// Mantine writes styles into the page; scripts come from files only.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self'; object-src 'none'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// No HSTS: the host speaks nothing but TLS on this port, and HSTS goes by name, not by port. It would force every other
/// service of a machine called `localhost`, or of the provider's own console machine, to TLS as well.
const PROTECTION: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
];

/// Answers what is no operation: a file of the console, or its page, which finds its own way from the path.
pub(super) async fn page(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match Dist::get(path) {
        Some(file) => found(path, file),
        None if is_file || path == "api" || path.starts_with("api/") => StatusCode::NOT_FOUND.into_response(),
        None => Dist::get(INDEX).map_or(StatusCode::NOT_FOUND.into_response(), |file| found(INDEX, file)),
    }
}

fn found(path: &str, file: rust_embed::EmbeddedFile) -> Response {
    // Files below assets/ have a hash in their name: another content is another name.
    let caching =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, caching.to_owned())], Body::from(file.data.into_owned()))
        .into_response()
}

/// What makes browsers careful, on every answer. An answer that has a policy of its own has a stricter one: a plugin's.
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in PROTECTION {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(path: &str) -> Response {
        page(Request::get(path).body(Body::empty()).unwrap()).await
    }

    #[tokio::test]
    async fn paths_of_the_console_get_its_page_and_missing_files_do_not() {
        for path in ["/", "/companies", "/alarms/active"] {
            let response = get(path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
        }
        for path in ["/assets/none.js", "/api", "/api/v2/about", "/../Cargo.toml"] {
            assert_eq!(get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn other_methods_have_no_page() {
        let response = page(Request::post("/").body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
