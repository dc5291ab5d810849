//! The data folder: its files' names, and writes that a power cut cannot tear.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// An agent's data folder.
#[derive(Clone, Debug)]
pub struct DataFolder(PathBuf);

/// Held while an agent uses a folder.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the lock is the open file")] File);

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// Such as "read".
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process has the folder.
    #[error("another keelson-agent uses {}; stop it, or give each agent a folder of its own", .0.display())]
    InUse(PathBuf),
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { action, path, source }
}

/// A whole small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(failed("read", path))
}

impl DataFolder {
    /// Names a folder without touching it.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder, readable by its owner alone, if it is not there.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = path.into();
        // Others' folders may come to lie beside it: only the last one is the agent's own.
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed("create", parent))?;
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path).map_err(failed("create", &path))?;
        #[cfg(unix)]
        {
            let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            fs::set_permissions(&path, owner_only).map_err(failed("restrict", &path))?;
        }
        Ok(Self(path))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `agent.toml`.
    pub fn settings(&self) -> PathBuf {
        self.0.join("agent.toml")
    }

    /// `agent.key`.
    pub fn key(&self) -> PathBuf {
        self.0.join("agent.key")
    }

    /// The key of a certificate that is being asked for.
    pub fn next_key(&self) -> PathBuf {
        self.0.join("agent.key.next")
    }

    /// `agent.pem`: the agent's certificate chain.
    pub fn certificate(&self) -> PathBuf {
        self.0.join("agent.pem")
    }

    /// `ca.pem`: the host's CA.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// `spool.db`.
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool.db")
    }

    /// Where restic keeps its index copies.
    pub fn restic_cache(&self) -> PathBuf {
        self.0.join("restic-cache")
    }

    /// `vbr-mounts.json`: restore points that the agent mounted on a Veeam server.
    pub fn vbr_mounts(&self) -> PathBuf {
        self.0.join("vbr-mounts.json")
    }

    /// `vbr-runs.json`: up to when the host has the runs of a Veeam server's jobs.
    pub fn vbr_runs(&self) -> PathBuf {
        self.0.join("vbr-runs.json")
    }

    /// Takes the folder for this process, until the lock is dropped.
    pub fn lock(&self) -> Result<FolderLock, FileError> {
        let path = self.0.join("agent.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(TryLockError::WouldBlock) => Err(FileError::InUse(self.0.clone())),
            Err(TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
        }
    }

    /// Replaces a file's content as one step, readable by its owner alone.
    pub fn replace(&self, path: &Path, content: &[u8]) -> Result<(), FileError> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        self.remove(&temporary)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary).map_err(failed("create", &temporary))?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(failed("write", &temporary))?;
        self.rename(&temporary, path)
    }

    /// Renames within the folder and makes that durable.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        fs::rename(from, to).map_err(failed("replace", to))?;
        self.sync()
    }

    /// Removes key and certificate: this is no agent any more. What else is in the folder stays.
    pub fn forget_identity(&self) -> Result<(), FileError> {
        for path in [self.key(), self.next_key(), self.certificate()] {
            self.remove(&path)?;
        }
        Ok(())
    }

    /// Removes a file; one that is not there is as good.
    pub fn remove(&self, path: &Path) -> Result<(), FileError> {
        match fs::remove_file(path) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("remove", path)(error)),
        }
    }

    fn sync(&self) -> Result<(), FileError> {
        // Other systems cannot open a folder, and make a rename durable without it.
        if cfg!(unix) {
            File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(failed("sync", &self.0))?;
        }
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn files_are_replaced_whole_and_only_their_owner_reads_them() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(place.path().join("a/b")).unwrap();
        // What a crash between write and rename leaves behind must not stand in the way.
        fs::write(folder.path().join("agent.key.tmp"), "torn").unwrap();
        folder.replace(&folder.key(), b"one").unwrap();
        folder.replace(&folder.key(), b"two").unwrap();
        assert_eq!(read_text(&folder.key()).unwrap(), "two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder.key()), mode(folder.path())), (0o600, 0o700));
    }

    #[test]
    fn the_folders_above_are_made_as_any_other_and_only_the_last_is_private() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(place.path().join("srv/agents/one")).unwrap();
        let any = place.path().join("any");
        fs::create_dir(&any).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&place.path().join("srv")), mode(&any));
        assert_eq!(mode(&place.path().join("srv/agents")), mode(&any));
        assert_eq!(mode(folder.path()), 0o700);
    }

    #[test]
    fn a_folder_serves_one_agent_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(place.path());
        let held = folder.lock().unwrap();
        assert!(matches!(folder.lock(), Err(FileError::InUse(_))));
        drop(held);
        folder.lock().unwrap();
    }
}
