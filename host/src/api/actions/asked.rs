//! A request, as far as it must be known again.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::HeaderName;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::redact;
use crate::api::context::Caller;
use crate::api::error::ApiError;
use crate::api::guard::RequestId;
use crate::api::operations::Operation;
use crate::model::{ActionKey, NewAction};
use crate::seal::Seal;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a client says about its request besides the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// The id under which it is remembered.
    pub(super) id: Uuid,
    /// Whether the client chose the id.
    pub(super) has_id: bool,
    /// How long the client waits for the answer itself, if it says: with `Prefer: respond-async`, and `wait` in seconds.
    pub(super) patience: Option<Duration>,
}

impl Wish {
    pub(super) fn of(request: &Request) -> Option<Self> {
        let RequestId { id, given } = *request.extensions().get()?;
        let lines = request.headers().get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let preferences: Vec<_> = lines.flat_map(|line| line.split([',', ';'])).map(str::trim).collect();
        let is_async = preferences.iter().any(|preference| preference.eq_ignore_ascii_case("respond-async"));
        let wait = preferences.iter().find_map(|preference| preference.strip_prefix("wait=")?.parse().ok());
        let patience = is_async.then(|| Duration::from_secs(wait.unwrap_or_default()));
        Some(Self { id, has_id: given, patience })
    }
}

/// A request with its body in memory.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) key: ActionKey,
    operation: &'static Operation,
    query: Option<String>,
    body: Bytes,
    /// What tells a repeat from another request: method, path, query, body, and who acts in the user's place. What the user
    /// asked is not answered to support, nor the other way round.
    pub(super) fingerprint: [u8; 32],
}

impl Asked {
    /// Looks at the request, which stays whole.
    pub(super) async fn read(
        caller: &Caller,
        id: Uuid,
        operation: &'static Operation,
        request: Request,
    ) -> Result<(Self, Request), ApiError> {
        let (parts, body) = request.into_parts();
        let cut_off = |_| ApiError::bad_request("the body was cut off before its end");
        let body = body.collect().await.map_err(cut_off)?.to_bytes();
        let hash = Sha256::new()
            .chain_update(operation.id)
            .chain_update([0])
            .chain_update(parts.uri.path())
            .chain_update([0])
            .chain_update(parts.uri.query().unwrap_or_default())
            .chain_update([0])
            .chain_update(&body)
            .chain_update(caller.actor.map(|actor| *actor.0.as_bytes()).unwrap_or_default());
        let asked = Self {
            key: ActionKey { user: caller.uid, id },
            operation,
            query: parts.uri.query().map(str::to_owned),
            body: body.clone(),
            fingerprint: hash.finalize().into(),
        };
        Ok((asked, Request::from_parts(parts, Body::from(body))))
    }

    /// The row to be.
    pub(super) fn row(&self, seal: &Seal) -> Result<NewAction, ApiError> {
        let sealed = seal.seal(&purpose("fingerprint", self.key), &self.fingerprint);
        Ok(NewAction {
            key: self.key,
            operation: self.operation.id,
            query: redact::query(self.query.as_deref()),
            body: redact::body(&self.body),
            fingerprint: sealed.map_err(ApiError::internal)?,
        })
    }
}

/// What something of an action's is sealed for.
pub(super) fn purpose(what: &str, key: ActionKey) -> String {
    format!("action {what}:{}:{}", key.user, key.id)
}
