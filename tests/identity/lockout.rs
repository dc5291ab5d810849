//! Guessing is slow, and a restart does not make it fast.

use keelson_tests::{TestHost, on_both};
use reqwest::StatusCode;

on_both! {
    fn failures_are_counted_in_the_database_and_outlive_whoever_counted(database) {
        let (subject, other) = ([1; 32], [2; 32]);
        let store = database.store().await;
        for now in 100..103 {
            let mut tx = store.write().await.unwrap();
            tx.failures().charge(&subject, now, 50).await.unwrap();
            tx.commit().await.unwrap();
        }
        store.close().await;
        let store = database.store().await;
        let mut tx = store.write().await.unwrap();
        let known = tx.failures().get(&subject).await.unwrap().unwrap();
        assert_eq!((known.count, known.last_at), (3, 102));
        assert_eq!(tx.failures().get(&other).await.unwrap(), None);
        assert_eq!(tx.failures().charge(&subject, 200, 150).await.unwrap(), 1, "the old ones are forgotten");
        assert_eq!(tx.failures().charge(&subject, 120, 20).await.unwrap(), 1, "and so are those of a clock that was ahead");
        tx.failures().forgive(&subject).await.unwrap();
        assert_eq!(tx.failures().get(&subject).await.unwrap(), None);
    }

    fn one_password_on_many_names_is_slowed_down(database) {
        let host = TestHost::start_with(database, None, keelson::clock::ManualClock::at(1_780_000_000_000)).await;
        let mut statuses = Vec::new();
        for number in 0..22 {
            let name = format!("user{number}");
            let form = [("grant_type", "password"), ("username", name.as_str()), ("password", "Summer2026")];
            statuses.push(host.client.form("/token", &form).await.0);
        }
        assert_eq!(statuses[..20], [StatusCode::BAD_REQUEST; 20]);
        assert_eq!(statuses[20..], [StatusCode::TOO_MANY_REQUESTS; 2]);
        host.stop().await;
    }
}
