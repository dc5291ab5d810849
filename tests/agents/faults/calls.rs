//! What an agent may ask for beside its session is bounded, and changes nothing.

use keelson_proto::v1::{RenewRequest, StatusRequest};
use keelson_tests::link::Identity;
use keelson_tests::{TestHost, on_both};
use rcgen::{CertificateParams, KeyPair};
use tonic::{Code, Status};

use super::super::enrolled;

async fn renew(identity: &Identity) -> Result<(), Status> {
    let key = KeyPair::generate().unwrap();
    let certificate_request = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
    identity.client().await.renew(RenewRequest { certificate_request }).await.map(drop)
}

on_both! {
    fn calls_without_end_are_refused_and_write_nothing(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        let mut console = identity.client().await;
        let mut answers = Vec::new();
        for _ in 0..100 {
            answers.push(console.status(StatusRequest::default()).await.map(drop));
        }
        let refused: Vec<&Status> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert!(refused.len() >= 60, "{} of 100", refused.len());
        assert!(refused.iter().all(|status| status.code() == Code::ResourceExhausted), "{refused:?}");
        assert!(refused[0].message().contains("it may ask again in"), "{}", refused[0].message());
        // The same allowance, and nothing is signed beyond it.
        let current = "SELECT count(*) FROM agents WHERE former_certificate IS NULL";
        assert_eq!(renew(&identity).await.unwrap_err().code(), Code::ResourceExhausted);
        assert_eq!(host.count(current).await, 1);
        // Whoever asks from elsewhere, and sessions, are not kept out by it.
        let mut elsewhere = identity.clone();
        elsewhere.source = "127.0.0.2".parse().unwrap();
        elsewhere.client().await.status(StatusRequest::default()).await.unwrap();
        identity.session().await.unwrap();
        host.stop().await;
    }

    fn a_look_does_not_end_the_time_of_a_former_certificate(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        renew(&identity).await.unwrap();
        let revision = host.count("SELECT revision FROM agents").await;
        for _ in 0..3 {
            identity.client().await.status(StatusRequest::default()).await.unwrap();
        }
        assert_eq!(host.count("SELECT revision FROM agents").await, revision);
        identity.session().await.expect("its new certificate was never seen");
        host.stop().await;
    }
}
