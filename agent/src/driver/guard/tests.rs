//! One test for each row of the table, as an agent meets it; what each row says is tested beside the table.

use keelson_proto::v1::{Cloud, CloudSite, CopyJob, Job, Machine};
use serde_json::json;

use super::*;
use crate::testing::{Scripted, inventory};

/// A server with a job of each kind and one workload.
fn server(cloud_connect: bool, enterprise: bool) -> Inventory {
    let mut state = inventory("vbr-key", &[("own", 1)]);
    "vcc01".clone_into(&mut state.server.name);
    let job = |key: &str, kind: &str, public_cloud| Job {
        key: key.to_owned(),
        kind: kind.to_owned(),
        details: (kind == "BackupCopy")
            .then(|| Details::Copy(CopyJob { public_cloud, ..CopyJob::default() })),
        ..Job::default()
    };
    state.jobs = vec![
        job("vm", "BackupVm", false),
        job("sure", "SureBackup", false),
        job("copy", "BackupCopy", false),
        job("cloud", "BackupCopy", true),
    ];
    if cloud_connect {
        let fqdn = "VCC01.example.net".to_owned();
        state.machine = Some(Machine { cloud_connect, fqdn, ..Machine::default() });
        let site = Some(What::Site(CloudSite { enterprise, ..CloudSite::default() }));
        state.cloud = vec![Cloud { server_key: "vbr-key".to_owned(), what: site }];
    }
    state
}

/// The rule that refused, or what the engine said.
async fn ask(state: Inventory, kind: &str, payload: Value) -> String {
    let guard = Guard::new(Arc::new(Scripted::new(Some(state))));
    let order = Order { kind: kind.to_owned(), payload, secret: Value::Null };
    guard.execute(&order).await.unwrap_err().0
}

const ENGINE: &str = "an agent with the driver";

async fn ask_job(enterprise: bool, job: &str) -> String {
    ask(server(true, enterprise), "job-start", json!({"server": "vbr-key", "job": job})).await
}

#[tokio::test]
async fn no_restore_of_tenants_backups() {
    let open =
        |workload| json!({"server": "vbr-key", "workload": workload, "restorePoint": "p", "session": "1"});
    let refused = ask(server(true, false), "restore-open", open("own")).await;
    assert!(
        refused.contains("no-restore-of-tenants-backups") && refused.contains("separate backup server"),
        "{refused}"
    );
    let tenants = ask(server(true, true), "restore-open", open("tenants")).await;
    assert!(tenants.contains("no-restore-of-tenants-backups"), "{tenants}");
    assert!(ask(server(true, true), "restore-open", open("own")).await.starts_with(ENGINE));
    assert!(ask(server(false, false), "restore-open", open("own")).await.starts_with(ENGINE));
    assert!(ask(server(true, false), "restore-write", json!({"session": "1"})).await.contains("tenants"));
}

#[tokio::test]
async fn no_jobs() {
    for job in ["vm", "copy", "nobody-knows"] {
        let refused = ask_job(false, job).await;
        assert!(refused.contains("no-jobs") && refused.contains("licence of its own"), "{job}: {refused}");
        assert!(ask_job(true, job).await.starts_with(ENGINE), "Enterprise");
    }
    for job in ["sure", "cloud"] {
        assert!(ask_job(false, job).await.starts_with(ENGINE), "{job}");
    }
    assert!(ask(server(true, false), "job-stop", json!({"job": "vm"})).await.starts_with(ENGINE));
}

#[tokio::test]
async fn services_stay_up() {
    for kind in ["service-stop", "agent-stop"] {
        assert!(ask(server(true, true), kind, json!({})).await.contains("services-stay-up"));
        assert!(ask(server(false, false), kind, json!({})).await.starts_with(ENGINE));
    }
}

#[tokio::test]
async fn not_its_own_provider() {
    for own in ["vcc01", "VCC01.EXAMPLE.NET", "vbr-key"] {
        let refused = ask(server(true, false), "provider-add", json!({"provider": own})).await;
        assert!(refused.contains("not-its-own-provider"), "{own}: {refused}");
    }
    let other = ask(server(true, false), "provider-add", json!({"provider": "vcc02"})).await;
    assert!(other.starts_with(ENGINE), "{other}");
}

#[tokio::test]
async fn no_providers_of_each_other() {
    let payload = json!({"provider": "vcc02", "providerEnterprise": true});
    let refused = ask(server(true, true), "provider-add", payload.clone()).await;
    assert!(refused.contains("no-providers-of-each-other"), "{refused}");
    assert!(ask(server(true, false), "provider-add", payload).await.starts_with(ENGINE));
}

#[tokio::test]
async fn what_a_server_is_must_be_known_and_is_learnt_anew() {
    let driver = Arc::new(Scripted::new(None));
    let guard = Guard::new(Arc::<Scripted>::clone(&driver));
    let start = Order { kind: "job-start".to_owned(), payload: json!({"job": "vm"}), secret: Value::Null };
    assert!(guard.execute(&start).await.unwrap_err().0.contains("could not be read"));
    driver.set(Some(server(false, false)));
    assert!(guard.execute(&start).await.unwrap_err().0.starts_with(ENGINE));
    driver.set(Some(server(true, false)));
    guard.collect().await.unwrap();
    assert!(guard.execute(&start).await.unwrap_err().0.contains("no-jobs"));
    // What no rule looks at needs no look at the engine.
    driver.set(None);
    let deed = Order { kind: "deed".to_owned(), payload: Value::Null, secret: Value::Null };
    guard.execute(&deed).await.unwrap();
}
