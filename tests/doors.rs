//! Sockets without a credential: however many somebody opens and then says nothing on, everybody else is served.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keelson_tests::link::Identity;
use keelson_tests::{Client, TestDatabase, TestHost};
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// More than any port has handshakes under way.
const MANY: usize = 300;
/// Within this somebody who does speak is served.
const SOON: Duration = Duration::from_secs(2);

/// Sockets that say nothing, every other one after the first byte of a handshake.
async fn idle(port: u16) -> Vec<TcpStream> {
    let mut sockets = Vec::with_capacity(MANY);
    for number in 0..MANY {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        if number % 2 == 0 {
            socket.write_all(&[22]).await.unwrap();
        }
        sockets.push(socket);
    }
    sockets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_idle_sockets_keep_nobody_from_the_api_or_the_agents_doors() {
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let credential = host.administrator().credential.unwrap();
    let addresses = host.addresses().clone();
    let sockets = idle(addresses.api.port()).await;
    let client = Client::new(addresses.api.port(), &addresses.ca_file).with(&credential);
    let answer = tokio::time::timeout(SOON, client.get("/about")).await;
    assert_eq!(answer.expect("an answer of the API in time").0, StatusCode::OK);
    drop(sockets);
    for port in [addresses.agents_remote.port(), addresses.agents_hosted.port()] {
        let sockets = idle(port).await;
        let stranger = Identity::stranger(port, &addresses.ca_file);
        let client = tokio::time::timeout(SOON, stranger.client()).await;
        drop((client.expect("a handshake in time"), sockets));
    }
    let begun = Instant::now();
    host.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "idle sockets do not hold up the end either");
}

/// TLS for h2, from any address of the loopback.
async fn connect(from: Ipv4Addr, to: SocketAddr, ca_file: &Path) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let stream = socket.connect(to).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// Begins requests on one connection whose bodies never come, and waits until the host has seen them.
async fn bodiless(stream: &mut TlsStream<TcpStream>, requests: u32) {
    // POST, https, and the path as a literal, by the static table of HPACK.
    let path = b"/api/v3/token";
    let headers = [&[0x83, 0x87, 0x01, 9], &b"localhost"[..], &[0x04, 13], path].concat();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    for request in 0..requests {
        bytes.extend(frame(1, 4, 2 * request + 1, &headers));
    }
    bytes.extend(frame(6, 0, 0, b"are you?"));
    stream.write_all(&bytes).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload).await.unwrap();
        if payload == b"are you?" {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_whose_bodies_never_come_hold_up_nobody() {
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let client = host.administrator();
    let addresses = host.addresses();
    let mut connections = Vec::new();
    for _ in 0..17 {
        let mut stream = connect(Ipv4Addr::new(127, 0, 0, 2), addresses.api, &addresses.ca_file).await;
        bodiless(&mut stream, 64).await;
        connections.push(stream);
    }
    let answer = tokio::time::timeout(SOON, client.get("/about")).await;
    assert_eq!(answer.expect("an answer in time").0, StatusCode::OK);
    // Not even at another address's forms, which need a place for their body as well.
    let (status, body) = client.form("/token", &[("grant_type", "riddle")]).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"unsupported_grant_type".into()));
    drop(connections);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_comes_is_given_up_after_ten_seconds() {
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let addresses = host.addresses();
    let mut stream = connect(Ipv4Addr::LOCALHOST, addresses.api, &addresses.ca_file).await;
    bodiless(&mut stream, 1).await;
    let begun = Instant::now();
    let mut kind = 0;
    while kind != 1 {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u64::from(u32::from_be_bytes([0, head[0], head[1], head[2]]));
        tokio::io::copy(&mut (&mut stream).take(length), &mut tokio::io::sink()).await.unwrap();
        kind = head[3];
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "answered after {:?}", begun.elapsed());
    drop(stream);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_strangers_at_an_agents_door_leave_room_for_an_enrolment_and_are_sent_away() {
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let company = host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", &company]);
    let addresses = host.addresses();
    let mut strangers = Vec::new();
    for _ in 0..MANY {
        let from = Ipv4Addr::new(127, 0, 0, 2);
        strangers.push(connect(from, addresses.agents_remote, &addresses.ca_file).await);
    }
    let enrolment = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token);
    tokio::time::timeout(SOON, enrolment).await.expect("an answer in time").expect("a certificate");
    let mut silent = strangers.remove(0);
    let ended = async { while silent.read_u8().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(45), ended).await.expect("the first is sent away");
    drop(strangers);
    host.stop().await;
}
