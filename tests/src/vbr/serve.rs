//! The line: TLS with a certificate of its own, and everything that can go wrong between a question and its answer.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::contract::Operation;
use super::{Shared, routes};

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Where: the path has this in it.
    pub path: &'static str,
    /// How often.
    pub times: usize,
    /// What.
    pub trouble: Trouble,
}

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The token is refused, though it is good.
    Unauthorized,
    /// It is asked too much, and says for how many seconds to wait.
    TooMany(u64),
    /// It fails.
    Failure,
    /// It closes the connection in the middle of the answer.
    HalfBody,
    /// It always gives the first page.
    Cyclic,
    /// Its answer comes late.
    Slow(Duration),
    /// It is started anew while it answers: half an answer, and nobody is logged in any more.
    Restart,
    /// The account needs a second factor.
    Mfa,
    /// Its licence has no REST API.
    NoLicence,
    /// It speaks another version.
    OtherVersion,
    /// It uses words that nobody knows.
    StrangeWords,
    /// It says no more than it must.
    NoOptionals,
    /// Its times are no times.
    OddTimes,
}

impl Fault {
    /// One that happens so often.
    pub fn times(path: &'static str, times: usize, trouble: Trouble) -> Self {
        Self { path, times, trouble }
    }

    /// One that happens until it is mended.
    pub fn always(path: &'static str, trouble: Trouble) -> Self {
        Self { path, times: usize::MAX, trouble }
    }
}

/// Whom its certificate names: not who is asked for.
pub(super) const NAME: &str = "vbr.test";

/// A certificate with its key.
pub(super) struct Line {
    pub(super) fingerprint: String,
    pub(super) certificate: CertificateDer<'static>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

impl Line {
    pub(super) fn new() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec![NAME.to_owned()]).expect("a certificate");
        let fingerprint = keelson_agent::tls::Pin::of(cert.der()).expect("a certificate").to_string();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("TLS")
                .with_no_client_auth()
                .with_single_cert(vec![cert.der().clone()], key)
                .expect("a certificate and its key");
        let certificate = cert.der().clone();
        Self { fingerprint, certificate, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = shared.line.lock().unwrap_or_else(PoisonError::into_inner).acceptor.clone();
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            // A client that goes away is no failure of the server.
            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.ok();
        });
    }
}

/// What a question is answered with.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Content,
}

pub(super) enum Content {
    None,
    Json(Value),
    Bytes(Vec<u8>),
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body: Content::Json(body) }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { status: 201, body: Content::Json(body) }
    }

    pub(super) fn nothing() -> Self {
        Self { status: 204, body: Content::None }
    }

    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: Content::Json(json!({"errorCode": code, "message": message})) }
    }
}

/// A question as the routes take it.
pub(super) struct Question {
    pub(super) operation: Operation,
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Value,
    pub(super) bearer: Option<String>,
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let body = axum::body::to_bytes(body, 32 << 20).await.unwrap_or_default();
    let troubles = shared.troubles(&path);
    shared.state().asked.push(format!("{} {path}", parts.method));
    for trouble in &troubles {
        if let Trouble::Slow(time) = trouble {
            tokio::time::sleep(*time).await;
        }
    }
    let Some(operation) = shared.contract.operation(parts.method.as_str(), &path) else {
        shared.violate(format!("there is no {} {path}", parts.method));
        return respond(&Answer::error(404, "NotFound", "no such operation"), &[]);
    };
    let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
    let is_form = operation.id == "CreateToken";
    let parsed = match &*body {
        [] => None,
        form if is_form => Some(Value::Object(
            pairs(form).into_iter().map(|(name, value)| (name, Value::String(value))).collect(),
        )),
        json => Some(serde_json::from_slice(json).unwrap_or_else(|_| json!("no JSON"))),
    };
    let header = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let mut wrong = shared.contract.request(&operation, &query, parsed.as_ref());
    if parts.headers.get("x-api-version").is_none_or(|version| version != "1.3-rev1") {
        wrong.push("x-api-version is not 1.3-rev1".to_owned());
    }
    if !wrong.is_empty() {
        shared.violate(format!("{} {path}: {}", parts.method, wrong.join("; ")));
        return respond(&Answer::error(400, "UnexpectedContent", &wrong.join("; ")), &[]);
    }
    let bearer =
        header(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let question = Question { operation, query, body: parsed.unwrap_or_default(), bearer };
    let answer = shared.decide(&question, &troubles);
    respond(&answer, &troubles)
}

impl Shared {
    fn violate(&self, what: String) {
        self.state().violations.push(what);
    }

