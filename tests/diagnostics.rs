//! What stands between an agent and its host, and how both say so.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use keelson_tests::link::Identity;
use keelson_tests::{Client, TestHost, eventually, on_both};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

mod doctor;
mod interception;
mod strangers;

use strangers::{OLD, Stack, authority, card, connect, host_authority, shake, speak};

/// The failures that the host shows, by address and kind.
async fn failures(client: &Client) -> BTreeMap<(String, String), Value> {
    let all = client.data("/diagnostics/tls").await;
    let key = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    all.as_array().unwrap().iter().map(|row| ((key(row, "address"), key(row, "kind")), row.clone())).collect()
}

/// The failure of this kind of an address, once the host has seen it.
async fn failure(client: &Client, address: Ipv4Addr, kind: &str) -> Value {
    let key = (address.to_string(), kind.to_owned());
    eventually(&format!("a failure {kind} of {address}"), || async { failures(client).await.remove(&key) })
        .await
}

fn loopback(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

on_both! {
    fn each_way_not_to_come_through_is_shown_with_its_address_and_what_to_do(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let addresses = host.addresses().clone();
        let (to, ca) = (addresses.agents_remote, addresses.ca_file.as_path());
        let silent = connect(loopback(10), to).await;

        speak(loopback(11), to, b"GET / HTTP/1.1\r\nHost: console\r\n\r\n").await;
        speak(loopback(12), to, b"SSH-2.0-OpenSSH_9.2\r\n").await;
        speak(loopback(13), to, b"PROXY TCP4 10.0.0.1 10.0.0.2 4711 6180\r\n").await;
        drop(shake(loopback(14), to, ca, Stack::default()).await.unwrap());
        drop(shake(loopback(15), to, ca, Stack { alpn: b"http/1.1", ..Stack::default() }).await.unwrap_err());
        drop(shake(loopback(16), to, ca, Stack { versions: OLD, ..Stack::default() }).await.unwrap_err());
        let (foreign, own) = (authority("Another CA"), host_authority(host.data.path()));
        let mut held = Vec::new();
        for (last, card) in [(17, card(&foreign, 2100)), (18, card(&own, 2021))] {
            held.push(shake(loopback(last), to, ca, Stack { card: Some(card), ..Stack::default() }).await.unwrap());
        }
        let distrusts = Stack { trusts: Some(foreign.der().clone()), ..Stack::default() };
        drop(shake(loopback(19), to, ca, distrusts).await.unwrap_err());
        let mut half = connect(loopback(20), to).await;
        half.write_all(&[22, 3, 1]).await.unwrap();
        drop(half);

        for (last, kind, detail, advice) in [
            (11, "PlainHttp", "GET / HTTP/1.1", "plain HTTP"),
            (12, "NotTls", "SSH-2.0", "another protocol"),
            (13, "NotTls", "PROXY protocol", "PROXY protocol"),
            (14, "NoClientCertificate", "without enrolling", "TLS-inspecting firewall"),
            (15, "WrongAlpn", "protocol", "ALPN h2"),
            (16, "OldTls", "", "TLS 1.3"),
            (17, "UnknownCertificateAuthority", "UnknownIssuer", "another CA"),
            (18, "ExpiredCertificate", "expired", "clocks"),
            (19, "UnknownCertificateAuthority", "UnknownCA", "exempt localhost:"),
            (20, "Closed", "half-way", "TCP check"),
            (10, "Timeout", "nothing came", "not come in time"),
        ] {
            let shown = failure(&client, loopback(last), kind).await;
            let has = |name: &str, text: &str| shown[name].as_str().unwrap().contains(text);
            assert!(has("detail", detail) && has("recommendation", advice), "{shown}");
            assert_eq!((&shown["door"], &shown["port"]), (&"remote".into(), &to.port().into()), "{shown}");
            assert!(shown["count"] == 1 && shown["firstSeen"] == shown["lastSeen"], "{shown}");
        }
        assert_eq!(failures(&client).await.len(), 11, "and nothing else");
        drop((silent, held));
        let company = host.command(&["company", "add", "--name", "Bakery"]);
        let owner = host.member("CompanyOwner", &company);
        assert_eq!(owner.get("/diagnostics/tls").await.0, StatusCode::FORBIDDEN);
        host.stop().await;
    }

    fn what_is_mended_says_when_an_agent_came_in_and_a_removed_agent_says_so(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        let addresses = host.addresses().clone();
        let stranger = Identity::stranger(addresses.agents_remote.port(), &addresses.ca_file);
        stranger.session().await.unwrap_err();
        stranger.session().await.unwrap_err();
        let here = Ipv4Addr::LOCALHOST;
        let refused = failure(&client, here, "NoClientCertificate").await;
        assert_eq!((&refused["count"], &refused["lastSuccess"]), (&2.into(), &Value::Null));
        let company = host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", &company]);
        let identity =
            Identity::enroll(addresses.agents_remote.port(), &addresses.ca_file, &token).await.unwrap();
        drop(identity.session().await.unwrap());
        let mended = failure(&client, here, "NoClientCertificate").await;
        assert!(mended["lastSuccess"].as_str() >= mended["lastSeen"].as_str(), "{mended}");
        host.execute("DELETE FROM agents").await;
        identity.session().await.unwrap_err();
        let removed = failure(&client, here, "RevokedCertificate").await;
        assert!(removed["detail"].as_str().unwrap().contains("was removed from the host"), "{removed}");
        host.stop().await;
    }
}
