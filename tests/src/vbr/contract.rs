//! The REST API as its own description has it: every question to the fake server and every answer of it is held to the slice
//! of version 1.3-rev1, so that neither the fake nor the agent makes up a member.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

const SLICE: &str = include_str!("v1.3-slice.json");

/// Entries of a list that are looked at.
const SAMPLE: usize = 50;

/// An operation that a request is for.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) id: String,
    /// Of its path, by name.
    pub(super) parameters: HashMap<String, String>,
    method: String,
    template: String,
}

/// The slice, made strict: members that it does not know are errors.
#[derive(Debug)]
pub(super) struct Contract {
    document: Value,
    validators: Mutex<HashMap<String, std::sync::Arc<Validator>>>,
}

impl Contract {
    pub(super) fn load() -> Self {
        let mut document: Value = serde_json::from_str(SLICE).expect("the slice is JSON");
        let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
        for schema in schemas.values_mut() {
            strict(schema);
        }
        Self { document, validators: Mutex::default() }
    }

    /// Which operation it is, if it is one.
    pub(super) fn operation(&self, method: &str, path: &str) -> Option<Operation> {
        let method = method.to_lowercase();
        let paths = self.document["paths"].as_object().expect("paths");
        let fits = |template: &str| {
            let (wanted, given): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), path.split('/').collect());
            let mut parameters = HashMap::new();
            (wanted.len() == given.len()).then_some(())?;
            for (wanted, given) in wanted.into_iter().zip(given) {
                match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => drop(parameters.insert(name.to_owned(), given.to_owned())),
                    None if wanted == given => {}
                    None => return None,
                }
            }
            Some(parameters)
        };
        let found = paths.iter().filter(|(_, item)| item.get(&method).is_some());
        let found = found.filter_map(|(template, _)| Some((template, fits(template)?)));
        // `/jobs/states` is not the job "states".
        let (template, parameters) = found.min_by_key(|(_, parameters)| parameters.len())?;
        let id = paths[template][&method]["operationId"].as_str().expect("an operation has an id").to_owned();
        Some(Operation { id, parameters, method, template: template.clone() })
    }

    /// What is wrong with a request.
    pub(super) fn request(
        &self,
        operation: &Operation,
        query: &[(String, String)],
        body: Option<&Value>,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let description = &self.document["paths"][&operation.template][&operation.method];
        let parameters = description["parameters"].as_array().cloned().unwrap_or_default();
        for (name, value) in query {
            let known = parameters.iter().find(|one| one["name"] == name.as_str() && one["in"] == "query");
            match known {
                Some(known) => wrong.extend(
                    self.text(&known["schema"], value).into_iter().map(|why| format!("{name}: {why}")),
                ),
                None => wrong.push(format!("no query parameter {name}")),
            }
        }
        for (name, value) in &operation.parameters {
            let known =
                parameters.iter().find(|one| one["name"] == name.as_str()).expect("a described parameter");
            wrong.extend(self.text(&known["schema"], value).into_iter().map(|why| format!("{name}: {why}")));
        }
        let content = description["requestBody"]["content"].as_object();
        let schema = content.and_then(|content| content.values().next()).map(|media| &media["schema"]);
        match (schema, body) {
            (Some(schema), Some(body)) => wrong.extend(self.check(schema, body)),
            (Some(_), None) => wrong.push("a body is missing".to_owned()),
            (None, Some(_)) => wrong.push("a body is not wanted".to_owned()),
            (None, None) => {}
        }
        wrong
    }

    /// What is wrong with an answer; `None`: it has no JSON.
    pub(super) fn answer(&self, operation: &Operation, status: u16, body: Option<&Value>) -> Vec<String> {
        let answers = &self.document["paths"][&operation.template][&operation.method]["responses"];
        let Some(mut answer) = answers.get(status.to_string()) else {
            return vec![format!("{} has no answer {status}", operation.id)];
        };
        if let Some(name) = answer["$ref"].as_str() {
            answer =
                self.document.pointer(name.trim_start_matches('#')).expect("a reference leads somewhere");
        }
        match (answer["content"]["application/json"].get("schema"), body) {
            // Of a long list the first entries stand for all: they are made by the same lines.
            (Some(schema), Some(body)) if body["data"].as_array().is_some_and(|data| data.len() > SAMPLE) => {
                let mut sample = body.clone();
                sample["data"].as_array_mut().expect("a list").truncate(SAMPLE);
                self.check(schema, &sample)
            }
            (Some(schema), Some(body)) => self.check(schema, body),
            (Some(_), None) => vec![format!("{}: {status} without a body", operation.id)],
            (None, Some(_)) => vec![format!("{}: {status} with a body", operation.id)],
            (None, None) => Vec::new(),
        }
    }

    /// A value that came as text.
    fn text(&self, schema: &Value, text: &str) -> Vec<String> {
        let resolved = self.resolved(schema);
        let value = match resolved["type"].as_str() {
            Some("integer" | "number" | "boolean") => {
                serde_json::from_str(text).unwrap_or_else(|_| json!(text))
            }
            Some("array") => json!([text]),
            _ => json!(text),
        };
        self.check(schema, &value)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => {
                self.document.pointer(name.trim_start_matches('#')).expect("a reference leads somewhere")
            }
            None => schema,
        }
    }

    fn check(&self, schema: &Value, value: &Value) -> Vec<String> {
        let validator = {
            let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
            let made = validators.entry(schema.to_string()).or_insert_with(|| {
                let mut whole = schema.clone();
                whole["components"] = self.document["components"].clone();
                let options = jsonschema::options().should_validate_formats(true);
                std::sync::Arc::new(options.build(&whole).expect("the slice is a schema"))
            });
            std::sync::Arc::clone(made)
        };
        validator
            .iter_errors(value)
            .take(5)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect()
    }

    /// The same answer without what need not be in it.
    pub(super) fn bare(&self, operation: &Operation, status: u16, body: &mut Value) {
        self.change(operation, status, body, &|schema, object| {
            let needed: Vec<_> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            object.retain(|name, _| needed.contains(&name.as_str()));
        });
    }

    /// The same answer with a word for every word that no version knows.
    pub(super) fn strange(&self, operation: &Operation, status: u16, body: &mut Value) {
        self.change(operation, status, body, &|schema, object| {
            for (name, value) in object {
                let member = self.resolved(&schema["properties"][name.as_str()]);
                if member.get("enum").is_some() {
                    *value = json!("Sideways");
                }
            }
        });
    }

    fn change(&self, operation: &Operation, status: u16, body: &mut Value, change: &Change<'_>) {
        let answers = &self.document["paths"][&operation.template][&operation.method]["responses"];
        let schema = &answers[status.to_string()]["content"]["application/json"]["schema"];
        self.descend(schema, body, change);
    }

    fn descend(&self, schema: &Value, value: &mut Value, change: &Change<'_>) {
        let schema = self.resolved(schema);
        match value {
            Value::Object(object) => {
                change(schema, object);
                for (name, member) in object {
                    self.descend(&schema["properties"][name.as_str()], member, change);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.descend(&schema["items"], item, change);
                }
            }
            _ => {}
        }
    }
}

type Change<'c> = dyn Fn(&Value, &mut Map<String, Value>) + 'c;

/// Members that are not described are errors, and `nullable` is said as JSON Schema says it.
fn strict(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for property in properties.values_mut() {
            strict(property);
        }
        object.insert("additionalProperties".to_owned(), json!(false));
    }
    if let Some(items) = object.get_mut("items") {
        strict(items);
    }
    if object.get("nullable") == Some(&json!(true))
        && let Some(kind) = object.get("type").cloned()
    {
        object.insert("type".to_owned(), json!([kind, "null"]));
    }
}
