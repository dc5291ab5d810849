//! A package's way from an author's folder to a host, by the commands that an author has.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use keelson_tests::process::keelson;
use serde_json::Value;

use crate::plugins::support::{NOW, SHIPPED, Shelf};

/// An author's desk: the shipped plugin's folder, a key, and the commands.
struct Desk {
    shelf: Shelf,
    work: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { shelf: Shelf::with_shipped(), work: tempfile::tempdir().unwrap() }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(keelson());
        command.current_dir(self.work.path()).arg("plugin").args(arguments).output().unwrap()
    }

    /// What it prints.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Why it does not.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} is done");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Packs the shipped plugin's folder and signs it with a new key of that name, whose public half comes back.
    fn packed_and_signed(&self, key: &str) -> (PathBuf, String) {
        let public = self.done(&["key", key]);
        let folder = self.shelf.path(SHIPPED);
        let package = self.done(&["pack", folder.to_str().unwrap(), "--key", key]);
        (self.work.path().join(package), public)
    }

    fn inspect(&self, package: &Path) -> Value {
        serde_json::from_str(&self.done(&["inspect", package.to_str().unwrap(), "--json"])).unwrap()
    }
}

#[test]
fn a_folder_becomes_a_signed_package_that_passes_every_check_of_a_load() {
    let desk = Desk::new();
    let (package, public) = desk.packed_and_signed("publisher.pem");
    let found = desk.inspect(&package);
    assert_eq!((found["id"].as_str(), found["key"].as_str()), (Some(SHIPPED), Some(public.as_str())));
    assert!(
        package
            .to_str()
            .unwrap()
            .ends_with(&format!("{SHIPPED}-{}.kpkg", found["version"].as_str().unwrap()))
    );
    let report: Value = serde_json::from_str(&desk.done(&["check", package.to_str().unwrap()])).unwrap();
    assert_eq!(report["id"], SHIPPED);
}

#[test]
fn packing_the_same_folder_again_makes_the_same_bytes() {
    let desk = Desk::new();
    let folder = desk.shelf.path(SHIPPED);
    let pack = || {
        let package = desk.done(&["pack", folder.to_str().unwrap()]);
        std::fs::read(desk.at(&package)).unwrap()
    };
    assert_eq!(pack(), pack());
}

#[test]
fn a_folder_that_would_not_load_is_not_packed() {
    let desk = Desk::new();
    desk.shelf.put(SHIPPED, "plugin.wasm", "no component");
    let folder = desk.shelf.path(SHIPPED);
    let error = desk.refused(&["pack", folder.to_str().unwrap()]);
    assert!(error.contains("refused at step `component`"), "{error}");
    assert_eq!(std::fs::read_dir(desk.work.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_package_that_was_changed_after_it_was_signed_is_refused() {
    let desk = Desk::new();
    let (package, _) = desk.packed_and_signed("publisher.pem");
    let mut bytes = std::fs::read(&package).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&package, bytes).unwrap();
    let error = desk.refused(&["check", package.to_str().unwrap()]);
    assert!(
        error.contains("refused at step `archive`") && error.contains("fetch the package again"),
        "{error}"
    );
}

#[tokio::test]
async fn a_folder_whose_files_do_not_fit_its_signature_does_not_load() {
    let shelf = Shelf::with_shipped();
    let key = keelson::plugins::SecretKey::generate();
    let packed = keelson::plugins::sign(&shelf.path(SHIPPED), &key, None).unwrap();
    let package = shelf.folder().join(&packed.file_name);
    std::fs::write(&package, &packed.bytes).unwrap();
    assert!(keelson::plugins::check(&package, keelson::clock::ManualClock::at(NOW)).await.is_ok());
    let signature = keelson::plugins::inspect(&package).unwrap();
    assert_eq!(signature.signers, [key.public()]);
    shelf.put(SHIPPED, "signature.json", unpacked(&packed.bytes, "signature.json"));
    shelf.put(SHIPPED, "LICENSE", "another one");
    let stage = shelf.start().await;
    let (step, reason) = stage.refusal(SHIPPED);
    assert_eq!(step, "signature");
    assert!(reason.contains("`LICENSE` is not among the files that were signed"), "{reason}");
}

#[test]
fn a_new_key_takes_over_with_the_former_ones_signature() {
    let desk = Desk::new();
    let (package, former) = desk.packed_and_signed("former.pem");
    let new = desk.done(&["key", "new.pem"]);
    desk.done(&["sign", package.to_str().unwrap(), "--key", "new.pem", "--former", "former.pem"]);
    let found = desk.inspect(&package);
    assert_eq!(found["key"], new.as_str());
    assert_eq!(found["signers"], serde_json::json!([new, former]));
}

#[test]
fn a_key_is_for_its_owner_and_never_over_a_file_that_is_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::new();
    desk.done(&["key", "publisher.pem"]);
    let mode = std::fs::metadata(desk.at("publisher.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(desk.refused(&["key", "publisher.pem"]).contains("cannot make publisher.pem"));
}

#[test]
fn what_is_no_key_says_how_to_make_one() {
    let desk = Desk::new();
    let (package, _) = desk.packed_and_signed("publisher.pem");
    std::fs::write(desk.at("bad.pem"), "words").unwrap();
    let error = desk.refused(&["sign", package.to_str().unwrap(), "--key", "bad.pem"]);
    assert!(error.contains("bad.pem") && error.contains("keelson plugin key FILE"), "{error}");
}

/// One file of an archive, by a library of its own.
fn unpacked(archive: &[u8], name: &str) -> Vec<u8> {
    let archive = rawzip::ZipArchive::from_slice(archive).unwrap();
    let entry =
        archive.entries().map(Result::unwrap).find(|entry| entry.file_path().as_bytes() == name.as_bytes());
    let entry = archive.get_entry(entry.unwrap().wayfinder()).unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(entry.data()), &mut bytes).unwrap();
    bytes
}
