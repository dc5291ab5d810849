//! Administrators say where a plugin's destinations are and enter its secrets, with a host running and without.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use keelson::app::App;
use keelson::cli::AdminSocket;
use keelson::clock::SystemClock;
use keelson::config::Config;
use keelson::seal::Seal;
use keelson::store::{NewPluginRequest, Store};
use keelson_tests::on_both;
use keelson_tests::process::keelson;
use serde_json::{Value, json};

/// With an `exp` of 2026-11-21 09:05 UTC.
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3OTUyNTE5MDB9.c2lnbmF0dXJl";

const MANIFEST: &str = r#"
id = "acme.psa"
name = "PSA"
version = "1.2.3"
[contract]
requires = "0.2"
[[http]]
label = "psa"
methods = ["GET"]
path-prefixes = ["/api/"]
default-origin = "https://psa.example.com"
reason = "Tickets come from there"
[[secrets]]
label = "psa-token"
kind = "token"
placement = "bearer"
used-by = ["psa"]
reason = "To sign in"
[[secrets]]
label = "psa-login"
kind = "password"
placement = "basic"
used-by = ["psa"]
reason = "To sign in"
"#;

struct Desk<'d> {
    data: &'d Path,
    url: &'d str,
}

impl Desk<'_> {
    /// What `keelson plugin …` prints, or its error.
    fn plugin(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let mut command = Command::new(keelson());
        command.arg("plugin").args(arguments).arg("--data").arg(self.data).args(["--database", self.url]);
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        // A command that reads nothing may be gone before this is written.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let (out, error) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(
            ![&out, &error].iter().any(|text| text.contains(JWT) || text.contains("hush-hush")),
            "{out}{error}"
        );
        if output.status.success() { Ok(out) } else { Err(error) }
    }

    fn access(&self) -> Value {
        serde_json::from_str(&self.plugin(&["access", "acme.psa", "--json"], "").unwrap()).unwrap()
    }

    /// All that an administrator does, in order.
    fn administer(&self) {
        let before = self.access();
        assert_eq!(before["destinations"]["psa"]["bound"], Value::Null);
        assert_eq!(before["secrets"]["psa-token"]["set"], false);
        assert_eq!(before["destinations"]["psa"]["requested"]["reason"], "Tickets come from there");

        let bind = |origin: &str, more: &[&str]| {
            self.plugin(&[&["bind", "acme.psa", "psa", origin], more].concat(), "")
        };
        assert!(bind("http://psa.example.com", &[]).unwrap_err().contains("--private-network"));
        assert!(bind("https://psa.example.com/api", &[]).unwrap_err().contains("nothing behind it"));
        bind("https://psa.example.com", &[]).unwrap();
        bind("http://10.1.2.3:8080", &["--private-network"]).unwrap();
        let wrong = self.plugin(&["bind", "acme.psa", "ps", "https://x.example"], "").unwrap_err();
        assert!(wrong.contains("did you mean `psa`"), "{wrong}");
        let wrong = self.plugin(&["bind", "acme.ps", "psa", "https://x.example"], "").unwrap_err();
        assert!(wrong.contains("did you mean `acme.psa`"), "{wrong}");

        self.plugin(&["secret", "set", "acme.psa", "psa-token"], &format!("{JWT}\n")).unwrap();
        let wrong = self.plugin(&["secret", "set", "acme.psa", "psa-login"], "hush-hush\n").unwrap_err();
        assert!(wrong.contains("\"password\""), "{wrong}");
        let login = "{\"user\":\"ada\",\"password\":\"hush-hush\"}\n";
        self.plugin(&["secret", "set", "acme.psa", "psa-login"], login).unwrap();
        let after = self.access();
        let bound = &after["destinations"]["psa"]["bound"];
        assert_eq!(
            (&bound["origin"], &bound["privateNetwork"]),
            (&json!("http://10.1.2.3:8080"), &json!(true))
        );
        let token = &after["secrets"]["psa-token"];
        assert_eq!((&token["set"], &token["expires"]), (&json!(true), &json!("2026-11-21T09:05:00.000Z")));
        let text = self.plugin(&["access", "acme.psa"], "").unwrap();
        assert!(text.contains("bound to http://10.1.2.3:8080 (private network)"), "{text}");
        assert!(
            text.contains("0 calls, 0 denied; last used: never") && text.contains("secret psa-login: set 20"),
            "{text}"
        );
    }

    fn take_away(&self) {
        self.plugin(&["unbind", "acme.psa", "psa"], "").unwrap();
        assert!(
            self.plugin(&["unbind", "acme.psa", "psa"], "").unwrap_err().contains("no destination 'psa'")
        );
        self.plugin(&["secret", "remove", "acme.psa", "psa-token"], "").unwrap();
        let gone = self.plugin(&["secret", "remove", "acme.psa", "psa-token"], "").unwrap_err();
        assert!(gone.contains("no secret 'psa-token'"), "{gone}");
        assert_eq!(self.access()["destinations"]["psa"]["bound"], Value::Null);
    }
}

