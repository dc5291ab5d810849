//! A client of the REST API that trusts the host's own CA.

use std::path::Path;

use reqwest::{Certificate, Method, StatusCode};
use serde_json::Value;

/// Somebody who calls the API.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// `https://localhost:PORT`
    pub base: String,
    /// Sent as a bearer token.
    pub credential: Option<String>,
}

impl Client {
    /// Nobody in particular.
    pub fn new(port: u16, ca_file: &Path) -> Self {
        // Another test may have been first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let ca = std::fs::read(ca_file).expect("the CA's certificate");
        let http = reqwest::Client::builder()
            .add_root_certificate(Certificate::from_pem(&ca).expect("a certificate"))
            .build()
            .expect("a client");
        Self { http, base: format!("https://localhost:{port}"), credential: None }
    }

    /// The same with a credential.
    #[must_use]
    pub fn with(&self, credential: &str) -> Self {
        Self { credential: Some(credential.to_owned()), ..self.clone() }
    }

    /// A request that the caller may still change.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.credential {
            Some(credential) => request.bearer_auth(credential),
            None => request,
        }
    }

    /// Sends it; status and body.
    pub async fn send(request: reqwest::RequestBuilder) -> (StatusCode, Value) {
        let response = request.send().await.expect("an answer");
        let status = response.status();
        let body = response.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// GET below `/api/v3`.
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        Self::send(self.request(Method::GET, &format!("/api/v3{path}"))).await
    }

    /// The `data` of a GET that must succeed.
    pub async fn data(&self, path: &str) -> Value {
        let (status, mut body) = self.get(path).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {body}");
        body["data"].take()
    }

    /// A body below `/api/v3`.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        Self::send(self.request(method, &format!("/api/v3{path}")).json(body)).await
    }

    /// POST of a form, as `/token` takes it.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, Value) {
        let encoded: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let request = self.request(Method::POST, &format!("/api/v3{path}"));
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body(encoded.join("&"));
        Self::send(request).await
    }
}

/// Percent-encodes everything that is not plainly harmless.
pub fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes everything");
        }
    }
    escaped
}
