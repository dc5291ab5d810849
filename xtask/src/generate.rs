//! `cargo xtask generate`: the files that are made from code and kept in the repository: the OpenAPI description and
//! what the page derives from it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::guests::write_if_changed;
use crate::process;
use crate::step;
use crate::test;
use crate::web;
use crate::workspace::Workspace;

const OPENAPI: &str = "host/openapi.json";

/// Writes the generated files; with `check`, fails where one is not what it should be.
pub(crate) fn run(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    // The page is embedded in the host, so it comes first.
    web::run(workspace)?;
    step::run("generate", || {
        test::build_programs(workspace, "dev")?;
        let openapi = process::read(workspace.tool(workspace.binary("keelson")).arg("openapi"))?;
        let file = workspace.root.join(OPENAPI);
        if check {
            compare(&file, &openapi)?;
        } else if write_if_changed(&file, openapi.as_bytes())? {
            step::say(format_args!("  wrote {OPENAPI}"));
        }
        derive_page_types(workspace, check)
    })
}

fn compare(file: &Path, wanted: &str) -> anyhow::Result<()> {
    let found = fs::read_to_string(file).unwrap_or_default();
    if found == wanted {
        return Ok(());
    }
    let line = found.lines().zip(wanted.lines()).take_while(|(found, wanted)| found == wanted).count() + 1;
    bail!(
        "{OPENAPI}:{line}: not what `keelson openapi` prints; run `cargo xtask generate` and commit the result"
    )
}

/// The page's generator writes where it likes, so all sources are compared before and after.
fn derive_page_types(workspace: &Workspace, check: bool) -> anyhow::Result<()> {
    let folder = workspace.root.join("web");
    let before = web::sources(&folder)?;
    web::npm(workspace, &["run", "generate", "--if-present"])?;
    let changed = differing(&before, &web::sources(&folder)?);
    if changed.is_empty() {
        return Ok(());
    }
    let list = changed.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    if check {
        bail!("`npm run generate` rewrote {list}: it is right now, commit it");
    }
    step::say(format_args!("  wrote {list}"));
    Ok(())
}

fn differing(before: &BTreeMap<PathBuf, u64>, after: &BTreeMap<PathBuf, u64>) -> Vec<PathBuf> {
    let gone = before.keys().filter(|file| !after.contains_key(*file));
    let written =
        after.iter().filter(|(file, digest)| before.get(*file) != Some(*digest)).map(|(file, _)| file);
    gone.chain(written).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_file_is_named_with_its_first_line_that_differs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("openapi.json");
        fs::write(&file, "{\n  \"old\": 1\n}\n").unwrap();
        let error = compare(&file, "{\n  \"new\": 1\n}\n").unwrap_err().to_string();
        assert!(error.contains("openapi.json:2") && error.contains("cargo xtask generate"), "{error}");
        compare(&file, "{\n  \"old\": 1\n}\n").unwrap();
    }

    #[test]
    fn new_changed_and_removed_files_all_count() {
        let before = BTreeMap::from([("same".into(), 1), ("changed".into(), 1), ("gone".into(), 1)]);
        let after = BTreeMap::from([("same".into(), 1), ("changed".into(), 2), ("new".into(), 1)]);
        let expected: Vec<PathBuf> = ["gone", "changed", "new"].map(PathBuf::from).to_vec();
        assert_eq!(differing(&before, &after), expected);
    }
}
