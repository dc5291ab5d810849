//! Enrolment, pin and renewal.

use super::*;
use crate::error::chain;
use crate::tls::DialError;

#[tokio::test]
async fn enrolment_leaves_private_files_without_the_token_and_is_not_overwritten() {
    let stage = Stage::new(None).await;
    let settings = std::fs::read_to_string(stage.data().join("agent.toml")).unwrap();
    assert!(!settings.contains(crate::testing::console::SECRET));
    let mode = |name: &str| {
        let file = std::fs::metadata(stage.data().join(name)).unwrap();
        std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777
    };
    assert_eq!((mode("agent.key"), mode("agent.toml"), mode("")), (0o600, 0o600, 0o700));

    let again = stage.enroll(stage.console.token(), false).await.unwrap_err();
    assert!(matches!(&again, EnrollError::AlreadyEnrolled(_)) && again.to_string().contains("--force"));
    stage.enroll(stage.console.token(), true).await.unwrap();
    assert_eq!(stage.console.agents().len(), 2);
    stage.open().await.unwrap();
}

#[tokio::test]
async fn a_token_that_the_host_refuses_says_so_and_leaves_the_enrolled_agent_in_place() {
    let stage = Stage::new(None).await;
    let error = stage.enroll(stage.console.token_with("wrong"), true).await.unwrap_err();
    assert!(matches!(error, EnrollError::Refused(_)), "{error}");
    assert!(error.to_string().contains("the token is not valid"), "{error}");
    stage.open().await.unwrap();
}

#[tokio::test]
async fn an_inspected_connection_is_diagnosed_at_enrolment() {
    let stage = Stage::new(None).await;
    stage.console.inspect(true);
    let error = stage.enroll(stage.console.token(), true).await.unwrap_err();
    let EnrollError::Dial(DialError::PinMismatch { address, mismatch }) = &error else { panic!("{error}") };
    let text = chain(&error);
    for part in ["CN=console.example", "'CN=Corp Proxy CA'", "expected Keelson CA", "exempt localhost:"] {
        assert!(text.contains(part), "{part} is not in: {text}");
    }
    let json = mismatch.to_json(&address.to_string());
    assert_eq!(json["event"], "tls-pin-mismatch");
    assert_eq!(json["issuer"], "CN=Corp Proxy CA");
    assert_eq!(json["expectedPin"], stage.console.token().pin.to_string());
    assert_eq!(json["seenPins"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_leaf_that_the_ca_did_not_sign_is_refused_even_with_the_ca_sent_along() {
    let stage = Stage::new(None).await;
    stage.console.forge();
    let error = stage.enroll(stage.console.token(), true).await.unwrap_err();
    assert!(matches!(error, EnrollError::Dial(DialError::PinMismatch { .. })), "{error}");
    let running = stage.run().await;
    let ended = running.ended().await;
    assert!(chain(&ended).contains("Corp Proxy CA"), "{}", chain(&ended));
}

#[tokio::test]
async fn a_host_of_another_name_or_without_tls_is_told_from_an_inspected_one() {
    let stage = Stage::new(None).await;
    let mut token = stage.console.token();
    let port = token.addresses[0].port();
    token.addresses = vec![format!("127.0.0.1:{port}").parse().unwrap()];
    let error = stage.enroll(token.clone(), true).await.unwrap_err();
    assert!(chain(&error).contains("is not for 127.0.0.1"), "{}", chain(&error));

    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    token.addresses = vec![plain.local_addr().unwrap().to_string().parse().unwrap()];
    let web = tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
        stream
    });
    let error = stage.enroll(token.clone(), true).await.unwrap_err();
    assert!(chain(&error).contains("does not speak the agent protocol"), "{}", chain(&error));

    // The listener is gone with the task; the next address in the list is the right one.
    drop(web.await.unwrap());
    token.addresses.push(stage.console.token().addresses[0].clone());
    stage.enroll(token, true).await.unwrap();
}

#[tokio::test]
async fn a_host_that_no_longer_takes_the_certificate_is_understood_and_tried_again() {
    let stage = Stage::new(Some(inventory("s", &[("a", 1)]))).await;
    stage.console.distrust_agents();
    let agent = stage.open().await.unwrap();
    let address = agent.settings.addresses[0].clone();
    let connection = crate::tls::dial(&address, &agent.identity.credentials).await.unwrap();
    let mut client = keelson_proto::v1::console_client::ConsoleClient::new(connection.channel);
    let status = client.session(tokio_stream::pending()).await.unwrap_err();
    let error = SessionError::from_status(&status);
    assert!(matches!(error, SessionError::Unwelcome), "{}", chain(&error));
    assert!(error.to_string().contains("enrol again"));
    drop(agent.lock);

    let running = stage.run().await;
    let before = stage.console.failed_handshakes();
    until("the agent tries again", || stage.console.failed_handshakes() >= before + 3).await;
    stage.console.inspect(false);
    stage.until_host_has(&[("a", 1)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn inspection_ends_an_agent_that_starts_and_is_outlasted_by_one_that_ran() {
    let stage = Stage::new(Some(inventory("s", &[("a", 1)]))).await;
    stage.console.inspect(true);
    let running = stage.run().await;
    let ended = running.ended().await;
    assert!(matches!(&ended, AgentError::Session(error) if error.is_pin_mismatch()), "{ended}");

    stage.console.inspect(false);
    let running = stage.run().await;
    stage.until_host_has(&[("a", 1)]).await;
    stage.console.inspect(true);
    stage.console.cut();
    stage.driver.set(Some(inventory("s", &[("a", 2)])));
    let before = stage.console.failed_handshakes();
    until("the agent tries in vain", || stage.console.failed_handshakes() >= before + 3).await;
    stage.console.ledger(|ledger| assert_eq!(ledger.hellos.len(), 1));
    stage.console.inspect(false);
    stage.until_host_has(&[("a", 2)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_renewed_after_two_thirds_of_its_life_and_the_session_goes_on() {
    let mut stage = Stage::new(Some(inventory("s", &[("a", 1)]))).await;
    let clock = Arc::new(ManualClock::new(stage.clock.now_ms()));
    stage.clock = Arc::<ManualClock>::clone(&clock);
    let running = stage.run().await;
    stage.until_host_has(&[("a", 1)]).await;
    let old_key = std::fs::read(stage.data().join("agent.key")).unwrap();
    assert_eq!(stage.console.ledger(|ledger| ledger.renewals), 0);

    // It lives from an hour ago to an hour from now.
    clock.advance(30 * 60 * 1000);
    until("it was renewed", || stage.console.ledger(|ledger| ledger.renewals == 1)).await;
    stage.driver.set(Some(inventory("s", &[("a", 2)])));
    stage.until_host_has(&[("a", 2)]).await;
    assert_ne!(std::fs::read(stage.data().join("agent.key")).unwrap(), old_key);
    running.stop().await.unwrap();
    stage.open().await.unwrap();
}

#[tokio::test]
async fn a_swap_of_key_and_certificate_that_was_interrupted_is_finished() {
    let stage = Stage::new(None).await;
    // As a crash leaves it right after the certificate's rename.
    std::fs::rename(stage.data().join("agent.key"), stage.data().join("agent.key.next")).unwrap();
    std::fs::write(stage.data().join("agent.key"), "the former key").unwrap();
    stage.open().await.unwrap();
    assert!(!stage.data().join("agent.key.next").exists());
    stage.open().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_is_not_enrolled_says_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let error = Agent::open(place.path(), FAST, Arc::new(SystemClock)).await.unwrap_err();
    assert!(chain(&error).contains("keelson-agent enroll"));
}
