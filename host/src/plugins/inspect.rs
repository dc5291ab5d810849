//! What a component is, before anything of it is compiled: valid, a component, and asking for nothing but the contract.

use semver::Version;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use super::abi::{CONTRACT, IMPORTS, PACKAGE};
use super::error::LoadFault;
use super::exports::{POINTS, Point};
use super::manifest::{Capabilities, Manifest};
use super::text::nearest;

/// The names at the component's edge.
#[derive(Debug, Default)]
pub(super) struct Surface {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
}

/// Validates the bytes and lists what they import and export.
pub(super) fn surface(bytes: &[u8]) -> Result<Surface, LoadFault> {
    if wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadFault::Precompiled);
    }
    if Parser::is_core_wasm(bytes) {
        return Err(LoadFault::Component(
            "is a core module, not a component; build it with `cargo xtask guests`, or run `wasm-tools component new` \
             on it"
                .to_owned(),
        ));
    }
    if !Parser::is_component(bytes) {
        return Err(LoadFault::Component(
            "is not a WASM component; is it the right file, and whole?".to_owned(),
        ));
    }
    let mut validator = Validator::new_with_features(features());
    validator.validate_all(bytes).map_err(|error| damaged(&error))?;
    edge(bytes).map_err(|error| damaged(&error))
}

/// As the engine has them: no threads, no GC, no exceptions, no 64-bit memories, no component-model async.
fn features() -> WasmFeatures {
    WasmFeatures::WASM2
        | WasmFeatures::COMPONENT_MODEL
        | WasmFeatures::TAIL_CALL
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::RELAXED_SIMD
}

fn damaged(error: &wasmparser::BinaryReaderError) -> LoadFault {
    LoadFault::Component(format!(
        "is damaged or uses a WASM feature that plugins do not get: {} at byte {}; copy or build it again",
        error.message(),
        error.offset()
    ))
}

