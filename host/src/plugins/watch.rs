//! Notices that a plugin changed. The *folder* is watched, since editors and installers replace files; a slow poll catches
//! what the system does not report (network mounts, bind mounts) and what another host of this database did.

use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::{Duration, Instant};

use notify::{RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_util::sync::CancellationToken;

use super::{Inner, Plugins};

/// So long nothing must happen before the files are looked at.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// Under constant change they are looked at after so long all the same.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often they are looked at though nothing was reported.
const POLL: Duration = Duration::from_secs(10);

/// How often it is looked whether what a removed plugin stored is to go.
const ERASE: Duration = Duration::from_hours(1);

/// The folders of plugins inside `folder`, sorted. A missing folder is empty: plugins may come later.
pub(super) fn list(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let hidden = |path: &Path| path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() && !hidden(&path) {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Reloads on every change until `stop`, or until the last handle is gone.
pub(super) async fn run(folder: Option<PathBuf>, plugins: Weak<Inner>, stop: CancellationToken) {
    let (poke, mut poked) = channel(1);
    let _watcher = folder.as_deref().and_then(|folder| watch(folder, poke));
    let mut erased = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = settled(&mut poked) => {}
            () = tokio::time::sleep(POLL) => {}
        }
        let Some(inner) = plugins.upgrade() else { return };
        inner.reload().await;
        let plugins = Plugins { inner };
        if plugins.services().is_ok() {
            look_after(&plugins, &mut erased).await;
        }
    }
}

/// What is to be done now and then. `erased` is when what was removed was last looked at.
async fn look_after(plugins: &Plugins, erased: &mut Option<Instant>) {
    if let Err(error) = plugins.roll_back_the_failed().await {
        tracing::warn!(%error, "a plugin that failed stays at its version");
    }
    if erased.is_none_or(|last| last.elapsed() >= ERASE) {
        *erased = Some(Instant::now());
        if let Err(error) = plugins.erase_the_removed().await {
            tracing::warn!(%error, "what removed plugins stored stays");
        }
    }
}

fn watch(folder: &Path, poke: Sender<()>) -> Option<notify::RecommendedWatcher> {
    let started = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let only_read = event.as_ref().is_ok_and(|event| event.kind.is_access());
        if !only_read && poke.try_send(()).is_err() {
            // A poke already waits, or nobody listens any more: both are fine.
        }
    })
    .and_then(|mut watcher| {
        watcher.watch(folder, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    started
        .inspect_err(|error| {
            tracing::warn!(
                folder = %folder.display(), error = %error,
                "cannot watch the folder of plugins; it is looked at every {} s", POLL.as_secs()
            );
        })
        .ok()
}

/// Waits for a first poke and then for quiet.
async fn settled(poked: &mut Receiver<()>) {
    if poked.recv().await.is_none() {
        // No watcher: the poll is all there is.
        std::future::pending::<()>().await;
    }
    let quiet = async { while let Ok(Some(())) = tokio::time::timeout(DEBOUNCE, poked.recv()).await {} };
    if tokio::time::timeout(PATIENCE, quiet).await.is_err() {
        tracing::debug!("the folder of plugins keeps changing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_folder_is_empty_and_hidden_ones_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        assert!(list(&folder.path().join("none")).unwrap().is_empty());
        for name in ["b", ".tmp", "a"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("README.md"), "").unwrap();
        assert_eq!(list(folder.path()).unwrap(), [folder.path().join("a"), folder.path().join("b")]);
    }
}
