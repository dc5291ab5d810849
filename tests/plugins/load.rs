//! Packages that may not run. Each is refused at its step with a reason that names the way out, and the neighbour runs.

use keelson::plugins::{LoadError, LoadFault, PluginState};
use serde_json::json;

use super::support::{
    EVIL, EVIL_MANIFEST, SHIPPED, Shelf, check, component_from_core, evil_component, shipped_component,
};

/// What becomes of the evil package with one file replaced, beside the shipped plugin.
async fn refusal(file: &str, content: impl AsRef<[u8]>) -> (String, String) {
    let shelf = Shelf::with_evil(&json!({}));
    shelf.put(EVIL, file, content);
    refused(shelf).await
}

async fn refused(shelf: Shelf) -> (String, String) {
    let stage = shelf.start().await;
    stage.neighbour_answers().await;
    stage.refusal(EVIL)
}

fn core_module(start: &str, pages: u32) -> String {
    format!(
        r#"(module
            (memory (export "memory") {pages})
            (func $start {start})
            (start $start)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "keelson:plugin/lifecycle@0.2.0#describe") (param i32 i32) (result i32) unreachable)
            (func (export "keelson:plugin/lifecycle@0.2.0#migrate") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "keelson:plugin/lifecycle@0.2.0#health") (result i32) unreachable))"#
    )
}

/// The evil package around a component that has a lifecycle and nothing else.
async fn refusal_of_core(start: &str, pages: u32) -> (String, String) {
    let shelf = Shelf::with_evil(&json!({}));
    shelf.put(EVIL, "plugin.toml", EVIL_MANIFEST.replace("alert-rules = true", ""));
    shelf.put(EVIL, "plugin.wasm", component_from_core(&core_module(start, pages)));
    refused(shelf).await
}

#[tokio::test]
async fn a_truncated_component_is_refused_wherever_it_was_cut() {
    let whole = shipped_component();
    // Eight bytes alone would be a whole component, an empty one.
    for part in [0, 3, 9, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let (step, reason) = refusal("plugin.wasm", &whole[..part]).await;
        assert_eq!(step, "component", "cut at {part}: {reason}");
        assert!(
            reason.contains("whole?") || reason.contains("damaged") || reason.contains("core module"),
            "{reason}"
        );
    }
}

#[tokio::test]
async fn a_component_with_a_flipped_bit_is_refused_or_contained() {
    let whole = shipped_component();
    let shelf = Shelf::with_evil(&json!({}));
    // A tenth of the file at a time; what the bit means there is chance, that the host survives is not.
    for tenth in 0..10 {
        let mut flipped = whole.clone();
        let position = whole.len() * tenth / 10 + 5;
        flipped[position] ^= 0x10;
        shelf.put(EVIL, "plugin.wasm", &flipped);
        let outcome = check(&shelf, EVIL).await;
        let error = outcome.expect_err("even if it runs, it says that it is another plugin");
        assert!(error.fault.is_guest(), "bit at {position}: {error}");
    }
    refused(shelf).await;
}

#[tokio::test]
async fn what_is_not_a_component_is_named() {
    let (step, reason) = refusal("plugin.wasm", wat::parse_str("(module)").unwrap()).await;
    assert_eq!(step, "component");
    assert!(reason.contains("core module") && reason.contains("cargo xtask guests"), "{reason}");
    let (_, reason) = refusal("plugin.wasm", "#!/bin/sh").await;
    assert!(reason.contains("not a WASM component"), "{reason}");
}

