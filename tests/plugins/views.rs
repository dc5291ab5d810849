//! Views and routes of plugins, through the API.

use std::net::SocketAddr;
use std::sync::Arc;

use keelson::clock::{Clock as _, SystemClock};
use keelson_tests::client::escape;
use keelson_tests::fleet::{Scale, plant};
use keelson_tests::{Client, TestHost, on_both};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::support::{Shelf, read};

const PAINTER: &str = "test.painter";
const MANIFEST: &str = r#"
id = "test.painter"
name = "Painter"
version = "1.0.0"
[contract]
requires = ">=0.2, <0.3"
[extends]
routes = true
[[http]]
label = "psa"
methods = ["GET"]
path-prefixes = ["/api/"]
reason = "Reads agreements"
[[secrets]]
label = "token"
kind = "token"
placement = "bearer"
used-by = ["psa"]
reason = "Signs in to the PSA"
[[data]]
scope = "inventory:read"
reason = "Counts computers"
[[extends.views]]
id = "overview"
title = "Overview"
slot = "dashboard.card"
[[extends.views]]
id = "company"
title = "Of the company"
slot = "company.tab"
"#;

/// A host with the plugin, and who asks it.
struct Gallery {
    host: TestHost,
    provider: Client,
    plugin: String,
    _shelf: Shelf,
}

impl Gallery {
    async fn open(database: keelson_tests::TestDatabase) -> Self {
        let shelf = Shelf::with_shipped();
        shelf.put(PAINTER, "plugin.toml", MANIFEST);
        shelf.put(PAINTER, "plugin.wasm", read("guests/painter.wasm"));
        let host = TestHost::start_with(database, Some(shelf.folder()), Arc::new(SystemClock)).await;
        let provider = host.administrator();
        let plugin = format!("/plugins/{}", keelson::plugins::plugin_uid(PAINTER));
        Self { host, provider, plugin, _shelf: shelf }
    }

    fn view(&self, view: &str, mode: &str) -> String {
        let parameters = escape(&json!({ "mode": mode }).to_string());
        format!("{}/views/{view}?parameters={parameters}", self.plugin)
    }

    /// Status and message of what does not come about.
    async fn refusal(&self, mode: &str) -> (u16, String) {
        let (status, body) = self.provider.get(&self.view("overview", mode)).await;
        (status.as_u16(), body["errors"][0]["message"].as_str().unwrap_or_default().to_owned())
    }

    async fn route(&self, client: &Client, method: Method, path: &str) -> reqwest::Response {
        client.request(method, &format!("/api/v3{}/routes{path}", self.plugin)).send().await.unwrap()
    }
}

