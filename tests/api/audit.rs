//! The activity log: what is in it, and that nobody changes it unseen.

use std::process::{Command, Output};

use keelson_tests::process::keelson;
use keelson_tests::{Client, TestHost, eventually, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

async fn create(client: &Client, name: &str) -> (StatusCode, Value) {
    let input = json!({
        "organizationInput": { "name": name },
        "ownerCredentials": { "userName": format!("{name} owner"), "password": "correct horse" },
    });
    client.json(Method::POST, "/organizations/companies", &input).await
}

async fn logged(client: &Client, query: &str, text: &str) -> Value {
    eventually(text, || async {
        let rows = client.data(&format!("/eventLogs/activityLogs?{query}")).await;
        rows.as_array().unwrap().iter().find(|row| row["message"].as_str().unwrap().contains(text)).cloned()
    })
    .await
}

fn verify(host: &TestHost) -> Output {
    let mut command = Command::new(keelson());
    command.args(["db", "verify-audit", "--data"]).arg(host.data.path()).output().unwrap()
}

on_both! {
    fn the_log_tells_who_did_what_and_is_asked_by_time_user_and_direction(database) {
        let host = TestHost::start(database).await;
        let (one, other) = (host.administrator(), host.administrator());
        for name in ["Bakery", "Butcher"] {
            let (status, body) = create(&one, name).await;
            assert_eq!(status, StatusCode::OK, "{body}");
        }
        assert_eq!(create(&other, "Baker").await.0, StatusCode::OK);
        let uid = one.data("/users/me").await["instanceUid"].as_str().unwrap().to_owned();
        let rows = one.data(&format!("/eventLogs/activityLogs?userUid={uid}")).await;
        assert_eq!(rows.as_array().unwrap().len(), 2, "{rows}");
        assert!(rows[0]["message"].as_str().unwrap().contains("Butcher"), "the latest first: {rows}");
        assert_eq!((&rows[0]["activityLogType"], &rows[0]["activityKind"]), (&json!("CompanyCreated"), &json!("External")));
        assert_eq!(rows[0]["userUid"], uid.as_str());
        let bakery = rows[1]["organizationUid"].as_str().unwrap().to_owned();
        assert_eq!(one.data(&format!("/eventLogs/activityLogs?organizationUid={bakery}")).await, json!([rows[1]]));
        let ascending = one.data("/eventLogs/activityLogs?dateSortingDirection=ascending&limit=1").await;
        let first = json!("UserRecordCreated");
        assert_eq!((&ascending[0]["activityLogType"], &ascending[0]["activityKind"]), (&first, &json!("Internal")));
        assert_eq!(one.data("/eventLogs/activityLogs?to=2001-01-01T00:00:00Z").await, json!([]));
        let commands = one.data("/eventLogs/activityLogs?activityLogKind=Internal").await;
        assert_eq!(commands.as_array().unwrap().len(), 4, "two users and their keys: {commands}");
        let selected = one.data("/eventLogs/activityLogs?limit=1&select=[{\"propertyPath\":\"date\"}]").await;
        assert_eq!(selected[0].as_object().unwrap().len(), 1);
        for wrong in ["from=yesterday", "userUid=7", "dateSortingDirection=up", "limit=0"] {
            assert_eq!(one.get(&format!("/eventLogs/activityLogs?{wrong}")).await.0, StatusCode::BAD_REQUEST, "{wrong}");
        }
        host.stop().await;
    }

    fn every_refusal_of_somebody_known_is_logged(database) {
        let host = TestHost::start(database).await;
        let administrator = host.administrator();
        create(&administrator, "Bakery").await;
        host.command(&["user", "add", "--name", "ada", "--role", "PortalOperator"]);
        let operator = host.client.with(&host.command(&["apikey", "add", "--user", "ada"]));
        assert_eq!(create(&operator, "Butcher").await.0, StatusCode::FORBIDDEN);
        let row = logged(&administrator, "", "ada was denied CreateCompany").await;
        assert_eq!((&row["activityLogType"], &row["activityKind"]), (&json!("Unknown"), &json!("External")));
        assert!(row["message"].as_str().unwrap().contains("PortalOperator"), "{row}");

        // A read that is not admitted, and the same a hundred times within a second or two: a row or two.
        let owner = host.client.with(&host.command(&["apikey", "add", "--user", "Bakery owner"]));
        for _ in 0..100 {
            assert_eq!(owner.get("/eventLogs/activityLogs").await.0, StatusCode::FORBIDDEN);
        }
        logged(&administrator, "", "was denied GetActivityLogs (").await;

        let read_only = host.client.with(&host.command(&["apikey", "add", "--user", "ada", "--read-only"]));
        let (status, _) = read_only.json(Method::DELETE, &format!("/asyncActions/{}", Uuid::nil()), &json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        logged(&administrator, "", "ada was denied CancelAsyncAction: this API key").await;

        let sign_in = [("grant_type", "password"), ("username", "ada"), ("password", "a guess")];
        assert_eq!(host.client.form("/token", &sign_in).await.0, StatusCode::BAD_REQUEST);
        assert_eq!(logged(&administrator, "", "password was wrong").await["activityLogType"], "LoginFailed");
        assert!(verify(&host).status.success());
        host.stop().await;
    }

    fn an_attempt_with_a_key_that_is_not_good_any_more_names_its_user(database) {
        let host = TestHost::start(database).await;
        let administrator = host.administrator();
        host.command(&["user", "add", "--name", "ada", "--role", "PortalOperator"]);
        let key = host.command(&["apikey", "add", "--user", "ada"]);
        let off = if host.database_url().starts_with("sqlite") { "0" } else { "FALSE" };
        host.execute(&format!(
            "UPDATE user_logins SET enabled = {off} WHERE user_uid = (SELECT uid FROM users WHERE name = 'ada')"
        ))
        .await;
        assert_eq!(host.client.with(&key).get("/organizations/companies").await.0, StatusCode::UNAUTHORIZED);
        logged(&administrator, "", "ada was denied GetCompanies").await;
        host.stop().await;
    }

    fn a_row_that_was_added_beside_the_chain_is_named(database) {
        let host = TestHost::start(database).await;
        assert_eq!(create(&host.administrator(), "a").await.0, StatusCode::OK);
        let columns = "at, user_name, address, operation, outcome, object_type, object_name, message, hash";
        for (forge, named, mend) in [
            ("0", "row 0", "DELETE FROM audit WHERE position = 0"),
            ("-7", "row -7", "DELETE FROM audit WHERE position = -7"),
            ("99", "up to 99", "DELETE FROM audit WHERE position = 99"),
        ] {
            host.execute(&format!(
                "INSERT INTO audit (position, {columns}) SELECT {forge}, {columns} FROM audit WHERE position = 1"
            ))
            .await;
            let broken = verify(&host);
            let said = String::from_utf8_lossy(&broken.stderr).into_owned();
            assert!(broken.status.code() == Some(1) && said.contains(named), "{forge}: {said}");
            host.execute(mend).await;
            assert!(verify(&host).status.success(), "{mend}");
        }
        host.execute("UPDATE audit_head SET position = 0").await;
        let said = String::from_utf8_lossy(&verify(&host).stderr).into_owned();
        assert!(said.contains("set back"), "{said}");
        host.stop().await;
    }

    fn a_row_that_was_changed_or_taken_out_is_named(database) {
        let host = TestHost::start(database).await;
        let client = host.administrator();
        for name in ["a", "b", "c", "d", "e"] {
            assert_eq!(create(&client, name).await.0, StatusCode::OK);
        }
        let whole = verify(&host);
        assert!(whole.status.success(), "{whole:?}");
        assert!(String::from_utf8_lossy(&whole.stdout).contains("is whole: 7 rows"), "{whole:?}");
        for (statement, named) in [
            ("UPDATE audit SET user_name = 'nobody' WHERE position = 4", "row 4"),
            ("DELETE FROM audit WHERE position = 3", "row 3"),
            ("DELETE FROM audit WHERE position > 1", "rows 2 to 7"),
        ] {
            host.execute(statement).await;
            let broken = verify(&host);
            let said = String::from_utf8_lossy(&broken.stderr).into_owned();
            assert!(broken.status.code() == Some(1) && said.contains(named), "{statement}: {said}");
        }
        host.stop().await;
    }
}
