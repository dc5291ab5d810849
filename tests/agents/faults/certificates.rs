//! Who may come in: cases 10, 46, 48, 49 and 52.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use keelson::clock::{Clock as _, DAY, ManualClock, SharedClock, SystemClock};
use keelson::pki::Pki;
use keelson_proto::v1::{Computer, EnrollRequest, RenewRequest};
use keelson_tests::link::{Identity, secret_of};
use keelson_tests::process::packages;
use keelson_tests::{Client, HostProcess, TestDatabase, TestHost, eventually, on_both};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair};
use reqwest::Method;
use serde_json::json;
use tonic::{Code, Status};
use uuid::Uuid;

use super::super::{complete, computers, end, enrolled, server, workload};
use super::{host, token};

async fn agent(client: &Client) -> Uuid {
    let agents = client.data("/infrastructure/managementAgents").await;
    agents[0]["instanceUid"].as_str().unwrap().parse().unwrap()
}

/// Enrolments that may fail from one address in a minute.
const FAILED: usize = 30;

/// An address of its own for each site of somebody.
fn at_site(of: u8, site: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1 + of, 1 + u8::try_from(site).unwrap())
}

fn request(key: &KeyPair) -> Vec<u8> {
    CertificateParams::default().serialize_request(key).unwrap().der().to_vec()
}

/// A certificate of the authority in a folder, made at an instant.
fn issued(data: &Path, agent: Uuid, at: i64) -> (Vec<Vec<u8>>, Vec<u8>) {
    let clock = ManualClock::at(at);
    let key = KeyPair::generate().unwrap();
    let issued = Pki::open(data, &*clock).unwrap().issue_agent(&request(&key), agent, &*clock).unwrap();
    (issued.chain, key.serialize_der())
}

/// One of the host's own authority that is good for servers alone.
fn for_servers(data: &Path, agent: Uuid) -> (Vec<Vec<u8>>, Vec<u8>) {
    let read = |name: &str| std::fs::read_to_string(data.join("pki").join(name)).unwrap();
    let authority = KeyPair::from_pem(&read("ca.key")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&read("ca.pem"), authority).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, agent.to_string());
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &issuer).unwrap();
    (vec![certificate.der().to_vec()], key.serialize_der())
}

/// Case 46: each is refused, and the log says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_not_good_is_refused_with_its_reason() {
    let host = HostProcess::start(TestDatabase::sqlite(), None).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    let token = host.command(&["agent", "token", "--company", "Bakery"]);
    let (port, ca) = (host.addresses().agents_remote.port(), host.addresses().ca_file.clone());
    let good = Identity::enroll(port, &ca, &token).await.unwrap();
    let agent = agent(&host.administrator()).await;
    let data = host.log_file().parent().unwrap().to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    let now = SystemClock.now_ms();
    for (reason, (chain, key)) in [
        ("certificate expired", issued(&data, agent, now - 100 * DAY)),
        ("certificate not valid yet", issued(&data, agent, now + 10 * DAY)),
        ("BadSignature", issued(elsewhere.path(), agent, now)),
        ("key usage", for_servers(&data, agent)),
    ] {
        let before = host.logged(reason);
        let refused = match Identity::of(port, &ca, chain, key).dial(endpoint()).await {
            // A client of TLS 1.3 may hear of it when it first reads.
            Ok(mut console) => console.renew(RenewRequest::default()).await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "{reason}");
        eventually(&format!("the log to say: {reason}"), || async {
            (host.logged(reason) > before).then_some(())
        })
        .await;
    }
    // Of the right authority and name, but not the one that was given out.
    let (chain, key) = issued(&data, agent, now);
    let refused = Identity::of(port, &ca, chain, key).session().await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    good.session().await.unwrap();
}

fn endpoint() -> tonic::transport::Endpoint {
    tonic::transport::Endpoint::from_static("https://localhost")
}

