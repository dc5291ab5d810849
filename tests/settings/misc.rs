//! What belongs to no organisation.

use keelson::clock::{Clock, SystemClock};
use keelson::model::Role;
use keelson_tests::client::escape;
use keelson_tests::on_both;
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::town::Town;

on_both! {
    fn countries_and_currencies_have_ids_that_stay(database) {
        let town = Town::open(database).await;
        let subtenant = town.client(Role::SubTenant, town.butcher).await;
        let countries = subtenant.data("/misc/countries").await;
        assert!(countries.as_array().unwrap().contains(&json!({ "id": 276, "code": "DE", "name": "Germany" })));
        let currencies = subtenant.data("/misc/currencies?select=[{\"propertyPath\":\"code\"}]").await;
        assert!(currencies.as_array().unwrap().contains(&json!({ "code": "EUR" })));
        let auditor = town.client(Role::CompanyInvoiceAuditor, town.butcher).await;
        assert_eq!(auditor.get("/misc/countries").await.0, StatusCode::FORBIDDEN);
        town.host.stop().await;
    }

    fn time_zones_page_filter_and_sort_like_any_list(database) {
        let town = Town::open(database).await;
        let filter = escape(r#"[{"property":"timeZoneId","operation":"equals","value":"Asia/Tokyo"}]"#);
        let found = town.admin.data(&format!("/discovery/timeZones?filter={filter}")).await;
        assert_eq!(found, json!([{ "timeZoneId": "Asia/Tokyo", "displayName": "(UTC+09:00) Tokyo, Asia", "utcOffset": 540 }]));
        let sort = escape(r#"[{"property":"utcOffset","direction":"descending"}]"#);
        let (_, page) = town.admin.get(&format!("/discovery/timeZones?limit=5&offset=10&sort={sort}")).await;
        assert_eq!(page["data"].as_array().unwrap().len(), 5);
        assert!(page["meta"]["pagingInfo"]["total"].as_u64().unwrap() > 400);
        town.host.stop().await;
    }

    fn clocks_that_moved_are_seen_at_the_next_question(database) {
        let town = Town::open(database).await;
        let mut tx = town.host.store.write().await.unwrap();
        let mut stale = keelson::model::world::time_zones(SystemClock.now_ms());
        let tokyo = stale.iter_mut().find(|zone| zone.id == "Asia/Tokyo").unwrap();
        (tokyo.utc_offset, tokyo.changes_at) = (Some(1), Some(1));
        tx.world().put_zones(&stale).await.unwrap();
        tx.commit().await.unwrap();
        let filter = escape(r#"[{"property":"timeZoneId","operation":"equals","value":"Asia/Tokyo"}]"#);
        assert_eq!(town.admin.data(&format!("/discovery/timeZones?filter={filter}")).await[0]["utcOffset"], 540);
        town.host.stop().await;
    }

    fn the_hosts_certificates_are_those_it_shows(database) {
        let town = Town::open(database).await;
        let all = town.admin.data("/configuration/certificates?sort=[{\"property\":\"friendlyName\"}]").await;
        let names: Vec<_> = all.as_array().unwrap().iter().map(|one| one["friendlyName"].as_str().unwrap()).collect();
        assert_eq!(names, ["Keelson CA", "Keelson console"]);
        let console = town.admin.data("/configuration/certificates/console").await;
        assert_eq!(console, all[1]);
        let pem = std::fs::read(town.host.data.path().join("pki/server.pem")).unwrap();
        let der = rustls::pki_types::CertificateDer::from_pem_slice(&pem).unwrap();
        let thumbprint: String = keelson::pki::fingerprint(&der).iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"));
        assert_eq!(console["thumbprint"], thumbprint);
        assert_eq!(console["issuedBy"], "CN=Keelson CA");
        assert!(matches!(&console["expirationDate"], Value::String(date) if date.starts_with("202")));
        let reseller = town.reseller_admin().await;
        assert_eq!(reseller.get("/configuration/certificates").await.0, StatusCode::FORBIDDEN);
        assert_eq!(reseller.data("/configuration/certificates/console").await, console);
        town.host.stop().await;
    }
}
