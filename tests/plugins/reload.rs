//! Files that change while the host runs.

use keelson::plugins::PluginState;
use serde_json::json;

use super::support::{EVIL, SHIPPED, Shelf, read};

#[tokio::test]
async fn another_message_in_the_file_is_the_next_evaluations_message() {
    let stage = Shelf::with_shipped().start().await;
    let before = stage.backup_age(26, "{}").await.unwrap();
    assert!(before.verdicts[0].message.starts_with("No restore point within the RPO of 24 h"));
    let mut changed = stage.plugins.changed();
    changed.mark_unchanged();

    // The same component with another text of the same length, as if it had been built again.
    let mut component = read(format!("packages/{SHIPPED}/plugin.wasm"));
    let (old, new) = (b"No restore point within", b"Nothing to restore for!");
    let position = component.windows(old.len()).position(|window| window == old).unwrap();
    component[position..position + old.len()].copy_from_slice(new);
    stage.shelf.put(SHIPPED, "plugin.wasm", component);

    tokio::time::timeout(std::time::Duration::from_secs(30), changed.changed()).await.unwrap().unwrap();
    let after = stage.backup_age(26, "{}").await.unwrap();
    assert!(after.verdicts[0].message.starts_with("Nothing to restore for! the RPO of 24 h"), "{after:?}");
    assert!(after.generation > before.generation);
}

#[tokio::test]
async fn a_broken_update_leaves_the_old_one_running_and_says_so() {
    let stage = Shelf::with_shipped().start().await;
    let before = stage.status(SHIPPED).unwrap();
    stage.shelf.put(SHIPPED, "plugin.wasm", "half a file");
    stage
        .until("the update is refused", |stage| stage.status(SHIPPED).unwrap().update_refused.is_some())
        .await;
    let after = stage.status(SHIPPED).unwrap();
    assert_eq!((after.state, after.generation), (PluginState::Loaded, before.generation));
    assert!(after.update_refused.unwrap().contains("not a WASM component"));
    stage.neighbour_answers().await;

    stage.shelf.put(SHIPPED, "plugin.wasm", read(format!("packages/{SHIPPED}/plugin.wasm")));
    stage.until("it is whole again", |stage| stage.status(SHIPPED).unwrap().update_refused.is_none()).await;
    stage.neighbour_answers().await;
}

#[tokio::test]
async fn a_folder_that_comes_is_loaded_and_one_that_goes_is_unloaded() {
    let stage = Shelf::with_evil(&json!({})).start().await;
    std::fs::remove_dir_all(stage.shelf.path(EVIL)).unwrap();
    stage.until("it is gone", |stage| stage.status(EVIL).is_none()).await;
    assert!(stage.misbehave("behave").await.is_err());
    stage.neighbour_answers().await;

    let other = Shelf::with_evil(&json!({}));
    for file in ["plugin.wasm", "config.schema.json", "plugin.toml"] {
        stage.shelf.put(EVIL, file, std::fs::read(other.path(EVIL).join(file)).unwrap());
    }
    stage.until("it is back", |stage| stage.plugins.rules().get(EVIL, "misbehave").is_some()).await;
    stage.misbehave("behave").await.unwrap();
}

#[tokio::test]
async fn what_did_not_change_is_not_loaded_again() {
    let stage = Shelf::with_shipped().start().await;
    let (before, changes) = (stage.status(SHIPPED).unwrap(), *stage.plugins.changed().borrow());
    stage.shelf.put(SHIPPED, "plugin.wasm", read(format!("packages/{SHIPPED}/plugin.wasm")));
    stage.shelf.put(SHIPPED, "NOTES", "not a part of the package");
    stage.plugins.reload().await;
    assert_eq!(stage.status(SHIPPED).unwrap(), before);
    assert_eq!(*stage.plugins.changed().borrow(), changes);
}

#[tokio::test]
async fn a_host_that_stops_no_longer_reloads_and_drops_inside_its_runtime() {
    let stage = Shelf::with_shipped().start().await;
    stage.plugins.stop().await;
    stage.neighbour_answers().await;
    drop(stage);
}
