//! What happens to the files beneath a database: cases 27 to 30.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use keelson_tests::account::{Row, of_host, settled};
use keelson_tests::cluster::Cluster;
use keelson_tests::disk::SmallDisk;
use keelson_tests::{Client, HostProcess, TestDatabase};
use reqwest::StatusCode;

use super::processes::{not_ready, place, refusal};

async fn rows(host: &HostProcess) -> Vec<Row> {
    let mut rows = of_host(&host.database).await;
    rows.sort();
    rows
}

/// Case 28: deleted while it is open. What SQLite would still write goes to no file that there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_file_that_was_deleted_takes_no_acknowledgement_and_no_new_one_comes_in_its_place() {
    let (mut host, mut simulation) = place(TestDatabase::sqlite()).await;
    let before = rows(&host).await;
    let (file, aside) = (host.database.file(""), host.database.file(".aside"));
    fs::hard_link(&file, &aside).unwrap();
    fs::remove_file(&file).unwrap();
    simulation.live(20).await;
    let said = not_ready(&host).await;
    assert!(said.contains("removed or replaced"), "{said}");

    host.kill();
    let said = refusal(&host);
    assert!(said.contains("holds nothing") && said.contains("db restore"), "{said}");
    assert!(!file.exists(), "a new database was made");
    // Its journal belongs to it still.
    fs::rename(&aside, &file).unwrap();
    assert_eq!(rows(&host).await, before, "something was written after it was gone");
    host.restart().await;
    settled(&host.database, || simulation.account()).await;
    simulation.stop().await;
}

/// Case 28: its journal alone was deleted, which is where a commit goes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_was_deleted_takes_no_acknowledgement() {
    let (mut host, mut simulation) = place(TestDatabase::sqlite()).await;
    let (journal, aside) = (host.database.file("-wal"), host.database.file(".aside"));
    fs::hard_link(&journal, &aside).unwrap();
    fs::remove_file(&journal).unwrap();
    simulation.live(20).await;
    let said = not_ready(&host).await;
    assert!(said.contains("keelson.db-wal") && said.contains("removed or replaced"), "{said}");

    host.kill();
    fs::rename(&aside, &journal).unwrap();
    host.restart().await;
    settled(&host.database, || simulation.account()).await;
    simulation.stop().await;
}

/// Case 28: a database of which the host may only read is none to start on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_file_that_can_only_be_read_is_refused_by_name() {
    let disk = SmallDisk::mount(96);
    let url = format!("sqlite:{}", disk.path().join("keelson.db").display());
    let (mut host, mut simulation) = place(TestDatabase::at(&url)).await;
    host.signal("TERM");
    host.ended().await;
    disk.write_protect(true);
    let said = refusal(&host);
    assert!(said.contains("keelson.db"), "{said}");
    disk.write_protect(false);
    host.restart().await;
    settled(&host.database, || simulation.account()).await;
    simulation.stop().await;
}

/// Case 30: what the journal lost was acknowledged; the agents' windows have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_was_cut_short_is_read_up_to_its_last_commit_and_the_rest_comes_again() {
    let (mut host, mut simulation) = place(TestDatabase::sqlite()).await;
    for part in [2, 3, 7] {
        simulation.live(10).await;
        settled(&host.database, || simulation.account()).await;
        let before = rows(&host).await;
        host.kill();
        let journal = OpenOptions::new().write(true).open(host.database.file("-wal")).unwrap();
        let length = journal.metadata().unwrap().len();
        assert!(length > 0);
        journal.set_len(length - length / part).unwrap();
        host.restart().await;
        settled(&host.database, || simulation.account()).await;
        assert!(rows(&host).await == before, "what was cut off came again, and nothing twice");
    }
    simulation.stop().await;
}

/// Turns bytes over in the middle of every page of a file, past its first one: it hangs together no more.
fn spoil(file: &Path, page: u64, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    for number in 1..file.metadata().unwrap().len() / page {
        let mut byte = [0];
        file.read_exact_at(&mut byte, number * page + at).unwrap();
        file.write_all_at(&[byte[0] ^ 0xff], number * page + at).unwrap();
    }
}

/// What lists answer while their tables' pages are spoilt: nothing, in words that name no row.
async fn serves_nothing(client: &Client) {
    for path in ["/infrastructure/backupServers/jobs", "/protectedWorkloads/computersManagedByConsole"] {
        let (status, answer) = client.get(path).await;
        assert!(status.is_server_error() || status == StatusCode::UNAUTHORIZED, "{path}: {status} {answer}");
        assert!(answer["data"].is_null(), "{path}: {answer}");
    }
}

/// Case 29, SQLite: the kind of a page is its first byte. A byte within a value is noticed by nothing there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_sqlite_file_is_not_served_and_nothing_is_acknowledged_on_it() {
    let (mut host, mut simulation) = place(TestDatabase::sqlite()).await;
    host.signal("TERM");
    host.ended().await;
    let whole = fs::read(host.database.file("")).unwrap();
    spoil(&host.database.file(""), 4096, 0);
    let said = refusal(&host);
    assert!(said.contains("damaged") && said.contains("db restore"), "{said}");
    simulation.live(5).await;
    fs::write(host.database.file(""), whole).unwrap();
    host.restart().await;
    settled(&host.database, || simulation.account()).await;
    simulation.stop().await;
}

/// Case 29, PostgreSQL: with checksums every byte of a page counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_byte_that_turned_over_in_a_postgresql_table_is_not_served() {
    let mut cluster = Cluster::start().await;
    let (mut host, mut simulation) = place(cluster.database()).await;
    let client = host.administrator();
    simulation.stop().await;
    let tables = cluster.files_of(&["backup_jobs", "workloads"]).await;
    host.kill();
    cluster.stop();
    for table in &tables {
        // In the rows, which fill a page from its end.
        spoil_first(table);
    }
    cluster.restart().await;
    host.restart().await;
    serves_nothing(&client).await;
    assert!(host.logged("the database is damaged") > 0);
}

/// Turns a byte over near the end of a table's first page.
fn spoil_first(table: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(table).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 8192 - 20).unwrap();
    file.write_all_at(&[byte[0] ^ 1], 8192 - 20).unwrap();
}

/// Case 27: of what a disk did not keep once, nobody knows what the next attempt keeps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_write_that_the_disk_did_not_keep_nothing_is_acknowledged_until_a_restart() {
    let (mut host, mut simulation) = place(TestDatabase::sqlite()).await;
    let fault = Fault::on(host.pid(), "fsync,fdatasync:error=EIO:when=1+");
    let said = {
        let living = simulation.live(2_000);
        tokio::select! {
            said = not_ready(&host) => said,
            () = living => panic!("nothing came of it"),
        }
    };
    assert!(said.contains("did not keep"), "{said}");
    drop(fault);
    // The disk is well again, and still nobody is told that anything is safe.
    let before = rows(&host).await;
    simulation.live(20).await;
    assert_eq!(rows(&host).await, before);
    assert!(not_ready(&host).await.contains("did not keep"));
    host.kill();
    host.restart().await;
    settled(&host.database, || simulation.account()).await;
    simulation.stop().await;
}

/// What `strace` does to a process's system calls, until it is dropped.
struct Fault(Child);

impl Fault {
    fn on(pid: u32, inject: &str) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={inject}")]);
        command.args(["-p", &pid.to_string()]).stdin(Stdio::null());
        Self(command.spawn().expect("strace; install it with: cargo xtask setup"))
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        // It lets go of the process.
        drop(Command::new("kill").arg(self.0.id().to_string()).status());
        drop(self.0.wait());
    }
}
