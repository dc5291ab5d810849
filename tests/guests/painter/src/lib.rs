//! A plugin with views and routes, well behaved unless it is asked not to be.

use keelson_sdk::routes::{Request, Response};
use keelson_sdk::ui::{Tone, View};
use keelson_sdk::{Acted, Call, Error, Plugin, Routes, Views};
use serde_json::{Value, json};

struct Painter;

impl Plugin for Painter {
    const ID: &'static str = "test.painter";
    const VERSION: &'static str = "1.0.0";
}

impl Views for Painter {
    fn render(call: &Call, view: &str, parameters: &Value) -> Result<View, Error> {
        let stat = |value: &str| View::new().stat("For", value, Tone::Good);
        match parameters["mode"].as_str().unwrap_or_default() {
            "huge" => Ok(View::new().text(&"x".repeat(300 << 10))),
            "deep" => Ok(View::new().widget(nested(20))),
            "invalid" => Ok(View::new().widget(json!({ "type": "stat", "label": "no value" }))),
            "unknown" => Ok(View::new().widget(json!({ "type": "hologram" }))),
            "spin" => spin(),
            "refuse" => Err(Error::new("no-such-thing", "there is nothing of that kind")),
            "later" => Err(Error::new("not-yet", "the server is away").retryable()),
            _ => Ok(stat(call.company.as_deref().unwrap_or("the provider")).title(view)),
        }
    }

    fn act(_call: &Call, _view: &str, action: &str, parameters: &Value) -> Result<Acted, Error> {
        match action {
            "say" => Ok(Acted::saying(parameters["what"].as_str().unwrap_or_default())),
            _ => Err(Error::new("unknown-action", format!("no action {action}"))),
        }
    }
}

impl Routes for Painter {
    fn handle(call: &Call, request: &Request) -> Result<Response, Error> {
        match request.path.as_str() {
            "/echo" => Response::json(
                200,
                &json!({
                    "method": request.method, "query": request.query, "headers": request.headers,
                    "body": String::from_utf8_lossy(&request.body), "caller": request.caller, "company": call.company,
                }),
            ),
            "/page" => Ok(Response {
                status: 200,
                headers: [
                    ("content-type", "text/html"),
                    ("set-cookie", "a=b"),
                    ("location", "/"),
                    ("x-own", "1"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
                body: b"<script>alert(1)</script>".to_vec(),
            }),
            "/status" => Ok(Response::text(700, "")),
            "/large" => Ok(Response::text(200, &"x".repeat((1 << 20) + 1))),
            "/fetch" => fetch(),
            "/computers" => computers(),
            "/trap" => trap(),
            path => Err(Error::new("unknown-route", format!("nothing is at {path}"))),
        }
    }
}

/// What a server says to whoever has the secret.
fn fetch() -> Result<Response, Error> {
    let answer = keelson_sdk::http::get("psa", "/api/agreements").secret("token").send()?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Response::json(200, &json!({ "status": answer.status, "body": body }))
}

/// The names of all computers that may be seen.
fn computers() -> Result<Response, Error> {
    let mut names = Vec::new();
    keelson_sdk::inventory::each("computer", &["name", "restore-points"], |rows| {
        names.extend(rows.strings("name")?.iter().cloned());
        Ok(())
    })?;
    Response::json(200, &names)
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(
        json!({ "type": "text", "text": "deep" }),
        |inside, _| json!({ "type": "group", "widgets": [inside] }),
    )
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

#[expect(clippy::panic, reason = "that is the point")]
fn trap() -> ! {
    panic!("dropped the brush")
}

keelson_sdk::plugin!(Painter: views, routes);
