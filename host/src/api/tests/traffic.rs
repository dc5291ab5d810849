//! Whom requests come from, and how many each may send.

use std::net::SocketAddr;

use super::*;
use crate::api::peer::ConnectedFrom;

impl Host {
    async fn get_from(&self, bearer: &str, peer: &str, forwarded_for: &str) -> Answer {
        let request = Request::get("/api/v3/users/me").header("authorization", format!("Bearer {bearer}"));
        let mut request = request.header("x-forwarded-for", forwarded_for).body(Body::empty()).unwrap();
        let peer: SocketAddr = format!("{peer}:4711").parse().unwrap();
        request.extensions_mut().insert(ConnectedFrom(peer));
        self.send(request).await
    }
}

fn limited(user: u32, address: u32) -> Config {
    Config {
        user_requests_per_second: user,
        address_requests_per_second: address,
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Config::default()
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_how_long_to_wait_whatever_key_it_uses() {
    let host = Host::start_as(routes(), |options| options.config = limited(1, 0)).await;
    let (ada, key) = (host.sign_in().await.0, host.key("ada", false, None).await);
    for _ in 0..5 {
        assert_eq!(host.get(&ada, "/api/v3/users/me").await.status, 200);
        assert_eq!(host.get(&key, "/api/v3/users/me").await.status, 200);
    }
    let refused = host.get(&ada, "/api/v3/users/me").await;
    assert_eq!(refused.status, 429, "both credentials are the same user's");
    assert_eq!(refused.error()["retryAfter"], 1);
    assert_eq!(
        (&refused.headers["retry-after"], &refused.error()["type"]),
        (&"1".parse().unwrap(), &json!("retryableLogical"))
    );
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_budget_and_a_stranger_cannot_pretend() {
    let host = Host::start_as(routes(), |options| options.config = limited(0, 1)).await;
    let ada = host.key("ada", false, None).await;
    for _ in 0..10 {
        assert_eq!(host.get_from(&ada, "10.0.0.1", "192.0.2.1").await.status, 200);
        assert_eq!(host.get_from(&ada, "198.51.100.1", "192.0.2.9").await.status, 200);
    }
    assert_eq!(host.get_from(&ada, "10.0.0.1", "192.0.2.1").await.status, 429);
    assert_eq!(host.get_from(&ada, "10.0.0.1", "192.0.2.2").await.status, 200, "another client of the proxy");
    assert_eq!(
        host.get_from(&ada, "198.51.100.1", "203.0.113.77").await.status,
        429,
        "it wrote the header itself"
    );
}
