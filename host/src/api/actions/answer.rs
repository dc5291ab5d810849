//! What was answered, kept so that it can be given again.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::api::error::ApiError;

/// No larger answer is kept.
const LARGEST: usize = 16 * 1024 * 1024;
/// What of the head belongs to the answer; the rest belongs to the connection.
const KEPT: [HeaderName; 4] = [CONTENT_TYPE, LOCATION, CONTENT_DISPOSITION, CACHE_CONTROL];

/// An answer that can be given any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    head: Head,
    body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// Takes what a handler gave, whole.
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let kept = KEPT.iter().filter_map(|name| {
            let value = parts.headers.get(name)?.to_str().ok()?;
            Some((name.as_str().to_owned(), value.to_owned()))
        });
        let head = Head { status: parts.status.as_u16(), headers: kept.collect() };
        match axum::body::to_bytes(body, LARGEST).await {
            Ok(body) => Self { head, body },
            Err(error) => Box::pin(Self::error(ApiError::internal(error))).await,
        }
    }

    /// A failure as its client reads it.
    pub(super) async fn error(error: ApiError) -> Self {
        Self::of(error.into_response()).await
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.head.status).unwrap_or(StatusCode::OK)
    }

    /// Gives it.
    pub(super) fn respond(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status();
        for (name, value) in &self.head.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// One line with the head, then the body.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// What [`Self::to_bytes`] gave.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head = serde_json::from_slice(bytes.get(..end)?).ok()?;
        Some(Self { head, body: Bytes::copy_from_slice(bytes.get(end + 1..)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_was_kept_is_the_answer_that_was_given() {
        let given = (StatusCode::CREATED, [(LOCATION, "/x"), (CONTENT_TYPE, "application/json")], "{\n}");
        let answer = Answer::of(given.into_response()).await;
        let again = Answer::from_bytes(&answer.to_bytes()).unwrap();
        assert_eq!(again, answer);
        let response = again.respond();
        assert_eq!(
            (response.status(), &response.headers()[LOCATION]),
            (StatusCode::CREATED, &HeaderValue::from_static("/x"))
        );
    }
}
