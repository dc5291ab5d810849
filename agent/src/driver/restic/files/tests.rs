//! Against the real program, on real files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::*;
use crate::clock::SystemClock;
use crate::driver::restic::{Restic, Setup};
use crate::driver::{Driver as _, Order};
use crate::testing::restic::Repository;

/// A repository with one snapshot of some files, opened.
struct Stage {
    repository: Repository,
    driver: Restic,
    root: String,
}

impl Stage {
    async fn new(host: &str, populate: impl FnOnce(&Repository)) -> Self {
        let repository = Repository::init();
        populate(&repository);
        repository.backup(host);
        fs::create_dir(repository.path("target")).unwrap();
        let setup = Setup {
            repository: repository.path("repository"),
            password_file: repository.path("password").into(),
            server_name: None,
            cache: repository.path("cache").into(),
            restore_roots: vec![repository.path("target").into()],
        };
        let driver = Restic::new(setup, Arc::new(SystemClock));
        let root = repository.path("files");
        let stage = Self { repository, driver, root };
        stage.open().await;
        stage
    }

    async fn open(&self) {
        let inventory = self.driver.collect().await.unwrap();
        let point = &inventory.restore_points[0];
        let open = json!({
            "server": point.server_key, "workload": point.workload_key, "restorePoint": point.key,
        });
        self.tell("restore-open", open).await.unwrap();
    }

    async fn tell(&self, kind: &str, mut payload: Value) -> Result<Value, String> {
        payload["session"] = json!("s");
        let order = Order { kind: kind.to_owned(), payload, secret: Value::Null };
        let done = self.driver.execute(&order).await.map_err(|refused| refused.0)?;
        Ok(done.result.unwrap_or_default())
    }

    async fn opened(&self) -> Arc<dyn Opened> {
        let inventory = self.driver.collect().await.unwrap();
        let point = &inventory.restore_points[0];
        let files = Files {
            command: Arc::clone(&self.driver.command),
            roots: Vec::new(),
            host_name: "another".to_owned(),
            repository: OnceCell::new(),
        };
        let point = Point {
            server: point.server_key.clone(),
            workload: point.workload_key.clone(),
            restore_point: point.key.clone(),
        };
        files.open(&point).await.unwrap()
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.root)
    }

    fn target(&self, name: &str) -> String {
        format!("{}/{name}", self.repository.path("target"))
    }
}

fn names(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn some_files(repository: &Repository) {
    let path = |name: &str| repository.path(&format!("files/{name}"));
    fs::create_dir_all(path("sub/deep")).unwrap();
    fs::create_dir(path("empty")).unwrap();
    fs::write(path("sub/ä [1].txt"), "in the sub").unwrap();
    fs::write(path("sub/deep/Bottom"), "b".repeat(300_000)).unwrap();
    symlink("/etc/passwd", path("sub/link")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path("sub/pipe")).status().unwrap().success());
    fs::set_permissions(path("sub/deep/Bottom"), PermissionsExt::from_mode(0o4750)).unwrap();
    fs::set_permissions(path("sub/deep"), PermissionsExt::from_mode(0o711)).unwrap();
    for name in ["sub/deep/Bottom", "sub/deep", "a"] {
        let times = fs::FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_mins(25_000_000));
        fs::File::open(path(name)).unwrap().set_times(times).unwrap();
    }
}

#[tokio::test]
async fn a_snapshot_is_browsed_and_searched() {
    let stage = Stage::new("elsewhere", some_files).await;
    let root = stage.tell("restore-list", json!({"path": "/"})).await.unwrap();
    assert_eq!(root["total"], 1, "{root}");
    let files = stage.tell("restore-list", json!({"path": stage.root})).await.unwrap();
    assert_eq!(names(&files), ["empty", "sub", "a"], "folders first");
    assert_eq!(files["items"][2]["size"], 7);
    assert_eq!(files["items"][2]["modifiedAt"], "2017-07-14T02:40:00Z");
    assert_eq!(
        files["items"][0],
        json!({
            "name": "empty", "path": stage.file("empty"), "kind": "folder", "modifiedAt": files["items"][0]["modifiedAt"],
        })
    );
    let sub = stage.tell("restore-list", json!({"path": stage.file("sub"), "limit": 3})).await.unwrap();
    assert_eq!(names(&sub), ["deep", "link", "pipe"]);
    let kinds: Vec<_> = sub["items"].as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert_eq!(kinds, ["folder", "link", "other"]);
    let rest = json!({"path": stage.file("sub"), "offset": sub["next"]});
    assert_eq!(names(&stage.tell("restore-list", rest).await.unwrap()), ["ä [1].txt"]);
    for (bad, word) in [(stage.file("a"), "no folder"), (stage.file("nope"), "there is no")] {
        let refused = stage.tell("restore-list", json!({"path": bad})).await.unwrap_err();
        assert!(refused.contains(word), "{refused}");
    }
    for (text, found) in
        [("botTOM", vec!["Bottom"]), ("[1]", vec!["ä [1].txt"]), ("deep", vec!["deep"]), ("*?", vec![])]
    {
        let answer = stage.tell("restore-search", json!({"path": "/", "text": text})).await.unwrap();
        assert_eq!((names(&answer), &answer["more"]), (found, &json!(false)), "{text}");
    }
    let below = json!({"path": stage.file("empty"), "text": "bottom"});
    assert!(names(&stage.tell("restore-search", below).await.unwrap()).is_empty());
}

