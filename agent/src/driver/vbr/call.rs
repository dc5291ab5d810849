//! What is asked of the backup server: method, path, query and body.

use std::fmt;

use reqwest::Method;
use serde_json::Value;

/// One request, but for its headers.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Call {
    /// Reads something.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), query: Vec::new(), body: None }
    }

    /// Does something.
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self { method: Method::POST, path: path.into(), query: Vec::new(), body: None }
    }

    /// With a query parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        let text = match value.into() {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.query.push((name, text));
        self
    }

    /// With a body.
    pub(super) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Whether the answer is files, of any length.
    pub(super) fn is_download(&self) -> bool {
        self.path.ends_with("/download")
    }

    /// Whether asking twice does no harm.
    pub(super) fn is_reading(&self) -> bool {
        self.method == Method::GET
    }
}

/// Without query and body: those may hold what is nobody's business.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}
