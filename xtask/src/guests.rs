//! `cargo xtask guests`: builds the guests' workspace and makes a component of each core module.
//!
//! A member with a `plugin.toml` becomes `<out>/packages/<id>/`, a member under `tests/guests` becomes
//! `<out>/guests/<crate>.wasm`. A running host reloads from that folder, so a file is replaced in one step, and only
//! when its bytes differ.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use wit_component::ComponentEncoder;

use crate::process;
use crate::step;
use crate::toolchain::Toolchain;
use crate::workspace::Workspace;

/// What a package carries beside the component, when the author wrote it.
const COMPANIONS: &[&str] = &["config.schema.json", "README.md", "plugin.toml"];

/// Builds all guests; returns the folder they are in.
pub(crate) fn run(workspace: &Workspace, out: Option<&Path>) -> anyhow::Result<PathBuf> {
    let standard = workspace.root.join("plugins/dist");
    let out = match out {
        Some(folder) => std::path::absolute(folder).context("failed to read the current folder")?,
        None => standard.clone(),
    };
    step::run("guests", || {
        let toolchain = Toolchain::find(workspace)?;
        let mut shelf = Shelf { out: out.clone(), placed: BTreeSet::new(), written: 0 };
        for artifact in build(workspace, &toolchain)? {
            shelf.place(workspace, &artifact)?;
        }
        // Elsewhere there may be files of somebody else.
        if out == standard {
            shelf.remove_leftovers()?;
        }
        step::say(format_args!(
            "  {} guests in {}, {} files changed",
            shelf.placed.len(),
            out.display(),
            shelf.written
        ));
        Ok(out.clone())
    })
}

/// One line of Cargo's JSON, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// A core module and the crate it came from.
#[derive(Debug)]
struct Artifact {
    folder: PathBuf,
    module: PathBuf,
}

