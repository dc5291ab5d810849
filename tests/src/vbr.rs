//! A Veeam Backup & Replication server for tests: its REST API 1.3 over TLS, with a state that lives. It runs jobs, takes
//! licences and mounts backups, and it breaks in whatever way it is told to.
//!
//! `contract` holds both sides to the API's description, `world` is what the server has, `jobs`, `licence` and `files` are
//! what happens to it, `lists` and `routes` how it shows, `serve` the line and its faults.

mod contract;
mod files;
mod jobs;
mod licence;
mod lists;
mod routes;
mod serve;
mod world;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::Contract;

pub use files::{Audited, Mount};
pub use licence::Licence;
pub use serve::{Fault, Trouble};
pub use world::{Backup, Job, Object, Point, Repository, Session, Task, VbrScale, World};

/// The account that opens a fake server.
pub const USER: &str = "KEELSON\\svc-agent";
/// Its password.
pub const PASSWORD: &str = "correct horse battery";

/// How a server is to be.
#[derive(Debug, Clone)]
pub struct VbrOptions {
    /// The same seed gives the same server.
    pub seed: u64,
    /// How much it protects.
    pub scale: VbrScale,
    /// Its time, unix milliseconds. It stands still until it is moved.
    pub now: i64,
    /// Most entries of a page, whatever is asked for.
    pub page: usize,
}

impl VbrOptions {
    /// A small server at an instant.
    pub fn at(now: i64) -> Self {
        Self { seed: 1, scale: VbrScale::SMALL, now, page: 1000 }
    }
}

/// A server on the loopback interface, until it is dropped.
#[derive(Debug)]
pub struct VbrServer {
    port: u16,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    contract: Contract,
    page: usize,
    state: Mutex<State>,
    line: Mutex<serve::Line>,
}

#[derive(Debug)]
struct State {
    world: World,
    faults: Vec<Fault>,
    asked: Vec<String>,
    violations: Vec<String>,
    tokens: routes::Tokens,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for VbrServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl VbrServer {
    /// Starts one.
    pub async fn start(options: VbrOptions) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let state = State {
            world: World::generate(options.seed, options.scale, options.now),
            faults: Vec::new(),
            asked: Vec::new(),
            violations: Vec::new(),
            tokens: routes::Tokens::default(),
        };
        let shared = Arc::new(Shared {
            contract: Contract::load(),
            page: options.page,
            state: Mutex::new(state),
            line: Mutex::new(serve::Line::new()),
        });
        let task = tokio::spawn(serve::serve(listener, Arc::clone(&shared)));
        Self { port: address.port(), shared, task }
    }

    /// `https://localhost:port`.
    pub fn address(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// SHA-256 of its certificate's public key, in hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        self.shared.line.lock().unwrap_or_else(PoisonError::into_inner).fingerprint.clone()
    }

    /// Asks it without an agent: a client, and what its addresses begin with.
    pub fn stranger(&self) -> (reqwest::Client, String) {
        let mut roots = rustls::RootCertStore::empty();
        let certificate = self.shared.line.lock().unwrap_or_else(PoisonError::into_inner).certificate.clone();
        roots.add(certificate).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .resolve(serve::NAME, SocketAddr::from(([127, 0, 0, 1], self.port)))
            .build();
        (client.expect("a client"), format!("https://{}:{}", serve::NAME, self.port))
    }

    /// Looks at what it has, or changes it.
    pub fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut self.shared.state().world)
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.with(|world| world.advance(i64::try_from(by.as_millis()).expect("a short time")));
    }

    /// Has it break.
    pub fn break_it(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Nothing is broken any more.
    pub fn mend(&self) {
        self.shared.state().faults.clear();
    }

    /// It was started anew: nobody is logged in.
    pub fn restart(&self) {
        self.shared.state().tokens = routes::Tokens::default();
    }

    /// It has another certificate, with another key.
    pub fn change_certificate(&self) {
        *self.shared.line.lock().unwrap_or_else(PoisonError::into_inner) = serve::Line::new();
    }

    /// What it was asked since the last time somebody looked, as `GET /path`.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().asked)
    }

    /// Whatever was asked or answered that the API's description does not have.
    pub fn violations(&self) -> Vec<String> {
        self.shared.state().violations.clone()
    }

    /// How many logins hold.
    pub fn logins(&self) -> usize {
        self.shared.state().tokens.logins
    }

    /// Tokens live so many seconds from now on.
    pub fn set_token_life(&self, seconds: i64) {
        self.shared.state().tokens.life = seconds;
    }
}
