//! The extension point `routes`: operations of a plugin's own in the API.

use wasmtime::Store;
use wasmtime::component::Instance;

use serde_json::Value;

use crate::id::CompanyUid;
use crate::plugins::abi::routes as wit;
use crate::plugins::abi::types::Context;
use crate::plugins::call::{Failure, GuestCall};
use crate::plugins::error::GuestFault;
use crate::plugins::limits::ROUTE_CALL;
use crate::plugins::sandbox::{CallState, Guest};
use crate::plugins::terms::Terms;

/// The largest body, either way.
pub(in crate::plugins) const MAX_BODY: usize = 1 << 20;
/// The most headers of an answer, and all of their bytes.
const MAX_HEADERS: (usize, usize) = (32, 8 * 1024);

/// What is asked of a plugin's own operation.
#[derive(Debug, Clone, Default)]
pub struct RouteRequest {
    /// Of HTTP.
    pub method: String,
    /// Behind `routes`, decoded; begins with `/`.
    pub path: String,
    /// In order.
    pub query: Vec<(String, String)>,
    /// Those that a plugin may see.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
    /// Who asks: an object with `user`, `role` and `organization`.
    pub caller: Value,
    /// On whose behalf.
    pub company: Option<CompanyUid>,
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteResponse {
    /// From 200 to 599.
    pub status: u16,
    /// `content-type`, and what begins with `x-`.
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

impl GuestCall for RouteRequest {
    type Output = RouteResponse;

    fn terms(&self, _now: i64) -> Terms {
        Terms::work(ROUTE_CALL, self.company, 1)
    }

    async fn run(
        self,
        guest: &Guest,
        context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<RouteResponse, Failure> {
        let Some(indices) = &guest.exports.routes else {
            return Err(Failure::Fault(GuestFault::Contract("it exports no routes".to_owned())));
        };
        let exports = indices.load(&mut *store, instance)?;
        let Self { method, path, query, headers, body, caller, company: _ } = self;
        let request = wit::Request { method, path, query, headers, body, caller: caller.to_string() };
        let answer = exports.call_handle(store, &context, &request).await??;
        check(answer).map_err(|reason| Failure::Fault(GuestFault::BadResponse(reason)))
    }
}

/// Nothing of it may be more than an answer: no cookie, no redirect, nothing that speaks for the host.
fn check(answer: wit::Response) -> Result<RouteResponse, String> {
    let wit::Response { status, headers, body } = answer;
    if !(200..=599).contains(&status) {
        return Err(format!("status {status}; from 200 to 599"));
    }
    if body.len() > MAX_BODY {
        return Err(format!("a body of {} bytes; {MAX_BODY} at most", body.len()));
    }
    let size: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS.0 || size > MAX_HEADERS.1 {
        let (count, bytes) = MAX_HEADERS;
        return Err(format!("{} headers of {size} bytes; {count} and {bytes} at most", headers.len()));
    }
    let mut kept = Vec::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if name != "content-type" && !name.starts_with("x-") {
            continue;
        }
        let good = http::HeaderName::from_bytes(name.as_bytes()).is_ok()
            && http::HeaderValue::from_str(&value).is_ok();
        if !good {
            return Err(format!("the header `{}` cannot be sent", name.escape_default()));
        }
        kept.push((name, value));
    }
    Ok(RouteResponse { status, headers: kept, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], size: usize) -> Result<RouteResponse, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        check(wit::Response { status, headers: headers.iter().map(owned).collect(), body: vec![0; size] })
    }

    #[test]
    fn an_answer_is_kept_within_its_bounds_and_speaks_for_the_plugin_only() {
        let headers =
            [("Content-Type", "text/plain"), ("Set-Cookie", "a=b"), ("Location", "/"), ("X-Count", "3")];
        let kept = answer(200, &headers, MAX_BODY).unwrap().headers;
        assert_eq!(
            kept,
            [("content-type", "text/plain"), ("x-count", "3")].map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
        assert!(answer(101, &[], 0).unwrap_err().contains("from 200"));
        assert!(answer(600, &[], 0).unwrap_err().contains("to 599"));
        assert!(answer(200, &[], MAX_BODY + 1).unwrap_err().contains("1048576 at most"));
        assert!(answer(200, &[("x-a", "b\r\nset-cookie: c")], 0).unwrap_err().contains("cannot be sent"));
        assert!(answer(200, &[("x-a", &"b".repeat(9_000))], 0).unwrap_err().contains("8192 at most"));
    }
}
