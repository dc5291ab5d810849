//! RFC 6902: a JSON document, changed step by step. All steps hold or none does.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::contract;
use crate::api::error::ApiError;
use crate::store::list::{Kind, Resource};

/// More steps than any of our documents has properties.
const MAX_STEPS: usize = 256;
/// What all steps of a patch may add, about as it would be written: `copy` doubles, and a few doublings of a small document
/// are more than any memory holds.
const MAX_GROWTH: usize = 1024 * 1024;

/// One step.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub(crate) struct JsonPatch {
    /// What to do.
    #[schema(inline)]
    op: Op,
    /// Where, as a JSON pointer: `/parameters/rpoHours`.
    path: String,
    /// With `add`, `replace` and `test`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Value)]
    value: Option<Value>,
    /// With `move` and `copy`: from where.
    from: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Op {
    Add,
    Replace,
    Test,
    Remove,
    Move,
    Copy,
}

/// Null is a value too; only an absent member is none.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Changes `document`. `writable` are the pointers below which a step may write.
pub(crate) fn apply(document: &mut Value, steps: &[JsonPatch], writable: &[&str]) -> Result<(), ApiError> {
    if steps.len() > MAX_STEPS {
        return Err(ApiError::bad_request(format!("more than {MAX_STEPS} steps in one patch")));
    }
    let mut changed = document.clone();
    let mut growth = 0;
    for step in steps {
        if step.op != Op::Test {
            check_writable(&step.path, writable)?;
        }
        if step.op == Op::Move {
            check_writable(step.source()?, writable)?;
        }
        growth += step.adds(&changed);
        if growth > MAX_GROWTH {
            let message = format!("the steps add more than {} KiB", MAX_GROWTH / 1024);
            return Err(refuse(&step.path, message));
        }
        step.apply(&mut changed)?;
    }
    *document = changed;
    Ok(())
}

fn check_writable(path: &str, writable: &[&str]) -> Result<(), ApiError> {
    let below =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if writable.iter().any(|root| below(root)) {
        return Ok(());
    }
    Err(refuse(
        path,
        format!("{path} is read-only or does not exist; what can be changed: {}", writable.join(", ")),
    ))
}

impl JsonPatch {
    /// Where it writes to, and where from.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.from.as_deref())
    }

    /// Whether it writes to this very pointer, be it the value that is there already.
    pub(crate) fn names(&self, pointer: &str) -> bool {
        self.op != Op::Test && self.path == pointer
    }

    /// The step as its resource takes it: the names in its value as the schema spells them, and a text in its property's type.
    /// By the contract a step's value is a text, and clients made from it can send a number or a flag no other way.
    pub(super) fn fitted(&self, resource: &Resource, extra: &[&str]) -> Result<Self, ApiError> {
        let mut step = self.clone();
        let Some(value) = &mut step.value else { return Ok(step) };
        contract::settle_part(resource.name, &self.path, extra, value)?;
        let name = self.path.trim_start_matches('/').replace('/', ".");
        if let (Value::String(text), Some(property)) = (&*value, resource.property(&name)) {
            let typed = match property.kind {
                Kind::Flag => text.to_ascii_lowercase().parse().ok().map(Value::Bool),
                Kind::Integer => text.parse::<i64>().ok().map(Value::from),
                Kind::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
                _ => None,
            };
            if let Some(typed) = typed {
                *value = typed;
            }
        }
        Ok(step)
    }

    fn source(&self) -> Result<&str, ApiError> {
        self.from.as_deref().ok_or_else(|| refuse(&self.path, format!("{:?} needs \"from\"", self.op)))
    }

    fn given(&self) -> Result<Value, ApiError> {
        self.value.clone().ok_or_else(|| refuse(&self.path, format!("{:?} needs \"value\"", self.op)))
    }

    /// How much more there will be after this step.
    fn adds(&self, document: &Value) -> usize {
        match self.op {
            Op::Add | Op::Replace => self.value.as_ref().map_or(0, weight),
            Op::Copy => self.from.as_deref().and_then(|from| document.pointer(from)).map_or(0, weight),
            Op::Test | Op::Remove | Op::Move => 0,
        }
    }

    fn apply(&self, document: &mut Value) -> Result<(), ApiError> {
        match self.op {
            Op::Add => add(document, &self.path, self.given()?),
            Op::Replace => {
                *document.pointer_mut(&self.path).ok_or_else(|| absent(&self.path))? = self.given()?;
                Ok(())
            }
            Op::Test => {
                let found = document.pointer(&self.path).ok_or_else(|| absent(&self.path))?;
                if same(found, &self.given()?) {
                    return Ok(());
                }
                Err(ApiError::conflict(format!("the test of {} failed: its value is {found}", self.path)))
            }
            Op::Remove => remove(document, &self.path).map(drop),
            Op::Move => {
                let source = self.source()?;
                if self.path.strip_prefix(source).is_some_and(|rest| rest.starts_with('/')) {
                    return Err(refuse(&self.path, format!("{source} cannot move into itself")));
                }
                let value = remove(document, source)?;
                add(document, &self.path, value)
            }
            Op::Copy => {
                let source = self.source()?;
                let value = document.pointer(source).cloned().ok_or_else(|| absent(source))?;
                add(document, &self.path, value)
            }
        }
    }
}

/// About how long a value is when it is written.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + weight(value) + 4).sum::<usize>() + 2
        }
        _ => 8,
    }
}

