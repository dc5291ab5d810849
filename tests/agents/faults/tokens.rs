//! Join tokens that are not good: case 48. Whatever is wrong with one, the answer is the same, and so is the work behind it.

use std::sync::{Arc, Mutex};

use keelson_proto::v1::{Computer, EnrollRequest};
use keelson_tests::link::{Identity, secret_of};
use keelson_tests::{TestHost, on_both};
use rcgen::{CertificateParams, KeyPair};
use tonic::Status;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

/// The statements that enrolments wait for, in their order.
#[derive(Clone, Debug, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    /// Hears of all statements of this process.
    fn heard() -> Self {
        let all = Self::default();
        let subscriber = Registry::default().with(all.clone());
        tracing::subscriber::set_global_default(subscriber).expect("no other test in this process");
        all
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<S: tracing::Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Statements {
    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        let within = |span: tracing_subscriber::registry::SpanRef<'_, S>| span.name() == "agents.enroll";
        if context.event_scope(event).is_some_and(|mut scope| scope.any(within)) {
            event.record(&mut Summary(&self.0));
        }
    }
}

struct Summary<'s>(&'s Mutex<Vec<String>>);

impl Visit for Summary<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            self.0.lock().unwrap().push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

async fn refused(stranger: &Identity, key: &KeyPair, secret: &str) -> Status {
    let request = EnrollRequest {
        token: secret.to_owned(),
        certificate_request: CertificateParams::default().serialize_request(key).unwrap().der().to_vec(),
        computer: Some(Computer { machine_id: "m".to_owned(), ..Computer::default() }),
        agent_version: "1".to_owned(),
    };
    stranger.client().await.enroll(request).await.unwrap_err()
}

on_both! {
    /// Case 48.
    fn whatever_is_wrong_with_a_token_the_work_and_the_answer_are_the_same(database) {
        let statements = Statements::heard();
        let host = TestHost::start(database).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        host.command(&["company", "add", "--name", "Butcher"]);
        let made = |company: &str, more: &[&str]| {
            let token = host.command(&[&["agent", "token", "--company", company], more].concat());
            secret_of(&token)
        };
        let newest = "(SELECT uid FROM join_tokens ORDER BY uid DESC LIMIT 1)";
        let used = made("Bakery", &[]);
        host.execute(&format!("UPDATE join_tokens SET uses_left = 0 WHERE uid = {newest}")).await;
        let expired = made("Bakery", &[]);
        host.execute(&format!("UPDATE join_tokens SET expires_at = 1 WHERE uid = {newest}")).await;
        let others = made("Butcher", &[]);
        host.execute(&format!("UPDATE join_tokens SET uses_left = 0 WHERE uid = {newest}")).await;
        let (other_door, fresh) = (made("Bakery", &["--door", "hosted"]), made("Bakery", &[]));
        let mut changed = fresh.clone().into_bytes();
        changed[20] ^= 1;
        let changed = String::from_utf8(changed).unwrap();
        let addresses = host.addresses();
        let stranger = Identity::stranger(addresses.agents_remote.port(), &addresses.ca_file);
        let (mut seen, key) = (Vec::new(), KeyPair::generate().unwrap());
        for secret in [&used, &expired, &others, &other_door, &changed, ""] {
            // The second time there is a machine that waits.
            for _ in 0..2 {
                statements.take();
                let status = refused(&stranger, &key, secret).await;
                let body = (status.code(), status.message().to_owned(), status.details().to_vec());
                seen.push((body, status.metadata().clone().into_headers().len(), statements.take()));
            }
        }
        let (first, others) = seen.split_first().unwrap();
        assert!(first.2.len() >= 3, "the statements were heard: {first:?}");
        for other in others {
            assert_eq!(other, first);
        }
        host.stop().await;
    }
}
