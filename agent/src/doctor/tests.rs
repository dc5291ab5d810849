//! The doctor with an agent that is well, and with each thing wrong once.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use super::*;
use crate::clock::{Clock as _, ManualClock, SystemClock};
use crate::driver::DriverSettings;
use crate::enroll::{Enrolment, enroll};
use crate::testing::console::Console;

struct Ward {
    console: Console,
    folder: tempfile::TempDir,
}

impl Ward {
    async fn new() -> Self {
        let (console, folder) = (Console::start().await, tempfile::tempdir().unwrap());
        let driver = DriverSettings::Simulated { seed: 1, server: 0, workloads: 2, since: 0, site: None };
        let enrolment = Enrolment {
            token: console.token(),
            data: folder.path().join("agent"),
            computer: driver.computer(),
            driver,
            extras: crate::config::Extras::default(),
            force: false,
        };
        enroll(enrolment).await.unwrap();
        Self { console, folder }
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("agent")
    }

    async fn examine(&self) -> Vec<Finding> {
        let clock: SharedClock = Arc::new(SystemClock);
        examine(&self.data(), &clock).await
    }

    /// The one finding of this check that is not well.
    async fn complaint(&self, check: &str) -> Finding {
        let all = self.examine().await;
        let mut found = all.iter().filter(|one| one.level != Level::Ok);
        let one = found.next().unwrap_or_else(|| panic!("all is well: {}", to_text(&all)));
        assert_eq!((one.check, found.next()), (check, None), "{}", to_text(&all));
        assert!(!one.advice.is_empty(), "{one:?}");
        one.clone()
    }
}

#[tokio::test]
async fn an_agent_that_is_well_has_a_line_for_each_check() {
    let ward = Ward::new().await;
    let found = ward.examine().await;
    let checks: Vec<_> = found.iter().filter(|one| one.check != "disk").map(|one| one.check).collect();
    let expected = [
        "folder",
        "key",
        "settings",
        "certificate",
        "name",
        "tcp",
        "tls",
        "admitted",
        "clock",
        "version",
        "driver",
    ];
    assert_eq!(checks, expected);
    let text = to_text(&found);
    assert_eq!(text.lines().count(), found.len());
    assert!(text.contains("2 workloads") && !text.contains("FAIL"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&to_json(&found)).unwrap();
    assert_eq!((&json["ok"], &json["checks"][0]["check"]), (&true.into(), &"folder".into()));
}

#[tokio::test]
async fn files_that_others_read_and_a_folder_without_an_agent_fail() {
    let ward = Ward::new().await;
    let key = ward.data().join("agent.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let finding = ward.complaint("key").await;
    assert!(finding.is_failure() && finding.message.contains("mode 0644"), "{finding:?}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(ward.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(ward.complaint("folder").await.level, Level::Warn);

    let clock: SharedClock = Arc::new(SystemClock);
    let nobody = examine(&ward.folder.path().join("nowhere"), &clock).await;
    assert!(nobody.iter().any(|one| one.check == "settings" && one.is_failure()), "{nobody:?}");
}

#[tokio::test]
async fn an_interceptor_is_named_and_a_host_that_refuses_says_what_to_do() {
    let ward = Ward::new().await;
    ward.console.inspect(true);
    let finding = ward.complaint("tls").await;
    assert!(finding.message.contains("CN=Corp Proxy CA"), "{finding:?}");
    assert_eq!(finding.event.unwrap()["event"], "tls-pin-mismatch");
    ward.console.inspect(false);
    ward.console.distrust_agents();
    assert!(ward.complaint("admitted").await.message.contains("does not take this agent's certificate"));
}

#[tokio::test]
async fn one_address_that_works_is_enough_and_a_clock_that_is_off_is_seen() {
    let ward = Ward::new().await;
    let folder = DataFolder::at(ward.data());
    let mut settings = Settings::load(&folder).unwrap();
    settings.addresses.insert(0, "console.invalid:6180".parse().unwrap());
    settings.store(&folder).unwrap();
    assert_eq!(ward.complaint("name").await.level, Level::Warn);
    settings.addresses.truncate(1);
    settings.store(&folder).unwrap();
    assert!(ward.complaint("name").await.is_failure());

    let ward = Ward::new().await;
    let clock: SharedClock = Arc::new(ManualClock::new(SystemClock.now_ms() - 20 * 60_000));
    let found = examine(&ward.data(), &clock).await;
    assert!(found.iter().any(|one| one.check == "clock" && one.is_failure()), "{}", to_text(&found));
}

#[tokio::test]
async fn a_doctor_names_settings_without_an_address() {
    let ward = Ward::new().await;
    let folder = DataFolder::at(ward.data());
    let mut settings = Settings::load(&folder).unwrap();
    settings.addresses.clear();
    settings.store(&folder).unwrap();
    let finding = ward.complaint("settings").await;
    assert!(finding.is_failure() && finding.message.contains("`addresses` in "), "{finding:?}");
    assert!(finding.message.contains("agent.toml is empty; put the host's name and port"), "{finding:?}");
}

#[tokio::test]
async fn a_doctor_names_both_agents_when_settings_and_certificate_differ() {
    let ward = Ward::new().await;
    let folder = DataFolder::at(ward.data());
    let mut settings = Settings::load(&folder).unwrap();
    let own = std::mem::replace(&mut settings.agent_uid, uuid::Uuid::from_u128(7));
    settings.store(&folder).unwrap();
    let finding = ward.complaint("certificate").await;
    assert!(finding.is_failure() && finding.advice.contains(&own.to_string()), "{finding:?}");
    for uid in [own, settings.agent_uid] {
        assert!(finding.message.contains(&uid.to_string()), "{finding:?}");
    }
}
