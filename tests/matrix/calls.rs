//! The tables of operations and the calls of them, as a test reads them.

use std::collections::{BTreeMap, BTreeSet};

use keelson::model::Role;
use keelson_tests::TestHost;
use reqwest::Method;
use serde_json::Value;

const CALLS: &str = include_str!("../../host/src/api/calls.json");
const TABLES: [&str; 2] = [
    include_str!("../../host/src/api/operations.tsv"),
    include_str!("../../host/src/api/operations-keelson.tsv"),
];

/// An operation: whom it admits, and how it is called.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) roles: Vec<Role>,
    pub(super) call: Call,
}

/// A call: in each text, `{{kind}}` stands for the id of an object of that kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) path: BTreeMap<String, Value>,
    pub(super) query: BTreeMap<String, Value>,
    pub(super) body: Option<Value>,
    pub(super) form: Option<Value>,
    /// Whether it is refused whatever it names: a check cannot know the code of the minute.
    pub(super) is_refused: bool,
}

/// Everything that the host serves.
#[derive(Debug)]
pub(super) struct Table(pub(super) Vec<Operation>);

impl Table {
    /// The operations that this host serves.
    pub(super) async fn mounted(host: &TestHost) -> Self {
        let mounted = mounted(host).await;
        Self(rows().into_iter().filter(|row| mounted.contains(&row.id)).collect())
    }
}

/// The ids of what the host says it serves below `/api/v3`.
pub(super) async fn mounted(host: &TestHost) -> BTreeSet<String> {
    let (_, document) = host.client.get("/openapi.json").await;
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| !path.starts_with("/ui/"));
    let operations = paths.flat_map(|(_, item)| item.as_object().unwrap().values());
    let ids = operations.filter_map(|operation| Some(operation.get("operationId")?.as_str()?.to_owned()));
    ids.filter(|id| !OF_PLUGINS.contains(&id.as_str())).collect()
}

/// What these answer is a plugin's affair; `tests/plugins/views.rs` has one that answers them.
const OF_PLUGINS: [&str; 7] = [
    "RunPluginTask",
    "RenderPluginView",
    "ActOnPluginView",
    "GetFromPluginRoute",
    "PostToPluginRoute",
    "PutToPluginRoute",
    "DeleteFromPluginRoute",
];

/// The ids of what `calls.json` calls.
pub(super) fn ids() -> BTreeSet<String> {
    all().keys().cloned().collect()
}

/// Both tables, each row with its call.
pub(super) fn rows() -> Vec<Operation> {
    let calls = all();
    let lines = TABLES.iter().flat_map(|table| table.lines().skip(1));
    lines.map(|line| row(line, &calls)).collect()
}

fn row(line: &str, calls: &BTreeMap<String, Call>) -> Operation {
    let columns: Vec<_> = line.split('\t').collect();
    let words: Vec<_> = columns[8].split_whitespace().collect();
    let admitted = |role: &&Role| words == ["all"] || words.contains(&role.short());
    Operation {
        id: columns[3].to_owned(),
        method: columns[1].parse().unwrap(),
        path: columns[2].trim_end_matches('/').to_owned(),
        roles: Role::ALL.iter().filter(admitted).copied().collect(),
        call: calls.get(columns[3]).cloned().unwrap_or_default(),
    }
}

/// The members of one part of a call.
fn part<'c>(call: &'c Value, name: &str) -> impl Iterator<Item = (String, Value)> + use<'c> {
    let members = call.get(name).and_then(Value::as_object).into_iter().flatten();
    members.map(|(key, value)| (key.clone(), value.clone()))
}

fn all() -> BTreeMap<String, Call> {
    let all: BTreeMap<String, Value> = serde_json::from_str(CALLS).expect("calls.json is JSON");
    all.into_iter()
        .map(|(id, call)| {
            let read = Call {
                path: part(&call, "path").collect(),
                query: part(&call, "query").collect(),
                body: call.get("body").cloned(),
                form: call.get("form").cloned(),
                is_refused: call.get("answers") == Some(&serde_json::json!([400])),
            };
            (id, read)
        })
        .collect()
}
