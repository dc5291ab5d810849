//! Plugins that are installed. Their packages have no component that would run: nothing of a planted host is to depend on how
//! plugins are built.

use super::Fleet;
use super::table::{Table, rows};

/// How many there are.
const PLUGINS: i64 = 4;

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    let now = fleet.now;
    let plugins = rows!("plugins", 0..PLUGINS, |number| (id = id(number)) {
        id: id.clone(),
        uid: keelson::plugins::plugin_uid(&id),
        version: "1.0.0",
        enabled: true,
        granted: "[]",
        settings: "{}",
        companies_allowed: true,
        installed_at: now,
        switched_at: now,
        revision: 1_i64,
    });
    let packages = rows!("plugin_packages", 0..PLUGINS, |number| (id = id(number)) {
        plugin_id: id.clone(),
        version: "1.0.0",
        sha256: format!("{number:064x}"),
        trust: "VerifiedPublisher",
        publisher: "Planted",
        about: format!(r#"{{"name":"Plugin {number}","summary":"Planted","contract":">=0.2, <0.3","asks":[]}}"#),
        package: package(&id),
        installed_at: now,
    });
    vec![plugins, packages]
}

fn id(number: i64) -> String {
    format!("planted.plugin-{number}")
}

fn package(id: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = format!(
        "id = \"{id}\"\nname = \"Planted\"\nversion = \"1.0.0\"\n[contract]\nrequires = \">=0.2, <0.3\"\n"
    );
    std::fs::write(folder.path().join("plugin.toml"), manifest).expect("a manifest");
    std::fs::write(folder.path().join("plugin.wasm"), "no component").expect("a file");
    keelson::plugins::pack(folder.path()).expect("a package").bytes
}
