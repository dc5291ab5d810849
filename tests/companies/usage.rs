//! What companies and resellers use.

use keelson::model::Door;
use keelson_tests::Client;
use keelson_tests::client::escape;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::desk::{Desk, inventory, uid};

fn counter(row: &Value, kind: &str) -> i64 {
    let counters = row["counters"].as_array().unwrap();
    counters.iter().find(|one| one["type"] == kind).unwrap_or_else(|| panic!("no {kind} in {row}"))["value"]
        .as_i64()
        .unwrap()
}

on_both! {
    fn each_location_has_todays_row_counted_from_what_is_there(database) {
        let desk = Desk::open(database).await;
        let (company, other) = (desk.company("Bakery").await, desk.company("Butcher").await);
        let source = desk.agent(company, Door::Remote).await;
        desk.report(source, &inventory()).await;
        let (_, tenant) = desk.site().await;
        desk.run("UPDATE cloud_tenants SET company_uid = {} WHERE uid = {}", &[company, tenant]).await;
        let locations = desk.admin.data(&format!("/organizations/companies/{company}/usage")).await;
        let locations = locations.as_array().unwrap();
        assert_eq!(locations.len(), 2, "Remote and Hosted");
        let total = |kind: &str| locations.iter().map(|row| counter(row, kind)).sum::<i64>();
        for (kind, value) in [
            ("ManagedVms", 2), ("BackedupVms", 1), ("ManagedServerAgents", 1), ("ManagedWorkstationAgents", 1),
            ("ManagedAgentsLinuxOS", 2), ("ProtectedFileShares", 1), ("FileShareBackupSize", 100), ("VbrBackupSize", 200),
            ("Vb365ProtectedUsers", 1), ("VbrCloudBackupsDataTransferOut", 5), ("VbrCloudBackupsDataTransferIn", 6),
            ("CloudTotalUsage", 0),
        ] {
            assert_eq!(total(kind), value, "{kind}");
        }
        let older = desk.admin.request(Method::GET, &format!("/api/v3/organizations/companies/{company}/usage"));
        let (_, older) = Client::send(older.header("X-Client-Version", "3.4")).await;
        let words = older["data"][0]["counters"].to_string();
        assert!(words.contains("ManagedVms") && words.contains("Unknown"), "{words}");
        assert!(!words.contains("Vb365ProtectedEducationalUsers"), "3.4 has no such word: {words}");
        let remote = locations.iter().find(|row| counter(row, "ManagedVms") == 2).unwrap();
        assert_eq!(counter(remote, "VbrCloudBackupsDataTransferOut"), 0, "Cloud Connect counts as hosted");
        assert_eq!(uid(&remote["companyUid"]), company);
        assert_eq!(remote["date"].as_str().unwrap().len(), 10, "{}", remote["date"]);
        let idle = desk.admin.data(&format!("/organizations/companies/{other}/usage")).await;
        assert_eq!(counter(&idle[0], "ManagedVms"), 0);
        desk.close().await;
    }

    fn days_of_which_nothing_is_known_have_no_rows(database) {
        let desk = Desk::open(database).await;
        let path = format!("/organizations/companies/{}/usage", desk.company("Bakery").await);
        let today = desk.admin.data(&path).await[0]["date"].as_str().unwrap().to_owned();
        for (query, rows) in [
            (format!("?fromDate={today}&toDate={today}"), 2),
            ("?fromDate=2020-01-01".to_owned(), 2),
            ("?toDate=2020-01-01".to_owned(), 0),
            ("?fromDate=2999-01-01".to_owned(), 0),
        ] {
            assert_eq!(desk.admin.data(&format!("{path}{query}")).await.as_array().unwrap().len(), rows, "{query}");
        }
        for query in ["?fromDate=2026-02-02&toDate=2026-02-01", "?fromDate=tomorrow"] {
            assert_eq!(desk.admin.get(&format!("{path}{query}")).await.0, StatusCode::BAD_REQUEST, "{query}");
        }
        let filter = json!([{"property": "date", "operation": "equals", "value": today}]).to_string();
        let page = desk.admin.data(&format!("{path}?limit=1&filter={}", escape(&filter))).await;
        assert_eq!(page.as_array().unwrap().len(), 1);
        desk.close().await;
    }

    fn a_resellers_usage_is_that_of_its_companies(database) {
        let desk = Desk::open(database).await;
        let (north, south) = (desk.reseller("North").await, desk.reseller("South").await);
        for (name, reseller) in [("Bakery", Some(north)), ("Butcher", Some(north)), ("Brewer", None)] {
            let company = desk.company_by(&desk.admin, name, json!({"resellerUid": reseller})).await;
            let source = desk.agent(company, Door::Remote).await;
            desk.report(source, &inventory()).await;
        }
        let all = desk.admin.data("/organizations/resellers/usage").await;
        assert_eq!(all.as_array().unwrap().len(), 2);
        let of = async |reseller| desk.admin.data(&format!("/organizations/resellers/{reseller}/usage")).await;
        assert_eq!(counter(&of(north).await[0], "ManagedVms"), 4);
        assert_eq!(counter(&of(south).await[0], "ManagedVms"), 0);
        let client = desk.owner("North");
        assert_eq!(client.data("/organizations/resellers/usage").await.as_array().unwrap().len(), 1);
        assert_eq!(client.get(&format!("/organizations/resellers/{south}/usage")).await.0, StatusCode::NOT_FOUND);
        desk.close().await;
    }
}
