//! Where a request may end up.

use super::server::{NAME, Reply, Server};
use super::stage::{PUBLIC, Stage, get};

#[tokio::test]
async fn a_request_goes_to_the_origin_that_was_bound_and_is_written_down() {
    let stage = Stage::open(|_| Reply::with("201 Created", "x-one: 1\r\nset-cookie: a=b\r\n", "made")).await;
    let mut request = get("/api/tickets?q=1");
    (request.method, request.body) = ("POST".to_owned(), Some(b"{}".to_vec()));
    let answer = stage.send(request).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice(), answer.truncated), (201, &b"made"[..], false));
    assert!(answer.headers.contains(&("x-one".to_owned(), "1".to_owned())));
    assert!(!answer.headers.iter().any(|(name, _)| name == "set-cookie"));
    let [asked] = stage.server.asked().try_into().unwrap();
    assert!(
        asked.starts_with("POST /api/tickets?q=1 HTTP/1.1\r\n") && asked.ends_with("\r\n\r\n{}"),
        "{asked}"
    );
    assert!(
        asked.contains("x-keelson-call: call-7\r\n") && asked.contains(&format!("host: {NAME}\r\n")),
        "{asked}"
    );
    let [row] = stage.record().await.try_into().unwrap();
    assert_eq!((row.path.as_str(), row.method.as_str(), row.status), ("/api/tickets", "POST", Some(201)));
    assert_eq!(
        (row.outcome.as_str(), row.bytes_out, row.bytes_in, row.call_id.as_str()),
        ("ok", 2, 4, "call-7")
    );
}

#[tokio::test]
async fn no_way_to_write_loopback_or_a_metadata_service_reaches_it() {
    let stage = Stage::private(|_| Reply::ok("secret of the machine")).await;
    let port = stage.server.address.port();
    let hosts = [
        "localhost",
        "127.0.0.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "[::]",
        "169.254.169.254",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
        "255.255.255.255",
    ];
    for host in hosts {
        stage.bind("psa", &format!("https://{host}:{port}"), false).await;
        assert_eq!(stage.refused(get("/api/")).await, "refused-address", "{host}");
        // The rate is not what is looked at.
        stage.clock.advance(60_000);
    }
    for host in [
        "169.254.169.254",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "0.0.0.0",
        "[::]",
    ] {
        stage.bind("psa", &format!("http://{host}:{port}"), true).await;
        assert_eq!(stage.refused(get("/api/")).await, "refused-address", "{host} in a private network");
        stage.clock.advance(60_000);
    }
    assert!(stage.names.dialled.lock().unwrap().is_empty() && stage.server.asked().is_empty());
    assert!(stage.outcomes().await.iter().all(|outcome| outcome == "refused-address"));
}

#[tokio::test]
async fn a_private_network_is_reached_where_an_administrator_said_so() {
    let stage = Stage::private(|_| Reply::ok("hello")).await;
    assert_eq!(stage.send(get("/api/")).await.unwrap().body, b"hello");
    let port = stage.server.address.port();
    stage.bind("psa", &format!("http://localhost:{port}"), true).await;
    assert_eq!(stage.send(get("/api/")).await.unwrap().status, 200);
    // Nothing goes unencrypted through the internet, whatever the row says.
    stage.bind("psa", &format!("http://localhost:{port}"), false).await;
    assert_eq!(stage.refused(get("/api/")).await, "refused-address");
    assert_eq!(stage.server.asked().len(), 2);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_asked_once_and_held_to_its_answer() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    stage.names.say(&[&[PUBLIC], &["127.0.0.1"]]);
    stage.send(get("/api/")).await.unwrap();
    assert_eq!(*stage.names.asked.lock().unwrap(), [NAME]);
    assert_eq!(*stage.names.dialled.lock().unwrap(), [PUBLIC.parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(stage.refused(get("/api/")).await, "refused-address", "the second answer is judged too");
    assert_eq!(stage.server.asked().len(), 1);
}

#[tokio::test]
async fn of_mixed_answers_only_the_public_one_is_dialled() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    stage.names.say(&[&["127.0.0.1", "10.0.0.1", "::1", PUBLIC, "169.254.169.254"]]);
    stage.send(get("/api/")).await.unwrap();
    assert_eq!(*stage.names.dialled.lock().unwrap(), [PUBLIC.parse::<std::net::IpAddr>().unwrap()]);
    stage.names.say(&[&["127.0.0.1", "10.0.0.1"]]);
    assert_eq!(stage.refused(get("/api/")).await, "refused-address");
    stage.names.say(&[&[]]);
    assert_eq!(stage.refused(get("/api/")).await, "unreachable");
    assert_eq!(stage.names.dialled.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_loopback_is_shown_and_not_followed() {
    let inner = Server::start(false, |_| Reply::ok("secret of the machine")).await;
    let location = format!("location: http://{}/\r\n", inner.address);
    let stage = Stage::open(move |_| Reply::with("307 Temporary Redirect", &location, "")).await;
    let answer = stage.send(get("/api/")).await.unwrap();
    assert_eq!(answer.status, 307);
    assert!(answer.headers.iter().any(|(name, value)| name == "location" && value.contains("127.0.0.1")));
    assert!(inner.asked().is_empty());
    assert_eq!(stage.names.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    let stage = Stage::new(Server::start(true, |_| Reply::ok("")).await, false).await;
    stage.names.say(&[&[PUBLIC]]);
    stage.bind("psa", &format!("https://{NAME}"), false).await;
    let error = stage.send(get("/api/")).await.unwrap_err();
    assert!(error.code == "unreachable" && error.message.contains("TLS"), "{error:?}");
    assert!(stage.server.asked().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let stage = Stage::open(|_| Reply::ok("")).await;
    stage.bind("psa", "https://evil.test", false).await;
    assert_eq!(stage.refused(get("/api/")).await, "unreachable");
    assert!(stage.server.asked().is_empty());
}
