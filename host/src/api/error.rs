//! The one place where an error gets a status. 4xx keep their own; every server fault is sent as 520, as the clients'
//! usual server does, with the real kind (500, 503, 504, 507) as the code in the body. What a caller may not see is a
//! `source`: it is logged once, here, and never sent. The type has no `Display`, so it cannot slip into another message.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use crate::api::envelope::{ErrorResponse, ErrorType, ResponseError};
use crate::error::{Error, chain};
use crate::store::StoreError;

/// Server faults as the clients' usual server sends them.
const SERVER_FAULT: u16 = 520;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A refusal or a fault, ready to be sent.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    body: ResponseError,
    source: Option<Source>,
}

impl ApiError {
    fn new(status: StatusCode, kind: ErrorType, message: impl Into<String>) -> Self {
        let body = ResponseError::new(kind, status.as_u16(), message.into());
        Self(Box::new(Inner { status, body, source: None }))
    }

    fn fault(code: u16, kind: ErrorType, message: impl Into<String>, source: Option<Source>) -> Self {
        let status = StatusCode::from_u16(SERVER_FAULT).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = ResponseError::new(kind, code, message.into());
        Self(Box::new(Inner { status, body, source }))
    }

    /// The request makes no sense as a whole.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorType::Logical, message)
    }

    /// A parameter of the query, path or header will not do.
    pub(crate) fn parameter(name: &str, message: impl Into<String>) -> Self {
        let mut error = Self::bad_request(message);
        error.0.body.parameter_name = Some(name.to_owned());
        error
    }

    /// A property of the body will not do; `path` is dotted.
    pub(crate) fn property(path: &str, message: impl Into<String>) -> Self {
        let mut error = Self::bad_request(message);
        error.0.body.property_name = Some(path.to_owned());
        error
    }

    /// Nobody known is asking.
    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::Security, message)
    }

    /// Somebody known asks for what is not theirs to ask.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, ErrorType::Security, message)
    }

    /// There is no such thing in the caller's scope.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorType::Logical, message)
    }

    /// There is no `kind` with that id in the caller's scope.
    pub(crate) fn absent(kind: &'static str, id: impl std::fmt::Display + Copy) -> Self {
        Error::NotFound { kind, id: id.to_string() }.into()
    }

    /// The path exists, the method does not. The router sets `Allow`.
    pub(crate) fn method_not_allowed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorType::Logical, message)
    }

    /// The client takes no JSON.
    pub(crate) fn not_acceptable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, ErrorType::Logical, message)
    }

    /// It clashes with what is there.
    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, ErrorType::Logical, message)
    }

    /// The address is longer than any that has a meaning.
    pub(crate) fn address_too_long(message: impl Into<String>) -> Self {
        Self::new(StatusCode::URI_TOO_LONG, ErrorType::Logical, message)
    }

    /// The body is larger than any that has a meaning.
    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorType::Logical, message)
    }

    /// The body is not of the kind that the operation takes.
    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorType::Logical, message)
    }

    /// Too often; `wait` is how long to keep quiet.
    pub(crate) fn too_many_requests(message: impl Into<String>, wait: Duration) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorType::RetryableLogical, message);
        error.0.body.retry_after = Some(wait.as_secs().max(1));
        error
    }

    /// The host's own fault; the cause is for the log only.
    pub(crate) fn internal(source: impl Into<Source>) -> Self {
        let message = "the host failed to do this; its log has the cause under this request's X-Request-id";
        Self::fault(500, ErrorType::Unspecified, message, Some(source.into()))
    }

    /// Something needed is away or busy.
    pub(crate) fn unavailable(message: impl Into<String>, source: Option<Source>) -> Self {
        Self::fault(503, ErrorType::RetryableLogical, message, source)
    }

    /// It took too long.
    pub(crate) fn timed_out(message: impl Into<String>) -> Self {
        Self::fault(504, ErrorType::RetryableLogical, message, None)
    }

    /// A manager has switched it off, the API's 1101.
    pub(crate) fn switched_off(property: &str, message: String) -> Self {
        let mut error = Self::property(property, message);
        error.0.body.code = 1101;
        error
    }

    /// With a number of the API's own instead of the status.
    pub(crate) fn coded(mut self, code: u16) -> Self {
        self.0.body.code = code;
        self
    }

    /// What the caller would read, for an answer of another shape.
    pub(crate) fn into_message(self) -> String {
        self.0.body.message
    }

    /// The parameter it is about.
    #[cfg(test)]
    pub(crate) fn parameter_name(&self) -> Option<&str> {
        self.0.body.parameter_name.as_deref()
    }

    /// The property it is about.
    #[cfg(test)]
    pub(crate) fn property_name(&self) -> Option<&str> {
        self.0.body.property_name.as_deref()
    }

    /// Whether it is the caller who may not, rather than the request that will not do.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.0.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// What the caller will read.
    pub(crate) fn message(&self) -> &str {
        &self.0.body.message
    }

    /// The status it will be sent with.
    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound { .. } => Self::not_found(message),
            Error::Conflict { .. } => Self::conflict(message),
            Error::Invalid { property, .. } => Self::property(&property, message),
            Error::Forbidden { .. } => Self::forbidden(message),
            Error::Unavailable { source, .. } => Self::unavailable(message, source),
            Error::Slow { .. } => Self::timed_out(message),
            Error::StorageFull(source) => {
                Self::fault(507, ErrorType::RetryableLogical, message, Some(source))
            }
            Error::Internal(source) => Self::internal(source),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Inner { status, body, source } = *self.0;
        if let Some(source) = source {
            tracing::error!(code = body.code, "request failed: {}: {}", body.message, chain(&*source));
        }
        let retry_after = body.retry_after;
        let mut response = (status, Json(ErrorResponse { errors: vec![body] })).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn sent(error: ApiError) -> (u16, serde_json::Value) {
        let response = error.into_response();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn io(text: &str) -> Source {
        std::io::Error::other(text.to_owned()).into()
    }

    #[tokio::test]
    async fn a_server_fault_is_sent_as_520_and_its_cause_is_not_sent() {
        let (status, body) = sent(Error::Internal(io("secret path")).into()).await;
        assert_eq!(status, 520);
        assert_eq!(body["errors"][0]["code"], 500);
        assert!(!body.to_string().contains("secret path"));
    }

    #[tokio::test]
    async fn what_may_be_tried_again_says_so() {
        let away = Error::Unavailable { message: "try again".to_owned(), source: Some(io("locked")) };
        let (status, body) = sent(away.into()).await;
        assert_eq!((status, &body["errors"][0]["code"]), (520, &503.into()));
        assert_eq!(body["errors"][0]["type"], "retryableLogical");
        let (_, body) = sent(Error::StorageFull(io("disk")).into()).await;
        assert_eq!(body["errors"][0]["code"], 507);
        assert_eq!(sent(ApiError::timed_out("slow")).await.1["errors"][0]["code"], 504);
    }

    #[tokio::test]
    async fn refusals_keep_their_own_status_and_name_what_they_are_about() {
        let (status, body) = sent(ApiError::parameter("limit", "too large")).await;
        assert_eq!(status, 400);
        let expected = serde_json::json!({"errors": [
            {"message": "too large", "type": "logical", "code": 400, "parameterName": "limit"}
        ]});
        assert_eq!(body, expected);
        let invalid = Error::Invalid { property: "a.b".to_owned(), message: "no".to_owned() };
        assert_eq!(sent(invalid.into()).await.1["errors"][0]["propertyName"], "a.b");
        let missing = Error::NotFound { kind: "company", id: "x".to_owned() };
        assert_eq!(sent(missing.into()).await.0, 404);
        assert_eq!(sent(Error::Conflict { message: "taken".to_owned() }.into()).await.0, 409);
        assert_eq!(sent(Error::Forbidden { message: "no".to_owned() }.into()).await.0, 403);
    }

    #[tokio::test]
    async fn throttling_says_for_how_long_in_body_and_header() {
        let error = ApiError::too_many_requests("slow down", Duration::from_secs(8));
        let response = error.into_response();
        assert_eq!(response.headers()[RETRY_AFTER], "8");
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}