fn build(workspace: &Workspace, toolchain: &Toolchain) -> anyhow::Result<Vec<Artifact>> {
    let mut cargo = toolchain.cargo(workspace, "build");
    cargo.args(["--release", "--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let output = process::read(&mut cargo).context("failed to build the guests")?;
    let artifacts: Vec<Artifact> = output.lines().filter_map(artifact).collect();
    if artifacts.is_empty() {
        bail!("{} built no cdylib, so there is no guest", workspace.guests_manifest().display());
    }
    Ok(artifacts)
}

fn artifact(line: &str) -> Option<Artifact> {
    let message: Message = serde_json::from_str(line).ok()?;
    let is_guest =
        message.reason == "compiler-artifact" && message.target?.kind.iter().any(|kind| kind == "cdylib");
    let module =
        message.filenames.into_iter().find(|file| file.extension().is_some_and(|end| end == "wasm"))?;
    let folder = message.manifest_path?.parent()?.to_path_buf();
    is_guest.then_some(Artifact { folder, module })
}

#[derive(Debug)]
struct Shelf {
    out: PathBuf,
    placed: BTreeSet<PathBuf>,
    written: usize,
}

impl Shelf {
    fn place(&mut self, workspace: &Workspace, artifact: &Artifact) -> anyhow::Result<()> {
        let module = fs::read(&artifact.module)
            .with_context(|| format!("failed to read {}", artifact.module.display()))?;
        let component = componentize(&module)
            .with_context(|| format!("failed to make {} a component", artifact.folder.display()))?;
        if artifact.folder.join("plugin.toml").is_file() {
            return self.place_package(&artifact.folder, &component);
        }
        if artifact.folder.starts_with(workspace.root.join("tests/guests")) {
            let name = crate_name(&artifact.folder)?;
            let file = self.out.join("guests").join(format!("{name}.wasm"));
            self.write(&file, &component)?;
            self.placed.insert(file);
            return Ok(());
        }
        bail!("{} is neither a plugin (no plugin.toml) nor under tests/guests", artifact.folder.display())
    }

    fn place_package(&mut self, source: &Path, component: &[u8]) -> anyhow::Result<()> {
        let package = self.out.join("packages").join(plugin_id(&source.join("plugin.toml"))?);
        self.write(&package.join("plugin.wasm"), component)?;
        for name in COMPANIONS {
            let file = source.join(name);
            if file.is_file() {
                let bytes = fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?;
                self.write(&package.join(name), &bytes)?;
            }
        }
        self.placed.insert(package);
        Ok(())
    }

    fn write(&mut self, file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        let changed =
            write_if_changed(file, bytes).with_context(|| format!("failed to write {}", file.display()))?;
        self.written += usize::from(changed);
        Ok(())
    }

    /// A guest whose crate is gone must not be loaded for ever.
    fn remove_leftovers(&self) -> anyhow::Result<()> {
        for kind in ["packages", "guests"] {
            let Ok(entries) = fs::read_dir(self.out.join(kind)) else { continue };
            for entry in entries {
                let path = entry?.path();
                if self.placed.contains(&path) {
                    continue;
                }
                step::say(format_args!("  removing {}: its source is gone", path.display()));
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                    .with_context(|| format!("failed to remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn componentize(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default().module(module)?.validate(true).encode()
}

fn plugin_id(manifest: &Path) -> anyhow::Result<String> {
    let table = read_toml(manifest)?;
    let id = table.get("id").and_then(toml::Value::as_str).unwrap_or_default();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    if id.is_empty() || id.starts_with('.') || !id.chars().all(plain) {
        bail!("{}: `id` must be like \"vendor.name\", found {id:?}", manifest.display());
    }
    Ok(id.to_owned())
}

fn crate_name(folder: &Path) -> anyhow::Result<String> {
    let table = read_toml(&folder.join("Cargo.toml"))?;
    let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    Ok(name.with_context(|| format!("{} has no package name", folder.display()))?.to_owned())
}

fn read_toml(file: &Path) -> anyhow::Result<toml::Table> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    text.parse().with_context(|| format!("failed to parse {}", file.display()))
}

/// Replaces a file in one step; says whether there was anything to replace.
pub(crate) fn write_if_changed(file: &Path, bytes: &[u8]) -> anyhow::Result<bool> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(false);
    }
    replace(file, bytes, 0o644)?;
    Ok(true)
}

/// Replaces a file in one step, for those to read whom `mode` names.
pub(crate) fn replace(file: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let folder = file.parent().context("a file without a folder")?;
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_left_alone_and_a_changed_one_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("packages/a/plugin.wasm");
        assert!(write_if_changed(&file, b"one").unwrap());
        assert!(!write_if_changed(&file, b"one").unwrap());
        assert!(write_if_changed(&file, b"two").unwrap());
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn only_a_cdylib_module_in_cargos_messages_is_a_guest() {
        let line = |kind: &str, file: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/r/plugins/a/Cargo.toml","target":{{"kind":["{kind}"]}},"filenames":["/t/{file}"]}}"#
            )
        };
        assert_eq!(artifact(&line("cdylib", "a.wasm")).unwrap().folder, Path::new("/r/plugins/a"));
        assert!(artifact(&line("lib", "liba.rlib")).is_none());
        assert!(artifact(r#"{"reason":"build-finished","success":true}"#).is_none());
        assert!(artifact("warning: not JSON").is_none());
    }

    #[test]
    fn an_id_that_would_leave_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("plugin.toml");
        for id in ["../evil", "", "..", "a/b"] {
            fs::write(&manifest, format!("id = {id:?}\n")).unwrap();
            assert!(plugin_id(&manifest).is_err(), "{id:?}");
        }
        fs::write(&manifest, "id = \"keelson.alert-rules\"\n").unwrap();
        assert_eq!(plugin_id(&manifest).unwrap(), "keelson.alert-rules");
    }

    #[test]
    fn leftovers_go_and_what_was_placed_stays() {
        let out = tempfile::tempdir().unwrap();
        let kept = out.path().join("guests/kept.wasm");
        write_if_changed(&kept, b"1").unwrap();
        write_if_changed(&out.path().join("guests/gone.wasm"), b"2").unwrap();
        write_if_changed(&out.path().join("packages/gone/plugin.toml"), b"3").unwrap();
        let shelf =
            Shelf { out: out.path().to_path_buf(), placed: BTreeSet::from([kept.clone()]), written: 0 };
        shelf.remove_leftovers().unwrap();
        assert!(kept.is_file());
        assert!(!out.path().join("guests/gone.wasm").exists());
        assert!(!out.path().join("packages/gone").exists());
    }
}
