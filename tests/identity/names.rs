//! Names look like what they are, and tell nothing of other people's customers.

use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::desk::{Desk, PASSWORD, patch, property, text};

const BAD: [&str; 4] = [" blank", "blank ", "tur\u{202e}ned", "two\nlines"];

on_both! {
    fn a_name_with_what_cannot_be_seen_is_refused_wherever_one_is_given(database) {
        let desk = Desk::open(database).await;
        let company = format!("/organizations/companies/{}", desk.bakery);
        let location = desk.admin.data(&format!("/organizations/{}/locations", desk.bakery)).await;
        let location = format!("/organizations/locations/{}", text(&location[0]["instanceUid"]));
        for name in BAD {
            let (status, body) = desk.try_user(&desk.admin, "CompanyTenant", &desk.bakery, name).await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "credentials.userName"), "{body}");
            for at in ["companies", "resellers"] {
                let new = json!({
                    "organizationInput": {"name": name}, "ownerCredentials": {"userName": "new", "password": PASSWORD},
                });
                let (status, body) = desk.admin.json(Method::POST, &format!("/organizations/{at}"), &new).await;
                assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "organizationInput.name"), "{body}");
            }
            let new = json!({"organizationUid": desk.bakery, "name": name, "quotaGb": 0});
            let (status, body) = desk.admin.json(Method::POST, "/organizations/locations", &new).await;
            assert_eq!((status, property(&body)), (StatusCode::BAD_REQUEST, "name"), "{body}");
            for (path, at) in [
                (&location, "/name"),
                (&format!("/organizations/{}", desk.bakery), "/name"),
                (&company, "/ownerCredentials/userName"),
            ] {
                let (status, body) = patch(&desk.admin, path, at, json!(name)).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {at} {body}");
            }
        }
        let (_, body) = desk.try_user(&desk.admin, "CompanyTenant", &desk.bakery, BAD[2]).await;
        assert!(text(&body["errors"][0]["message"]).contains("U+202E"), "it says which: {body}");
        desk.host.stop().await;
    }

    fn a_name_that_another_managers_customer_has_is_refused_without_a_word_of_them(database) {
        let desk = Desk::open(database).await;
        let market = desk.signed_in("market").await;
        let new = json!({"organizationInput": {"name": "BUTCHER"}, "ownerCredentials": {"userName": "mine"}});
        let (status, body) = market.json(Method::POST, "/organizations/companies", &new).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let message = text(&body["errors"][0]["message"]);
        assert!(message.contains("BUTCHER") && !message.contains("Butcher") && !message.contains("exists"), "{message}");
        desk.host.stop().await;
    }
}
