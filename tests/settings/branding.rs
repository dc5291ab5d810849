//! How the portal looks, and who says so.

use keelson::model::Role;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::town::{Town, patched, refused, replace};

fn branding(of: uuid::Uuid) -> String {
    format!("/organizations/{of}/configuration/branding")
}

on_both! {
    fn a_look_comes_from_the_nearest_organisation_that_has_one(database) {
        let town = Town::open(database).await;
        let look = town.admin.data(&branding(town.bakery)).await;
        assert_eq!((&look["portalColorTheme"], &look["managedOrganizationsBrandingPolicy"]), (&json!("Blue"), &json!("AllowCustomization")));
        assert_eq!(look["webUri"], format!("https://localhost:{}", town.host.addresses().api.port()));
        patched(&town.admin, &branding(town.provider), &replace("/portalColorTheme", "Green")).await;
        assert_eq!(town.admin.data(&branding(town.bakery)).await["portalColorTheme"], "Green");
        let reseller = town.reseller_admin().await;
        patched(&reseller, &branding(town.reseller), &replace("/portalColorTheme", "Pink")).await;
        patched(&reseller, &branding(town.reseller), &replace("/webUri", "https://market.example")).await;
        let look = town.admin.data(&branding(town.bakery)).await;
        assert_eq!((&look["portalColorTheme"], &look["webUri"]), (&json!("Pink"), &json!("https://market.example")));
        assert_eq!(town.admin.data(&branding(town.butcher)).await["portalColorTheme"], "Green");
        let own = patched(&town.admin, &branding(town.bakery), &replace("/portalColorTheme", "Red")).await;
        assert_eq!(own["portalColorTheme"], "Red");
        town.host.stop().await;
    }

    fn a_manager_that_insists_on_its_look_has_its_way(database) {
        let town = Town::open(database).await;
        patched(&town.admin, &branding(town.bakery), &replace("/portalColorTheme", "Red")).await;
        let reseller = town.reseller_admin().await;
        patched(&reseller, &branding(town.reseller), &replace("/portalColorTheme", "Pink")).await;
        patched(&reseller, &branding(town.reseller), &replace("/managedOrganizationsBrandingPolicy", "ForceInheritance")).await;
        assert_eq!(town.admin.data(&branding(town.bakery)).await["portalColorTheme"], "Pink");
        let error = refused(&town.admin, Method::PATCH, &branding(town.bakery), &replace("/portalColorTheme", "Grey"), StatusCode::BAD_REQUEST).await;
        assert_eq!((&error["code"], &error["propertyName"]), (&json!(1101), &json!("portalColorTheme")));
        patched(&town.admin, &branding(town.provider), &replace("/managedOrganizationsBrandingPolicy", "ForceInheritance")).await;
        assert_eq!(town.admin.data(&branding(town.reseller)).await["portalColorTheme"], "Blue");
        assert_eq!(town.admin.data(&branding(town.bakery)).await["portalColorTheme"], "Blue");
        town.host.stop().await;
    }

    fn what_is_no_look_is_refused(database) {
        let town = Town::open(database).await;
        for (path, value) in [
            ("/portalColorTheme", json!("Black")),
            ("/portalColorTheme", json!("Unknown")),
            ("/webUri", json!("http://plain.example")),
            ("/webUri", json!("javascript:alert(1)")),
            ("/webUri", json!("https://user@evil.example")),
            ("/webUri", json!("https://x.example/?a=<b>")),
            ("/logo", json!("x")),
        ] {
            let patch = replace(path, value);
            refused(&town.admin, Method::PATCH, &branding(town.provider), &patch, StatusCode::BAD_REQUEST).await;
        }
        town.host.stop().await;
    }

    fn foreign_branding_does_not_exist_and_members_may_only_look(database) {
        let town = Town::open(database).await;
        let reseller = town.reseller_admin().await;
        let patch = replace("/portalColorTheme", "Red");
        refused(&reseller, Method::PATCH, &branding(town.butcher), &patch, StatusCode::NOT_FOUND).await;
        refused(&reseller, Method::PATCH, &branding(town.provider), &patch, StatusCode::NOT_FOUND).await;
        for role in [Role::CompanyOwner, Role::LocationUser, Role::SubTenant, Role::CompanyInvoiceAuditor] {
            let member = town.client(role, town.butcher).await;
            let (status, body) = member.get(&branding(town.bakery)).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{role:?} {body}");
            refused(&member, Method::PATCH, &branding(town.butcher), &patch, StatusCode::FORBIDDEN).await;
        }
        let owner = town.client(Role::CompanyOwner, town.butcher).await;
        assert_eq!(owner.data(&branding(town.butcher)).await["portalColorTheme"], "Blue");
        let subtenant = town.client(Role::SubTenant, town.butcher).await;
        assert_eq!(subtenant.data(&branding(town.butcher)).await["portalColorTheme"], "Blue");
        town.host.stop().await;
    }
}
