//! Tasks of plugins and what they keep, on both databases, with a real guest.

use std::sync::Arc;

use keelson::clock::{Clock as _, ManualClock};
use keelson::plugins::{PluginOptions, Plugins, Services};
use keelson::seal::Seal;
use keelson::store::{PluginTask, Store};
use keelson_tests::{TestDatabase, TestHost, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::support::{NOW, Shelf, read};

const WORKER: &str = "test.worker";
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const MANIFEST: &str = r#"
id = "test.worker"
name = "Worker"
version = "1.0.0"
[contract]
requires = ">=0.2, <0.3"
[kv]
quota = "1 MiB"
reason = "Remembers what it did"
[[extends.tasks]]
id = "hourly"
name = "Each hour"
cron = "0 * * * *"
timeout = "5s"
[[extends.tasks]]
id = "queued"
name = "Each hour, and what was missed"
cron = "0 * * * *"
overlap = "queue"
[[extends.tasks]]
id = "never"
name = "When somebody asks"
cron = "0 0 30 2 *"
"#;

/// A host of plugins with the worker, on a clock that is moved by hand.
struct Shop {
    plugins: Plugins,
    store: Store,
    clock: Arc<ManualClock>,
    shelf: Shelf,
    data: tempfile::TempDir,
    database: TestDatabase,
}

impl Shop {
    async fn open(database: TestDatabase) -> Self {
        let (store, clock, data) =
            (database.store().await, ManualClock::at(NOW), tempfile::tempdir().unwrap());
        let shelf = worker();
        let plugins = start(&store, &clock, (&shelf, data.path())).await;
        plugins.work_off().await.unwrap();
        Self { plugins, store, clock, shelf, data, database }
    }

    /// Another host of the same database.
    async fn neighbour(&self) -> Plugins {
        start(&self.store, &self.clock, (&self.shelf, self.data.path())).await
    }

    async fn task(&self, task: &str) -> PluginTask {
        self.plugins.tasks().await.unwrap().into_iter().find(|row| row.task == task).unwrap()
    }

    /// Asks for the task that has no turn of its own, and does what is due.
    async fn ask(&self, mode: &str) -> PluginTask {
        let arguments = json!({ "mode": mode, "parts": 3 }).to_string();
        self.plugins.ask_for_task(WORKER, "never", &arguments).await.unwrap();
        self.plugins.work_off().await.unwrap();
        self.task("never").await
    }

    /// (outcome, summary)
    async fn asked(&self, mode: &str) -> (Option<String>, String) {
        let task = self.ask(mode).await;
        (task.outcome.filter(|_| !task.running), task.summary)
    }
}

fn worker() -> Shelf {
    let shelf = Shelf::new();
    shelf.put(WORKER, "plugin.toml", MANIFEST);
    shelf.put(WORKER, "plugin.wasm", read("guests/worker.wasm"));
    shelf
}

async fn start(
    store: &Store,
    clock: &Arc<ManualClock>,
    (shelf, data): (&Shelf, &std::path::Path),
) -> Plugins {
    let services = Services { store: store.clone(), seal: Seal::open(data).unwrap() };
    let options =
        PluginOptions { folder: Some(shelf.folder()), services: Some(services), ..PluginOptions::default() };
    Plugins::start(options, Arc::clone(clock) as _).await.unwrap()
}

const SUCCEEDED: Option<&str> = Some("Succeeded");

on_both! {
    fn a_task_runs_when_its_turn_comes_and_once(database) {
        let shop = Shop::open(database).await;
        assert_eq!(shop.task("hourly").await.due_at, NOW - 5 * MINUTE + HOUR, "at 10:00");
        assert_eq!(shop.plugins.work_off().await.unwrap(), 0);
        shop.clock.advance(55 * MINUTE);
        assert_eq!(shop.plugins.work_off().await.unwrap(), 2, "both hourly ones");
        assert_eq!(shop.plugins.work_off().await.unwrap(), 0);
        let task = shop.task("hourly").await;
        assert_eq!((task.outcome.as_deref(), task.summary.as_str()), (SUCCEEDED, "run 1 of hourly, attempt 1"));
        assert_eq!(task.due_at, NOW - 5 * MINUTE + 2 * HOUR);
    }

    fn turns_that_nobody_saw_are_one_turn(database) {
        let shop = Shop::open(database).await;
        shop.clock.advance(50 * HOUR);
        shop.plugins.work_off().await.unwrap();
        assert_eq!(shop.task("hourly").await.summary, "run 1 of hourly, attempt 1");
        assert!(shop.task("hourly").await.due_at > shop.clock.now_ms());
    }

    fn a_clock_that_jumps_back_runs_nothing_twice(database) {
        let shop = Shop::open(database).await;
        shop.clock.advance(55 * MINUTE);
        shop.plugins.work_off().await.unwrap();
        shop.clock.advance(-30 * MINUTE);
        assert_eq!(shop.plugins.work_off().await.unwrap(), 0);
        shop.clock.advance(30 * MINUTE);
        assert_eq!(shop.plugins.work_off().await.unwrap(), 0);
    }

    fn two_hosts_of_one_database_run_a_task_once(database) {
        let shop = Shop::open(database).await;
        let other = shop.neighbour().await;
        shop.clock.advance(55 * MINUTE);
        let (ours, theirs) = tokio::join!(shop.plugins.work_off(), other.work_off());
        assert_eq!(ours.unwrap() + theirs.unwrap(), 2);
        assert_eq!(shop.task("hourly").await.summary, "run 1 of hourly, attempt 1");
    }

    fn a_task_goes_on_from_its_checkpoint_part_by_part(database) {
        let shop = Shop::open(database).await;
        assert_eq!(shop.asked("parts").await, (SUCCEEDED.map(str::to_owned), "3 parts".to_owned()));
        assert_eq!(shop.ask("wait").await.summary, "waits");
        assert_eq!(shop.plugins.work_off().await.unwrap(), 0, "not before its time");
        let error = shop.plugins.ask_for_task(WORKER, "never", "{}").await.unwrap_err().to_string();
        assert!(error.contains("runs already"), "{error}");
        shop.clock.advance(10 * MINUTE);
        shop.plugins.work_off().await.unwrap();
        assert_eq!(shop.task("never").await.outcome.as_deref(), SUCCEEDED);
    }

    fn a_run_whose_host_died_is_taken_over_when_its_lease_is_over(database) {
        let shop = Shop::open(database).await;
        shop.plugins.ask_for_task(WORKER, "never", r#"{"mode":"parts","parts":3}"#).await.unwrap();
        // Another host took it, did the first part, took it again, and is no more.
        let taken = "UPDATE plugin_tasks SET running = TRUE, attempt = 1, started_at = 7, lease = :lease, \
            lease_until = :until, checkpoint = :one WHERE task = 'never'";
        let (lease, one) = if shop.database.is_sqlite() { ("x'00'", "x'01'") } else { ("gen_random_uuid()", "'\\x01'") };
        let until = shop.clock.now_ms() + MINUTE;
        let taken = taken.replace(":lease", lease).replace(":one", one).replace(":until", &until.to_string());
        shop.database.execute(&taken).await;
        assert_eq!(shop.plugins.work_off().await.unwrap(), 0, "the lease is another's");
        shop.clock.advance(MINUTE);
        assert_eq!(shop.plugins.work_off().await.unwrap(), 2, "the second and the third part");
        assert_eq!(shop.task("never").await.summary, "3 parts");
    }

    fn what_fails_is_tried_again_later_and_what_cannot_be_is_not(database) {
        let shop = Shop::open(database).await;
        let (outcome, summary) = shop.asked("fail").await;
        assert_eq!(outcome.as_deref(), Some("Failed"));
        assert!(summary.contains("there is nothing to do it with"), "{summary}");

        let task = shop.ask("fail-once").await;
        assert!(task.running && task.summary.contains("the server is away"), "{task:?}");
        shop.clock.advance(MINUTE);
        shop.plugins.work_off().await.unwrap();
        let task = shop.task("never").await;
        assert_eq!((task.outcome.as_deref(), task.summary.contains("attempt 2")), (SUCCEEDED, true), "{}", task.summary);
    }

    fn a_run_is_given_up_after_eight_tries(database) {
        let shop = Shop::open(database).await;
        shop.ask("later").await;
        for _ in 0..7 {
            assert!(shop.task("never").await.running);
            shop.clock.advance(HOUR);
            shop.plugins.work_off().await.unwrap();
        }
        let task = shop.task("never").await;
        assert_eq!((task.running, task.outcome.as_deref()), (false, Some("Failed")));
    }

    fn a_task_that_crashes_or_spins_or_says_too_much_hurts_nobody(database) {
        let shop = Shop::open(database).await;
        for (mode, said) in [("trap", "dropped the tools"), ("large-checkpoint", "65536 at most")] {
            let task = shop.ask(mode).await;
            assert!(task.running && task.summary.contains(said), "{mode}: {}", task.summary);
            shop.database.execute("UPDATE plugin_tasks SET running = FALSE WHERE task = 'never'").await;
        }
        assert_eq!(shop.asked("parts").await.0.as_deref(), SUCCEEDED);
    }

    fn a_store_is_full_at_its_quota_and_what_was_written_before_stays(database) {
        let shop = Shop::open(database).await;
        let (outcome, summary) = shop.asked("flood").await;
        assert_eq!(outcome.as_deref(), Some("Failed"));
        assert!(summary.contains("quota-exceeded") && summary.contains("[kv] of plugin.toml"), "{summary}");
        let kept = shop.database.count("SELECT count(*) FROM plugin_entries WHERE name LIKE 'flood/%'").await;
        assert_eq!(kept, 5, "of 200 KiB each in 1 MiB");
        let counted = shop.database.count("SELECT bytes FROM plugin_counters").await;
        let real = shop.database.count("SELECT CAST(sum(octet_length(value) + octet_length(name)) AS BIGINT) FROM plugin_entries").await;
        assert_eq!(counted, real);
        // Room that somebody else made is seen.
        shop.database.execute("DELETE FROM plugin_entries WHERE name LIKE 'flood/%'").await;
        assert_eq!(shop.asked("parts").await.0.as_deref(), SUCCEEDED);
        assert!(shop.asked("flood").await.1.contains("quota-exceeded"));
        assert_eq!(shop.database.count("SELECT count(*) FROM plugin_entries WHERE name LIKE 'flood/%'").await, 5);
    }

    fn the_tools_of_a_plugin_do_what_the_contract_says(database) {
        let shop = Shop::open(database).await;
        assert_eq!(shop.asked("tools").await, (SUCCEEDED.map(str::to_owned), "true (2, 1, true)".to_owned()));
        let (_, summary) = shop.asked("foreign").await;
        assert!(summary.contains("no UID"), "{summary}");
    }

    fn a_value_is_gone_when_its_time_is_over(database) {
        let shop = Shop::open(database).await;
        shop.asked("tools").await;
        let left = || shop.database.count("SELECT count(*) FROM plugin_entries WHERE name = 'tool/c'");
        assert_eq!(left().await, 1);
        shop.clock.advance(MINUTE);
        shop.plugins.look_after().await.unwrap();
        assert_eq!(left().await, 0);
    }

    fn another_schedule_counts_from_the_next_turn_on(database) {
        let shop = Shop::open(database).await;
        shop.shelf.put(WORKER, "plugin.toml", MANIFEST.replacen("0 * * * *", "30 * * * *", 1));
        shop.plugins.reload().await;
        shop.plugins.work_off().await.unwrap();
        assert_eq!(shop.task("hourly").await.due_at, NOW + 25 * MINUTE, "at 9:30");
        shop.clock.advance(40 * MINUTE);
        shop.shelf.put(WORKER, "plugin.toml", MANIFEST);
        shop.plugins.reload().await;
        assert_eq!(shop.plugins.work_off().await.unwrap(), 1, "a turn that has come is not lost");
    }

    fn a_host_that_stops_waits_for_no_task_and_lets_go_of_it(database) {
        let shop = Shop::open(database).await;
        shop.plugins.ask_for_task(WORKER, "never", r#"{"mode":"spin"}"#).await.unwrap();
        let stopping = CancellationToken::new();
        let working = tokio::spawn(shop.plugins.clone().work(stopping.clone()));
        let held = "SELECT count(*) FROM plugin_tasks WHERE task = 'never' AND running AND lease IS NOT NULL";
        eventually("somebody works on it", || async { (shop.database.count(held).await == 1).then_some(()) }).await;
        stopping.cancel();
        working.await.unwrap();
        assert_eq!(shop.database.count(held).await, 0);
        let task = shop.task("never").await;
        assert_eq!((task.running, task.due_at, task.attempt), (true, NOW, 0), "another host goes on at once");
    }

    fn the_tasks_of_a_plugin_that_lost_one_are_one_less(database) {
        let shop = Shop::open(database).await;
        let less = MANIFEST.split("[[extends.tasks]]\nid = \"never\"").next().unwrap();
        shop.shelf.put(WORKER, "plugin.toml", less);
        shop.plugins.reload().await;
        shop.plugins.work_off().await.unwrap();
        assert_eq!(shop.plugins.tasks().await.unwrap().len(), 2);
    }

    fn a_host_runs_tasks_by_itself_and_shows_them(database) {
        let shelf = worker();
        let host = TestHost::start_with(database, Some(shelf.folder()), Arc::new(keelson::clock::SystemClock)).await;
        let client = host.administrator();
        let plugin = format!("/plugins/{}", keelson::plugins::plugin_uid(WORKER));
        let never = || async {
            let tasks = client.data(&format!("{plugin}/tasks")).await;
            tasks.as_array()?.iter().find(|task| task["task"] == "never").cloned()
        };
        eventually("the task is there", never).await;
        let run = format!("{plugin}/tasks/never/run");
        let (status, body) = client.json(Method::POST, &run, &json!({ "mode": "parts", "parts": 2 })).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let ended = || async { never().await.filter(|task| task["outcome"] == "Succeeded") };
        assert_eq!(eventually("it has run", ended).await["summary"], "2 parts");
        assert!(host.command(&["plugin", "tasks", WORKER]).contains("2 parts"));
        host.command(&["plugin", "run", WORKER, "never"]);
        let again = || async { never().await.filter(|task| task["summary"].as_str().is_some_and(|said| said.contains("attempt 1"))) };
        eventually("it has run again", again).await;
        let (status, body) = client.json(Method::POST, &format!("{plugin}/tasks/nothing/run"), &json!({})).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        host.stop().await;
    }
}
