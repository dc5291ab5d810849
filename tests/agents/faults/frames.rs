//! Bytes where messages should be: cases 34, 35, 36 and 43. They come over a connection with a good certificate.

use std::pin::Pin;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, Request};
use keelson_proto::v1::{AgentMessage, Batch, Heartbeat, Record, Workload, agent_message, record};
use keelson_tests::link::Identity;
use keelson_tests::{HostProcess, TestDatabase, TestHost, on_both};
use prost::Message as _;
use tonic::Code;
use tonic::transport::Endpoint;
use tower::ServiceExt as _;

use super::super::{complete, computers, end, enrolled, server, workload};

/// The most that a message may have by what the host says of itself.
const LARGEST: usize = keelson::agents::LARGEST_MESSAGE;

/// A message's head, as gRPC has it, and whatever follows.
fn framed(compressed: u8, length: u32, content: &[u8]) -> Vec<u8> {
    [&[compressed], &length.to_be_bytes()[..], content].concat()
}

/// Begins a session with these bytes, which do not end, and gives the status that the host ends it with.
async fn answer(identity: &Identity, bytes: Vec<u8>, encoding: Option<&'static str>) -> Code {
    let channel = identity.channel(Endpoint::from_static("https://localhost")).await.unwrap();
    let (more, rest) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    more.send(Ok(bytes)).await.unwrap();
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(rest));
    let mut request = Request::post("https://localhost/keelson.agent.v1.Console/Session")
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if let Some(encoding) = encoding {
        request = request.header("grpc-encoding", encoding);
    }
    let request = request.body(tonic::body::Body::new(body)).unwrap();
    let response = tokio::time::timeout(Duration::from_secs(20), channel.oneshot(request)).await;
    let response = response.expect("an answer in time").unwrap();
    if let Some(code) = status(response.headers()) {
        return code;
    }
    let mut body = response.into_body();
    loop {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let frame = tokio::time::timeout(Duration::from_secs(20), frame).await.expect("an end in time");
        let Some(frame) = frame else { panic!("the stream ended without a status") };
        // The connection went before the status came through.
        let Ok(frame) = frame else { return Code::Unavailable };
        if let Some(code) = frame.trailers_ref().and_then(status) {
            return code;
        }
    }
}

fn status(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
}

/// A message with one workload, whose name makes it this long.
fn long(sequence: u64, length: usize) -> AgentMessage {
    let of = |name: usize| {
        let workload = Workload {
            server_key: "s".into(),
            key: "long".into(),
            name: "n".repeat(name),
            kind: "computer".into(),
            ..Workload::default()
        };
        let records = vec![Record { kind: Some(record::Kind::Workload(workload)) }];
        AgentMessage { kind: Some(agent_message::Kind::Batch(Batch { epoch: 1, sequence, records })) }
    };
    let more = of(length / 2).encoded_len() - length / 2;
    let message = of(length - more);
    assert_eq!(message.encoded_len(), length);
    message
}

on_both! {
    /// Case 34, at the bound itself.
    fn a_message_of_the_largest_size_is_taken_and_one_byte_more_is_not(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(1, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        session.send(long(2, LARGEST).kind.unwrap()).await;
        assert_eq!(session.acknowledged().await, (1, 2));
        session.send(long(3, LARGEST + 1).kind.unwrap()).await;
        let refused = end(session).await;
        assert_eq!(refused.code(), Code::OutOfRange, "{refused:?}");
        assert_eq!(computers(&client).await.len(), 2);
        host.stop().await;
    }

    /// Case 35: what is over an agent's allowance waits on the agent's side, and nobody else waits with it.
    fn an_agent_that_never_stops_talking_is_slowed_down_and_others_are_served(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let addresses = host.addresses();
        let other = Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
        let chatty = identity.session().await.unwrap();
        let talking = async {
            let begun = Instant::now();
            let mut said = 0_u32;
            while begun.elapsed() < Duration::from_secs(3) {
                let beat = agent_message::Kind::Heartbeat(Heartbeat::default());
                if tokio::time::timeout(Duration::from_millis(100), chatty.send(beat)).await.is_ok() {
                    said += 1;
                }
            }
            said
        };
        let honest = async {
            let mut session = other.session().await.unwrap();
            for sequence in 1..=20 {
                session.batch(1, sequence, vec![server(), workload("oven")]).await;
                let served = tokio::time::timeout(Duration::from_secs(2), session.acknowledged()).await;
                assert_eq!(served.expect("in time"), (1, sequence));
            }
        };
        let (said, ()) = tokio::join!(talking, honest);
        // What is on the way fills the windows of the connection, and no more than that is taken in advance.
        assert!(said < 80_000, "{said} messages in three seconds");
        host.stop().await;
    }
}

/// Cases 34, 36 and 43: whatever it is, it is refused before there is memory for it, and the host goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_in_place_of_a_message_is_refused_and_costs_no_memory() {
    let host = HostProcess::start(TestDatabase::sqlite(), None).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery"]);
    let (port, ca) = (host.addresses().agents_remote.port(), host.addresses().ca_file.clone());
    let identity = Identity::enroll(port, &ca, &token).await.unwrap();
    let over = u32::try_from(LARGEST).unwrap() + 1;
    // 10,000 groups that begin one in the other: no message of ours has a group.
    let nested = vec![0x0b; 10_000];
    let nested = framed(0, 10_000, &nested);
    // A batch of a million records of nothing, two bytes each on the line.
    let hollow = [&[0x12, 0x80, 0x89, 0x7a][..], &[0x1a, 0].repeat(1_000_000)].concat();
    let hollow = framed(0, u32::try_from(hollow.len()).unwrap(), &hollow);
    let cases: [(&str, Vec<u8>, Option<&'static str>); 10] = [
        ("nothing at all", framed(0, 0, &[]), None),
        ("one byte that is no message", framed(0, 1, &[0xff]), None),
        ("more than there may be", framed(0, over, &[0; 64]), None),
        ("as much as can be said", framed(0, u32::MAX, &[0; 64]), None),
        ("all bits", vec![0xff; 512], None),
        ("compressed without a word", framed(1, 64, &[0; 64]), None),
        ("a bomb", framed(1, 64, &[0x1f, 0x8b, 8, 0]), Some("gzip")),
        ("another bomb", framed(1, 64, &[0x28, 0xb5, 0x2f, 0xfd]), Some("zstd")),
        ("groups in groups", nested, None),
        ("a million records of nothing", hollow, None),
    ];
    let before = host.memory("VmRSS:");
    for round in 0..6 {
        for (what, bytes, encoding) in &cases {
            let code = answer(&identity, bytes.clone(), *encoding).await;
            assert_ne!(code, Code::Ok, "{what}, round {round}");
        }
    }
    let most = host.memory("VmHWM:");
    assert!(most < before + 64.0, "{before} MiB before, {most} MiB at most");
    let mut session = Identity::enroll(port, &ca, &host.command(&["agent", "token", "--company", "Bakery"]))
        .await
        .unwrap()
        .session()
        .await
        .unwrap();
    session.batch(1, 1, vec![server(), workload("oven"), complete()]).await;
    assert_eq!(session.acknowledged().await, (1, 1));
}