on_both! {
    /// Case 46: revoked while it talks.
    fn an_agent_that_is_removed_loses_its_open_stream_at_once(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let session = identity.session().await.unwrap();
        let uid = agent(&client).await;
        let begun = Instant::now();
        let path = format!("/infrastructure/managementAgents/{uid}");
        let (status, answer) = client.json(Method::DELETE, &path, &json!(null)).await;
        assert!(status.is_success(), "{answer}");
        let told = end(session).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        // At once as well as at its next attempt: by a word for the program, and in words for people.
        for told in [told, identity.session().await.unwrap_err()] {
            assert_eq!(told.code(), Code::Unauthenticated);
            assert_eq!(told.metadata().get("keelson-reason").unwrap(), "agent-removed");
            assert!(told.message().contains("was removed from the host"), "{told:?}");
        }
        host.stop().await;
    }

    /// Case 48: nobody learns from a refusal what was wrong with the token.
    fn whatever_is_wrong_with_a_token_the_answer_is_the_same(database) {
        let clock = ManualClock::at(SystemClock.now_ms());
        let shared: SharedClock = std::sync::Arc::<ManualClock>::clone(&clock);
        let host = TestHost::start_with(database, Some(packages()), shared).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let addresses = host.addresses();
        let port = addresses.agents_remote.port();
        let once = || host.command(&["agent", "token", "--company", "Bakery"]);
        let (used, expired, other_door) = (once(), once(), host.command(&["agent", "token", "--company", "Bakery", "--door", "hosted"]));
        Identity::enroll(port, &addresses.ca_file, &used).await.unwrap();
        clock.advance(25 * 3_600_000);
        // By the host's clock, which commands do not go by.
        let fresh = host.command(&["agent", "token", "--company", "Bakery", "--ttl", "72h"]);
        let turned = |bit: usize| {
            let mut secret = secret_of(&fresh).into_bytes();
            secret[bit / 8 % 40] ^= 1 << (bit % 3);
            String::from_utf8(secret).unwrap()
        };
        let mut secrets = vec![secret_of(&used), secret_of(&expired), secret_of(&other_door), String::new(), "x".repeat(4096)];
        secrets.extend((0..100).map(turned));
        let mut stranger = Identity::stranger(port, &addresses.ca_file);
        let key = KeyPair::generate().unwrap();
        let mut answers = Vec::new();
        for (site, secrets) in secrets.chunks(FAILED).enumerate() {
            stranger.source = at_site(0, site);
            let mut console = stranger.client().await;
            for secret in secrets {
                let asked = EnrollRequest { token: secret.clone(), certificate_request: request(&key), ..EnrollRequest::default() };
                let refused = console.enroll(asked).await.unwrap_err();
                answers.push((refused.code(), refused.message().to_owned(), refused.details().to_vec()));
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(answers[0].0, Code::PermissionDenied);
        Identity::enroll(port, &addresses.ca_file, &fresh).await.expect("the good one is still good");
        host.stop().await;
    }

    /// Case 49: a token that leaked lets in as many as it was made for, and a bounded number waits for an operator. Then it is frozen,
    /// and both the log and those who wait show it.
    fn a_thousand_enrolments_with_a_leaked_token_come_to_its_uses_and_no_further(database) {
        let host = host(database).await;
        let leaked = secret_of(&host.command(&["agent", "token", "--company", "Bakery", "--uses", "10"]));
        let addresses = host.addresses();
        let stranger = Identity::stranger(addresses.agents_remote.port(), &addresses.ca_file);
        let mut consoles = tokio::task::JoinSet::new();
        for hand in 0..8_u8 {
            let (mut stranger, leaked) = (stranger.clone(), leaked.clone());
            consoles.spawn(async move {
                let mut enrolled = 0;
                // From several sites, as none may have so many that fail.
                for site in 0..5 {
                    stranger.source = at_site(hand, site);
                    let mut console = stranger.client().await;
                    for number in 0..25 {
                        let (key, machine_id) = (KeyPair::generate().unwrap(), format!("{hand}-{site}-{number}"));
                        let computer = Computer { machine_id, ..Computer::default() };
                        let asked = EnrollRequest {
                            token: leaked.clone(), certificate_request: request(&key), computer: Some(computer), agent_version: "0".to_owned(),
                        };
                        match console.enroll(asked).await {
                            Ok(_) => enrolled += 1,
                            Err(status) => assert_eq!(status.code(), Code::PermissionDenied, "{status:?}"),
                        }
                    }
                }
                enrolled
            });
        }
        assert_eq!(consoles.join_all().await.iter().sum::<u32>(), 10);
        let client = host.administrator();
        let count = async |path: &str| client.data(&format!("{path}?limit=500")).await.as_array().unwrap().len();
        assert_eq!(count("/infrastructure/managementAgents").await, 10);
        eventually("as many to wait as may", || async {
            (count("/infrastructure/unverifiedAgents").await == 100).then_some(())
        })
        .await;
        let frozen = eventually("the token to be frozen", || async {
            let waiting = client.data("/infrastructure/unverifiedAgents?limit=1").await;
            waiting[0]["tokenFrozenTime"].is_string().then_some(waiting)
        })
        .await;
        assert_eq!(frozen[0]["status"], "Pending");
        // However often it is tried: once.
        let told = "SELECT count(*) FROM audit WHERE operation = 'AgentEnroll' AND outcome = 'Denied'";
        assert_eq!(host.count(told).await, 1);
        host.stop().await;
    }

    /// Two machines that say the same of themselves: no machine id, as on some systems, or the same one, as after cloning.
    fn an_accepted_machine_is_the_one_that_waited_and_no_other(database) {
        const WAITING: &str = "/infrastructure/unverifiedAgents";
        let host = host(database).await;
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let (addresses, client) = (host.addresses(), host.administrator());
        let stranger = Identity::stranger(addresses.agents_remote.port(), &addresses.ca_file);
        stranger.clone().enrolled(&token).await.expect("its only use");
        let come = async |name: &str, key: &KeyPair| -> Result<(), Status> {
            let computer = Computer { host_name: name.to_owned(), ..Computer::default() };
            let asked = EnrollRequest {
                token: secret_of(&token), certificate_request: request(key), computer: Some(computer), agent_version: "1".to_owned(),
            };
            stranger.client().await.enroll(asked).await.map(drop)
        };
        let waiting = async |count: usize| {
            eventually(&format!("{count} to wait"), || async {
                let waiting = client.data(WAITING).await;
                (waiting.as_array().unwrap().len() == count).then_some(waiting)
            })
            .await
        };
        let (good, evil) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        come("good-server", &good).await.unwrap_err();
        let first = waiting(1).await[0].take();
        assert_eq!(first["hostName"], "good-server", "{first}");
        come("evil-server", &evil).await.unwrap_err();
        waiting(2).await;
        let path = format!("{WAITING}/{}", first["instanceUid"].as_str().unwrap());
        let (status, answer) = client.json(Method::POST, &format!("{path}/accept"), &json!({})).await;
        assert!(status.is_success(), "{answer}");
        for name in ["evil-server", "good-server"] {
            assert_eq!(come(name, &evil).await.unwrap_err().code(), Code::PermissionDenied);
        }
        assert_eq!(client.data(&path).await["hostName"], "good-server", "its name is its own");
        come("good-server", &good).await.expect("it was accepted");
        let left = waiting(1).await;
        assert_eq!(left[0]["status"], "Pending", "{left}");
        come("good-server", &good).await.expect_err("it was let in once");
        host.stop().await;
    }

    /// Case 52.
    fn a_renewal_whose_answer_is_lost_leaves_the_old_certificate_good_and_no_second_identity(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let uid = agent(&client).await;
        let renewed = async |from: &Identity| -> Result<(Vec<Vec<u8>>, Vec<u8>), Status> {
            let key = KeyPair::generate().unwrap();
            let asked = RenewRequest { certificate_request: request(&key) };
            let answer = from.client().await.renew(asked).await?.into_inner();
            Ok((answer.certificate_chain, key.serialize_der()))
        };
        let (port, ca) = (host.addresses().agents_remote.port(), host.addresses().ca_file.clone());
        let lost = renewed(&identity).await.unwrap();
        identity.session().await.expect("the old one is good");
        let kept = renewed(&identity).await.unwrap();
        let next = Identity::of(port, &ca, kept.0, kept.1);
        let mut session = next.session().await.expect("the new one is good");
        session.batch(1, 1, vec![server(), workload("oven"), complete()]).await;
        session.acknowledged().await;
        for old in [identity, Identity::of(port, &ca, lost.0, lost.1)] {
            assert_eq!(old.session().await.unwrap_err().code(), Code::Unauthenticated, "its time is over");
        }
        assert_eq!(agent(&client).await, uid);
        assert_eq!(client.data("/infrastructure/managementAgents").await.as_array().unwrap().len(), 1);
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    /// Case 10: the newest speaks, the others are told why, and it shows.
    fn a_hundred_agents_with_one_identity_are_one_agent_that_shows_as_cloned(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut sessions = Vec::new();
        for number in 0..100_u8 {
            match identity.session_of(&[number % 50]).await {
                Ok(session) => sessions.push(session),
                Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}"),
            }
        }
        assert!(sessions.len() > 50, "{} came", sessions.len());
        let mut last = sessions.pop().unwrap();
        for replaced in sessions {
            assert_eq!(end(replaced).await.code(), Code::Aborted);
        }
        last.batch(1, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(last.acknowledged().await, (1, 1));
        let agents = client.data("/infrastructure/managementAgents").await;
        assert_eq!((agents.as_array().unwrap().len(), &agents[0]["connectionStatus"]), (1, &json!("Online")));
        assert!(agents[0]["cloneSeenTime"].is_string(), "{agents}");
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }
}

/// A token is worth nothing to whoever tries them one after the other: a few tries cost the same and tell nothing, the others are
/// refused unseen, a good token among them. Who comes from elsewhere does not notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_tokens_gets_nobody_in_and_leaves_nothing_behind() {
    let host = host(TestDatabase::sqlite()).await;
    let real = token(&host);
    let addresses = host.addresses();
    let stranger = Identity::stranger(addresses.agents_remote.port(), &addresses.ca_file);
    let mut console = stranger.client().await;
    let key = KeyPair::generate().unwrap();
    for guess in 0..500 {
        let token = if guess == 400 { secret_of(&real) } else { format!("{guess:043}") };
        let asked = EnrollRequest { token, certificate_request: request(&key), ..EnrollRequest::default() };
        let refused = console.enroll(asked).await.unwrap_err();
        if guess < FAILED {
            assert_eq!(refused.code(), Code::PermissionDenied, "{guess}: {refused:?}");
            continue;
        }
        assert_eq!(refused.code(), Code::ResourceExhausted, "{guess}: {refused:?}");
        assert!(refused.message().contains("it may try again in"), "{refused:?}");
        let wait = refused.metadata().get("keelson-wait").unwrap().to_str().unwrap();
        assert!((1..=60).contains(&wait.parse::<u64>().unwrap()), "{wait}");
    }
    let client = host.administrator();
    for path in ["/infrastructure/managementAgents", "/infrastructure/unverifiedAgents"] {
        assert_eq!(client.data(path).await, json!([]));
    }
    let mut elsewhere = stranger.clone();
    elsewhere.source = Ipv4Addr::new(127, 0, 0, 2);
    elsewhere.enrolled(&real).await.expect("somebody honest at another address");
    host.stop().await;
}

/// Somewhat more machines than may fail, behind one address and with one good token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_enrols_as_many_machines_as_it_has() {
    let host = host(TestDatabase::sqlite()).await;
    let (token, addresses) = (token(&host), host.addresses());
    for _ in 0..2 * FAILED {
        Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
    }
    host.stop().await;
}
