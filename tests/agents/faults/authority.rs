//! Certificates and what stands for them: cases 50 and 51.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper_util::rt::TokioIo;
use keelson::clock::{Clock as _, DAY, ManualClock, SharedClock, SystemClock};
use keelson_proto::v1::StatusRequest;
use keelson_proto::v1::console_client::ConsoleClient;
use keelson_tests::link::Identity;
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{Client, TestHost, eventually, on_both};
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use super::super::enrolled;
use super::token;

async fn online(client: &Client, count: usize) {
    eventually("the agents to be online", || async {
        let agents = client.data("/infrastructure/managementAgents?limit=500").await;
        let online = agents.as_array()?.iter().filter(|agent| agent["connectionStatus"] == "Online");
        (online.count() == count).then_some(())
    })
    .await;
}

/// How many of the agents have a certificate of this authority.
fn are_of(simulation: &Simulation, agents: u32, authority: &CertificateDer<'_>) -> usize {
    let chain = |agent: usize| CertificateDer::pem_file_iter(simulation.folder(agent).certificate()).unwrap();
    (0..agents as usize).filter(|agent| chain(*agent).any(|one| one.unwrap() == *authority)).count()
}

on_both! {
    /// Case 50: those who were away for thirty days come back by the old chain, and with their next certificate need it no more.
    fn an_authority_is_rotated_under_many_agents_a_tenth_of_which_is_away(database) {
        const HERE: u32 = 18;
        const AWAY: u32 = 2;
        let clock = ManualClock::at(SystemClock.now_ms() - 30 * DAY);
        let shared = || -> SharedClock { Arc::<ManualClock>::clone(&clock) };
        let host = TestHost::start_with(database, None, shared()).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        // By the machine's clock, which is a month ahead.
        let size = |agents| Size { agents, workloads: 2, seed: 50 };
        let mut here = Simulation::enroll(&token(&host), size(HERE)).await;
        let mut away = Simulation::enroll(&token(&host), size(AWAY)).await;
        here.start().await;
        online(&host.administrator(), HERE as usize).await;

        let former = CertificateDer::from_pem_file(&host.addresses().ca_file).unwrap();
        host.command(&["ca", "rotate"]);
        let host = host.again(shared()).await;
        let present = CertificateDer::from_pem_file(&host.addresses().ca_file).unwrap();
        assert_ne!(former, present);
        let client = host.administrator();
        online(&client, HERE as usize).await;
        assert_eq!(are_of(&here, HERE, &former), HERE as usize, "they came by the old chain");
        here.clock.advance(61 * DAY);
        eventually("all that are here to have renewed", || {
            std::future::ready((are_of(&here, HERE, &present) == HERE as usize).then_some(()))
        })
        .await;

        clock.advance(30 * DAY);
        away.start().await;
        online(&client, (HERE + AWAY) as usize).await;
        assert_eq!(are_of(&away, AWAY, &former), AWAY as usize, "they came by the old chain");
        away.clock.advance(61 * DAY);
        eventually("those who were away to have renewed", || {
            std::future::ready((are_of(&away, AWAY, &present) == AWAY as usize).then_some(()))
        })
        .await;
        // From then on they do without what vouches for the new authority: its time is over, for this host.
        std::fs::remove_file(host.data.path().join("pki/ca-former.until")).unwrap();
        let host = host.again(shared()).await;
        online(&host.administrator(), (HERE + AWAY) as usize).await;
        here.stop().await;
        away.stop().await;
        host.stop().await;
    }

    /// Case 51: whoever has what a handshake left behind, and not the certificate's key, is nobody.
    fn a_ticket_gives_nobody_an_agents_identity(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        let thief = Thief::of(&identity, &host);
        let (first, answer) = thief.call().await;
        assert_eq!(first, Some(HandshakeKind::Full));
        answer.expect("the agent itself");
        thief.key.has_it.store(false, Ordering::SeqCst);
        let (second, answer) = thief.call().await;
        assert_eq!(second, Some(HandshakeKind::Full), "nothing is resumed");
        assert_eq!(answer.unwrap_err().code(), Code::Unauthenticated);
        host.stop().await;
    }
}

/// A client that keeps all that a host lets it keep, and loses its key.
struct Thief {
    port: u16,
    config: Arc<ClientConfig>,
    key: Arc<Key>,
}

#[derive(Debug)]
struct Key {
    certified: Arc<CertifiedKey>,
    has_it: AtomicBool,
}

impl ResolvesClientCert for Key {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.has_it.load(Ordering::SeqCst).then(|| Arc::clone(&self.certified))
    }

    fn has_certs(&self) -> bool {
        self.has_it.load(Ordering::SeqCst)
    }
}

impl Thief {
    fn of(identity: &Identity, host: &TestHost) -> Self {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key().to_vec()));
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let certified = Arc::new(CertifiedKey::new(identity.chain().to_vec(), key));
        let key = Arc::new(Key { certified, has_it: AtomicBool::new(true) });
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&host.addresses().ca_file).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::<Key>::clone(&key));
        config.alpn_protocols = vec![b"h2".to_vec()];
        config.enable_early_data = true;
        Self { port: host.addresses().agents_remote.port(), config: Arc::new(config), key }
    }

    /// Connects and asks something; how the handshake went, and what was answered.
    async fn call(&self) -> (Option<HandshakeKind>, Result<(), Status>) {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut probe = ClientConnection::new(Arc::clone(&self.config), name.clone()).unwrap();
        assert!(probe.early_data().is_none(), "nothing is taken before the handshake is over");
        let tls = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await.unwrap();
        let kind = tls.get_ref().1.handshake_kind();
        let mut once = Some(TokioIo::new(tls));
        let connect = tower::service_fn(move |_| {
            std::future::ready(
                once.take().ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected)),
            )
        });
        let channel =
            Endpoint::from_static("https://localhost").connect_with_connector(connect).await.unwrap();
        (kind, ConsoleClient::new(channel).status(StatusRequest::default()).await.map(drop))
    }
}
