//! Servers for tests: each answer is given to one request, and every request is kept.

use std::cell::RefCell;

use crate::Error;
use crate::http::{Request, Response};

/// What the host sets itself.
const HOSTS: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-keelson-call",
];

thread_local! {
    static EXPECTED: RefCell<Vec<Expected>> = const { RefCell::new(Vec::new()) };
    static REQUESTS: RefCell<Vec<Request>> = const { RefCell::new(Vec::new()) };
}

struct Expected {
    method: String,
    destination: String,
    path: String,
    outcome: Result<Response, Error>,
}

/// The next request on this thread with that method, destination and path (with its query) gets that answer.
pub fn respond(method: &str, destination: &str, path: &str, response: Response) {
    expect(method, destination, path, Ok(response));
}

/// The next one gets no answer but that error, as from the host: `unreachable`, `timeout`, …
pub fn fail(method: &str, destination: &str, path: &str, error: Error) {
    expect(method, destination, path, Err(error));
}

/// What was sent on this thread since the last look, in order.
pub fn take_requests() -> Vec<Request> {
    REQUESTS.with_borrow_mut(std::mem::take)
}

/// How many answers nobody has asked for.
pub fn waiting() -> usize {
    EXPECTED.with_borrow(Vec::len)
}

fn expect(method: &str, destination: &str, path: &str, outcome: Result<Response, Error>) {
    let (method, destination, path) = (method.to_owned(), destination.to_owned(), path.to_owned());
    EXPECTED.with_borrow_mut(|all| all.push(Expected { method, destination, path, outcome }));
}

/// Answers as the host would.
pub(crate) fn answer(request: Request) -> Result<Response, Error> {
    check(&request)?;
    let found = EXPECTED.with_borrow_mut(|all| {
        let fits = |one: &Expected| {
            one.method == request.method && one.destination == request.destination && one.path == request.path
        };
        all.iter().position(fits).map(|at| all.remove(at))
    });
    let Request { method, destination, path, .. } = &request;
    let unexpected = format!(
        "nothing answers {method} {path} at `{destination}`; say what does with testkit::http::respond"
    );
    REQUESTS.with_borrow_mut(|all| all.push(request));
    found.map_or_else(|| Err(Error::new("unexpected-request", unexpected)), |found| found.outcome)
}

/// What the host would refuse whatever the manifest says.
fn check(request: &Request) -> Result<(), Error> {
    if !request.path.starts_with('/') || !request.path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::new(
            "bad-request",
            format!("the path {:?} must begin with `/` and be percent-encoded", request.path),
        ));
    }
    let hosts = request.headers.iter().find(|(name, _)| {
        let name = name.to_ascii_lowercase().replace('_', "-");
        HOSTS.contains(&name.as_str()) || name.starts_with("proxy-")
    });
    if let Some((name, _)) = hosts {
        return Err(Error::new(
            "bad-request",
            format!("the header `{name}` is the host's to set; leave it out"),
        ));
    }
    for label in &request.secrets {
        if !super::secrets::about(label)?.set {
            return Err(Error::new("no-secret", format!("the secret `{label}` was not entered")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{get, post};

    #[test]
    fn answers_are_given_in_order_each_to_one_request() {
        respond("GET", "psa", "/a", Response::new(201));
        respond("GET", "psa", "/a", Response::new(202));
        fail("POST", "psa", "/a", Error::new("timeout", "no answer").retryable());
        assert_eq!(post("psa", "/a").send().unwrap_err().code, "timeout");
        assert_eq!((get("psa", "/a").send().unwrap().status, waiting()), (201, 1));
        assert_eq!(get("psa", "/a").send().unwrap().status, 202);
        assert!(get("psa", "/a").send().unwrap_err().message.contains("GET /a at `psa`"));
        assert_eq!((take_requests().len(), take_requests().len()), (4, 0));
    }

    #[test]
    fn what_the_host_refuses_is_refused() {
        let code = |request: Request| request.send().unwrap_err().code;
        assert_eq!(code(get("psa", "https://psa/")), "bad-request");
        assert_eq!(code(get("psa", "/a b")), "bad-request");
        assert_eq!(code(get("psa", "/").header("Content_Length", "7")), "bad-request");
        assert_eq!(code(get("psa", "/").secret("never-set")), "unknown-secret");
        crate::testkit::secrets::unset("known", "token");
        assert_eq!(code(get("psa", "/").secret("known")), "no-secret");
        assert!(take_requests().is_empty());
    }
}
