//! What an administrator does with plugins, on both databases: a plugin comes as a signed package and lives in the database.

use std::sync::Arc;

use keelson::clock::{Clock as _, ManualClock};
use keelson::plugins::{
    Actor, FactTable, InstallError, Installed, PluginOptions, PluginState, Plugins, SecretKey, Services,
    Values,
};
use keelson::seal::Seal;
use keelson::store::{NewAuditRow, PluginKey, Store};
use keelson_tests::{TestDatabase, on_both};
use serde_json::{Value, json};

use super::support::{EVIL, EVIL_MANIFEST, NOW, Shelf, evil_component};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// Asks for a store of its own.
const KV: &str = "\n[kv]\nreason = \"Remembers where it stopped\"\n";

/// A host of plugins on a database, and a publisher whose key it believes.
struct Desk {
    plugins: Plugins,
    store: Store,
    clock: Arc<ManualClock>,
    key: SecretKey,
    data: tempfile::TempDir,
    database: TestDatabase,
}

impl Desk {
    async fn new(database: TestDatabase) -> Self {
        let desk = Self::believing_nobody(database).await;
        desk.trust(&desk.key).await;
        desk
    }

    async fn believing_nobody(database: TestDatabase) -> Self {
        let (store, clock) = (database.store().await, ManualClock::at(NOW));
        let data = tempfile::tempdir().unwrap();
        let plugins = start(&store, &clock, data.path(), false).await;
        Self { plugins, store, clock, key: SecretKey::generate(), data, database }
    }

