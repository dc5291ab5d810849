//! A fake program plays the answers of `facets/recorded`; the contract's schema and the agent's reading of it agree on each.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use keelson_proto::v1::cloud::What;
use serde_json::Value;

use super::*;
use crate::testing::{Scripted, inventory};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/facets/recorded");

struct Stage {
    place: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// A program that keeps what it is told, and runs a line of shell.
    fn script(&self, name: &str, line: &str) -> Script {
        let program = self.path(name);
        let (told, seen) = (self.path("told"), self.path("seen"));
        let text = format!(
            "#!/bin/sh\ncat > {}\necho \"$@\" > {}\nenv >> {}\n{line}\n",
            told.display(),
            seen.display(),
            seen.display()
        );
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Script { program: Some(program), arguments: vec!["-fixed".to_owned()] }
    }

    fn plays(&self, recorded: &str) -> Script {
        self.script(recorded, &format!("cat {RECORDED}/{recorded}.json"))
    }

    fn driver(&self, facets: &Facets, state: Inventory) -> Arc<dyn Driver> {
        facets.check().unwrap();
        facets.around(Arc::new(Scripted::new(Some(state))), &DataFolder::at(self.place.path()))
    }

    fn cloud(&self, script: Script) -> Arc<dyn Driver> {
        let facets = Facets { cloud_connect: Some(script), vb365: None };
        self.driver(&facets, inventory("s", &[("a", 1)]))
    }

    async fn error_of(&self, line: &str) -> String {
        let error = self.cloud(self.script("fails", line)).collect().await.unwrap_err();
        chain(&error)
    }
}

