//! The extension point `routes`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::routes::exports::keelson::plugin::routes as wit;
use crate::{Call, Error};

/// Operations of the plugin's own in the API, under `/api/v3/plugins/{pluginId}/routes/…`.
pub trait Routes {
    /// Answers one. An error becomes the API's own.
    fn handle(call: &Call, request: &Request) -> Result<Response, Error>;
}

/// What was asked. The host has checked who asks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: String,
    /// Behind `routes`, decoded; begins with `/`.
    pub path: String,
    /// In order.
    pub query: Vec<(String, String)>,
    /// Names are lower-case.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
    /// Who asks: an object with `user`, `role` and `organization`.
    pub caller: Value,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// From 200 to 599.
    pub status: u16,
    /// `content-type`, and what begins with `x-`; others are dropped.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

impl Request {
    /// The first value of a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| Error::new("bad-body", error.to_string()))
    }
}

impl Response {
    /// JSON.
    pub fn json(status: u16, body: &impl Serialize) -> Result<Self, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::new("bad-answer", error.to_string()))?;
        Ok(Self { status, headers: vec![("content-type".to_owned(), "application/json".to_owned())], body })
    }

    /// Plain text.
    pub fn text(status: u16, text: &str) -> Self {
        let kind = "text/plain; charset=utf-8".to_owned();
        Self { status, headers: vec![("content-type".to_owned(), kind)], body: text.as_bytes().to_vec() }
    }
}

impl Request {
    pub(crate) fn of(request: wit::Request) -> Result<Self, Error> {
        let wit::Request { method, path, query, headers, body, caller } = request;
        Ok(Self { method, path, query, headers, body, caller: crate::views::object(&caller)? })
    }
}

impl From<Response> for wit::Response {
    fn from(response: Response) -> Self {
        let Response { status, headers, body } = response;
        Self { status, headers, body }
    }
}