on_both! {
    fn views_are_listed_with_their_slots_and_rendered(database) {
        let gallery = Gallery::open(database).await;
        let views = gallery.provider.data("/plugins/views").await;
        assert_eq!((&views[0]["view"], &views[0]["slot"]), (&json!("overview"), &json!("dashboard.card")));
        let view = gallery.provider.data(&gallery.view("overview", "calm")).await;
        assert_eq!((&view["title"], &view["widgets"][0]["value"]), (&json!("overview"), &json!("the provider")));
        let unknown = gallery.provider.data(&gallery.view("overview", "unknown")).await;
        assert_eq!(unknown["widgets"][0]["type"], "hologram");
        gallery.host.stop().await;
    }

    fn a_view_that_is_too_large_too_deep_or_not_of_the_schema_is_refused_with_the_place(database) {
        let gallery = Gallery::open(database).await;
        for (mode, said) in [
            ("huge", "262144 at most"),
            ("deep", "deeper than 12"),
            ("invalid", "/widgets/0"),
        ] {
            let (status, message) = gallery.refusal(mode).await;
            assert_eq!(status, 520, "{message}");
            assert!(message.contains("test.painter") && message.contains(said), "{mode}: {message}");
        }
        gallery.host.stop().await;
    }

    fn what_a_plugin_refuses_is_the_callers_fault_and_what_comes_later_is_nobodys(database) {
        let gallery = Gallery::open(database).await;
        let (status, message) = gallery.refusal("refuse").await;
        assert_eq!(status, 400);
        assert!(message.contains("there is nothing of that kind"), "{message}");
        let (status, message) = gallery.refusal("later").await;
        assert_eq!(status, 520);
        assert!(message.contains("the server is away"), "{message}");
        let (status, body) = gallery.provider.get(&gallery.view("nowhere", "calm")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{body}");
        gallery.host.stop().await;
    }

    fn a_view_that_spins_is_stopped_and_three_times_rests_its_plugin(database) {
        let gallery = Gallery::open(database).await;
        for _ in 0..3 {
            let (_, message) = gallery.refusal("spin").await;
            assert!(message.contains("was stopped"), "{message}");
        }
        let (status, message) = gallery.refusal("calm").await;
        assert_eq!(status, 520);
        assert!(message.contains("paused after repeated failures"), "{message}");
        gallery.provider.data("/alarms/templates").await;
        gallery.host.stop().await;
    }

    fn a_button_does_something_and_says_so(database) {
        let gallery = Gallery::open(database).await;
        let button = format!("{}/views/overview/actions/say", gallery.plugin);
        let (status, body) = gallery.provider.json(Method::POST, &button, &json!({ "what": "painted" })).await;
        assert_eq!((status, &body["data"]), (StatusCode::OK, &json!({ "message": "painted", "render": true })));
        let unknown = format!("{}/views/overview/actions/jump", gallery.plugin);
        let (status, body) = gallery.provider.json(Method::POST, &unknown, &json!({})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        gallery.host.stop().await;
    }

    fn a_companys_people_see_the_views_of_companies_and_only_for_their_own(database) {
        let gallery = Gallery::open(database).await;
        let (bakery, forge) = (company(&gallery.host, "Bakery"), company(&gallery.host, "Forge"));
        let baker = gallery.host.member("CompanyAdministrator", "Bakery");
        let views = baker.data("/plugins/views").await;
        assert_eq!(views.as_array().map(Vec::len), Some(1), "{views}");
        assert_eq!(baker.data(&gallery.view("company", "calm")).await["widgets"][0]["value"], json!(bakery));
        for (path, status) in [
            (gallery.view("overview", "calm"), 404),
            (format!("{}&company={forge}", gallery.view("company", "calm")), 404),
            (format!("{}&company={bakery}", gallery.view("company", "calm")), 200),
        ] {
            assert_eq!(baker.get(&path).await.0, status, "{path}");
        }
        let provider = gallery.provider.data(&format!("{}&company={forge}", gallery.view("company", "calm"))).await;
        assert_eq!(provider["widgets"][0]["value"], json!(forge));
        gallery.host.stop().await;
    }

    fn a_route_gets_the_request_and_who_asks_and_no_credential(database) {
        let gallery = Gallery::open(database).await;
        let path = format!("/api/v3{}/routes/echo?a=1&a=2&b=%C3%A4", gallery.plugin);
        let request = gallery.provider.request(Method::POST, &path).header("x-thing", "7").body("hello");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["query"], json!([["a", "1"], ["a", "2"], ["b", "ä"]]));
        assert_eq!((&answer["method"], &answer["body"]), (&json!("POST"), &json!("hello")));
        assert_eq!((&answer["caller"]["role"], &answer["company"]), (&json!("PortalAdministrator"), &Value::Null));
        let headers = answer["headers"].to_string();
        assert!(headers.contains("x-thing") && !headers.contains("authorization"), "{headers}");
        let bakery = company(&gallery.host, "Bakery");
        let baker = gallery.host.member("CompanyAdministrator", "Bakery");
        let answer: Value = gallery.route(&baker, Method::GET, "/echo").await.json().await.unwrap();
        assert_eq!((&answer["company"], &answer["caller"]["organization"]), (&json!(bakery), &json!(bakery)));
        gallery.host.stop().await;
    }

    fn the_answer_of_a_route_cannot_speak_for_the_host(database) {
        let gallery = Gallery::open(database).await;
        let page = gallery.route(&gallery.provider, Method::GET, "/page").await;
        let header = |name: &str| page.headers().get(name).and_then(|value| value.to_str().ok());
        assert_eq!(header("content-security-policy"), Some("sandbox; default-src 'none'"));
        assert_eq!((header("x-own"), header("x-content-type-options")), (Some("1"), Some("nosniff")));
        assert_eq!((header("set-cookie"), header("location")), (None, None));
        for (path, said) in [("/status", "status 700"), ("/large", "1048576 at most"), ("/trap", "dropped the brush")] {
            let answer: Value = gallery.route(&gallery.provider, Method::GET, path).await.json().await.unwrap();
            assert!(answer.to_string().contains(said), "{answer}");
        }
        gallery.host.stop().await;
    }

    fn a_plugin_calls_a_bound_server_with_a_secret_that_it_never_sees(database) {
        let gallery = Gallery::open(database).await;
        let fetch = || async { gallery.route(&gallery.provider, Method::GET, "/fetch").await.text().await.unwrap() };
        assert!(fetch().await.contains("not-bound"), "nobody bound it");

        let server = echo_of_the_authorization().await;
        let origin = format!("http://{server}");
        gallery.host.command(&["plugin", "bind", PAINTER, "psa", &origin, "--private-network"]);
        assert!(fetch().await.contains("no-secret"), "nobody entered it");
        let mut tx = gallery.host.store.write().await.unwrap();
        let seal = keelson::seal::Seal::open(gallery.host.data.path()).unwrap();
        tx.plugin_access().set_secret(&seal, PAINTER, ("token", "token", None, 0), "s3cret-word").await.unwrap();
        tx.commit().await.unwrap();
        let answer = fetch().await;
        assert!(answer.contains("Bearer [redacted]"), "the server saw it, and its echo is cut: {answer}");
        let used = gallery.host.command(&["plugin", "access", PAINTER]);
        assert!(used.contains("psa") && !used.contains("s3cret"), "{used}");
        gallery.host.stop().await;
    }

    fn a_plugin_reads_the_fleet_and_for_a_company_that_companys_part_only(database) {
        plant(&database.url, Scale::SMALL, SystemClock.now_ms()).await.unwrap();
        let gallery = Gallery::open(database).await;
        let all = gallery.host.count("SELECT count(*) FROM workloads WHERE kind = 'computer' AND gone_at IS NULL").await;
        let names = |answer: Value| answer.as_array().map(Vec::len).unwrap_or_default();
        let seen = gallery.route(&gallery.provider, Method::GET, "/computers").await.json().await.unwrap();
        assert_eq!(i64::try_from(names(seen)).unwrap(), all);

        let company = gallery.provider.data("/organizations/companies?limit=1").await[0]["instanceUid"].clone();
        let path = format!("/api/v3{}/routes/computers", gallery.plugin);
        let request = gallery.provider.request(Method::GET, &path).header("x-keelson-company", company.as_str().unwrap());
        let part = names(request.send().await.unwrap().json().await.unwrap());
        let filter = escape(&json!([{ "property": "organizationUid", "operation": "equals", "value": company }]).to_string());
        let list = format!("/protectedWorkloads/computersManagedByConsole?limit=500&filter={filter}");
        let expected = gallery.provider.data(&list).await.as_array().map(Vec::len).unwrap_or_default();
        assert!(part > 0 && i64::try_from(part).unwrap() < all, "{part} of {all}");
        assert!(expected <= part, "{expected} of them managed by the console");
        gallery.host.stop().await;
    }

    fn a_body_that_is_too_large_does_not_reach_the_plugin(database) {
        let gallery = Gallery::open(database).await;
        let path = format!("/api/v3{}/routes/echo", gallery.plugin);
        let answer = gallery.provider.request(Method::POST, &path).body(vec![b'x'; (1 << 20) + 1]).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let nobody = gallery.host.client.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
        gallery.host.stop().await;
    }
}

/// A server that answers with the authorization that it was sent.
async fn echo_of_the_authorization() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
            let body = line.and_then(|line| line.split_once(": ")).map_or("none", |(_, value)| value);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            drop(stream.write_all(answer.as_bytes()).await);
        }
    });
    address
}

fn company(host: &TestHost, name: &str) -> String {
    host.command(&["company", "add", "--name", name])
}