/// Only the outermost level counts: what is composed inside a component is its own affair.
fn edge(bytes: &[u8]) -> wasmparser::Result<Surface> {
    let mut surface = Surface::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version { encoding: Encoding::Module | Encoding::Component, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    surface.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    surface.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(surface)
}

/// Imports must be of the contract, and exports what the manifest declares.
pub(super) fn check(surface: &Surface, manifest: &Manifest) -> Result<(), LoadFault> {
    surface.imports.iter().try_for_each(|import| check_import(import, &manifest.capabilities))?;
    if !manifest.requires.matches(&CONTRACT) {
        return Err(LoadFault::Contract(format!(
            "plugin.toml requires {PACKAGE} {}, this host offers {CONTRACT}; {}",
            manifest.requires, "use a version of the plugin for this host, or the host that the plugin wants"
        )));
    }
    let ours = surface.exports.iter().filter(|export| export.starts_with(&format!("{PACKAGE}/")));
    ours.clone().try_for_each(|export| check_version(export))?;
    let has = |interface: &str| ours.clone().any(|export| interface_of(export) == Some(interface));
    if !has("lifecycle") {
        return Err(LoadFault::Exports(format!(
            "it does not export {PACKAGE}/lifecycle, which every plugin must"
        )));
    }
    for Point { name, declared, declaration } in POINTS {
        match (declared(&manifest.extends), has(name)) {
            (true, false) => {
                return Err(LoadFault::Exports(format!(
                    "plugin.toml extends `{name}`, but the component exports no such interface; name it in `plugin!`"
                )));
            }
            (false, true) => {
                return Err(LoadFault::Exports(format!(
                    "the component exports `{name}`, but plugin.toml does not say so; add {declaration}"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_import(import: &str, declared: &Capabilities) -> Result<(), LoadFault> {
    if import.starts_with("wasi:") {
        return Err(LoadFault::Imports(format!(
            "it imports {import}, but plugins get no WASI; build Rust for wasm32-unknown-unknown, Python with \
             `componentize-py componentize --stub-wasi`, JavaScript with componentize-js and \
             `disableFeatures: [stdio, random, clocks, http, fetch-event]`"
        )));
    }
    let Some(interface) = import.strip_prefix(&format!("{PACKAGE}/")) else {
        return Err(LoadFault::Imports(format!(
            "it imports {import}, but a plugin may import only {PACKAGE}/{{{}}}",
            IMPORTS.join(", ")
        )));
    };
    check_version(import)?;
    let name = interface.split('@').next().unwrap_or(interface);
    if !IMPORTS.contains(&name) {
        return Err(LoadFault::Imports(format!(
            "it imports {import}, which this host does not offer{}",
            nearest(name, IMPORTS)
        )));
    }
    match undeclared(name, declared) {
        None => Ok(()),
        Some(section) => Err(LoadFault::Imports(format!(
            "it imports {import}, but plugin.toml does not ask for that; add {section} with its reason, or leave the import \
             out"
        ))),
    }
}

/// The section of the manifest that an import needs and that is not there.
fn undeclared(import: &str, declared: &Capabilities) -> Option<&'static str> {
    match import {
        "kv" if declared.kv.is_none() => Some("[kv]"),
        "http" if declared.http.is_empty() => Some("[[http]]"),
        "secrets" if declared.secrets.is_empty() => Some("[[secrets]]"),
        "inventory" if !declared.data.iter().any(|(scope, _)| scope == "inventory:read") => {
            Some("[[data]] scope = \"inventory:read\"")
        }
        _ => None,
    }
}

/// The interface, if the export is one that this host calls.
fn interface_of(export: &str) -> Option<&str> {
    let name = export.strip_prefix(PACKAGE)?.strip_prefix('/')?.split('@').next()?;
    let called = name == "lifecycle" || POINTS.iter().any(|point| point.name == name);
    called.then_some(name)
}

/// `0.2.x` goes with `0.2.y`, as the engine links them.
fn check_version(name: &str) -> Result<(), LoadFault> {
    let version = name.split_once('@').and_then(|(_, version)| Version::parse(version).ok());
    match version {
        Some(version) if compatible(&version, &CONTRACT) => Ok(()),
        version => Err(LoadFault::Contract(format!(
            "the component was built for {name}, this host offers {PACKAGE} {CONTRACT}; {}",
            match version {
                Some(version) if version > CONTRACT =>
                    "use a newer Keelson, or an older version of the plugin",
                _ => "build the plugin with this host's SDK, or use a newer version of it",
            }
        ))),
    }
}

fn compatible(theirs: &Version, ours: &Version) -> bool {
    let same_minor = ours.major > 0 || theirs.minor == ours.minor;
    theirs.major == ours.major && same_minor && theirs.pre.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(requires: &str, extends: &str) -> Manifest {
        Manifest::parse(&format!(
            "id = \"a.b\"\nname = \"A\"\nversion = \"1.0.0\"\n[contract]\nrequires = \"{requires}\"\n[extends]\n{extends}"
        ))
        .unwrap()
    }

    fn surface_of(imports: &[&str], exports: &[&str]) -> Surface {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Surface { imports: owned(imports), exports: owned(exports) }
    }

    fn refusal(imports: &[&str], exports: &[&str], manifest: &Manifest) -> String {
        check(&surface_of(imports, exports), manifest).unwrap_err().to_string()
    }

    const LIFECYCLE: &str = "keelson:plugin/lifecycle@0.2.0";
    const RULES: &str = "keelson:plugin/alert-rules@0.2.3";

    #[test]
    fn the_contract_and_nothing_else_passes() {
        let rules = manifest(">=0.2, <0.3", "alert-rules = true");
        check(&surface_of(&["keelson:plugin/log@0.2.0"], &[LIFECYCLE, RULES]), &rules).unwrap();
        assert!(refusal(&["wasi:cli/stdout@0.2.0"], &[], &rules).contains("--stub-wasi"));
        assert!(refusal(&["evil:disk/raw"], &[], &rules).contains("may import only"));
        assert!(refusal(&["keelson:plugin/logs@0.2.0"], &[], &rules).contains("did you mean `log`"));
    }

    #[test]
    fn a_wrong_contract_version_names_both_sides() {
        let rules = manifest(">=0.2, <0.3", "alert-rules = true");
        let newer = refusal(&["keelson:plugin/log@0.3.0"], &[], &rules);
        assert!(
            newer.contains("0.3.0") && newer.contains("0.2.0") && newer.contains("newer Keelson"),
            "{newer}"
        );
        let wanted = refusal(&[], &[LIFECYCLE], &manifest(">=9.0", ""));
        assert!(wanted.contains(">=9.0") && wanted.contains("offers 0.2.0"), "{wanted}");
    }

    #[test]
    fn what_is_declared_and_what_is_exported_must_agree() {
        assert!(
            refusal(&[], &[LIFECYCLE], &manifest("0.2", "alert-rules = true")).contains("exports no such")
        );
        assert!(refusal(&[], &[LIFECYCLE, RULES], &manifest("0.2", "")).contains("alert-rules = true"));
        assert!(refusal(&[], &[RULES], &manifest("0.2", "alert-rules = true")).contains("lifecycle"));
    }

    #[test]
    fn bytes_that_are_no_component_are_named_for_what_they_are() {
        let reason = |bytes: &[u8]| surface(bytes).unwrap_err().to_string();
        assert!(reason(b"").contains("not a WASM component"));
        assert!(reason(b"\0asm\x01\0\0\0").contains("core module"));
        assert!(reason(b"\0asm\x0d\0\x01\0\xff").contains("damaged"));
    }
}
