//! What every answer is wrapped in. Optional members are left out rather than sent as null: generated clients die on a
//! null that their schema does not mention.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::store;

/// The answer of an operation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Envelope<T> {
    /// What was asked for; null when there is nothing to tell.
    pub(crate) data: T,
    /// On lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<ResponseMetadata>,
    /// What went wrong on the way to a result that is there all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) errors: Option<Vec<ResponseError>>,
}

/// Facts about an answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseMetadata {
    /// Which part of the list this is.
    pub(crate) paging_info: PagingInformation,
}

/// Which part of a list an answer is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct PagingInformation {
    /// All that the filter admits.
    #[schema(value_type = i32)]
    pub(crate) total: u64,
    /// Those in this answer.
    #[schema(value_type = i32)]
    pub(crate) count: usize,
    /// Those before this answer.
    #[schema(value_type = i32)]
    pub(crate) offset: u32,
}

/// The answer of an operation that failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorResponse {
    /// At least one.
    pub(crate) errors: Vec<ResponseError>,
}

/// Of what nature a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ErrorType {
    /// A fault of the server.
    Unspecified,
    /// The request will not do as it is.
    Logical,
    /// The same request may do later.
    RetryableLogical,
    /// Not with these credentials.
    Security,
}

/// One failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseError {
    /// For people: what is wrong, and the way out.
    pub(crate) message: String,
    #[serde(rename = "type")]
    #[schema(inline)]
    /// Of what nature it is.
    pub(crate) kind: ErrorType,
    /// The HTTP status, or for a server fault the one that 520 stands for.
    #[schema(value_type = i32)]
    pub(crate) code: u16,
    /// The parameter it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter_name: Option<String>,
    /// The property of the body it is about, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) property_name: Option<String>,
    /// Seconds to wait before another try.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>)]
    pub(crate) retry_after: Option<u64>,
}

impl ResponseError {
    /// A failure about nothing in particular.
    pub(crate) fn new(kind: ErrorType, code: u16, message: String) -> Self {
        Self { message, kind, code, parameter_name: None, property_name: None, retry_after: None }
    }
}

/// One thing, cut to what was selected.
pub(crate) fn one<T: Serialize>(thing: &T, shape: &Shape) -> Result<Response, ApiError> {
    wrap(thing, shape, None)
}

/// All things of a short list, cut to what was selected.
pub(crate) fn all<T: Serialize>(things: &[T], shape: &Shape) -> Result<Response, ApiError> {
    if shape.select.is_all() {
        return Ok(body(things, None));
    }
    Ok(body(&cut(things, shape)?, None))
}

fn wrap<T: Serialize>(
    thing: &T,
    shape: &Shape,
    meta: Option<ResponseMetadata>,
) -> Result<Response, ApiError> {
    if shape.select.is_all() {
        return Ok(body(thing, meta));
    }
    let value = serde_json::to_value(thing).map_err(ApiError::internal)?;
    Ok(body(&shape.select.apply(&value), meta))
}

fn cut<T: Serialize>(things: &[T], shape: &Shape) -> Result<Vec<serde_json::Value>, ApiError> {
    let values = things.iter().map(serde_json::to_value);
    values.map(|value| value.map(|value| shape.select.apply(&value)).map_err(ApiError::internal)).collect()
}

fn body<T: Serialize + ?Sized>(data: &T, meta: Option<ResponseMetadata>) -> Response {
    Json(Envelope { data, meta, errors: None }).into_response()
}

/// An answer that the store wrote as JSON already.
#[derive(Debug)]
pub(crate) struct Rendered(String);

impl IntoResponse for Rendered {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// One object.
pub(crate) fn rendered(data: &store::list::Json, meta: Option<&ResponseMetadata>) -> Rendered {
    enclose(&data.0, meta)
}

/// A page of objects.
pub(crate) fn rendered_page(page: &store::list::Rows, offset: u32) -> Rendered {
    let count = page.items.len();
    let paging_info = PagingInformation { total: page.total, count, offset };
    let size: usize = page.items.iter().map(|item| item.0.len() + 1).sum();
    let mut data = String::with_capacity(size + 2);
    data.push('[');
    for (index, item) in page.items.iter().enumerate() {
        if index > 0 {
            data.push(',');
        }
        data.push_str(&item.0);
    }
    data.push(']');
    enclose(&data, Some(&ResponseMetadata { paging_info }))
}

fn enclose(data: &str, meta: Option<&ResponseMetadata>) -> Rendered {
    let meta = meta.and_then(|meta| serde_json::to_string(meta).ok());
    let meta = meta.map_or(String::new(), |meta| format!(",\"meta\":{meta}"));
    Rendered(format!("{{\"data\":{data}{meta}}}"))
}

/// The answer of an operation that has nothing to tell. The contract requires the list of errors, and takes no null.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct EmptyResponse {
    /// Always empty.
    #[schema(value_type = Object)]
    pub(crate) data: serde_json::Map<String, serde_json::Value>,
    /// Always empty.
    pub(crate) errors: Vec<ResponseError>,
}

/// Done, and nothing to tell.
pub(crate) fn empty() -> Response {
    Json(EmptyResponse::default()).into_response()
}
