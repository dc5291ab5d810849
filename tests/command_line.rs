//! The command line, with a host running on its data folder and without.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use keelson_tests::process::keelson;
use keelson_tests::{HostProcess, TestDatabase, TestHost, on_both};
use reqwest::StatusCode;

fn run(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(keelson());
    command.args(arguments).arg("--data").arg(data);
    command.stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

on_both! {
    /// No command is given the database's address: only the host knows it.
    fn a_running_host_does_what_the_command_line_asks(database) {
        let host = TestHost::start(database).await;
        let data = host.data.path();
        let mode = data.join("keelson.sock").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(run(data, &["user", "add", "--name", "ada", "--role", "PortalAdministrator"]).status.success());
        let key = run(data, &["apikey", "add", "--user", "ada"]);
        let key = String::from_utf8(key.stdout).unwrap();
        let client = host.client.with(key.trim());
        assert_eq!(client.data("/users/me").await["userName"], "ada");
        let again = run(data, &["user", "add", "--name", "ada", "--role", "PortalAdministrator"]);
        assert!(!again.status.success() && stderr(&again).contains("'ada' already"), "{}", stderr(&again));
        let plugins = run(data, &["plugin", "list"]);
        assert!(String::from_utf8_lossy(&plugins.stdout).contains(" loaded"), "{}", stderr(&plugins));
        assert!(!data.join("keelson.db").exists(), "no command opened a database of its own");
        let elsewhere = run(data, &["company", "add", "--name", "x", "--database", "sqlite:/nowhere/x.db"]);
        assert!(stderr(&elsewhere).contains("another database"), "{}", stderr(&elsewhere));
        host.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_of_the_machine_reads_the_data_folder_or_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    assert!(run(&data, &["company", "add", "--name", "Bakery"]).status.success());
    let file = data.join("keelson.db");
    let store = keelson::store::Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    let mut tx = store.write().await.unwrap();
    tx.failures().charge(&[1; 32], 1, 0).await.unwrap();
    tx.commit().await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for beside in ["keelson.db", "keelson.db-wal", "keelson.db-shm"] {
        assert_eq!(mode(&data.join(beside)), 0o600, "{beside}");
    }
    store.close().await;
}

#[test]
fn a_second_owner_and_a_name_that_does_not_look_like_what_it_is_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    assert!(run(data, &["company", "add", "--name", "Bakery"]).status.success());
    let owner = |name| ["user", "add", "--name", name, "--role", "CompanyOwner", "--company", "Bakery"];
    assert!(run(data, &owner("first")).status.success());
    let second = run(data, &owner("second"));
    assert!(stderr(&second).contains("only one"), "{}", stderr(&second));
    for name in ["Bak\u{202e}ery", "Bak\nery"] {
        for command in [["company", "add", "--name", name], ["reseller", "add", "--name", name]] {
            let refused = run(data, &command);
            assert!(stderr(&refused).contains("cannot be seen"), "{}", stderr(&refused));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_reaches_the_running_host_through_standard_input() {
    use std::io::Write as _;
    let host = TestHost::start(TestDatabase::sqlite()).await;
    let mut command = Command::new(keelson());
    command.args([
        "user",
        "add",
        "--name",
        "ada",
        "--role",
        "PortalAdministrator",
        "--password-stdin",
        "--data",
    ]);
    let mut child = command.arg(host.data.path()).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
    assert!(child.wait().unwrap().success());
    let sign_in = [("grant_type", "password"), ("username", "ada"), ("password", "correct horse")];
    assert_eq!(host.client.form("/token", &sign_in).await.0, StatusCode::OK);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_host_left_behind_is_told_from_a_host() {
    let mut host = HostProcess::start(TestDatabase::sqlite(), None).await;
    host.command(&["company", "add", "--name", "Bakery"]);
    host.kill();
    let data = host.log_file().parent().unwrap().to_owned();
    assert!(data.join("keelson.sock").exists(), "it had no time to remove it");
    host.command(&["company", "add", "--name", "Butcher"]);
    host.restart().await;
    let companies = host.administrator().data("/organizations/companies").await;
    assert_eq!(companies.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_may_have_a_long_path() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a".repeat(200));
    std::fs::create_dir(&data).unwrap();
    assert!(run(&data, &["company", "add", "--name", "Bakery"]).status.success());
    let config = keelson::config::Config {
        api: "127.0.0.1:0".parse().unwrap(),
        agents_remote: "127.0.0.1:0".parse().unwrap(),
        agents_hosted: "127.0.0.1:0".parse().unwrap(),
        health: "127.0.0.1:0".parse().unwrap(),
        ..keelson::config::Config::default()
    };
    let app = keelson::app::App::start(&data, &config).await.unwrap();
    let socket = keelson::cli::AdminSocket::open(&data, &config, &app).unwrap();
    let taken = run(&data, &["company", "add", "--name", "Bakery"]);
    assert!(stderr(&taken).contains("'Bakery' already"), "{}", stderr(&taken));
    socket.close().await;
    app.stop().await;
}
