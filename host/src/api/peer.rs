//! What a request's connection and path say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::api::error::ApiError;
use crate::api::query::brief;

/// The other end of a connection; the server puts it on every request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectedFrom(pub(crate) SocketAddr);

/// The caller's address, found by `guard`: the other end of the connection, unless that is a proxy of the operator's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl<S: Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// The id in the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathUid<T>(pub(crate) T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for PathUid<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let unreadable = |_| ApiError::bad_request("the path is not valid UTF-8 after percent-decoding");
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(unreadable)?;
        let Some((name, text)) = params.iter().next() else {
            return Err(ApiError::internal("a route without an id in its path has a handler that wants one"));
        };
        text.parse()
            .map(Self)
            .map_err(|_| ApiError::parameter(name, format!("{name} must be a UUID, not \"{}\"", brief(text))))
    }
}
