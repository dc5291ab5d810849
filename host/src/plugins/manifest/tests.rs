//! Manifests that pass and manifests that do not.

use super::capabilities::Placement;
use super::*;

const GOOD: &str = r#"
    id = "keelson.alert-rules"
    name = "Alert rules"
    version = "0.1.0"
    [contract]
    requires = ">=0.2, <0.3"
    [extends]
    alert-rules = true
    [config]
    schema = "config.schema.json"
"#;

fn refusal(text: &str) -> String {
    Manifest::parse(text).unwrap_err().to_string()
}

#[test]
fn a_good_manifest_is_read() {
    let manifest = Manifest::parse(GOOD).unwrap();
    assert_eq!((manifest.id.as_str(), manifest.memory), ("keelson.alert-rules", DEFAULT_MEMORY));
    assert!(manifest.extends.alert_rules && manifest.requires.matches(&Version::new(0, 2, 7)));
}

#[test]
fn an_unknown_key_names_the_nearest_known_one() {
    assert!(refusal(&GOOD.replace("requires", "require")).contains("did you mean `requires`"));
    assert!(refusal(&GOOD.replace("name =", "names =")).contains("did you mean `name`"));
    assert!(refusal(&GOOD.replace("alert-rules = true", "alert-rule = true")).contains("`alert-rules`"));
}

#[test]
fn what_this_host_does_not_offer_is_refused_by_name() {
    let restore = refusal(&GOOD.replace("alert-rules = true", "restore = true"));
    assert!(restore.contains("`restore`") && restore.contains("alert-rules"), "{restore}");
}

#[test]
fn bad_values_are_named() {
    assert!(refusal(&GOOD.replace("keelson.alert-rules", "Alert Rules")).contains("vendor.name"));
    assert!(refusal(&GOOD.replace("\"0.1.0\"", "\"one\"")).contains("not semver"));
    assert!(refusal(&GOOD.replace(">=0.2, <0.3", "sometimes")).contains("not a range"));
    assert!(refusal(&GOOD.replace("config.schema.json", "../../etc/passwd")).contains("beside plugin.toml"));
    assert!(refusal(&GOOD.replace("[contract]", "")).contains("requires"));
}

#[test]
fn memory_is_asked_for_in_mebibytes_and_has_a_ceiling() {
    assert_eq!(parse_memory("64 MiB"), Ok(64 << 20));
    assert!(parse_memory("1 TiB").unwrap_err().contains("64 MiB"));
    assert!(parse_memory("512 MiB").unwrap_err().contains("256 MiB"));
}

const CAPABILITIES: &str = r#"
    [kv]
    reason = "Remembers where it stopped"
    [[data]]
    scope = "inventory:read"
    reason = "Counts computers"
    [[http]]
    label = "psa"
    methods = ["GET", "POST"]
    path-prefixes = ["/api/"]
    default-origin = "https://psa.example.com"
    reason = "Reads agreements"
    [[secrets]]
    label = "psa-token"
    kind = "token"
    placement = "header:X-Api-Key"
    used-by = ["psa"]
    reason = "Signs in to the PSA"
"#;

fn capable(text: &str) -> String {
    format!("{GOOD}\n{text}")
}

#[test]
fn capabilities_are_read_with_their_reasons() {
    let Capabilities { http, secrets, data, kv } =
        Manifest::parse(&capable(CAPABILITIES)).unwrap().capabilities;
    assert_eq!((http[0].label.as_str(), http[0].methods.len()), ("psa", 2));
    assert_eq!(secrets[0].placement, Placement::Header("x-api-key".to_owned()));
    assert_eq!(data, [("inventory:read".to_owned(), "Counts computers".to_owned())]);
    assert_eq!(kv.map(|kv| kv.quota), Some(16 << 20));
}

#[test]
fn a_capability_without_a_reason_or_with_a_bad_value_is_refused() {
    for (good, bad, said) in [
        ("reason = \"Counts computers\"", "", "reason"),
        ("inventory:read", "inventory:write", "did you mean `inventory:read`"),
        ("[\"GET\", \"POST\"]", "[\"GTE\"]", "did you mean `GET`"),
        ("[\"/api/\"]", "[\"/api/../\"]", "no `..`"),
        ("[\"/api/\"]", "[]", "both are needed"),
        ("https://psa.example.com", "https://psa.example.com/api", "nothing behind it"),
        ("used-by = [\"psa\"]", "used-by = [\"pas\"]", "did you mean `psa`"),
        ("used-by = [\"psa\"]", "used-by = []", "must name the destinations"),
        ("kind = \"token\"", "kind = \"tokn\"", "did you mean `token`"),
        ("kind = \"token\"", "kind = \"oauth2-client\"", "token-path"),
        ("kind = \"token\"", "kind = \"password\"", "a password stands as `basic`"),
        ("header:X-Api-Key", "header:X Api Key", "must be `bearer`"),
        ("header:X-Api-Key", "cookie", "must be `bearer`"),
        ("label = \"psa\"", "label = \"PSA\"", "lower-case"),
        ("[kv]", "[kv]\nquota = \"1 GiB\"", "16 MiB"),
        ("[kv]", "[kv]\nkeys = 0", "from 1 to"),
        ("methods =", "method =", "did you mean `methods`"),
    ] {
        assert!(CAPABILITIES.contains(good), "{good}");
        let refused = refusal(&capable(&CAPABILITIES.replace(good, bad)));
        assert!(refused.contains(said), "{bad}: {refused}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let twice = format!(
        "{CAPABILITIES}{}",
        CAPABILITIES.replace("[kv]\n    reason = \"Remembers where it stopped\"", "")
    );
    assert!(refusal(&capable(&twice)).contains("there twice"));
}