fn recorded(name: &str) -> Value {
    serde_json::from_slice(&fs::read(format!("{RECORDED}/{name}.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_cloud_connect_server_is_told_beside_what_the_driver_finds() {
    let stage = Stage::new();
    let found = stage.cloud(stage.plays("cloud-connect")).collect().await.unwrap();
    assert_eq!((found.server.key.as_str(), found.workloads.len()), ("s", 1));
    assert!(found.machine.unwrap().cloud_connect);
    assert!(found.cloud.iter().all(|one| one.server_key == "s"));
    let license = found.license.unwrap();
    assert_eq!((license.server_key.as_str(), license.cloud_connect.as_str()), ("s", "Yes"));
    assert_eq!(license.expires_at, Some(1_806_451_200_000));
    let kinds: Vec<_> = found
        .cloud
        .iter()
        .map(|one| match one.what.as_ref().unwrap() {
            What::Site(_) => "site",
            What::GatewayPool(_) => "pool",
            What::Gateway(_) => "gateway",
            What::Repository(_) => "repository",
            What::WanAccelerator(_) => "accelerator",
            What::Tenant(_) => "tenant",
            What::BackupResource(_) => "share",
            What::Replication(_) => "replication",
            What::ReplicationUsage(_) => "usage",
            What::Backup(_) => "backup",
            What::Gone(_) => "gone",
        })
        .collect();
    let expected = [
        "site",
        "pool",
        "gateway",
        "gateway",
        "repository",
        "repository",
        "accelerator",
        "tenant",
        "share",
        "tenant",
        "replication",
        "usage",
        "backup",
    ];
    assert_eq!(kinds, expected, "what others refer to comes before them");
    let What::BackupResource(share) = found.cloud[8].what.as_ref().unwrap() else { panic!() };
    assert_eq!((share.storage_quota, share.vm_backups), (2048 << 30, 9));
    assert_eq!(fs::read_to_string(stage.path("told")).unwrap(), r#"{"action":"collect","version":1}"#);
}

#[tokio::test]
async fn a_microsoft_365_server_stands_alone_or_beside_another() {
    let stage = Stage::new();
    let facets = Facets { cloud_connect: None, vb365: Some(stage.plays("vb365")) };
    let beside = stage.driver(&facets, inventory("s", &[("a", 1)])).collect().await.unwrap();
    assert_eq!((beside.server.key.as_str(), beside.jobs.len(), beside.vb365_objects.len()), ("s", 0, 4));
    assert_eq!(beside.license, None, "its licence is not the other server's");
    let user = &beside.vb365_objects[0];
    assert_eq!((user.name.as_str(), user.kind.as_str(), user.licensed), ("Ada Öberg", "User", true));
    assert_eq!(
        (user.organization_name.as_str(), user.repository_name.as_str()),
        ("alpha.onmicrosoft.com", "M365 Repository")
    );
    assert_eq!(user.archive_repository_name, "M365 Archive");

    let alone =
        facets.around(Arc::new(Nothing), &DataFolder::at(stage.place.path())).collect().await.unwrap();
    assert_eq!((alone.server.engine.as_str(), alone.server.name.as_str()), ("vb365", "M365-01"));
    assert_eq!((alone.jobs.len(), alone.license.unwrap().units), (1, Some(500.0)));
}

#[tokio::test]
async fn nothing_is_reported_when_a_program_fails() {
    let stage = Stage::new();
    let failed = stage.error_of("echo 'no snap-in' >&2; exit 3").await;
    assert!(
        failed.contains("cloud-connect") && failed.contains("no snap-in") && failed.contains('3'),
        "{failed}"
    );
    // Not even when it printed everything before.
    let late = stage.error_of(&format!("cat {RECORDED}/cloud-connect.json; exit 1")).await;
    assert!(late.contains("failed"), "{late}");
    assert!(stage.error_of("echo '{\"version\": 2}'").await.contains("version 2"));
    assert!(stage.error_of("echo 'Name : alpha'").await.contains("not as the contract says"));
    assert!(stage.error_of(&format!("cat {RECORDED}/vb365.json")).await.contains("not as the contract says"));
    assert!(
        stage.error_of(&format!("head -c 1500 {RECORDED}/cloud-connect.json")).await.contains("contract")
    );
    let folder = DataFolder::at(stage.place.path());
    let program = |line: &str| Program::new(CLOUD, &stage.script("p", line), "", &folder);
    let slow = program("exec sleep 600").limited(Duration::from_millis(200), 100);
    assert!(matches!(slow.ask(&Value::Null).await.unwrap_err(), FacetError::TimeLimit(_)));
    let large = program("head -c 5000 /dev/zero").limited(Duration::from_mins(1), 1_000);
    assert!(matches!(large.ask(&Value::Null).await.unwrap_err(), FacetError::TooLarge(1_000)));
}

/// CVE-2026-32998: what a command says reaches the program as data, and neither its arguments nor its environment.
#[tokio::test]
async fn cve_2026_32998_a_command_and_its_secret_go_to_standard_input_alone() {
    let stage = Stage::new();
    let order = Order {
        kind: "tenant-create".to_owned(),
        payload: json!({"tenantName": "a'; Remove-Item C:\\ -Recurse; $(id) `id` \"", "settings": {}}),
        secret: json!({"password": "s3cr3t words"}),
    };
    let done = stage.cloud(stage.plays("tenant-create")).execute(&order).await.unwrap();
    assert_eq!(done.result, Some(json!({"key": "7c1f0e5a-0000-4000-8000-000000000053"})));
    let told: Value = serde_json::from_slice(&fs::read(stage.path("told")).unwrap()).unwrap();
    assert_eq!(told["payload"], order.payload);
    assert_eq!((&told["secret"], &told["kind"]), (&order.secret, &json!("tenant-create")));
    let seen = fs::read_to_string(stage.path("seen")).unwrap();
    assert!(seen.starts_with("-fixed\n"));
    assert!(!seen.contains("s3cr3t") && !seen.contains("Remove-Item"));

    let refused = stage.cloud(stage.plays("refused")).execute(&order).await.unwrap_err();
    assert!(refused.0.contains("gamma"), "{}", refused.0);
    let job = Order { kind: "deed".to_owned(), payload: Value::Null, secret: Value::Null };
    let done = stage.cloud(stage.plays("refused")).execute(&job).await.unwrap();
    assert_eq!(done.message, "deed 1", "all else is the driver's");
}

/// Changes one thing of a recorded answer: the schema and the agent must think the same of it, but for what only the agent sees.
#[test]
fn the_schemas_say_what_the_agent_reads() {
    let schema = |name: &str| {
        let path = format!("{}/facets/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    };
    let reads = |name: &str, answer: &Value| {
        let bytes = serde_json::to_vec(answer).unwrap();
        let mut state = Inventory::default();
        match name {
            "cloud-connect" => cloud::add(&mut state, &bytes),
            "vb365" => vb365::add(&mut state, &bytes),
            _ => program::parse::<Executed>(&bytes).map(drop),
        }
    };
    for (file, name) in [
        ("cloud-connect", "cloud-connect"),
        ("vb365", "vb365"),
        ("tenant-create", "execute"),
        ("refused", "execute"),
    ] {
        let (schema, answer) = (schema(name), recorded(file));
        assert!(schema.is_valid(&answer), "{file}: {:?}", schema.iter_errors(&answer).next());
        reads(name, &answer).unwrap();
        for pointer in pointers(&answer) {
            for other in [json!(-1), json!("x\u{1}"), json!({}), json!([7]), json!(true)] {
                let mut changed = answer.clone();
                *changed.pointer_mut(&pointer).unwrap() = other.clone();
                let (by_schema, read) = (schema.is_valid(&changed), reads(name, &changed));
                let only_here = matches!(&read, Err(FacetError::Nonsense(_)));
                assert!(
                    by_schema == read.is_ok() || by_schema && only_here,
                    "{file}{pointer} = {other}: {read:?}"
                );
            }
        }
        let mut more = answer.clone();
        more["unheardOf"] = json!(1);
        assert!(!schema.is_valid(&more) && reads(name, &more).is_err());
    }
}

fn pointers(value: &Value) -> Vec<String> {
    let inside = |name: String, value: &Value| {
        let mut all = vec![format!("/{name}")];
        all.extend(pointers(value).into_iter().map(|rest| format!("/{name}{rest}")));
        all
    };
    match value {
        Value::Object(members) => {
            members.iter().flat_map(|(name, value)| inside(name.clone(), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, value)| inside(at.to_string(), value)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn a_nul_anywhere_is_named_and_a_backslash_is_none() {
    let mut answer = recorded("vb365");
    *answer.pointer_mut("/server/version").unwrap() = json!("8\\u0000");
    let read = |answer: &Value| vb365::add(&mut Inventory::default(), &serde_json::to_vec(answer).unwrap());
    read(&answer).unwrap();
    *answer.pointer_mut("/server/version").unwrap() = json!("8\u{0}");
    let error = read(&answer).unwrap_err().to_string();
    assert!(error.contains("NUL"), "{error}");
}

#[test]
fn a_minimal_instant_of_dot_net_stands_for_never() {
    let mut answer = recorded("vb365");
    *answer.pointer_mut("/objects/0/newestRestorePoint").unwrap() = json!("0001-01-01T00:00:00Z");
    let mut state = Inventory::default();
    vb365::add(&mut state, &serde_json::to_vec(&answer).unwrap()).unwrap();
    assert!(state.vb365_objects.iter().any(|object| object.newest_restore_point.is_none()));
}

#[test]
fn what_does_not_go_together_is_named() {
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 6] = [
        (|a| a["tenants"][1]["key"] = a["tenants"][0]["key"].clone(), "twice"),
        (|a| a["tenants"][0]["gatewayPoolKeys"][0] = json!("nowhere"), "gateway pool \"nowhere\""),
        (|a| a["backups"][0]["tenantKey"] = json!("nobody"), "tenant \"nobody\""),
        (|a| a["site"]["port"] = json!(65_536), "65536"),
        (|a| a["tenants"][1]["leaseExpiresAt"] = json!("tomorrow"), "no instant"),
        (|a| a["repositories"][0]["key"] = json!("k".repeat(513)), "513 bytes"),
    ];
    for (change, word) in changes {
        let mut answer = recorded("cloud-connect");
        change(&mut answer);
        let mut state = Inventory::default();
        let error = cloud::add(&mut state, &serde_json::to_vec(&answer).unwrap()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!(state.cloud, [], "a whole answer or none");
    }
}

#[test]
fn a_facet_needs_a_program_that_can_be_found_again() {
    let with = |program: Option<&str>| Facets {
        cloud_connect: Some(Script { program: program.map(PathBuf::from), arguments: Vec::new() }),
        vb365: None,
    };
    assert!(matches!(with(Some("relative")).check(), Err(FacetsError::Relative(CLOUD, _))));
    assert_eq!(with(None).check().is_ok(), cfg!(windows));
    with(Some("/opt/cloud")).check().unwrap();
    for kind in ["tenant-create", "backup-resource-edit", "subtenant-delete", "site-maintenance"] {
        assert!(is_cloud(kind));
    }
    assert!(!is_cloud("job-start") && !is_cloud("restore-open"));
}
