//! Another authority in the place of the one that agents know.

use keelson_proto::v1::RenewRequest;
use keelson_tests::link::Identity;
use keelson_tests::{Agent, HostProcess, Repository, on_both};
use rcgen::{CertificateParams, KeyPair};

use super::view::restore_points_become;

on_both! {
    fn agents_of_the_former_authority_stay_and_learn_the_new_one_with_their_next_certificate(database) {
        let mut host = HostProcess::start(database, None).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery", "--uses", "3"]);
        let client = host.administrator();
        let repository = Repository::create();
        let mut agent = Agent::enroll(&token, &repository);
        let (port, ca) = (host.addresses().agents_remote.port(), host.addresses().ca_file.clone());
        let former = host.addresses().ca_fingerprint.clone();
        let identity = Identity::enroll(port, &ca, &token).await.unwrap();
        // Whoever trusts the former authority's file keeps a copy of it.
        let kept = tempfile::NamedTempFile::new().unwrap();
        std::fs::copy(&ca, kept.path()).unwrap();

        let said = host.command(&["ca", "rotate"]);
        assert!(said.contains("former  known until"), "{said}");
        host.restart().await;
        assert_ne!(host.addresses().ca_fingerprint, former);

        agent.start();
        repository.back_up("oven", 1);
        restore_points_become(&client, 1).await;
        let late = Repository::create();
        let mut late = (Agent::enroll(&token, &late), late);
        late.0.start();
        late.1.back_up("mixer", 1);
        restore_points_become(&client, 2).await;

        let by_the_former = identity.towards(port, kept.path());
        by_the_former.session().await.unwrap();
        let key = KeyPair::generate().unwrap();
        let request = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
        let answer = by_the_former.client().await.renew(RenewRequest { certificate_request: request }).await;
        let renewed = identity.towards(port, &ca).with(answer.unwrap().into_inner(), &key);
        renewed.session().await.unwrap();
    }
}
