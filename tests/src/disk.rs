//! A disk that is small: a tmpfs, for whatever runs into its end.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::database::TestDatabase;
use crate::process::run;

/// A file system of a few MiB. Dropped, it is gone.
#[derive(Debug)]
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts one.
    pub fn mount(mebibytes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Only root may; `cargo xtask ci` runs as root in its container.
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(folder.path()));
        Self(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room that is left.
    pub fn fill(&self) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(self.path().join("filling")).expect("a file");
        let block = vec![0; 4096];
        while file.write_all(&block).is_ok() {}
    }

    /// Takes all the room that is left, and that which a SQLite database on this disk keeps in its journal for later: as long as
    /// there is any, whatever fits into it is written although the disk is full.
    pub async fn fill_beside(&self, database: &TestDatabase) {
        self.fill();
        let journal = self.path().join("keelson.db-wal");
        while std::fs::metadata(&journal).is_ok_and(|it| it.len() > 64 << 10) {
            self.clear();
            // Does nothing while somebody reads: hence the loop.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
            self.fill();
        }
    }

    /// Nobody may write any more, or may again. Nobody may be writing at the moment.
    pub fn write_protect(&self, protect: bool) {
        let options = if protect { "remount,ro" } else { "remount,rw" };
        run(Command::new("mount").args(["-o", options]).arg(self.path()));
    }

    /// Gives that room back.
    pub fn clear(&self) {
        std::fs::remove_file(self.path().join("filling")).expect("what filled it");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it until it is closed.
        drop(Command::new("umount").arg("--lazy").arg(self.0.path()).status());
    }
}