#[tokio::test]
async fn what_is_to_be_fetched_is_measured_and_read_from_any_byte() {
    let stage = Stage::new("elsewhere", some_files).await;
    let paths = json!({"paths": [stage.file("a"), stage.file("sub")]});
    let fetched = stage.tell("restore-fetch", paths).await.unwrap();
    assert_eq!((&fetched["files"], &fetched["size"]), (&json!(3), &json!(300_017)));
    assert_eq!(
        (&fetched["items"][1]["kind"], &fetched["items"][1]["size"]),
        (&json!("folder"), &json!(300_010))
    );
    let absent = stage.tell("restore-fetch", json!({"paths": [stage.file("nope")]})).await.unwrap_err();
    assert!(absent.contains("there is no"), "{absent}");

    let opened = stage.opened().await;
    let path = |name: &str| SourcePath::parse(&stage.file(name)).unwrap();
    let bottom = path("sub/deep/Bottom");
    for (offset, length) in [(0, 300_000), (299_999, 1), (300_000, 0), (100_000, 200_000)] {
        let mut bytes = Vec::new();
        opened.read(&bottom, offset).await.unwrap().read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes.len(), length, "from {offset}");
    }
    assert!(opened.read(&bottom, 300_001).await.is_err());
    assert!(opened.read(&path("sub"), 0).await.is_err());
    assert!(!opened.places().in_place);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_whole_ends_with_an_error() {
    let stage = Stage::new("elsewhere", some_files).await;
    let opened = stage.opened().await;
    let folders = fs::read_dir(stage.repository.path("repository/data")).unwrap();
    let packs = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    // The largest file's pack; what else is in it may stand before it, and the directory stands at the end.
    let pack = packs.map(|pack| pack.unwrap().path()).max_by_key(|pack| fs::metadata(pack).unwrap().len());
    let pack = pack.unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let blobs = bytes.len() - 1_000;
    bytes.iter_mut().take(blobs).for_each(|byte| *byte ^= 0x55);
    fs::set_permissions(&pack, PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(&pack, bytes).unwrap();
    let bottom = SourcePath::parse(&stage.file("sub/deep/Bottom")).unwrap();
    let mut read = Vec::new();
    match opened.read(&bottom, 0).await {
        Ok(mut bytes) => {
            bytes.read_to_end(&mut read).await.unwrap_err();
        }
        Err(refused) => assert!(!refused.0.is_empty()),
    }
}

#[tokio::test]
async fn folders_and_files_go_to_another_folder_with_modes_and_times() {
    let stage = Stage::new("elsewhere", some_files).await;
    let wish = |existing: &str| {
        json!({
            "paths": [stage.file("sub"), stage.file("a"), stage.file("sub/deep"), stage.file("nope")],
            "target": stage.target("new"), "existing": existing,
        })
    };
    let written = stage.tell("restore-write", wish("keep")).await.unwrap();
    assert_eq!(
        (&written["files"], &written["size"], &written["kept"]),
        (&json!(3), &json!(300_017), &json!(0))
    );
    let failed: Vec<_> =
        written["items"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(failed, [stage.file("nope"), stage.file("sub/link"), stage.file("sub/pipe")]);
    let bottom = fs::metadata(stage.target("new/sub/deep/Bottom")).unwrap();
    assert_eq!(
        (bottom.len(), bottom.permissions().mode() & 0o7777),
        (300_000, 0o750),
        "nothing runs as its owner"
    );
    let at: SystemTime = UNIX_EPOCH + Duration::from_mins(25_000_000);
    assert_eq!(bottom.modified().unwrap(), at);
    let deep = fs::metadata(stage.target("new/sub/deep")).unwrap();
    assert_eq!((deep.permissions().mode() & 0o777, deep.modified().unwrap()), (0o711, at));
    assert_eq!(fs::metadata(stage.target("new/a")).unwrap().modified().unwrap(), at);
    assert!(!fs::exists(stage.target("new/sub/pipe")).unwrap());

    fs::write(stage.target("new/a"), "changed").unwrap();
    let again = stage.tell("restore-write", wish("keep")).await.unwrap();
    assert_eq!((&again["files"], &again["kept"]), (&json!(0), &json!(3)));
    assert_eq!(fs::read_to_string(stage.target("new/a")).unwrap(), "changed");
    let over = stage.tell("restore-write", wish("overwrite")).await.unwrap();
    assert_eq!(over["files"], 3);
    assert_eq!(fs::read_to_string(stage.target("new/a")).unwrap(), "content");
}

#[tokio::test]
async fn files_go_back_in_place_only_on_the_machine_that_they_came_from() {
    let own = computer_name();
    let stage = Stage::new(&own, some_files).await;
    fs::remove_dir_all(stage.file("sub")).unwrap();
    fs::write(stage.file("a"), "changed").unwrap();
    let wish = json!({"paths": [stage.file("sub/deep"), stage.file("a")], "existing": "keep"});
    let written = stage.tell("restore-write", wish).await.unwrap();
    assert_eq!((&written["files"], &written["kept"], &written["failed"]), (&json!(1), &json!(1), &json!(0)));
    assert_eq!(fs::metadata(stage.file("sub/deep/Bottom")).unwrap().len(), 300_000);
    assert_eq!(fs::metadata(stage.file("sub/deep")).unwrap().permissions().mode() & 0o777, 0o711);
    assert_eq!(fs::metadata(stage.file("sub")).unwrap().permissions().mode() & 0o777, 0o755);

    // Somebody puts a link where the folder was.
    fs::remove_dir_all(stage.file("sub")).unwrap();
    symlink(stage.repository.path("target"), stage.file("sub")).unwrap();
    let wish = json!({"paths": [stage.file("sub/deep")], "existing": "overwrite"});
    let written = stage.tell("restore-write", wish).await.unwrap();
    assert_eq!(written["files"], 0, "{written}");
    assert_eq!(fs::read_dir(stage.repository.path("target")).unwrap().count(), 0);

    let other = Stage::new("elsewhere", some_files).await;
    let wish = json!({"paths": [other.file("a")], "existing": "keep"});
    let refused = other.tell("restore-write", wish).await.unwrap_err();
    assert!(refused.contains("only on the machine"), "{refused}");
}

fn computer_name() -> String {
    crate::computer::this_machine().host_name
}

#[tokio::test]
async fn a_restore_point_of_something_else_is_not_opened() {
    let stage = Stage::new("elsewhere", |_| {}).await;
    let inventory = stage.driver.collect().await.unwrap();
    let point = &inventory.restore_points[0];
    for (server, workload, id, word) in [
        ("other", point.workload_key.as_str(), point.key.as_str(), "another repository"),
        (&point.server_key, "other", &point.key, "another workload"),
        (&point.server_key, &point.workload_key, "latest", "64 hexadecimal"),
        (&point.server_key, &point.workload_key, &"ab".repeat(32), "no more"),
    ] {
        let payload = json!({"server": server, "workload": workload, "restorePoint": id, "session": "t"});
        let order = Order { kind: "restore-open".to_owned(), payload, secret: Value::Null };
        let refused = stage.driver.execute(&order).await.unwrap_err();
        assert!(refused.0.contains(word), "{}", refused.0);
    }
}

/// The password is in a file, and nothing that others can see of a process holds it.
#[tokio::test]
async fn no_argument_and_no_variable_holds_the_password() {
    let repository = Repository::init();
    let script = repository.path("spy");
    let told = repository.path("told");
    fs::write(&script, format!("#!/bin/sh\necho \"$@\" >> {told}\nenv >> {told}\nexec restic \"$@\"\n"))
        .unwrap();
    fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    repository.backup("elsewhere");
    let setup = Setup {
        repository: repository.path("repository"),
        password_file: repository.path("password").into(),
        server_name: None,
        cache: repository.path("cache").into(),
        restore_roots: vec![repository.path("target").into()],
    };
    fs::create_dir(repository.path("target")).unwrap();
    let driver = Restic::with_program(setup, Arc::new(SystemClock), &script, Duration::from_mins(1));
    let root = repository.path("files");
    let stage = Stage { repository, driver, root };
    stage.open().await;
    let wish = json!({"paths": [stage.root], "target": stage.target("x"), "existing": "keep"});
    assert_eq!(stage.tell("restore-write", wish).await.unwrap()["files"], 1);
    let told = fs::read_to_string(told).unwrap();
    assert!(told.contains("RESTIC_PASSWORD_FILE=") && told.contains("dump"));
    assert!(!told.contains("correct horse"));
}

/// A folder of a hundred thousand files: read once, in bounded memory, and shown page by page.
#[tokio::test]
async fn a_folder_with_a_hundred_thousand_files_is_listed() {
    let stage = Stage::new("elsewhere", |repository| {
        for index in 0..100_000 {
            fs::File::create(repository.path(&format!("files/n{index}"))).unwrap();
        }
    })
    .await;
    let last = stage.tell("restore-list", json!({"path": stage.root, "offset": 100_000})).await.unwrap();
    assert_eq!((&last["total"], last["items"].as_array().unwrap().len()), (&json!(100_001), 1));
    assert_eq!(last["items"][0]["name"], "n99999");
    let found = stage.tell("restore-search", json!({"path": "/", "text": "n1", "limit": 10})).await.unwrap();
    assert_eq!((names(&found).len(), &found["more"]), (10, &json!(true)));
    let fetched = stage.tell("restore-fetch", json!({"paths": [stage.root]})).await.unwrap();
    assert_eq!(fetched["files"], 100_001);
}
