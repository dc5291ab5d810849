//! Who sees, changes and makes which companies.

use keelson::model::Door;
use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::desk::{Desk, delete, input, inventory, replace, uid, uids};

/// Each way of reaching one company.
async fn reaches(client: &Client, company: Uuid) -> Vec<StatusCode> {
    let path = format!("/organizations/companies/{company}");
    let mut statuses = Vec::new();
    for below in ["", "/usage", "/hostedResources/vbr"] {
        statuses.push(client.get(&format!("{path}{below}")).await.0);
    }
    statuses.push(client.get(&format!("/organizations/companies/{company}/onboarding")).await.0);
    statuses.push(client.json(Method::PATCH, &path, &replace("/isAlarmDetectEnabled", &json!(true))).await.0);
    statuses
}

on_both! {
    fn a_reseller_sees_makes_and_deletes_its_own_companies_only(database) {
        let desk = Desk::open(database).await;
        let (north, south) = (desk.reseller("North").await, desk.reseller("South").await);
        let client = desk.member("ServiceProviderAdministrator", "--reseller", north);
        let own = desk.company_by(&client, "Bakery", json!({})).await;
        let of_south = desk.company_by(&desk.admin, "Butcher", json!({"resellerUid": south})).await;
        let of_provider = desk.company("Brewer").await;
        assert_eq!(uid(&desk.admin.data(&format!("/organizations/companies/{own}")).await["resellerUid"]), north);
        assert_eq!(uids(&client, "/organizations/companies", "instanceUid").await, [own]);
        assert_eq!(uids(&client, "/organizations/resellers", "instanceUid").await, [north]);
        assert_eq!(reaches(&client, own).await, [StatusCode::OK; 5]);
        for foreign in [of_south, of_provider] {
            assert_eq!(reaches(&client, foreign).await, [StatusCode::NOT_FOUND; 5]);
            let path = format!("/organizations/companies/{foreign}?removeAllAgents=true");
            assert_eq!(delete(&client, &path).await.0, StatusCode::NOT_FOUND);
        }
        let (status, _) = client.get(&format!("/organizations/resellers/{south}/companies")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (status, body) = client.json(Method::POST, "/organizations/companies", &input("Other", json!({"resellerUid": south}))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        let path = format!("/organizations/companies/{own}");
        let (status, body) = client.json(Method::PATCH, &path, &replace("/resellerUid", &json!(null))).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!("resellerUid")), "{body}");
        let (status, body) = client.json(Method::PATCH, &path, &replace("/resellerUid", &json!(south))).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        let (status, body) = delete(&client, &format!("{path}?removeAllAgents=false")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        desk.close().await;
    }

    fn a_site_administrator_sees_the_companies_that_they_make(database) {
        let desk = Desk::open(database).await;
        let site = Uuid::from_u128(7);
        let other = desk.company("Butcher").await;
        let nowhere = desk.site_administrator(&[]).await;
        let (status, body) = nowhere.json(Method::POST, "/organizations/companies", &input("Nobody's", json!({}))).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let client = desk.site_administrator(&[site]).await;
        let own = desk.company_by(&client, "Bakery", json!({})).await;
        assert_eq!(uids(&client, "/organizations/companies", "instanceUid").await, [own]);
        assert_eq!(reaches(&client, own).await, [StatusCode::OK; 5]);
        assert_eq!(reaches(&client, other).await, [StatusCode::NOT_FOUND; 5]);
        let elsewhere = desk.site_administrator(&[Uuid::from_u128(8)]).await;
        assert_eq!(reaches(&elsewhere, own).await, [StatusCode::NOT_FOUND; 5]);
        desk.close().await;
    }

    fn a_companys_users_see_it_and_change_nothing_about_it(database) {
        let desk = Desk::open(database).await;
        let (own, foreign) = (desk.company("Bakery").await, desk.company("Butcher").await);
        let owner = desk.owner("Bakery");
        assert_eq!(uids(&owner, "/organizations/companies", "instanceUid").await, [own]);
        assert_eq!(uids(&owner, "/organizations/companies/usage", "companyUid").await, [own, own]);
        let (ok, absent, forbidden) = (StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN);
        assert_eq!(reaches(&owner, own).await, [ok, ok, ok, forbidden, forbidden]);
        assert_eq!(reaches(&owner, foreign).await, [absent, absent, absent, forbidden, forbidden]);
        for path in ["/organizations/resellers", "/organizations/provider", "/permissions/00000000-0000-0000-0000-000000000000"] {
            assert_eq!(owner.get(path).await.0, forbidden, "{path}");
        }
        desk.close().await;
    }

    fn a_location_administrator_sees_hosted_repositories_of_the_hosted_location(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let source = desk.agent(desk.provider, Door::Hosted).await;
        desk.report(source, &inventory()).await;
        let (server, repository) = (desk.ask("SELECT uid FROM backup_servers").await, desk.ask("SELECT uid FROM backup_repositories").await);
        let path = format!("/organizations/companies/{company}/hostedResources/vbr");
        let (_, made) = desk.admin.json(Method::POST, &path, &json!({"serverUid": server, "friendlyName": "Ours"})).await;
        let below = format!("{path}/{}/backupResources", made["data"]["instanceUid"].as_str().unwrap());
        let (status, body) = desk.admin.json(Method::POST, &below, &json!({"repositoryUid": repository})).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let administrator = desk.member("LocationAdministrator", "--company", company);
        let user = uid(&administrator.data("/users/me").await["instanceUid"]);
        for (kind, seen) in [("Default", 0), ("Hosted", 1)] {
            desk.run("DELETE FROM user_locations", &[]).await;
            let add = format!("INSERT INTO user_locations (user_uid, location_uid) SELECT {{}}, uid FROM locations WHERE type = '{kind}' AND company_uid = {{}}");
            desk.run(&add, &[user, company]).await;
            let list = uids(&administrator, "/organizations/companies/hostedResources/vbr/backupResources", "repositoryUid").await;
            assert_eq!(list.len(), seen, "{kind}");
        }
        assert_eq!(uids(&administrator, &below, "repositoryUid").await, [repository]);
        desk.close().await;
    }
}
