//! What the users of companies and resellers may do with jobs.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::desk::{Desk, replace};

on_both! {
    fn claims_are_read_granted_and_taken_back(database) {
        let desk = Desk::open(database).await;
        let path = format!("/permissions/{}", desk.company("Bakery").await);
        let claims = desk.admin.data(&path).await["claims"].clone();
        assert!(claims.as_array().unwrap().contains(&json!("RemoteVbrJobStartStop")));
        assert!(!claims.as_array().unwrap().contains(&json!("RemoteVbrJobDelete")));
        let add = json!([{"op": "add", "path": "/claims/-", "value": "RemoteVbrJobDelete"}]);
        for _ in 0..2 {
            let (status, body) = desk.patch(&path, add.clone()).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            let claims = body["data"]["claims"].as_array().unwrap();
            assert_eq!(claims.iter().filter(|claim| **claim == "RemoteVbrJobDelete").count(), 1);
        }
        let (status, body) = desk.patch(&path, replace("/claims", &json!([]))).await;
        assert_eq!((status, &body["data"]["claims"]), (StatusCode::OK, &json!([])), "{body}");
        let (status, body) = desk.patch(&path, replace("/claims", &json!(["Everything"]))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        for nobody in [Uuid::max(), desk.provider] {
            assert_eq!(desk.admin.get(&format!("/permissions/{nobody}")).await.0, StatusCode::NOT_FOUND);
        }
        desk.close().await;
    }

    fn a_reseller_grants_no_more_than_it_has(database) {
        let desk = Desk::open(database).await;
        let reseller = desk.reseller("North").await;
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let foreign = desk.company("Butcher").await;
        let (own, theirs) = (format!("/permissions/{reseller}"), format!("/permissions/{company}"));
        let (status, body) = desk.patch(&own, replace("/claims", &json!(["RemoteVbrJobStartStop"]))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let member = desk.member("ServiceProviderAdministrator", "--reseller", reseller);
        let patch = |path: String, claim: &str| {
            let (member, body) = (member.clone(), replace("/claims", &json!([claim])));
            async move { member.json(Method::PATCH, &path, &body).await.0 }
        };
        assert_eq!(patch(theirs.clone(), "RemoteVbrJobStartStop").await, StatusCode::OK);
        assert_eq!(patch(theirs, "HostedVbrJobDelete").await, StatusCode::BAD_REQUEST);
        assert_eq!(patch(own, "RemoteVbrJobStartStop").await, StatusCode::FORBIDDEN);
        assert_eq!(patch(format!("/permissions/{foreign}"), "RemoteVbrJobStartStop").await, StatusCode::NOT_FOUND);
        desk.close().await;
    }
}
