//! Who sees and changes what of Cloud Connect.

use keelson::model::Role;
use keelson_tests::{Client, on_both};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::cloud_world::{SITES, World};

/// A tenant on the first site for each of the companies, in their order, and one of nobody's on the second.
async fn tenants(world: &World) -> [String; 4] {
    let of = |name: &str, company: keelson::id::CompanyUid| json!({"credentials": {"userName": name}, "assignedForCompany": company});
    [
        world.tenant(&world.admin, 0, of("direct", world.companies[0])).await,
        world.tenant(&world.admin, 0, of("of-r1", world.companies[1])).await,
        world.tenant(&world.admin, 0, of("of-r2", world.companies[2])).await,
        world.tenant(&world.admin, 1, json!({"credentials": {"userName": "nobodys"}})).await,
    ]
}

/// The tenants that a client sees in the list, and each by its id, are just these.
async fn sees(client: &Client, all: &[String; 4], expected: &[usize]) {
    let listed = client.data(&format!("{SITES}/tenants?limit=500")).await;
    let listed: Vec<_> =
        listed.as_array().unwrap().iter().map(|one| one["instanceUid"].as_str().unwrap()).collect();
    assert_eq!(listed.len(), expected.len(), "{listed:?}");
    for (index, uid) in all.iter().enumerate() {
        let status = client.get(&format!("{SITES}/tenants/{uid}")).await.0;
        let seen = expected.contains(&index);
        assert_eq!(status == StatusCode::OK, seen, "{index}");
        assert_eq!(status == StatusCode::NOT_FOUND, !seen, "{index}: never more than that it is not there");
        assert_eq!(listed.contains(&uid.as_str()), seen);
    }
}

async fn statuses(client: &Client, world: &World, tenant: &str) -> Vec<StatusCode> {
    let base = format!("{SITES}/tenants/{tenant}");
    let post =
        async |path: String| Client::send(client.request(Method::POST, &format!("/api/v3{path}"))).await.0;
    let steps = json!([{"op": "replace", "path": "/description", "value": "x"}]);
    vec![
        client.json(Method::PATCH, &base, &steps).await.0,
        post(format!("{base}/disable")).await,
        post(format!("{base}/enable")).await,
        world.try_share(client, tenant, json!({})).await.0,
        Client::send(client.request(Method::DELETE, &format!("/api/v3{base}?deleteBackups=false"))).await.0,
    ]
}