    async fn trust(&self, key: &SecretKey) {
        let mut tx = self.store.write().await.unwrap();
        let key = PluginKey {
            key: key.public().to_string(),
            name: "Evil Inc.".to_owned(),
            tier: "VerifiedPublisher".to_owned(),
            added_at: NOW,
        };
        tx.plugins().trust(&key).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn install(&self, package: Vec<u8>) -> Result<Installed, InstallError> {
        self.plugins.install(package, None, &actor()).await.map(|(_, outcome)| outcome)
    }

    /// Version 6.6.6 is there and runs.
    async fn running(database: TestDatabase) -> Self {
        let desk = Self::new(database).await;
        desk.install(package(&desk.key, 6, "")).await.unwrap();
        desk.plugins.enable(EVIL, true, &actor()).await.unwrap();
        assert_eq!(desk.version(), Some("6.6.6".to_owned()));
        desk
    }

    /// The version that runs.
    fn version(&self) -> Option<String> {
        let status = self.plugins.list().into_iter().find(|status| status.id == EVIL)?;
        Some(status.version).filter(|version| !version.is_empty())
    }

    async fn judge(&self, mode: &str) -> bool {
        let facts = FactTable::new(1).with("first-seen", Values::Ints(vec![1]));
        let parameters = json!({ "mode": mode }).to_string();
        self.plugins.evaluate(EVIL, "misbehave", &parameters, NOW, facts).await.is_ok()
    }

    async fn set(&self, settings: Value) -> Result<(), InstallError> {
        self.plugins.set_settings(EVIL, &settings, &actor()).await
    }

    async fn rows(&self, table: &str) -> i64 {
        self.database.count(&format!("SELECT count(*) FROM {table}")).await
    }

    async fn messages(&self) -> Vec<String> {
        let mut tx = self.store.read().await.unwrap();
        tx.audit().after(0, 100).await.unwrap().into_iter().map(|row| row.message).collect()
    }
}

async fn start(store: &Store, clock: &Arc<ManualClock>, data: &std::path::Path, developer: bool) -> Plugins {
    let services = Services { store: store.clone(), seal: Seal::open(data).unwrap() };
    let options = PluginOptions { developer, services: Some(services), ..PluginOptions::default() };
    Plugins::start(options, Arc::clone(clock) as _).await.unwrap()
}

fn actor() -> Actor {
    Actor::new(NewAuditRow {
        at: NOW,
        user_name: "anna".to_owned(),
        outcome: "Succeeded",
        ..NewAuditRow::default()
    })
}

/// The evil plugin as version 6.6.`patch`, which the component says too.
fn shelf(patch: u8, more: &str) -> Shelf {
    let version = format!("6.6.{patch}");
    let mut component = evil_component();
    let places: Vec<usize> = component
        .windows(5)
        .enumerate()
        .filter(|(_, bytes)| *bytes == b"6.6.6")
        .map(|(place, _)| place)
        .collect();
    assert!(!places.is_empty(), "the component says its version");
    for place in places {
        component[place..place + 5].copy_from_slice(version.as_bytes());
    }
    let shelf = Shelf::new();
    shelf.put(EVIL, "plugin.toml", EVIL_MANIFEST.replace("6.6.6", &version) + more);
    shelf.put(EVIL, "config.schema.json", r#"{"type":"object","properties":{"days":{"type":"integer"}}}"#);
    shelf.put(EVIL, "plugin.wasm", component);
    shelf
}

fn package(key: &SecretKey, patch: u8, more: &str) -> Vec<u8> {
    keelson::plugins::sign(&shelf(patch, more).path(EVIL), key, None).unwrap().bytes
}

on_both! {
    fn a_package_of_a_publisher_whom_the_provider_believes_is_installed_and_runs_once_it_is_enabled(database) {
        let desk = Desk::new(database).await;
        assert!(matches!(desk.install(package(&desk.key, 6, "")).await, Ok(Installed::New { .. })));
        assert_eq!(desk.version(), None, "nobody enabled it");

        desk.plugins.enable(EVIL, true, &actor()).await.unwrap();
        assert!(desk.judge("behave").await);
        let view = desk.plugins.views().await.unwrap().remove(0);
        assert_eq!((view.id.as_str(), view.trust.as_deref()), (EVIL, Some("VerifiedPublisher")));
        assert_eq!(view.publisher.as_deref(), Some("Evil Inc."));
        assert_eq!(desk.messages().await[0], r#"anna installed plugin "evil.guest" 6.6.6"#);

        desk.plugins.disable(EVIL, &actor()).await.unwrap();
        assert!(!desk.judge("behave").await);
    }

    fn the_package_of_a_stranger_is_refused_until_his_key_is_believed(database) {
        let desk = Desk::believing_nobody(database).await;
        let refused = desk.install(package(&desk.key, 6, "")).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("keelson plugin trust {}", desk.key.public())), "{refused}");
        assert_eq!((desk.rows("plugins").await, desk.rows("plugin_packages").await), (0, 0));
        desk.trust(&desk.key).await;
        desk.install(package(&desk.key, 6, "")).await.unwrap();
    }

    fn a_package_that_nobody_signed_needs_the_developer_mode(database) {
        let desk = Desk::new(database).await;
        let unsigned = || keelson::plugins::pack(&shelf(6, "").path(EVIL)).unwrap().bytes;
        let refused = desk.install(unsigned()).await.unwrap_err().to_string();
        assert!(refused.contains("not signed") && refused.contains("developer mode"), "{refused}");

        let developers = start(&desk.store, &desk.clock, desk.data.path(), true).await;
        developers.install(unsigned(), None, &actor()).await.unwrap();
        assert_eq!(developers.views().await.unwrap()[0].trust.as_deref(), Some("Unsigned"));
    }

    fn a_damaged_package_leaves_nothing_behind(database) {
        let desk = Desk::new(database).await;
        let whole = package(&desk.key, 6, "");
        for place in (0..whole.len()).step_by(whole.len() / 40) {
            let mut damaged = whole.clone();
            damaged[place] ^= 0x10;
            match desk.install(damaged).await {
                Err(InstallError::Load(_)) => {}
                // A zip has bits that say nothing, such as dates: the files are the signed ones all the same.
                Ok(_) => {
                    desk.plugins.enable(EVIL, true, &actor()).await.unwrap();
                    assert!(desk.judge("behave").await, "a bit of byte {place}");
                    desk.plugins.remove(EVIL, true, &actor()).await.unwrap();
                }
                Err(other) => panic!("a bit of byte {place}: {other}"),
            }
        }
        assert_eq!((desk.rows("plugins").await, desk.rows("plugin_packages").await), (0, 0));
    }

    fn what_a_plugin_asks_for_is_approved_before_it_runs(database) {
        let desk = Desk::new(database).await;
        desk.install(package(&desk.key, 6, KV)).await.unwrap();
        let refused = desk.plugins.enable(EVIL, false, &actor()).await.unwrap_err().to_string();
        assert!(refused.contains("kv (Remembers where it stopped)"), "{refused}");
        assert_eq!(desk.version(), None);
        desk.plugins.enable(EVIL, true, &actor()).await.unwrap();
        assert_eq!(desk.plugins.views().await.unwrap()[0].granted, ["http:psa", "kv", "secret:token"]);
    }

    fn an_upgrade_that_asks_for_no_more_takes_over_at_once(database) {
        let desk = Desk::running(database).await;
        let outcome = desk.install(package(&desk.key, 7, "")).await.unwrap();
        assert_eq!(outcome, Installed::Upgraded { from: "6.6.6".to_owned() });
        assert_eq!(desk.version().as_deref(), Some("6.6.7"));
        assert_eq!(desk.install(package(&desk.key, 7, "")).await.unwrap(), Installed::Already);
    }

    fn an_upgrade_that_asks_for_more_waits_while_the_older_version_goes_on(database) {
        let desk = Desk::running(database).await;
        let outcome = desk.install(package(&desk.key, 7, KV)).await.unwrap();
        assert!(matches!(&outcome, Installed::Waiting { lacking } if lacking[0].capability == "kv"), "{outcome:?}");
        assert_eq!(desk.version().as_deref(), Some("6.6.6"));
        assert!(desk.judge("behave").await);

        assert_eq!(desk.plugins.approve(EVIL, &actor()).await.unwrap(), "6.6.7");
        assert_eq!(desk.version().as_deref(), Some("6.6.7"));
    }

    fn a_version_that_cannot_migrate_leaves_the_older_one_running(database) {
        let desk = Desk::running(database).await;
        for (mode, said) in [("refuse", "wrong phase"), ("trap", "evil on purpose"), ("spin", "was stopped")] {
            desk.set(json!({ "migrate": mode })).await.unwrap();
            let refused = desk.install(package(&desk.key, 7, "")).await.unwrap_err().to_string();
            assert!(refused.contains("from 6.6.6 to 6.6.7") && refused.contains(said), "{refused}");
            assert_eq!(desk.version().as_deref(), Some("6.6.6"));
        }
        desk.set(json!({})).await.unwrap();
        assert!(matches!(desk.install(package(&desk.key, 7, "")).await, Ok(Installed::Upgraded { .. })));
    }

    fn a_rollback_brings_the_version_before_back(database) {
        let desk = Desk::running(database).await;
        let refused = desk.plugins.roll_back(EVIL, &actor()).await.unwrap_err().to_string();
        assert!(refused.contains("no version before 6.6.6"), "{refused}");
        desk.install(package(&desk.key, 7, "")).await.unwrap();
        assert_eq!(desk.plugins.roll_back(EVIL, &actor()).await.unwrap(), "6.6.6");
        assert!(desk.judge("behave").await);
        assert_eq!(desk.version().as_deref(), Some("6.6.6"));
    }

    fn a_version_that_fails_within_ten_minutes_goes_by_itself(database) {
        let desk = Desk::running(database).await;
        desk.install(package(&desk.key, 7, "")).await.unwrap();
        for _ in 0..3 {
            assert!(!desk.judge("trap").await);
        }
        desk.plugins.look_after().await.unwrap();
        assert_eq!(desk.version().as_deref(), Some("6.6.6"));
        assert!(desk.messages().await.iter().any(|message| message.starts_with("Keelson switched")));
    }

    fn a_version_that_ran_well_for_ten_minutes_stays_though_it_fails(database) {
        let desk = Desk::running(database).await;
        desk.install(package(&desk.key, 7, "")).await.unwrap();
        desk.clock.advance(10 * MINUTE);
        for _ in 0..3 {
            assert!(!desk.judge("trap").await);
        }
        desk.plugins.look_after().await.unwrap();
        assert_eq!(desk.version().as_deref(), Some("6.6.7"));
    }

    fn a_plugin_that_fails_at_every_try_is_given_up_until_it_is_enabled_anew(database) {
        let desk = Desk::running(database).await;
        for _ in 0..8 {
            assert!(!desk.judge("trap").await);
            desk.clock.advance(5 * MINUTE);
        }
        for _ in 0..3 {
            assert!(!desk.judge("trap").await);
        }
        for _ in 0..5 {
            desk.clock.advance(MINUTE);
            assert!(!desk.judge("trap").await);
        }
        desk.clock.advance(DAY);
        assert!(!desk.judge("behave").await);
        let state = desk.plugins.views().await.unwrap().remove(0).state;
        assert!(matches!(state, Some(PluginState::Quarantined { .. })), "{state:?}");
        desk.plugins.disable(EVIL, &actor()).await.unwrap();
        desk.plugins.enable(EVIL, false, &actor()).await.unwrap();
        assert!(desk.judge("behave").await);
    }

    fn another_publisher_cannot_take_a_plugin_over(database) {
        let desk = Desk::running(database).await;
        let other = SecretKey::generate();
        desk.trust(&other).await;
        let refused = desk.install(package(&other, 7, "")).await.unwrap_err().to_string();
        assert!(refused.contains("signs with both"), "{refused}");

        let both = keelson::plugins::sign(&shelf(7, "").path(EVIL), &other, Some(&desk.key)).unwrap().bytes;
        desk.install(both).await.unwrap();
        let refused = desk.install(package(&desk.key, 8, "")).await.unwrap_err().to_string();
        assert!(refused.contains(&other.public().to_string()), "from now on the new key counts: {refused}");
    }

    fn a_removal_keeps_the_publishers_key_and_a_purge_forgets_it(database) {
        let desk = Desk::running(database).await;
        let other = SecretKey::generate();
        desk.trust(&other).await;
        desk.plugins.remove(EVIL, false, &actor()).await.unwrap();
        assert_eq!(desk.version(), None);
        assert!(desk.install(package(&other, 7, "")).await.is_err());
        desk.plugins.remove(EVIL, true, &actor()).await.unwrap();
        assert_eq!((desk.rows("plugins").await, desk.rows("plugin_packages").await), (0, 0));
        desk.install(package(&other, 7, "")).await.unwrap();
    }

    fn what_a_removed_plugin_stored_is_there_again_for_thirty_days(database) {
        let desk = Desk::running(database).await;
        desk.set(json!({ "days": 7 })).await.unwrap();
        desk.plugins.remove(EVIL, false, &actor()).await.unwrap();
        desk.clock.advance(29 * DAY);
        desk.plugins.look_after().await.unwrap();
        desk.install(package(&desk.key, 6, "")).await.unwrap();
        assert_eq!(desk.plugins.settings(EVIL).await.unwrap().settings, json!({ "days": 7 }));
        assert_eq!(desk.version(), None, "it has to be enabled anew");

        desk.plugins.remove(EVIL, false, &actor()).await.unwrap();
        desk.clock.advance(31 * DAY);
        desk.plugins.look_after().await.unwrap();
        assert_eq!((desk.rows("plugins").await, desk.rows("plugin_packages").await), (0, 0));
    }

    fn a_version_whose_files_changed_needs_another_number(database) {
        let desk = Desk::running(database).await;
        let refused = desk.install(package(&desk.key, 6, KV)).await.unwrap_err().to_string();
        assert!(refused.contains("a version of its own"), "{refused}");
    }

    fn settings_count_at_once_and_must_fit(database) {
        let desk = Desk::running(database).await;
        let refused = desk.set(json!({ "days": "many" })).await.unwrap_err().to_string();
        assert!(refused.contains("/days"), "{refused}");
        desk.set(json!({ "rules": "twice" })).await.unwrap();
        let view = desk.plugins.views().await.unwrap().remove(0);
        assert!(view.update_refused.is_some_and(|reason| reason.contains("rules")), "the old generation goes on");
        assert!(desk.judge("behave").await);
        desk.set(json!({ "days": 3 })).await.unwrap();
        assert!(desk.plugins.views().await.unwrap()[0].update_refused.is_none());
    }

    fn every_host_of_a_database_runs_what_one_of_them_installed(database) {
        let desk = Desk::running(database).await;
        let other = start(&desk.store, &desk.clock, desk.data.path(), false).await;
        assert_eq!(other.list()[0].version, "6.6.6");
        desk.install(package(&desk.key, 7, "")).await.unwrap();
        other.reload().await;
        assert_eq!(other.list()[0].version, "6.6.7");
        desk.plugins.disable(EVIL, &actor()).await.unwrap();
        other.reload().await;
        assert!(other.list().is_empty());
        assert_eq!(desk.clock.now_ms(), NOW);
    }

    fn a_plugin_says_how_it_is(database) {
        let desk = Desk::running(database).await;
        assert!(desk.plugins.health(EVIL).await.unwrap().healthy);
        desk.set(json!({ "health": "refuse" })).await.unwrap();
        let health = desk.plugins.health(EVIL).await.unwrap();
        assert_eq!((health.healthy, health.message.as_deref()), (false, Some("the moon is in the wrong phase")));
    }
}
