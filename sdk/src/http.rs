//! Requests to the servers that the manifest names (`[[http]]`) and an administrator bound to an origin. Outside a component they
//! are answered by [`testkit::http`](crate::testkit::http).
//!
//! ```
//! use keelson_sdk::http::{self, Response};
//! use keelson_sdk::{Error, testkit};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! struct Ticket {
//!     id: u64,
//! }
//!
//! fn newest() -> Result<Ticket, Error> {
//!     http::get("psa", "/api/tickets?limit=1").header("accept", "application/json").secret("psa-token").send()?.ok()?.json()
//! }
//!
//! testkit::secrets::set("psa-token", "token", None);
//! testkit::http::respond("GET", "psa", "/api/tickets?limit=1", Response::new(200).with_body(r#"{"id":7}"#));
//! assert_eq!(newest().unwrap().id, 7);
//! assert_eq!(testkit::http::take_requests()[0].secrets, ["psa-token"]);
//! assert_eq!(newest().err().unwrap().code, "unexpected-request"); // one answer for one request
//! ```

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// A request under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// A label of the manifest's `[[http]]`.
    pub destination: String,
    /// In capitals.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// In order.
    pub headers: Vec<(String, String)>,
    /// At most 3 MiB.
    pub body: Option<Vec<u8>>,
    /// Labels of the manifest's `[[secrets]]`.
    pub secrets: Vec<String>,
    /// Zero: what the host allows, 10 s.
    pub timeout: Duration,
}

/// What came back. Redirects are not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The server's.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// At most 4 MiB.
    pub body: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
}

/// Asks for something.
pub fn get(destination: &str, path: &str) -> Request {
    request("GET", destination, path)
}

/// Hands something over.
pub fn post(destination: &str, path: &str) -> Request {
    request("POST", destination, path)
}

/// Replaces something.
pub fn put(destination: &str, path: &str) -> Request {
    request("PUT", destination, path)
}

/// Changes something.
pub fn patch(destination: &str, path: &str) -> Request {
    request("PATCH", destination, path)
}

/// Deletes something.
pub fn delete(destination: &str, path: &str) -> Request {
    request("DELETE", destination, path)
}

/// Any method that the manifest names.
pub fn request(method: &str, destination: &str, path: &str) -> Request {
    Request {
        destination: destination.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        secrets: Vec::new(),
        timeout: Duration::ZERO,
    }
}

impl Request {
    /// Adds a header. The host sets `host`, `content-length` and what is about the connection by itself.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Has the host put a secret where the manifest says.
    #[must_use]
    pub fn secret(mut self, label: &str) -> Self {
        self.secrets.push(label.to_owned());
        self
    }

    /// What to hand over.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The same, as JSON, with its content type.
    pub fn json<T: Serialize>(self, body: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::new("bad-request", error.to_string()))?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// So long it may take; the host allows 10 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it. Any answer of the server is one, whatever its status.
    #[cfg(target_arch = "wasm32")]
    pub fn send(self) -> Result<Response, Error> {
        use crate::bindings::base::keelson::plugin::http;
        let Self { destination, method, path, headers, body, secrets, timeout } = self;
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        let request = http::Request { destination, method, path, headers, body, secrets, timeout_ms };
        let http::Response { status, headers, body, truncated } = http::send(&request)?;
        Ok(Response { status, headers, body, truncated })
    }

    /// Sends it. Any answer of the server is one, whatever its status.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn send(self) -> Result<Response, Error> {
        crate::testkit::http::answer(self)
    }
}

impl Response {
    /// An answer without headers and body, for tests.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), truncated: false }
    }

    /// The same with a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The same if its status is 2xx, else the error `bad-status`; worth another try if it is 429 or 5xx.
    pub fn ok(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let error = Error::new("bad-status", format!("the server answers {}", self.status));
        Err(if self.status == 429 || self.status >= 500 { error.retryable() } else { error })
    }

    /// The body as a type of the plugin's own.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let cut = if self.truncated { "; it was cut at 4 MiB" } else { "" };
            Error::new("bad-response", format!("the server's JSON is not as expected: {error}{cut}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_status_says_whether_another_try_is_worth_it() {
        assert!(Response::new(204).ok().is_ok());
        let refused = |status| Response::new(status).ok().unwrap_err().retryable;
        assert_eq!((refused(404), refused(301), refused(429), refused(503)), (false, false, true, true));
    }

    #[test]
    fn json_goes_out_with_its_content_type_and_comes_in_as_a_type() {
        let request = post("psa", "/x").json(&json!({ "a": 1 })).unwrap().timeout(Duration::from_secs(1));
        assert_eq!(request.headers, [("content-type".to_owned(), "application/json".to_owned())]);
        assert_eq!(request.body.as_deref(), Some(&br#"{"a":1}"#[..]));
        let answer = Response::new(200).with_header("X-One", "1").with_body("{}");
        assert_eq!((answer.header("x-ONE"), answer.json::<Value>().unwrap()), (Some("1"), json!({})));
        let cut = Response { truncated: true, ..Response::new(200).with_body("{") };
        assert!(cut.json::<Value>().unwrap_err().message.contains("4 MiB"));
    }
}
