//! The Linux package: a script that makes an agent of a machine.

use std::process::{Command, Stdio};

use keelson_tests::{HostProcess, eventually, on_both};
use reqwest::{Method, StatusCode};

const PACKAGE: &str = "/infrastructure/managementAgents/packages/linux";

on_both! {
    fn the_package_brings_the_agent_and_a_token_no_longer_than_the_provider_allows(database) {
        let host = HostProcess::start(database, None).await;
        let admin = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        let company = admin.data("/organizations/companies").await[0]["instanceUid"].as_str().unwrap().to_owned();
        let path = format!("/api/v3{PACKAGE}?organizationUid={company}&tokenExpiryPeriodDays=4700");
        let changes = async || admin.data("/eventLogs/activityLogs?limit=500").await.as_array().unwrap().len();
        let before = changes().await;
        let head = admin.request(Method::HEAD, &path).send().await.unwrap();
        assert_eq!((head.status(), head.headers().get("x-keelson-token-expires")), (StatusCode::OK, None));
        assert_eq!(changes().await, before, "whoever asks for the head only gets no token");
        let answer = admin.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "application/octet-stream");
        let expires = answer.headers()["x-keelson-token-expires"].to_str().unwrap().to_owned();
        let script = answer.bytes().await.unwrap();
        let head = String::from_utf8_lossy(script.get(..8_000).unwrap()).into_owned();
        assert!(head.starts_with("#!/bin/sh\n") && head.contains(&expires));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("package.sh");
        std::fs::write(&file, &script).unwrap();
        let mut install = Command::new("sh");
        install.arg(&file).arg("--program").arg(folder.path().join("bin/keelson-agent"));
        install.arg("--data").arg(folder.path().join("data")).args(["--no-service", "--", "--driver", "simulated"]);
        let done = install.stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        assert!(folder.path().join("bin/keelson-agent").is_file());
        eventually("the agent to be listed", || async {
            let agents = admin.data("/infrastructure/managementAgents").await;
            (agents[0]["organizationUid"] == company.as_str()).then_some(())
        })
        .await;

        let mut cut = script.to_vec();
        cut.pop();
        std::fs::write(&file, &cut).unwrap();
        let refused = install.output().unwrap();
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("download it again"));
        for (query, status) in [
            ("tokenExpiryPeriodDays=0", StatusCode::BAD_REQUEST),
            ("tokenExpiryPeriodDays=4701", StatusCode::BAD_REQUEST),
            ("tokenExpiryPeriodDays=many", StatusCode::BAD_REQUEST),
            ("organizationUid=00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
            ("locationUid=00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
            ("cloudTenantUid=00000000-0000-0000-0000-000000000000", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(admin.get(&format!("{PACKAGE}?{query}")).await.0, status, "{query}");
        }
    }
}
