//! Files out of restore points.

use super::*;

/// As a host names it.
const SESSION: &str = "r1";

/// Opens the first point of the server.
async fn open(beside: &Beside) -> Value {
    let (server, point) = beside.server.with(|world| (world.id, world.points[0].id));
    let payload = json!({"server": server, "workload": "w", "restorePoint": point, "session": SESSION, "idleMinutes": 10});
    beside.tell("restore-open", payload).await.unwrap().result.unwrap()
}

fn names(listing: &Value) -> Vec<&str> {
    listing["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn files_are_found_read_and_restored() {
    let beside = Beside::start().await;
    let opened = open(&beside).await;
    assert_eq!((opened["machine"].as_str(), opened["separator"].as_str()), (Some("vm-0000"), Some("\\")));
    open(&beside).await;
    assert_eq!(beside.server.with(|world| world.mounts.open.len()), 1, "the same session is the same mount");
    let ask = async |kind: &str, mut payload: Value| {
        payload["session"] = SESSION.into();
        beside.tell(kind, payload).await.map(|done| done.result.unwrap_or_default())
    };
    let top = ask("restore-list", json!({"path": ""})).await.unwrap();
    assert_eq!(names(&top), ["C:"]);
    let folder = ask("restore-list", json!({"path": r"C:\Users\anna\Documents", "offset": 2, "limit": 3}))
        .await
        .unwrap();
    assert_eq!((names(&folder).len(), folder["total"].as_i64()), (3, Some(31)));
    let found = ask("restore-search", json!({"path": "C:", "text": "LETTER"})).await.unwrap();
    assert_eq!(names(&found), ["letter.txt"]);

    let file = r"C:\Users\anna\Documents\figures.csv";
    let prepared = ask("restore-fetch", json!({"paths": [file]})).await.unwrap();
    let mut bytes = Vec::new();
    let mut take = |chunk: &[u8]| {
        bytes.extend_from_slice(chunk);
        Ok(())
    };
    let task = prepared["task"].as_str().unwrap();
    beside.driver.download(SESSION, task, &mut take).await.unwrap();
    assert_eq!(bytes, vec![b'7'; 300_000]);

    let letter = r"C:\Users\anna\letter.txt";
    let done = ask("restore-write", json!({"paths": [letter], "existing": "overwrite"})).await.unwrap();
    assert_eq!(done["files"], 1);
    let elsewhere = json!({
        "paths": [letter], "existing": "keep", "host": "VMware", "target": r"D:\Restored", "credentials": uuid::Uuid::nil(),
    });
    ask("restore-write", elsewhere).await.unwrap();
    beside.server.with(|world| {
        let restored: Vec<_> =
            world.mounts.restored.iter().map(|one| (one.how.as_str(), one.target.as_str())).collect();
        assert_eq!(restored, [("Overwrite", letter), ("Keep", r"D:\Restored")]);
    });
    for odd in [
        json!({"paths": []}),
        json!({"paths": [letter], "existing": "burn"}),
        json!({"paths": ["C:\\ghost"]}),
    ] {
        assert!(ask("restore-write", odd.clone()).await.is_err(), "{odd}");
    }
    ask("restore-close", json!({})).await.unwrap();
    ask("restore-close", json!({})).await.unwrap();
    assert!(beside.server.with(|world| world.mounts.open.is_empty()));
    assert!(ask("restore-list", json!({"path": ""})).await.unwrap_err().0.contains("not open (any more)"));
    beside.well_behaved();
}

#[tokio::test]
async fn a_download_keeps_its_mount_in_use_however_long_it_takes() {
    let beside = Beside::start().await;
    open(&beside).await;
    let file = r"C:\Users\anna\Documents\figures.csv";
    let prepared = beside.tell("restore-fetch", json!({"session": SESSION, "paths": [file]})).await.unwrap();
    let task = prepared.result.unwrap()["task"].as_str().unwrap().to_owned();
    let noted = beside.folder.path().join("agent/vbr-mounts.json");
    let mut take = |_: &[u8]| {
        let mounts: Value = serde_json::from_str(&std::fs::read_to_string(&noted)?)?;
        assert!(mounts[0]["until"].as_i64().unwrap() > beside.clock.now_ms(), "{mounts}");
        beside.clock.advance(4 * 60_000);
        Ok(())
    };
    beside.driver.download(SESSION, &task, &mut take).await.unwrap();
    assert!(beside.clock.now_ms() > NOW + 10 * 60_000, "it took longer than a mount may be idle");
    beside.collect().await.unwrap();
    assert_eq!(beside.server.with(|world| world.mounts.open.len()), 1, "it was used a moment ago");
    beside.well_behaved();
}

#[tokio::test]
async fn a_mount_that_nobody_closes_is_closed_by_the_next_agent() {
    let mut beside = Beside::start().await;
    open(&beside).await;
    // Somebody else's, made in the server's own console.
    beside.server.with(|world| {
        let mut other = world.mounts.open[0].clone();
        other.session = uuid::Uuid::nil();
        world.mounts.open.push(other);
    });
    beside.advance(Duration::from_mins(9));
    beside.tell("restore-list", json!({"session": SESSION, "path": ""})).await.unwrap();
    beside.clock.advance(5 * 60_000);
    beside.restart_agent();
    beside.collect().await.unwrap();
    assert_eq!(beside.server.with(|world| world.mounts.open.len()), 2, "it was used a moment ago");
    beside.clock.advance(5 * 60_000);
    beside.restart_agent();
    beside.collect().await.unwrap();
    let left: Vec<_> = beside.server.with(|world| world.mounts.open.iter().map(|one| one.session).collect());
    assert_eq!(left, [uuid::Uuid::nil()], "what others mounted is theirs");
    let others = json!({"session": uuid::Uuid::nil(), "path": ""});
    assert!(beside.tell("restore-list", others).await.is_err());
    beside.well_behaved();
}

#[tokio::test]
async fn a_restore_point_that_is_gone_is_refused_in_words() {
    let beside = Beside::start().await;
    let absent = json!({"restorePoint": uuid::Uuid::nil(), "session": SESSION});
    let refused = beside.tell("restore-open", absent).await.unwrap_err().0;
    assert!(refused.contains("no such"), "{refused}");
    assert!(
        beside
            .tell("restore-open", json!({"session": SESSION}))
            .await
            .unwrap_err()
            .0
            .contains("no restore point")
    );
    beside.well_behaved();
}
