//! Libraries that are believed and libraries that are not.

use super::*;
use crate::plugins::package::Package;

const NOW: i64 = 1_795_251_900_000;
const MANIFEST: &str =
    "id = \"a.b\"\nname = \"A\"\nversion = \"VERSION\"\n[contract]\nrequires = \"CONTRACT\"\n";

/// A library of one publisher.
struct Shop {
    folder: tempfile::TempDir,
    key: SecretKey,
}

impl Shop {
    fn new(versions: &[(&str, &str)]) -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap(), key: SecretKey::generate() };
        for (version, contract) in versions {
            shop.put(version, contract);
        }
        shop.index(None).unwrap();
        shop
    }

    fn put(&self, version: &str, contract: &str) {
        let work = tempfile::tempdir().unwrap();
        let manifest = MANIFEST.replace("VERSION", version).replace("CONTRACT", contract);
        std::fs::write(work.path().join("plugin.toml"), manifest).unwrap();
        std::fs::write(work.path().join("plugin.wasm"), "whatever").unwrap();
        let mut package = Package::read(work.path()).unwrap();
        package.sign(&self.key, None).unwrap();
        std::fs::write(self.file(version), package.pack().unwrap()).unwrap();
    }

    fn file(&self, version: &str) -> PathBuf {
        self.folder.path().join(format!("a.b-{version}.kpkg"))
    }

    fn index(&self, withdrawn: Option<(&str, &str)>) -> Result<Index, LoadError> {
        let withdrawn = withdrawn.map(|(version, advisory)| (version.to_owned(), advisory.to_owned()));
        make_index(self.folder.path(), &self.key, "Acme", (NOW, 30 * DAY), withdrawn)
    }

    fn library(&self) -> Library {
        let folder = self.folder.path().to_owned();
        Library { name: "acme".to_owned(), folder, key: self.key.public(), serial: 0 }
    }
}

fn refusal(library: &Library, now: i64) -> String {
    library.index(now).unwrap_err().to_string()
}

#[test]
fn an_index_lists_signed_packages_and_each_is_the_file_that_it_says() {
    let shop = Shop::new(&[("1.0.0", ">=0.2, <0.3"), ("1.1.0", ">=0.2, <0.3")]);
    let index = shop.library().index(NOW).unwrap();
    let plugin = index.plugin("a.b").unwrap();
    assert_eq!((plugin.publisher.as_str(), plugin.versions.len(), index.serial), ("Acme", 2, 1));
    let listed = plugin.choose(None).unwrap();
    assert_eq!(listed.version, Version::new(1, 1, 0));
    assert_eq!(shop.library().package(listed).unwrap(), std::fs::read(shop.file("1.1.0")).unwrap());

    std::fs::copy(shop.file("1.0.0"), shop.file("1.1.0")).unwrap();
    assert!(shop.library().package(listed).unwrap_err().to_string().contains("not the file of its index"));
}

#[test]
fn the_newest_version_that_works_with_this_host_and_was_not_withdrawn_is_chosen() {
    let shop = Shop::new(&[
        ("1.0.0", ">=0.2, <0.3"),
        ("1.10.0", ">=0.2, <0.3"),
        ("1.9.0", ">=0.2, <0.3"),
        ("2.0.0", ">=9"),
    ]);
    let chosen = |index: &Index| index.plugin("a.b").unwrap().choose(None).unwrap().version.to_string();
    assert_eq!(chosen(&shop.library().index(NOW).unwrap()), "1.10.0");

    let index = shop.index(Some(("a.b@1.10.0", "it forgets"))).unwrap();
    assert_eq!(chosen(&index), "1.9.0");
    let refused = index.plugin("a.b").unwrap().choose(Some(&Version::new(1, 10, 0))).unwrap_err();
    assert!(refused.contains("was withdrawn: it forgets"), "{refused}");
    let unknown = index.plugin("a.b").unwrap().choose(Some(&Version::new(1, 9, 1))).unwrap_err();
    assert!(unknown.contains("did you mean `1.9.0`"), "{unknown}");

    let again = shop.index(None).unwrap();
    assert_eq!((chosen(&again).as_str(), again.serial), ("1.9.0", 3), "a withdrawal stays");
    assert!(shop.index(Some(("a.b@7.0.0", "no"))).unwrap_err().to_string().contains("it has no `a.b@7.0.0`"));
}

#[test]
fn an_index_that_was_put_back_or_is_over_or_not_yet_is_refused() {
    let shop = Shop::new(&[("1.0.0", ">=0.2, <0.3")]);
    let newer = Library { serial: 2, ..shop.library() };
    assert!(refusal(&newer, NOW).contains("put an old one back"));
    assert!(refusal(&shop.library(), NOW + 30 * DAY).contains("fetch a newer one"));
    assert!(refusal(&shop.library(), NOW - 2 * DAY).contains("clock"));
    shop.library().index(NOW - DAY / 2).unwrap();
}

#[test]
fn an_index_of_another_key_or_with_another_word_is_refused() {
    let shop = Shop::new(&[("1.0.0", ">=0.2, <0.3")]);
    let others = Library { key: SecretKey::generate().public(), ..shop.library() };
    assert!(refusal(&others, NOW).contains("not signed by the library's key"));
    let file = shop.folder.path().join(INDEX);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("payload\": \"e", "payload\": \"f", 1)).unwrap();
    assert!(refusal(&shop.library(), NOW).contains(INDEX));
    std::fs::remove_file(&file).unwrap();
    assert!(refusal(&shop.library(), NOW).contains("cannot be read"));
}

#[test]
fn a_name_that_leads_out_of_the_folder_is_none() {
    let shop = Shop::new(&[("1.0.0", ">=0.2, <0.3")]);
    let mut listed = shop.library().index(NOW).unwrap().plugins.remove(0).versions.remove(0);
    for name in ["../a.b-1.0.0.kpkg", "/etc/passwd", "", ".hidden"] {
        name.clone_into(&mut listed.file);
        assert!(
            shop.library().package(&listed).unwrap_err().to_string().contains("not the name of a file"),
            "{name}"
        );
    }
}

#[test]
fn a_package_that_nobody_signed_is_not_listed() {
    let shop = Shop::new(&[]);
    let work = tempfile::tempdir().unwrap();
    std::fs::write(
        work.path().join("plugin.toml"),
        MANIFEST.replace("VERSION", "1.0.0").replace("CONTRACT", "0.2"),
    )
    .unwrap();
    std::fs::write(work.path().join("plugin.wasm"), "whatever").unwrap();
    std::fs::write(shop.file("1.0.0"), Package::read(work.path()).unwrap().pack().unwrap()).unwrap();
    assert!(shop.index(None).unwrap_err().to_string().contains("signed packages only"));
}
