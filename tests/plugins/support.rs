//! A folder of packages, and a plugin host on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keelson::clock::ManualClock;
use keelson::plugins::{
    CallError, Evaluation, FactTable, LoadError, PluginOptions, PluginState, PluginStatus, Plugins, Report,
    Values,
};

/// 2026-11-21 09:05 UTC.
pub(crate) const NOW: i64 = 1_795_251_900_000;
pub(crate) const HOUR: i64 = 3_600_000;
pub(crate) const SHIPPED: &str = "keelson.alert-rules";
pub(crate) const EVIL: &str = "evil.guest";

/// Where `cargo xtask guests` puts what it builds.
fn built() -> PathBuf {
    std::env::var_os("KEELSON_GUESTS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist"), PathBuf::from)
}

pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = built().join(path);
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; build the guests first: cargo xtask guests", path.display());
    })
}

/// The shipped plugin's component.
pub(crate) fn shipped_component() -> Vec<u8> {
    read(format!("packages/{SHIPPED}/plugin.wasm"))
}

/// The evil guest's component.
pub(crate) fn evil_component() -> Vec<u8> {
    read("guests/evil.wasm")
}

/// A manifest that says who the evil guest is, truthfully.
pub(crate) const EVIL_MANIFEST: &str = r#"
id = "evil.guest"
name = "Evil"
version = "6.6.6"
[contract]
requires = ">=0.2, <0.3"
[extends]
alert-rules = true
[config]
schema = "config.schema.json"
[[http]]
label = "psa"
methods = ["GET"]
path-prefixes = ["/"]
reason = "To misbehave"
[[secrets]]
label = "token"
kind = "token"
placement = "bearer"
used-by = ["psa"]
reason = "To misbehave"
"#;

/// A folder of packages.
#[derive(Debug)]
pub(crate) struct Shelf(tempfile::TempDir);

impl Shelf {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With the shipped plugin in it: the neighbour that must go on.
    pub(crate) fn with_shipped() -> Self {
        let shelf = Self::new();
        for file in ["plugin.toml", "plugin.wasm", "config.schema.json"] {
            shelf.put(SHIPPED, file, read(format!("packages/{SHIPPED}/{file}")));
        }
        shelf
    }

    /// With the evil guest beside the shipped plugin.
    pub(crate) fn with_evil(settings: &serde_json::Value) -> Self {
        let shelf = Self::with_shipped();
        shelf.put(EVIL, "plugin.toml", EVIL_MANIFEST);
        shelf.put(EVIL, "config.schema.json", r#"{"type":"object"}"#);
        shelf.put(EVIL, "settings.json", settings.to_string());
        shelf.put(EVIL, "plugin.wasm", evil_component());
        shelf
    }

    /// What `--plugins` takes.
    pub(crate) fn folder(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    pub(crate) fn path(&self, plugin: &str) -> PathBuf {
        self.0.path().join(plugin)
    }

    /// Replaces a file in one step, as installers do.
    pub(crate) fn put(&self, plugin: &str, name: &str, content: impl AsRef<[u8]>) {
        let folder = self.path(plugin);
        std::fs::create_dir_all(&folder).unwrap();
        let mut file = tempfile::NamedTempFile::new_in(&folder).unwrap();
        std::io::Write::write_all(&mut file, content.as_ref()).unwrap();
        file.persist(folder.join(name)).unwrap();
    }

    pub(crate) async fn start(self) -> Stage {
        let clock = ManualClock::at(NOW);
        let options = PluginOptions { folder: Some(self.0.path().to_path_buf()), ..PluginOptions::default() };
        let plugins = Plugins::start(options, Arc::clone(&clock) as _).await.unwrap();
        Stage { shelf: self, clock, plugins }
    }
}

/// A plugin host on a shelf.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) shelf: Shelf,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) plugins: Plugins,
}

impl Stage {
    /// The evil rule on two rows.
    pub(crate) async fn misbehave(&self, mode: &str) -> Result<Evaluation, CallError> {
        let facts = FactTable::new(2).with("first-seen", Values::Ints(vec![1, 2]));
        let parameters = serde_json::json!({ "mode": mode }).to_string();
        self.plugins.evaluate(EVIL, "misbehave", &parameters, NOW, facts).await
    }

    /// The shipped rule on one computer whose newest restore point is so old.
    pub(crate) async fn backup_age(&self, hours: i64, parameters: &str) -> Result<Evaluation, CallError> {
        let facts = FactTable::new(1)
            .with("newest-restore-point", Values::Ints(vec![NOW - hours * HOUR]))
            .with("first-seen", Values::Ints(vec![0]));
        self.plugins.evaluate(SHIPPED, "computer-without-backup", parameters, NOW, facts).await
    }

    /// Whatever the other one did, this one still judges.
    pub(crate) async fn neighbour_answers(&self) {
        let evaluation = self.backup_age(26, "{}").await.unwrap();
        assert_eq!(evaluation.verdicts.len(), 1);
    }

    pub(crate) fn status(&self, plugin: &str) -> Option<PluginStatus> {
        self.plugins.list().into_iter().find(|status| status.id == plugin)
    }

    /// The step and the reason for which a plugin may not run.
    pub(crate) fn refusal(&self, plugin: &str) -> (String, String) {
        match self.status(plugin).map(|status| status.state) {
            Some(PluginState::Refused { step, reason }) => (step, reason),
            other => panic!("{plugin} is not refused but {other:?}"),
        }
    }

    /// Waits until a look at the host finds what is wanted.
    pub(crate) async fn until(&self, what: &str, found: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !found(self) {
            assert!(Instant::now() < deadline, "waited in vain until {what}: {:?}", self.plugins.list());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// `keelson plugin check` on one package of a shelf.
pub(crate) async fn check(shelf: &Shelf, plugin: &str) -> Result<Report, LoadError> {
    keelson::plugins::check(&shelf.path(plugin), ManualClock::at(NOW)).await
}

/// A component for the world `base` from a core module in text, for what the SDK's compiler would not produce.
pub(crate) fn component_from_core(text: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("base")).unwrap();
    let mut module = wat::parse_str(text).unwrap();
    wit_component::embed_component_metadata(
        &mut module,
        &resolve,
        world,
        wit_component::StringEncoding::UTF8,
    )
    .unwrap();
    wit_component::ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}
