//! Databases of other versions, and a migration that is interrupted: cases 23 and 24.

use std::path::Path;
use std::process::{Command, Stdio};

use keelson::store::back_up;
use keelson_tests::process::keelson;
use keelson_tests::{TestDatabase, on_both};

use super::processes::{host, refusal};

/// Brings a new database up to date and is killed at the nth of these system calls; whether it got through before.
fn interrupted(database: &TestDatabase, call: &str, nth: usize) -> bool {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new("strace");
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &inject]).arg(keelson());
    command
        .args(["company", "add", "--name", "Bakery", "--database", &database.url])
        .arg("--data")
        .arg(data.path());
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.expect("strace; install it with: cargo xtask setup").success()
}

on_both! {
    /// Case 23. SQLite says its part of a transaction to the disk with one call, PostgreSQL hears each statement with one.
    fn a_migration_that_is_killed_anywhere_is_finished_by_the_next_start(database) {
        let (call, step) = if database.is_sqlite() { ("fsync", 1) } else { ("sendto", 3) };
        let mut killed = 0;
        loop {
            let fresh = if database.is_sqlite() { TestDatabase::sqlite() } else { TestDatabase::postgres().await };
            if interrupted(&fresh, call, 1 + killed * step) {
                break;
            }
            killed += 1;
            fresh.store().await.close().await;
            let applied = fresh.count("SELECT COUNT(*) FROM _sqlx_migrations WHERE success").await;
            assert_eq!(applied, migrations(&database), "killed for the {killed}th time");
            assert_eq!(fresh.count("SELECT COUNT(*) FROM _sqlx_migrations WHERE NOT success").await, 0);
            assert_eq!(fresh.count("SELECT COUNT(*) FROM agents WHERE gap_seen_at IS NOT NULL").await, 0);
        }
        assert!(killed >= 20, "it was killed {killed} times");
    }

    /// Case 24.
    fn a_host_that_finds_the_schema_of_a_newer_one_refuses_it_and_changes_nothing(database) {
        let (mut host, _token) = host(database).await;
        host.signal("TERM");
        host.ended().await;
        host.database
            .execute(
                "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (20990101000000, 'later', true, '', 0)",
            )
            .await;
        let folder = tempfile::tempdir().unwrap();
        let content = async |name: &str| {
            let file = folder.path().join(name);
            back_up(&host.database.url, &file).await.unwrap();
            std::fs::read(file).unwrap()
        };
        let before = content("before").await;
        let said = refusal(&host);
        assert!(said.contains("newer Keelson") && said.contains("20990101000000"), "{said}");
        assert!(content("after").await == before, "something was changed");
    }
}

/// How many there are.
fn migrations(database: &TestDatabase) -> i64 {
    let folder = if database.is_sqlite() { "sqlite" } else { "postgres" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
    i64::try_from(std::fs::read_dir(folder).unwrap().count()).unwrap()
}
