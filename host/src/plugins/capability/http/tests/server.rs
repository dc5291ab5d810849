//! A server that answers what it is told, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

/// The name in its certificate.
pub(super) const NAME: &str = "psa.test";

/// What it does with a request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// These bytes, and the end.
    Whole(Vec<u8>),
    /// These bytes, and others for ever, each time so many.
    Endless(Vec<u8>, usize),
    /// Nothing until there is a permit, then the bytes.
    Held(Arc<Semaphore>, Vec<u8>),
}

impl Reply {
    pub(super) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::with("200 OK", "", body)
    }

    /// `headers` ends each line with CR LF.
    pub(super) fn with(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut whole =
            format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
        whole.extend_from_slice(body);
        Self::Whole(whole)
    }
}

/// Head and body as they came.
pub(super) type Asked = String;
type Script = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) certificate: CertificateDer<'static>,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// A permit for each connection that the client closed before it had its answer.
    pub(super) left: Arc<Semaphore>,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    /// One that speaks TLS, or not.
    pub(super) async fn start(tls: bool, script: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let names = [NAME, "localhost"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = tls.then(|| TlsAcceptor::from(Arc::new(config)));
        let (asked, left) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::new(Semaphore::new(0)));
        let script: Script = Arc::new(script);
        let (asks, leaves) = (Arc::clone(&asked), Arc::clone(&left));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
                let (asked, left) = (Arc::clone(&asks), Arc::clone(&leaves));
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, &script, &asked, &left).await,
                        Some(acceptor) => {
                            // A client that does not trust it goes away here.
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, &script, &asked, &left).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, certificate, asked, left, _task: AbortOnDropHandle::new(task) }
    }

    /// What it was asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    script: &Script,
    asked: &Mutex<Vec<Asked>>,
    left: &Semaphore,
) {
    let Some(request) = read(&mut stream).await else { return };
    asked.lock().unwrap().push(request.clone());
    let bytes = match script(&request) {
        Reply::Whole(bytes) => bytes,
        Reply::Endless(bytes, chunk) => {
            let mut open = stream.write_all(&bytes).await.is_ok();
            while open {
                open = stream.write_all(&vec![b'x'; chunk]).await.is_ok() && stream.flush().await.is_ok();
                tokio::task::yield_now().await;
            }
            left.add_permits(1);
            return;
        }
        Reply::Held(gate, bytes) => {
            let mut more = [0; 1];
            tokio::select! {
                permit = gate.acquire() => permit.unwrap().forget(),
                _ = stream.read(&mut more) => { left.add_permits(1); return; }
            }
            bytes
        }
    };
    // The client may have gone: that is its affair.
    drop(stream.write_all(&bytes).await);
    drop(stream.shutdown().await);
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