    /// What goes wrong with this one.
    fn troubles(&self, path: &str) -> Vec<Trouble> {
        let mut state = self.state();
        let due = state.faults.iter_mut().filter(|fault| path.contains(fault.path) && fault.times > 0);
        due.map(|fault| {
            fault.times = fault.times.saturating_sub(usize::from(fault.times != usize::MAX));
            fault.trouble
        })
        .collect()
    }

    fn decide(&self, question: &Question, troubles: &[Trouble]) -> Answer {
        let has = |trouble| troubles.contains(&trouble);
        for trouble in troubles {
            match trouble {
                Trouble::Unauthorized => return Answer::error(401, "ExpiredToken", "the token has expired"),
                Trouble::TooMany(_) => return Answer { status: 429, body: Content::None },
                Trouble::Failure => return Answer::error(500, "UnknownError", "the service failed"),
                Trouble::Mfa => {
                    return Answer::error(
                        401,
                        "AccessDenied",
                        "Multi-factor authentication (MFA) is enabled for the user",
                    );
                }
                Trouble::NoLicence => {
                    return Answer::error(
                        403,
                        "AccessDenied",
                        "the installed license does not support REST API",
                    );
                }
                Trouble::OtherVersion => {
                    return Answer::error(
                        400,
                        "UnexpectedContent",
                        "the API version 1.3-rev1 is not supported",
                    );
                }
                _ => {}
            }
        }
        let mut answer = routes::answer(self, question, has(Trouble::Cyclic));
        let json = match &answer.body {
            Content::Json(json) => Some(json),
            _ => None,
        };
        let wrong = self.contract.answer(&question.operation, answer.status, json);
        if !wrong.is_empty() {
            self.violate(format!("the fake's own answer to {}: {}", question.operation.id, wrong.join("; ")));
        }
        if let Content::Json(json) = &mut answer.body {
            if has(Trouble::StrangeWords) {
                self.contract.strange(&question.operation, answer.status, json);
            }
            if has(Trouble::NoOptionals) {
                self.contract.bare(&question.operation, answer.status, json);
            }
            if has(Trouble::OddTimes) {
                odd_times(json);
            }
        }
        if has(Trouble::Restart) {
            self.state().tokens = routes::Tokens::default();
        }
        answer
    }
}

fn odd_times(value: &mut Value) {
    match value {
        Value::Object(object) => object.iter_mut().for_each(|(name, member)| match name.as_str() {
            "creationTime" => *member = json!("the day before yesterday"),
            _ => odd_times(member),
        }),
        Value::Array(items) => items.iter_mut().for_each(odd_times),
        _ => {}
    }
}

fn respond(answer: &Answer, troubles: &[Trouble]) -> Response {
    let (bytes, kind) = match &answer.body {
        Content::None => (Vec::new(), "application/json"),
        Content::Json(json) => (json.to_string().into_bytes(), "application/json"),
        Content::Bytes(bytes) => (bytes.clone(), "application/octet-stream"),
    };
    let broken = troubles.iter().any(|trouble| matches!(trouble, Trouble::HalfBody | Trouble::Restart));
    let body = if broken {
        let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
        let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        Body::from_stream(futures_util::stream::iter([Ok(half), Err(cut)]))
    } else {
        Body::from(bytes)
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    for trouble in troubles {
        if let Trouble::TooMany(seconds) = trouble {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
    }
    response
}

/// `a=b&c=d`, as forms and queries have it.
fn pairs(text: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(text);
    let url = reqwest::Url::parse(&format!("https://x/?{text}")).expect("a query");
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
