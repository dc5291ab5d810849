//! The fake holds both sides to the API's description: a test that could not fail would prove nothing.

use keelson_agent::driver::vbr::API_VERSION;
use reqwest::{Method, StatusCode};

use super::*;

/// Asks the fake without the agent.
async fn ask(server: &VbrServer, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let (client, base) = server.stranger();
    let login = [("grant_type", "Password"), ("username", USER), ("password", PASSWORD)];
    let token = client.post(format!("{base}/api/oauth2/token")).header("x-api-version", API_VERSION);
    let token: Value = token.form(&login).send().await.unwrap().json().await.unwrap();
    let mut request = client.request(method, format!("{base}{path}"));
    request =
        request.header("x-api-version", API_VERSION).bearer_auth(token["access_token"].as_str().unwrap());
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn what_the_description_does_not_have_is_refused_and_recorded() {
    let job = |server: &VbrServer| server.with(|world| world.jobs[0].id);
    let odd: [(Method, &str, Option<Value>, &str); 6] = [
        (Method::GET, "/api/v1/jobs?colour=red", None, "no query parameter colour"),
        (Method::GET, "/api/v1/jobs?skip=many", None, "skip"),
        (Method::GET, "/api/v1/jobs/nightly", None, "id"),
        (Method::GET, "/api/v1/coffee", None, "there is no GET /api/v1/coffee"),
        (Method::POST, "/start", Some(json!({"performActiveFull": false, "colour": "red"})), "colour"),
        (Method::POST, "/start", None, "a body is missing"),
    ];
    for (method, path, body, words) in odd {
        let server = VbrServer::start(VbrOptions::at(NOW)).await;
        let path =
            if path == "/start" { format!("/api/v1/jobs/{}/start", job(&server)) } else { path.to_owned() };
        let (status, _) = ask(&server, method, &path, body).await;
        assert!(status.is_client_error(), "{path}: {status}");
        let recorded = server.violations();
        assert!(recorded.len() == 1 && recorded[0].contains(words), "{path}: {recorded:?}");
    }
}

#[tokio::test]
async fn the_fakes_own_answers_are_recorded_when_they_are_wrong() {
    let server = VbrServer::start(VbrOptions::at(NOW)).await;
    server.with(|world| world.repositories[0].kind = "Cellar");
    let (status, _) =
        ask(&server, Method::GET, "/api/v1/backupInfrastructure/repositories/states", None).await;
    assert_eq!(status, StatusCode::OK);
    let recorded = server.violations();
    assert!(recorded.len() == 1 && recorded[0].contains("Cellar"), "{recorded:?}");
}