on_both! {
    fn a_site_administrator_has_the_given_sites_only(database) {
        let world = World::new(database).await;
        let all = tenants(&world).await;
        let client = world.site_administrator(world.sites[0].site).await;
        sees(&client, &all, &[0, 1, 2]).await;
        assert_eq!(client.data(SITES).await.as_array().unwrap().len(), 1);
        assert_eq!(client.get(&world.site(1)).await.0, StatusCode::NOT_FOUND);
        assert_eq!(client.get(&format!("{}/tenants", world.site(1))).await.0, StatusCode::NOT_FOUND);
        assert_eq!(client.get(&format!("{}/cloudgateways", world.site(1))).await.0, StatusCode::NOT_FOUND);
        assert_eq!(client.data(&format!("{SITES}/cloudgateways")).await.as_array().unwrap().len(), 1);
        assert_eq!(world.try_tenant(&client, 1, json!({})).await.0, StatusCode::NOT_FOUND);
        assert_eq!(world.try_tenant(&client, 0, json!({})).await.0, StatusCode::OK);
        assert!(statuses(&client, &world, &all[3]).await.iter().all(|status| *status == StatusCode::NOT_FOUND));
        assert!(statuses(&client, &world, &all[0]).await.iter().all(|status| *status == StatusCode::OK));
        let nowhere = world.user(Role::SiteAdministrator, world.provider().await).await.1;
        sees(&nowhere, &all, &[]).await;
        world.stop().await;
    }

    fn a_company_on_two_sites_does_not_open_the_other_one_to_a_site_administrator(database) {
        let world = World::new(database).await;
        let all = tenants(&world).await;
        let (status, _) =
            world.replace(&format!("{SITES}/tenants/{}", all[3]), "/assignedForCompany", json!(world.companies[0])).await;
        assert_eq!(status, StatusCode::OK);
        let client = world.site_administrator(world.sites[0].site).await;
        sees(&client, &all, &[0, 1, 2]).await;
        world.stop().await;
    }

    fn a_reseller_has_its_sites_and_its_own_tenants_there(database) {
        let world = World::new(database).await;
        let all = tenants(&world).await;
        let (_, client) = world.user(Role::ServiceProviderGlobalAdministrator, world.resellers[0].0).await;
        sees(&client, &all, &[1]).await;
        assert_eq!(client.data(SITES).await.as_array().unwrap().len(), 1);
        assert_eq!(world.try_tenant(&client, 1, json!({})).await.0, StatusCode::NOT_FOUND, "it may not use that site");
        let own = world.tenant(&client, 0, json!({})).await;
        assert_eq!(client.get(&format!("{SITES}/tenants/{own}")).await.0, StatusCode::OK);
        let assign = async |company: keelson::id::CompanyUid| {
            let path = format!("/api/v3{SITES}/tenants/{own}/assignForCompany?companyUid={company}");
            Client::send(client.request(Method::POST, &path)).await.0
        };
        assert_eq!(assign(world.companies[2]).await, StatusCode::NOT_FOUND, "another reseller's company");
        assert_eq!(assign(world.companies[0]).await, StatusCode::NOT_FOUND, "the provider's company");
        assert_eq!(assign(world.companies[1]).await, StatusCode::OK);
        for foreign in [&all[0], &all[2], &all[3]] {
            assert!(statuses(&client, &world, foreign).await.iter().all(|status| *status == StatusCode::NOT_FOUND));
        }
        assert!(statuses(&client, &world, &own).await.iter().all(|status| *status == StatusCode::OK));
        let (_, other) = world.user(Role::ServiceProviderAdministrator, world.resellers[1].0).await;
        sees(&other, &all, &[2]).await;
        assert_eq!(other.data(SITES).await, json!([]));
        assert_eq!(world.try_tenant(&other, 0, json!({})).await.0, StatusCode::NOT_FOUND);
        world.stop().await;
    }

    fn a_company_sees_its_own_tenants_and_changes_none(database) {
        let world = World::new(database).await;
        let all = tenants(&world).await;
        world.share(&all[0], json!({})).await;
        let (_, client) = world.user(Role::CompanyOwner, world.companies[0].0).await;
        sees(&client, &all, &[0]).await;
        assert_eq!(client.data(&format!("{}/tenants", world.site(0))).await.as_array().unwrap().len(), 1);
        assert_eq!(client.get(&format!("{}/tenants", world.site(1))).await.0, StatusCode::NOT_FOUND);
        let shares = format!("{SITES}/tenants/backupResources");
        assert_eq!(client.data(&shares).await.as_array().unwrap().len(), 1);
        assert_eq!(client.get(&format!("{SITES}/tenants/{}/traffic", all[0])).await.0, StatusCode::OK);
        assert_eq!(client.get(&format!("{SITES}/tenants/{}/traffic", all[1])).await.0, StatusCode::NOT_FOUND);
        assert_eq!(client.get(SITES).await.0, StatusCode::FORBIDDEN);
        assert!(statuses(&client, &world, &all[0]).await.iter().all(|status| *status == StatusCode::FORBIDDEN));
        let (_, stranger) = world.user(Role::CompanyAdministrator, world.companies[1].0).await;
        assert_eq!(stranger.data(&shares).await, json!([]));
        world.stop().await;
    }

    fn a_location_administrator_sees_the_shares_of_its_company(database) {
        let world = World::new(database).await;
        let all = tenants(&world).await;
        world.share(&all[0], json!({})).await;
        let shares = format!("{SITES}/tenants/backupResources");
        let (user, client) = world.user(Role::LocationAdministrator, world.companies[0].0).await;
        assert_eq!(client.data(&shares).await, json!([]), "without a location there is nothing to see");
        let mut tx = world.host.store.read().await.unwrap();
        let location = tx.companies().default_location(world.companies[0]).await.unwrap().unwrap();
        drop(tx);
        world.link("INSERT INTO user_locations (user_uid, location_uid) VALUES ($1, $2)", user.0, location.0).await;
        assert_eq!(client.data(&shares).await.as_array().unwrap().len(), 1);
        assert_eq!(client.get(&format!("{SITES}/tenants")).await.0, StatusCode::FORBIDDEN);
        world.stop().await;
    }

    fn a_company_has_a_place_on_a_site_as_long_as_it_has_a_tenant_there(database) {
        let world = World::new(database).await;
        let all = tenants(&world).await;
        let client = world.site_administrator(world.sites[0].site).await;
        let company = format!("/organizations/companies/{}", world.companies[0]);
        assert_eq!(client.get(&company).await.0, StatusCode::OK);
        let request =
            world.admin.request(Method::DELETE, &format!("/api/v3{SITES}/tenants/{}?deleteBackups=false", all[0]));
        assert_eq!(Client::send(request).await.0, StatusCode::OK);
        assert_eq!(client.get(&company).await.0, StatusCode::NOT_FOUND);
        world.done(0, Some("busy")).await;
        assert_eq!(client.get(&company).await.0, StatusCode::OK, "the tenant is still there");
        world.stop().await;
    }
}