/// The container of what a pointer names, and its key there.
fn locate<'d>(document: &'d mut Value, path: &str) -> Result<(&'d mut Value, String), ApiError> {
    let (parent, key) = path.rsplit_once('/').ok_or_else(|| absent(path))?;
    let container = document.pointer_mut(parent).ok_or_else(|| absent(parent))?;
    Ok((container, key.replace("~1", "/").replace("~0", "~")))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), ApiError> {
    let (container, key) = locate(document, path)?;
    match container {
        Value::Object(members) => {
            members.insert(key, value);
            Ok(())
        }
        Value::Array(items) => {
            let position = if key == "-" { Some(items.len()) } else { index(&key) };
            match position.filter(|position| *position <= items.len()) {
                Some(position) => {
                    items.insert(position, value);
                    Ok(())
                }
                None => Err(absent(path)),
            }
        }
        _ => Err(absent(path)),
    }
}

fn remove(document: &mut Value, path: &str) -> Result<Value, ApiError> {
    let (container, key) = locate(document, path)?;
    let removed = match container {
        Value::Object(members) => members.remove(&key),
        Value::Array(items) => {
            index(&key).filter(|position| *position < items.len()).map(|position| items.remove(position))
        }
        _ => None,
    };
    removed.ok_or_else(|| absent(path))
}

/// `0`, `12`, never `01` or `+1`.
fn index(key: &str) -> Option<usize> {
    key.parse().ok().filter(|position: &usize| position.to_string() == key)
}

/// 1 and 1.0 are the same number.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    one == other
        || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one.total_cmp(&other).is_eq())
}

fn absent(path: &str) -> ApiError {
    refuse(path, format!("{path} does not exist"))
}

pub(super) fn refuse(path: &str, message: String) -> ApiError {
    ApiError::property(path, message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(steps: Value) -> Result<Value, ApiError> {
        let mut document = json!({"fixed": 1, "free": {"a": 1, "list": [1, 2], "x/y": 3}});
        let steps: Vec<JsonPatch> = serde_json::from_value(steps).unwrap();
        apply(&mut document, &steps, &["/free"]).map(|()| document["free"].clone())
    }

    #[test]
    fn all_operations_do_what_the_rfc_says() {
        let free = patched(json!([
            {"op": "test", "path": "/free/a", "value": 1.0},
            {"op": "replace", "path": "/free/a", "value": null},
            {"op": "add", "path": "/free/list/1", "value": 9},
            {"op": "add", "path": "/free/list/-", "value": 3},
            {"op": "remove", "path": "/free/list/0"},
            {"op": "move", "from": "/free/x~1y", "path": "/free/z"},
            {"op": "copy", "from": "/fixed", "path": "/free/copy"},
        ]));
        assert_eq!(free.unwrap(), json!({"a": null, "list": [9, 2, 3], "z": 3, "copy": 1}));
    }

    #[test]
    fn a_read_only_path_is_refused_by_name() {
        for (op, path) in [("replace", "/fixed"), ("remove", "/fixed"), ("add", "/freedom"), ("replace", "")]
        {
            let error = patched(json!([{"op": op, "path": path, "value": 1}])).unwrap_err();
            assert_eq!(error.property_name(), Some(path));
        }
        assert!(patched(json!([{"op": "move", "from": "/fixed", "path": "/free/b"}])).is_err());
    }

    #[test]
    fn a_failing_step_undoes_those_before_it() {
        let mut document = json!({"free": {"a": 1}});
        let steps: Vec<JsonPatch> = serde_json::from_value(json!([
            {"op": "replace", "path": "/free/a", "value": 2},
            {"op": "test", "path": "/free/a", "value": 1},
        ]))
        .unwrap();
        let error = apply(&mut document, &steps, &["/free"]).unwrap_err();
        assert_eq!(error.status(), http::StatusCode::CONFLICT);
        assert_eq!(document, json!({"free": {"a": 1}}));
    }

    #[test]
    fn copies_of_copies_end_before_they_are_large() {
        let steps: Vec<_> =
            (0..200).map(|n| json!({"op": "copy", "from": "/free", "path": format!("/free/x{n}")})).collect();
        let error = patched(Value::Array(steps)).unwrap_err();
        assert!(error.message().contains("KiB"), "{}", error.message());
    }

    #[test]
    fn a_text_stands_for_the_number_or_flag_that_its_property_is() {
        let step = |path: &str, value: Value| {
            let step: JsonPatch =
                serde_json::from_value(json!({"op": "replace", "path": path, "value": value})).unwrap();
            step.fitted(&crate::store::COMPANIES, &[]).unwrap().value.unwrap()
        };
        assert_eq!(step("/isRestAccessEnabled", json!("True")), json!(true));
        assert_eq!(step("/isRestAccessEnabled", json!("maybe")), json!("maybe"));
        assert_eq!(step("/name", json!("5")), json!("5"));
    }

    #[test]
    fn what_does_not_exist_and_what_lacks_a_member_is_refused() {
        for step in [
            json!({"op": "replace", "path": "/free/none", "value": 1}),
            json!({"op": "remove", "path": "/free/list/2"}),
            json!({"op": "add", "path": "/free/list/01", "value": 1}),
            json!({"op": "add", "path": "/free/a/b", "value": 1}),
            json!({"op": "add", "path": "/free/b"}),
            json!({"op": "move", "path": "/free/b"}),
            json!({"op": "move", "from": "/free/list", "path": "/free/list/0"}),
        ] {
            assert!(patched(json!([step])).is_err(), "{step}");
        }
    }
}
