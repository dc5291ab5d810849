//! What administrators gave to plugins, and what plugins did with it.

use keelson::clock::{DAY, ManualClock};
use keelson::id::CompanyUid;
use keelson::seal::Seal;
use keelson::store::{BoundDestination, NewPluginRequest, RequestEnd, Store};
use keelson_tests::on_both;
use uuid::Uuid;

use super::fixtures::NOW;

fn bound(label: &str, origin: &str) -> BoundDestination {
    let (label, origin) = (label.to_owned(), origin.to_owned());
    BoundDestination { label, origin, private_network: true, bound_at: NOW }
}

/// Notes a request, and that it came to this if anything.
async fn request(
    store: &Store,
    clock: &ManualClock,
    plugin: &str,
    (destination, end): (&str, Option<RequestEnd>),
) {
    let new = NewPluginRequest {
        plugin: plugin.to_owned(),
        call: "call-1".to_owned(),
        destination: destination.to_owned(),
        company: Some(CompanyUid(Uuid::from_u128(7))),
        method: "GET".to_owned(),
        path: "/api/".to_owned(),
    };
    let mut tx = store.write().await.unwrap();
    let uid = tx.plugin_requests().begin(clock, &new, "cut").await.unwrap();
    if let Some(end) = end {
        tx.plugin_requests().end(uid, &end).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn end(outcome: &str, status: Option<u16>) -> RequestEnd {
    let outcome = outcome.to_owned();
    RequestEnd { status, outcome, bytes_out: 1, bytes_in: 5_000_000_000, milliseconds: 12 }
}

on_both! {
    fn a_destination_stands_in_one_place_until_it_is_taken_away(database) {
        let store = database.store().await;
        let mut tx = store.write().await.unwrap();
        tx.plugin_access().bind("acme.psa", &bound("psa", "https://old.example")).await.unwrap();
        tx.plugin_access().bind("acme.psa", &bound("psa", "https://new.example")).await.unwrap();
        tx.plugin_access().bind("acme.psa", &bound("crm", "https://crm.example")).await.unwrap();
        tx.plugin_access().bind("evil.guest", &bound("psa", "https://evil.example")).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.write().await.unwrap();
        let all = tx.plugin_access().destinations("acme.psa").await.unwrap();
        assert_eq!(all, [bound("crm", "https://crm.example"), bound("psa", "https://new.example")]);
        assert!(tx.plugin_access().unbind("acme.psa", "psa").await.unwrap());
        assert!(!tx.plugin_access().unbind("acme.psa", "psa").await.unwrap());
        assert_eq!(tx.plugin_access().destination("acme.psa", "psa").await.unwrap(), None);
        assert!(tx.plugin_access().destination("evil.guest", "psa").await.unwrap().is_some());
        tx.commit().await.unwrap();
        store.close().await;
    }

    fn a_secret_is_sealed_and_opens_where_it_was_entered(database) {
        let folder = tempfile::tempdir().unwrap();
        let (store, seal) = (database.store().await, Seal::open(folder.path()).unwrap());
        let mut tx = store.write().await.unwrap();
        let row = ("token", "token", Some(NOW + DAY), NOW);
        tx.plugin_access().set_secret(&seal, "acme.psa", row, "the first").await.unwrap();
        tx.plugin_access().set_secret(&seal, "acme.psa", row, "the second").await.unwrap();
        let row = ("token", "token", None, NOW);
        tx.plugin_access().set_secret(&seal, "evil.guest", row, "of its own").await.unwrap();
        tx.commit().await.unwrap();
        let moved = "UPDATE plugin_secrets SET sealed = (SELECT x.sealed FROM plugin_secrets x WHERE x.plugin_id = 'acme.psa') \
            WHERE plugin_id = 'evil.guest'";
        database.execute(moved).await;
        let mut tx = store.write().await.unwrap();
        let [own] = tx.plugin_access().secrets("acme.psa").await.unwrap().try_into().unwrap();
        assert_eq!(own.open(&seal).unwrap().as_str(), "the second");
        assert_eq!((own.expires_at, own.set_at), (Some(NOW + DAY), NOW));
        assert!(!format!("{own:?}").contains("sealed"));
        let stolen = tx.plugin_access().secret("evil.guest", "token").await.unwrap().unwrap();
        assert!(stolen.open(&seal).is_err());
        assert!(tx.plugin_access().remove_secret("acme.psa", "token").await.unwrap());
        assert!(tx.plugin_access().secret("acme.psa", "token").await.unwrap().is_none());
        tx.commit().await.unwrap();
        store.close().await;
    }

    fn requests_are_counted_by_destination_and_forgotten_by_age_and_number(database) {
        let (store, clock) = (database.store().await, ManualClock::at(NOW - 40 * DAY));
        request(&store, &clock, "acme.psa", ("psa", Some(end("ok", Some(200))))).await;
        clock.advance(40 * DAY);
        let those = [("psa", Some(end("ok", Some(500)))), ("psa", Some(end("timeout", None))), ("psa", None), ("psa", Some(end("not-bound", None))),
            ("moon", Some(end("unknown-destination", None)))];
        for one in those {
            clock.advance(1);
            request(&store, &clock, "acme.psa", one).await;
        }
        request(&store, &clock, "other.one", ("psa", None)).await;
        let mut tx = store.write().await.unwrap();
        let uses = tx.plugin_requests().uses("acme.psa", NOW - 30 * DAY).await.unwrap();
        let uses: Vec<_> = uses.iter().map(|used| (used.destination.as_str(), used.calls, used.denied, used.last_used - NOW)).collect();
        assert_eq!(uses, [("moon", 1, 1, 5), ("psa", 4, 1, 4)]);
        assert_eq!(tx.plugin_requests().forget(NOW - 30 * DAY, 3).await.unwrap(), 3);
        let latest = tx.plugin_requests().latest("acme.psa", 10).await.unwrap();
        let outcomes: Vec<_> = latest.iter().map(|row| (row.outcome.as_str(), row.bytes_in)).collect();
        assert_eq!(outcomes, [("unknown-destination", 5_000_000_000), ("not-bound", 5_000_000_000), ("cut", 0)]);
        assert_eq!(tx.plugin_requests().latest("other.one", 10).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
        store.close().await;
    }
}
