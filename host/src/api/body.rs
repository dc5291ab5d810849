//! JSON bodies. Names of members are read without regard to case, as the clients' usual server does (`contract/members.rs`); one
//! that no version of the contract knows is refused with its path and the nearest known one, and so is what does not fit. What only
//! an older version knows is ignored.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::error::ApiError;
use crate::api::operations::Operation;
use crate::api::{contract, openapi};

mod unique;

use unique::Unique;

/// A body of that type.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let operation = request.extensions().get::<&'static Operation>().copied();
        let mut body = json(request, state).await?;
        if let Some(schema) = operation.and_then(|operation| openapi::body_of(operation.id)) {
            contract::settle(schema, openapi::schema, &[], &mut body)?;
        }
        read(body).map(Self)
    }
}

/// Any JSON without NUL characters.
pub(crate) async fn json<S: Send + Sync>(request: Request, state: &S) -> Result<Value, ApiError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_json(kind) {
        let message = format!("the body must be JSON with Content-Type application/json, not \"{kind}\"");
        return Err(ApiError::unsupported_media_type(message));
    }
    let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
    parse(&bytes)
}

/// Why a body could not be read.
#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
pub(crate) fn unread(rejection: BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::too_large("the body is larger than 1 MiB, and no operation needs one that large")
    } else {
        ApiError::bad_request("the body was cut off before its end")
    }
}

fn is_json(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
}

/// What some clients write before a body that they read from a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Unique(value) = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("the body is not valid JSON: {error}")))?;
    if let Some(path) = nul(&value) {
        return Err(ApiError::property(&path, format!("{path} holds a NUL character (\\u0000)")));
    }
    Ok(value)
}

/// A value as a type; what does not fit is named by its path.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut path = error.path().to_string().trim_start_matches('.').to_owned();
        let reason = error.into_inner().to_string();
        if let Some(missing) = reason.strip_prefix("missing field `").and_then(|rest| rest.split('`').next())
        {
            path = if path.is_empty() { missing.to_owned() } else { format!("{path}.{missing}") };
        }
        if path.is_empty() {
            return ApiError::bad_request(format!("the body does not fit: {reason}"));
        }
        ApiError::property(&path, format!("{path}: {reason}"))
    })
}

/// Where a text holds what PostgreSQL cannot store.
fn nul(value: &Value) -> Option<String> {
    let below = |name: &str, inner: &Value| {
        nul(inner).map(|path| if path.is_empty() { name.to_owned() } else { format!("{name}.{path}") })
    };
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(position, inner)| below(&position.to_string(), inner))
        }
        Value::Object(members) => members.iter().find_map(|(name, inner)| {
            if name.contains('\0') { Some(name.replace('\0', "\u{fffd}")) } else { below(name, inner) }
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[serde(rename = "inner")]
        _inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[serde(rename = "name")]
        _name: String,
    }

    fn refused(text: &str) -> ApiError {
        parse(text.as_bytes()).and_then(read::<Outer>).unwrap_err()
    }

    #[test]
    fn trailing_data_and_a_member_that_is_there_twice_are_refused() {
        assert!(parse(br#"{"inner":{"name":"x"}}"#).and_then(read::<Outer>).is_ok());
        assert!(
            refused(r#"{"inner":{"name":"x","name":"y"}}"#).message().contains("\"name\" is there twice")
        );
        assert!(refused(r#"{"inner":{"name":"x"}} {}"#).message().contains("not valid JSON"));
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_path() {
        assert_eq!(refused(r#"{"inner":{"name":5}}"#).property_name(), Some("inner.name"));
        assert_eq!(refused(r#"{"inner":{}}"#).property_name(), Some("inner.name"));
        assert_eq!(refused("{}").property_name(), Some("inner"));
        assert_eq!(refused("5").property_name(), None);
        assert_eq!(refused(r#"{"inner":{"name":"a\u0000"}}"#).property_name(), Some("inner.name"));
    }

    #[test]
    fn only_json_counts_as_json() {
        for (kind, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/json-patch+json", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            assert_eq!(is_json(kind), expected, "{kind}");
        }
    }
}
