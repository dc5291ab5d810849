//! A real restic repository: a driver that was tested with a fake one was not tested.

use std::process::Command as Process;

pub(crate) struct Repository {
    place: tempfile::TempDir,
}

impl Repository {
    pub(crate) fn init() -> Self {
        let repository = Self { place: tempfile::tempdir().unwrap() };
        std::fs::write(repository.path("password"), "correct horse\n").unwrap();
        std::fs::create_dir(repository.path("files")).unwrap();
        std::fs::write(repository.path("files/a"), "content").unwrap();
        repository.restic(&["init"]);
        repository
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.place.path().join(name).display().to_string()
    }

    pub(crate) fn restic(&self, arguments: &[&str]) {
        let output = Process::new("restic")
            .args(arguments)
            .env("RESTIC_REPOSITORY", self.path("repository"))
            .env("RESTIC_PASSWORD_FILE", self.path("password"))
            .env("RESTIC_CACHE_DIR", self.path("test-cache"))
            .output()
            .expect("this test needs restic: apt-get install restic");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn backup(&self, host: &str) {
        self.restic(&["backup", "--host", host, &self.path("files")]);
    }
}