fn data_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("plugins/acme.psa");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("plugin.toml"), MANIFEST).unwrap();
    // Whether it runs is not what this is about.
    std::fs::write(package.join("plugin.wasm"), b"\0asm").unwrap();
    folder
}

/// What the activity log says, and that it says no secret.
async fn told(store: &Store) -> Vec<String> {
    let mut tx = store.read().await.unwrap();
    let rows = tx.audit().after(0, 100).await.unwrap();
    let rows = rows.into_iter().filter(|row| row.object_type == "Plugin");
    rows.map(|row| format!("{} {:?} {:?}", row.message, row.before, row.after)).collect()
}

/// The plugin asked for something, and that is what became of it.
async fn asked(store: &Store, destination: &str, outcome: &str) {
    let new = NewPluginRequest {
        plugin: "acme.psa".to_owned(),
        call: "call-1".to_owned(),
        destination: destination.to_owned(),
        company: None,
        method: "GET".to_owned(),
        path: "/api/".to_owned(),
    };
    let mut tx = store.write().await.unwrap();
    tx.plugin_requests().begin(&SystemClock, &new, outcome).await.unwrap();
    tx.commit().await.unwrap();
}

on_both! {
    fn destinations_and_secrets_are_given_and_taken_without_a_host(database) {
        let folder = data_folder();
        let desk = Desk { data: folder.path(), url: &database.url };
        desk.administer();
        let (store, seal) = (database.store().await, Seal::open(folder.path()).unwrap());
        let mut tx = store.read().await.unwrap();
        let token = tx.plugin_access().secret("acme.psa", "psa-token").await.unwrap().unwrap();
        assert_eq!(token.open(&seal).unwrap().as_str(), JWT);
        drop(tx);
        for (destination, outcome) in [("psa", "ok"), ("psa", "bad-request"), ("\u{1b}[31m", "unknown-destination"), ("moon", "not-bound")] {
            asked(&store, destination, outcome).await;
        }
        let used = desk.access()["destinations"].clone();
        let counts = |label: &str| (used[label]["calls"].as_i64().unwrap(), used[label]["denied"].as_i64().unwrap());
        assert_eq!((used.as_object().unwrap().len(), counts("psa"), counts("(undeclared)")), (2, (2, 1), (2, 2)));
        // A plugin that is gone can still be taken everything away from.
        std::fs::remove_dir_all(folder.path().join("plugins/acme.psa")).unwrap();
        assert!(desk.plugin(&["bind", "acme.psa", "psa", "https://x.example"], "").unwrap_err().contains("no plugin 'acme.psa'"));
        desk.take_away();
        let told = told(&store).await;
        assert_eq!(told.len(), 6, "{told:#?}");
        assert!(told[1].contains("https://psa.example.com") && told[1].contains("http://10.1.2.3:8080"), "{told:#?}");
        assert!(!told.iter().any(|line| line.contains(JWT) || line.contains("hush")), "{told:#?}");
        store.close().await;
    }

    fn a_running_host_does_it_on_its_own_database(database) {
        let folder = data_folder();
        let any = || "127.0.0.1:0".parse().unwrap();
        let config = Config {
            api: any(),
            agents_remote: any(),
            agents_hosted: any(),
            health: any(),
            database: Some(database.url.clone()),
            ..Config::default()
        };
        let app = App::start(folder.path(), &config).await.unwrap();
        let socket = AdminSocket::open(folder.path(), &config, &app).unwrap();
        let (data, url) = (folder.path().to_owned(), database.url.clone());
        let administered = tokio::task::spawn_blocking(move || {
            let desk = Desk { data: &data, url: &url };
            desk.administer();
            desk.take_away();
        });
        administered.await.unwrap();
        socket.close().await;
        app.stop().await;
        let store = database.store().await;
        assert_eq!(told(&store).await.len(), 6);
        store.close().await;
    }
}

#[test]
fn of_a_plugin_that_nobody_knows_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plugins")).unwrap();
    let url = format!("sqlite:{}/db", folder.path().display());
    let desk = Desk { data: folder.path(), url: &url };
    let error = desk.plugin(&["access", "acme.psa"], "").unwrap_err();
    assert!(error.contains("no plugin 'acme.psa'") && error.contains("none at all"), "{error}");
}
