//! A plugin that may call a server, an administrator who let it, and a name server that obeys the test.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use super::server::{NAME, Reply, Server};
use crate::clock::{Clock as _, ManualClock};
use crate::net::Authorities;
use crate::net::outbound::{Machine, Network};
use crate::plugins::abi;
use crate::plugins::abi::http::Host as _;
use crate::plugins::capability::http::{HttpDesk, HttpView, Outside};
use crate::plugins::limits::Budget;
use crate::plugins::limits::TASK_CPU;
use crate::plugins::manifest::Manifest;
use crate::plugins::services::Services;
use crate::plugins::terms::Terms;
use crate::seal::Seal;
use crate::store::{BoundDestination, PluginRequest, Store};

pub(super) const PLUGIN: &str = "acme.psa";
pub(super) const NOW: i64 = 1_795_251_900_000;
/// An address of the public internet; it leads to the server of the test.
pub(super) const PUBLIC: &str = "8.8.8.8";

const MANIFEST: &str = r#"
id = "acme.psa"
name = "PSA"
version = "1.0.0"
[contract]
requires = "0.2"
[[http]]
label = "psa"
methods = ["GET", "POST"]
path-prefixes = ["/api/", "/bot"]
reason = "Tickets"
[[http]]
label = "other"
methods = ["GET"]
path-prefixes = ["/"]
reason = "Something else"
[[secrets]]
label = "token"
kind = "token"
placement = "bearer"
used-by = ["psa"]
reason = "To sign in"
[[secrets]]
label = "key"
kind = "token"
placement = "header:X-Api-Key"
used-by = ["psa", "other"]
reason = "To sign in"
[[secrets]]
label = "bot"
kind = "token"
placement = "path-segment"
used-by = ["psa"]
reason = "To sign in"
[[secrets]]
label = "inner"
kind = "token"
placement = "json-pointer:/auth/key"
used-by = ["psa"]
reason = "To sign in"
[[secrets]]
label = "login"
kind = "password"
placement = "basic"
used-by = ["psa"]
reason = "To sign in"
[[secrets]]
label = "client"
kind = "oauth2-client"
placement = "bearer"
token-path = "/oauth/token"
token-scope = "tickets"
used-by = ["psa"]
reason = "To sign in"
"#;

/// Says what the test says, in turn, the last thing for ever; connects public addresses to the server and remembers to which it
/// was asked to.
#[derive(Debug, Default)]
pub(super) struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) dialled: Mutex<Vec<IpAddr>>,
    server: Mutex<Option<SocketAddr>>,
}

impl Names {
    pub(super) fn say(&self, answers: &[&[&str]]) {
        let parsed = answers.iter().map(|one| one.iter().map(|address| address.parse().unwrap()).collect());
        *self.answers.lock().unwrap() = parsed.collect();
    }
}

impl Network for Names {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        match next {
            Some(next) => {
                let found = next.into_iter().map(|address| SocketAddr::new(address, port)).collect();
                Box::pin(std::future::ready(Ok(found)))
            }
            None => Machine.resolve(host, port),
        }
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, std::io::Result<TcpStream>> {
        self.dialled.lock().unwrap().push(address.ip());
        let server = self.server.lock().unwrap().filter(|_| address.ip().to_string() == PUBLIC);
        Box::pin(TcpStream::connect(server.unwrap_or(address)))
    }
}

pub(super) struct Stage {
    pub(super) server: Server,
    pub(super) names: Arc<Names>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) services: Services,
    pub(super) desk: Arc<HttpDesk>,
    _folder: TempDir,
}

impl Stage {
    /// `psa` is bound to the server by a public name, over TLS.
    pub(super) async fn open(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let stage = Self::new(Server::start(true, script).await, true).await;
        stage.names.say(&[&[PUBLIC]]);
        stage.bind("psa", &format!("https://{NAME}"), false).await;
        stage
    }

    /// `psa` is bound to the server by its address on loopback, without TLS; names mean what they mean on this machine.
    pub(super) async fn private(script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let stage = Self::new(Server::start(false, script).await, false).await;
        stage.bind("psa", &format!("http://{}", stage.server.address), true).await;
        stage
    }

    pub(super) async fn new(server: Server, trusted: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}/db", folder.path().display())).await.unwrap();
        let services = Services { store, seal: Seal::open(folder.path()).unwrap() };
        let (clock, names) = (ManualClock::at(NOW), Arc::new(Names::default()));
        *names.server.lock().unwrap() = Some(server.address);
        let own = if trusted { vec![server.certificate.clone()] } else { Vec::new() };
        let outside = Outside {
            services: Some(services.clone()),
            clock: Arc::clone(&clock) as _,
            network: Arc::clone(&names) as _,
            authorities: Authorities::with(&own),
            runtime: Handle::current(),
        };
        let manifest = Manifest::parse(MANIFEST).unwrap();
        let desk = HttpDesk::new(PLUGIN.into(), &manifest.capabilities, outside);
        Self { server, names, clock, services, desk, _folder: folder }
    }

    pub(super) async fn bind(&self, label: &str, origin: &str, private_network: bool) {
        let (label, origin) = (label.to_owned(), origin.to_owned());
        let to = BoundDestination { label, origin, private_network, bound_at: NOW };
        let mut tx = self.services.store.write().await.unwrap();
        tx.plugin_access().bind(PLUGIN, &to).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) async fn enter(&self, label: &str, kind: &str, value: &str) {
        let mut tx = self.services.store.write().await.unwrap();
        let row = (label, kind, None, self.clock.now_ms());
        tx.plugin_access().set_secret(&self.services.seal, PLUGIN, row, value).await.unwrap();
        tx.commit().await.unwrap();
    }

    pub(super) fn view(&self) -> HttpView {
        let wall = std::time::Duration::from_secs(30);
        let terms = Terms::work(Budget { cpu: TASK_CPU, wall }, None, 1);
        HttpView::new(Arc::clone(&self.desk), "call-7", terms)
    }

    pub(super) async fn send(
        &self,
        request: abi::http::Request,
    ) -> Result<abi::http::Response, abi::types::PluginError> {
        self.view().send(request).await
    }

    /// The code of a refusal.
    pub(super) async fn refused(&self, request: abi::http::Request) -> String {
        self.send(request).await.unwrap_err().code
    }

    /// What is written down, newest first.
    pub(super) async fn record(&self) -> Vec<PluginRequest> {
        let mut tx = self.services.store.read().await.unwrap();
        tx.plugin_requests().latest(PLUGIN, 1000).await.unwrap()
    }

    /// The outcomes of all that is written down, oldest first.
    pub(super) async fn outcomes(&self) -> Vec<String> {
        self.record().await.into_iter().rev().map(|request| request.outcome).collect()
    }
}

pub(super) fn get(path: &str) -> abi::http::Request {
    abi::http::Request {
        destination: "psa".to_owned(),
        method: "GET".to_owned(),
        path: path.to_owned(),
        headers: Vec::new(),
        body: None,
        secrets: Vec::new(),
        timeout_ms: 0,
    }
}

pub(super) fn with(path: &str, secrets: &[&str]) -> abi::http::Request {
    let secrets = secrets.iter().map(|label| (*label).to_owned()).collect();
    abi::http::Request { secrets, ..get(path) }
}

pub(super) fn header(mut request: abi::http::Request, name: &str, value: &str) -> abi::http::Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}
