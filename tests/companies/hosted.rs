//! Shares of the provider's backup servers.

use keelson::model::Door;
use keelson_tests::on_both;
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::desk::{Desk, delete, inventory, replace, uid, uids};

/// The provider's hosted server, and its repository.
async fn hosted(desk: &Desk) -> (Uuid, Uuid) {
    let source = desk.agent(desk.provider, Door::Hosted).await;
    desk.report(source, &inventory()).await;
    (desk.ask("SELECT uid FROM backup_servers").await, desk.ask("SELECT uid FROM backup_repositories").await)
}

on_both! {
    fn a_company_gets_one_hosted_server_and_repositories_of_it(database) {
        let desk = Desk::open(database).await;
        let (server, repository) = hosted(&desk).await;
        let company = desk.company("Bakery").await;
        let path = format!("/organizations/companies/{company}/hostedResources/vbr");
        let body = json!({"serverUid": server, "friendlyName": "Ours", "isJobSchedulingEnabled": true});
        let (status, made) = desk.admin.json(Method::POST, &path, &body).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let resource = uid(&made["data"]["instanceUid"]);
        assert_eq!(made["data"], json!({
            "instanceUid": resource, "companyUid": company, "serverUid": server, "friendlyName": "Ours",
            "isWholeServerAssigned": false,
        }));
        let claims = desk.admin.data(&format!("/permissions/{company}")).await["claims"].to_string();
        assert!(claims.contains("HostedVbrJobScheduleWrite"), "{claims}");
        let (status, body) = desk.admin.json(Method::POST, &path, &body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");

        let one = format!("{path}/{resource}");
        let body = json!({"repositoryUid": repository, "isStorageQuotaUnlimited": false, "storageQuota": 500});
        let (status, made) = desk.admin.json(Method::POST, &format!("{one}/backupResources"), &body).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        assert_eq!((&made["data"]["storageQuota"], &made["data"]["isStorageQuotaUnlimited"]), (&json!(500), &json!(false)));
        assert_eq!(uid(&made["data"]["hostedResourceUid"]), resource);
        let (status, again) = desk.admin.json(Method::POST, &format!("{one}/backupResources"), &body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{again}");
        for list in [format!("{one}/backupResources"), "/organizations/companies/hostedResources/vbr/backupResources".to_owned()] {
            assert_eq!(uids(&desk.admin, &list, "repositoryUid").await, [repository]);
        }

        let (status, body) = desk.patch(&one, replace("/friendlyName", &json!("Theirs"))).await;
        assert_eq!((status, &body["data"]["friendlyName"]), (StatusCode::OK, &json!("Theirs")), "{body}");
        let (status, body) = desk.patch(&one, replace("/serverUid", &json!(repository))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let (status, body) = delete(&desk.admin, &one).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert!(uids(&desk.admin, "/organizations/companies/hostedResources/vbr/backupResources", "instanceUid").await.is_empty());
        assert_eq!(desk.admin.get(&one).await.0, StatusCode::NOT_FOUND);
        desk.close().await;
    }

    fn a_whole_server_is_shared_with_nobody(database) {
        let desk = Desk::open(database).await;
        let (server, _) = hosted(&desk).await;
        let (first, second) = (desk.company("Bakery").await, desk.company("Butcher").await);
        let path = |company| format!("/organizations/companies/{company}/hostedResources/vbr");
        let whole = json!({"serverUid": server, "friendlyName": "All of it", "isWholeServerAssigned": true});
        let share = json!({"serverUid": server, "friendlyName": "Some of it"});
        let (status, made) = desk.admin.json(Method::POST, &path(first), &whole).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let (status, body) = desk.admin.json(Method::POST, &path(second), &share).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        let one = format!("{}/{}", path(first), made["data"]["instanceUid"].as_str().unwrap());
        let (status, body) = desk.patch(&one, replace("/isWholeServerAssigned", &json!(false))).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let (status, body) = desk.admin.json(Method::POST, &path(second), &share).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let (status, body) = desk.patch(&one, replace("/isWholeServerAssigned", &json!(true))).await;
        assert_eq!(status, StatusCode::CONFLICT, "{body}");
        desk.close().await;
    }

    fn a_company_gets_of_hosted_servers_what_its_reseller_has(database) {
        let desk = Desk::open(database).await;
        let (server, _) = hosted(&desk).await;
        let reseller = desk.reseller("North").await;
        let company = desk.company_by(&desk.admin, "Bakery", json!({"resellerUid": reseller})).await;
        let path = format!("/organizations/companies/{company}/hostedResources/vbr");
        let body = json!({"serverUid": server, "friendlyName": "Ours", "isJobSchedulingEnabled": true});
        let (status, answer) = desk.admin.json(Method::POST, &path, &body).await;
        assert_eq!(status, StatusCode::CONFLICT, "{answer}");
        assert!(answer.to_string().contains("/resellerServices/hostedServices/backupResourcesEnabled"), "{answer}");
        let switch = replace("/resellerServices/hostedServices/backupResourcesEnabled", &json!(true));
        desk.patch(&format!("/organizations/resellers/{reseller}"), switch).await;
        desk.patch(&format!("/permissions/{reseller}"), replace("/claims", &json!([]))).await;
        let (status, answer) = desk.admin.json(Method::POST, &path, &body).await;
        assert_eq!((status, &answer["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!("isJobSchedulingEnabled")), "{answer}");
        let body = json!({"serverUid": server, "friendlyName": "Ours"});
        assert_eq!(desk.admin.json(Method::POST, &path, &body).await.0, StatusCode::OK);
        desk.close().await;
    }

    fn what_a_hosted_server_did_for_a_deleted_company_is_the_providers_again(database) {
        let desk = Desk::open(database).await;
        hosted(&desk).await;
        let company = desk.company("Bakery").await;
        desk.run("UPDATE vb365_objects SET company_uid = {}", &[company]).await;
        let (status, body) = delete(&desk.admin, &format!("/organizations/companies/{company}?removeAllAgents=false")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        assert_eq!(desk.ask("SELECT company_uid FROM vb365_objects").await, desk.provider);
        desk.close().await;
    }

    fn only_hosted_servers_and_their_own_repositories_are_given(database) {
        let desk = Desk::open(database).await;
        let company = desk.company("Bakery").await;
        let own = desk.agent(company, Door::Remote).await;
        desk.report(own, &inventory()).await;
        let (client, foreign) = (desk.ask("SELECT uid FROM backup_servers").await, desk.ask("SELECT uid FROM backup_repositories").await);
        let path = format!("/organizations/companies/{company}/hostedResources/vbr");
        let body = json!({"serverUid": client, "friendlyName": "Ours"});
        let (status, body) = desk.admin.json(Method::POST, &path, &body).await;
        assert_eq!((status, &body["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!("serverUid")), "{body}");
        let body = json!({"serverUid": company, "friendlyName": "Nothing"});
        assert_eq!(desk.admin.json(Method::POST, &path, &body).await.0, StatusCode::NOT_FOUND);

        let source = desk.agent(desk.provider, Door::Hosted).await;
        desk.report(source, &inventory()).await;
        let servers = uids(&desk.admin, "/infrastructure/backupServers", "instanceUid").await;
        let server = servers.into_iter().find(|server| *server != client).unwrap();
        let body = json!({"serverUid": server, "friendlyName": "Ours"});
        let (status, made) = desk.admin.json(Method::POST, &path, &body).await;
        assert_eq!(status, StatusCode::OK, "{made}");
        let backups = format!("{path}/{}/backupResources", made["data"]["instanceUid"].as_str().unwrap());
        for (body, property) in [
            (json!({"repositoryUid": foreign}), "repositoryUid"),
            (json!({"repositoryUid": foreign, "isStorageQuotaUnlimited": false}), "storageQuota"),
            (json!({"repositoryUid": foreign, "isStorageQuotaUnlimited": true, "storageQuota": 5}), "storageQuota"),
            (json!({"repositoryUid": foreign, "isStorageQuotaUnlimited": false, "storageQuota": 0}), "storageQuota"),
            (json!({"repositoryUid": foreign, "isStorageQuotaUnlimited": false, "storageQuota": 1_048_577}), "storageQuota"),
            (json!({}), "repositoryUid"),
        ] {
            let (status, answer) = desk.admin.json(Method::POST, &backups, &body).await;
            assert_eq!((status, &answer["errors"][0]["propertyName"]), (StatusCode::BAD_REQUEST, &json!(property)), "{body}: {answer}");
        }
        desk.close().await;
    }
}
