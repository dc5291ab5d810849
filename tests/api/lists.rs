//! Paging, filters, order and selection over HTTPS.

use keelson_tests::client::escape;
use keelson_tests::{Client, TestHost, on_both};
use reqwest::StatusCode;

async fn host_with_companies(database: keelson_tests::TestDatabase) -> (TestHost, Client) {
    let host = TestHost::start(database).await;
    for name in ["Bakery", "Butcher", "Candlemaker"] {
        host.command(&["company", "add", "--name", name]);
    }
    let client = host.administrator();
    (host, client)
}

async fn names(client: &Client, query: &str) -> Vec<String> {
    let found = client.data(&format!("/organizations/companies{query}")).await;
    found.as_array().unwrap().iter().map(|company| company["name"].as_str().unwrap().to_owned()).collect()
}

on_both! {
    fn what_clients_in_the_wild_send_is_understood(database) {
        let (host, client) = host_with_companies(database).await;
        let single_quoted = escape("[{'property':'name','operation':'contains','collation':'ignorecase','value':'b'}]");
        assert_eq!(names(&client, &format!("?filter={single_quoted}")).await, ["Bakery", "Butcher"]);
        let null_items = escape(r#"[{"property":"name","operation":"equals","value":"Bakery","items":null}]"#);
        assert_eq!(names(&client, &format!("/?filter={null_items}")).await, ["Bakery"]);
        let sort = escape(r#"[{"property":"name","direction":"descending"}]"#);
        assert_eq!(names(&client, &format!("?sort={sort}&limit=2")).await, ["Candlemaker", "Butcher"]);
        host.stop().await;
    }

    fn a_page_says_how_much_there_is(database) {
        let (host, client) = host_with_companies(database).await;
        let (_, body) = client.get("/organizations/companies?limit=2&offset=2").await;
        assert_eq!(body["meta"]["pagingInfo"], serde_json::json!({ "total": 3, "count": 1, "offset": 2 }));
        for bad in ["limit=0", "limit=501", "limit=ten", "offset=-1"] {
            let (status, body) = client.get(&format!("/organizations/companies?{bad}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{bad}");
            let parameter = bad.split('=').next().unwrap();
            assert_eq!(body["errors"][0]["parameterName"], parameter, "{body}");
        }
        host.stop().await;
    }

    fn a_property_that_does_not_exist_is_named_with_the_nearest(database) {
        let (host, client) = host_with_companies(database).await;
        let filter = escape(r#"[{"property":"nmae","operation":"equals","value":"Bakery"}]"#);
        let (status, body) = client.get(&format!("/organizations/companies?filter={filter}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("nmae") && message.contains("name"), "{message}");
        assert_eq!(body["errors"][0]["parameterName"], "filter");
        host.stop().await;
    }

    fn hostile_filters_are_refused_and_the_host_goes_on(database) {
        let (host, client) = host_with_companies(database).await;
        let deep = format!("{}{}", r#"{"operation":"not","items":["#.repeat(500), "]}".repeat(500));
        let wide = format!("[{}]", vec![r#"{"property":"name","operation":"equals","value":"x"}"#; 100].join(","));
        let hostile = [
            deep.as_str(),
            wide.as_str(),
            r#"[{"property":"name","operation":"equals","value":"a\u0000b"}]"#,
            r#"[{"property":"instanceUid","operation":"equals","value":"'; DROP TABLE companies; --"}]"#,
            r#"[{"property":"name' OR 1=1 --","operation":"equals","value":"x"}]"#,
            "[[[[[[[[",
            "null",
            r#"[{"property":"name","operation":"lessThan"}]"#,
        ];
        for filter in hostile {
            let (status, body) = client.get(&format!("/organizations/companies?filter={}", escape(filter))).await;
            let shown: String = filter.chars().take(60).collect();
            assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::OK, "{shown}: {status} {body}");
        }
        assert_eq!(names(&client, "").await.len(), 3);
        host.stop().await;
    }

    fn select_gives_just_what_was_asked_for(database) {
        let (host, client) = host_with_companies(database).await;
        let select = escape(r#"[{"propertyPath":"name"}]"#);
        let found = client.data(&format!("/organizations/companies?select={select}&limit=1")).await;
        assert_eq!(found, serde_json::json!([{ "name": "Bakery" }]));
        host.stop().await;
    }
}