#[tokio::test]
async fn a_component_that_wants_wasi_is_refused_with_the_advice() {
    let component = wat::parse_str(r#"(component (import "wasi:cli/stdout@0.2.0" (instance)))"#).unwrap();
    let (step, reason) = refusal("plugin.wasm", component).await;
    assert_eq!(step, "imports");
    for word in ["wasi:cli/stdout@0.2.0", "wasm32-unknown-unknown", "--stub-wasi", "disableFeatures"] {
        assert!(reason.contains(word), "{word} is not in {reason}");
    }
}

#[tokio::test]
async fn another_version_of_the_contract_is_refused_and_both_sides_are_named() {
    let component = wat::parse_str(r#"(component (import "keelson:plugin/log@0.9.0" (instance)))"#).unwrap();
    let (step, reason) = refusal("plugin.wasm", component).await;
    assert_eq!(step, "contract");
    assert!(
        reason.contains("0.9.0") && reason.contains("0.2.0") && reason.contains("newer Keelson"),
        "{reason}"
    );

    let (step, reason) = refusal("plugin.toml", EVIL_MANIFEST.replace(">=0.2, <0.3", ">=7.1")).await;
    assert_eq!(step, "contract");
    assert!(reason.contains(">=7.1") && reason.contains("0.2.0"), "{reason}");
}

#[tokio::test]
async fn an_interface_with_the_wrong_types_is_refused() {
    let component = wat::parse_str(
        r#"(component
            (import "keelson:plugin/log@0.2.0" (instance (export "write" (func (param "message" string)))))
            (component $empty)
            (instance $lifecycle (instantiate $empty))
            (export "keelson:plugin/lifecycle@0.2.0" (instance $lifecycle)))"#,
    );
    let shelf = Shelf::with_evil(&json!({}));
    shelf.put(EVIL, "plugin.toml", EVIL_MANIFEST.replace("alert-rules = true", ""));
    shelf.put(EVIL, "plugin.wasm", component.unwrap());
    let (step, reason) = refused(shelf).await;
    assert_eq!(step, "contract");
    assert!(reason.contains("not the contract's"), "{reason}");
}

#[tokio::test]
async fn one_that_traps_before_it_was_asked_anything_is_refused() {
    let (step, reason) = refusal_of_core("unreachable", 1).await;
    assert_eq!(step, "describe");
    assert!(reason.contains("crashed") && reason.contains("unreachable"), "{reason}");
}

#[tokio::test]
async fn one_that_spins_before_it_was_asked_anything_is_refused() {
    let (step, reason) = refusal_of_core("(loop br 0)", 1).await;
    assert_eq!(step, "describe");
    assert!(reason.contains("was stopped"), "{reason}");
}

#[tokio::test]
async fn one_that_starts_with_too_much_memory_is_refused() {
    let (step, reason) = refusal_of_core("nop", 1024).await;
    assert_eq!(step, "resources");
    assert!(
        reason.contains("64 MiB") && reason.contains("32 MiB") && reason.contains("[limits] memory"),
        "{reason}"
    );
}

#[tokio::test]
async fn one_that_misbehaves_in_describe_is_refused() {
    for (setting, word) in
        [("spin", "was stopped"), ("trap", "evil on purpose"), ("grow", "32 MiB"), ("refuse", "wrong phase")]
    {
        let (step, reason) = refused(Shelf::with_evil(&json!({ "at-load": setting }))).await;
        assert_eq!(step, "describe");
        assert!(reason.contains(word), "{setting}: {reason}");
    }
}

#[tokio::test]
async fn one_with_bad_rules_is_refused() {
    for (setting, word) in [
        ("unknown-subject", "no subject `moon`"),
        ("unknown-column", "did you mean `first-seen`"),
        ("bad-schema", "parameters-schema"),
        ("twice", "two rules"),
        ("nul", "its summary: a text with the control character U+0000"),
        ("spin", "was stopped"),
    ] {
        let (step, reason) = refused(Shelf::with_evil(&json!({ "rules": setting }))).await;
        assert_eq!(step, "rules");
        assert!(reason.contains(word), "{setting}: {reason}");
    }
}

#[tokio::test]
async fn one_that_says_it_is_another_is_refused() {
    let (step, reason) = refusal("plugin.toml", EVIL_MANIFEST.replace("6.6.6", "7.0.0")).await;
    assert_eq!(step, "identity");
    assert!(reason.contains("evil.guest 6.6.6") && reason.contains("evil.guest 7.0.0"), "{reason}");
}

#[tokio::test]
async fn a_manifest_and_a_component_that_disagree_are_refused() {
    let (step, reason) = refusal("plugin.toml", EVIL_MANIFEST.replace("alert-rules = true", "")).await;
    assert_eq!(step, "exports");
    assert!(reason.contains("alert-rules = true"), "{reason}");
}

#[tokio::test]
async fn a_manifest_that_asks_for_what_is_not_there_is_refused() {
    let manifest = EVIL_MANIFEST.replace("alert-rules = true", "restore = true");
    let (step, reason) = refusal("plugin.toml", manifest).await;
    assert_eq!(step, "manifest");
    assert!(reason.contains("`restore`, which this host does not offer"), "{reason}");
    let (_, reason) = refusal("plugin.toml", EVIL_MANIFEST.replace("[extends]", "[extend]")).await;
    assert!(reason.contains("did you mean `extends`"), "{reason}");
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused_and_others_reach_the_guest() {
    let shelf = Shelf::with_evil(&json!({ "days": "many" }));
    let schema = r#"{"type":"object","properties":{"days":{"type":"integer","default":7}}}"#;
    shelf.put(EVIL, "config.schema.json", schema);
    let stage = shelf.start().await;
    let (step, reason) = stage.refusal(EVIL);
    assert_eq!(step, "settings");
    assert!(reason.contains("/days"), "{reason}");
    stage.neighbour_answers().await;

    stage.shelf.put(EVIL, "settings.json", "{}");
    stage.plugins.reload().await;
    let verdict = stage.misbehave("settings").await.unwrap().verdicts.remove(0);
    assert_eq!(verdict.message, r#"{"days":7}"#);
}

#[tokio::test]
async fn two_folders_with_one_id_are_not_both_loaded() {
    let shelf = Shelf::with_evil(&json!({}));
    for (file, content) in [
        ("plugin.toml", EVIL_MANIFEST.as_bytes()),
        ("config.schema.json", b"{}"),
        ("plugin.wasm", &evil_component()),
    ] {
        shelf.put("zz-copy", file, content);
    }
    let stage = shelf.start().await;
    let copy = || {
        stage
            .plugins
            .list()
            .into_iter()
            .find(|status| status.folder.as_ref().is_some_and(|folder| folder.ends_with("zz-copy")))
            .unwrap()
    };
    stage.misbehave("behave").await.unwrap();
    stage.neighbour_answers().await;
    assert!(format!("{:?}", copy()).contains("already used by"), "{:?}", copy());

    std::fs::remove_dir_all(stage.shelf.path(EVIL)).unwrap();
    stage.until("the copy takes over", |_| copy().state == PluginState::Loaded).await;
    stage.misbehave("behave").await.unwrap();
}

#[tokio::test]
async fn check_says_what_a_load_would_say() {
    let shelf = Shelf::with_evil(&json!({ "at-load": "trap" }));
    let report = check(&shelf, SHIPPED).await.unwrap();
    assert_eq!((report.id.as_str(), report.rules.len()), (SHIPPED, 3));
    let contract = |name: &String| name.starts_with("keelson:plugin/");
    assert!(report.imports.iter().all(contract) && report.exports.iter().all(contract), "{report:?}");

    let error = check(&shelf, EVIL).await.unwrap_err();
    assert!(error.to_string().contains("refused at step `describe`"), "{error}");
    let LoadError { fault, plugin, .. } = error;
    assert!(fault.is_guest() && plugin.as_deref() == Some(EVIL));

    let missing = check(&shelf, "nobody").await.unwrap_err();
    assert!(matches!(missing.fault, LoadFault::Read(_)), "{missing}");
    assert!(missing.to_string().contains("nobody cannot be read"), "{missing}");
}
