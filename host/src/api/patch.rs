//! RFC 6902: a JSON document, changed step by step. All steps hold or none does.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::error::ApiError;
use crate::api::{contract, query};
use crate::store::list::{Assignment, Kind, Property, Resource};

/// The API's number for a patch that cannot be applied.
const PATCH_FAILED: u16 = 1001;

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
    /// Whether it writes to this very pointer, be it the value that is there already.
    pub(crate) fn names(&self, pointer: &str) -> bool {
        self.op != Op::Test && self.path == pointer
    }

    /// The step as its resource takes it: the names in its value as the schema spells them, and a text in its property's type.
    /// By the contract a step's value is a text, and clients made from it can send a number or a flag no other way.
    fn fitted(&self, resource: &Resource, extra: &[&str]) -> Result<Self, ApiError> {
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

/// The container of what a pointer names, and its key there.
/// An object of a resource before and after a patch.
#[derive(Debug)]
pub(crate) struct Patched {
    /// Of what kind it is.
    pub(crate) resource: &'static Resource,
    /// With null for what it does not have.
    pub(crate) before: Value,
    /// The same, after all steps.
    pub(crate) after: Value,
}

impl Patched {
    /// Applies the steps. A path that is read-only or that the object does not have is refused by name, and so is an
    /// object that no longer fits its schema.
    pub(crate) fn new(
        resource: &'static Resource,
        before: Value,
        steps: &[JsonPatch],
        extra: &[&str],
    ) -> Result<Self, ApiError> {
        let writable = resource.properties.iter().filter(|property| {
            property.writes.is_some() && !contract::is_read_only(resource.name, property.name)
        });
        let writable: Vec<_> = writable.map(|property| property.name).chain(extra.iter().copied()).collect();
        let roots: Vec<_> = writable.iter().map(|name| format!("/{}", name.replace('.', "/"))).collect();
        let above =
            |path: &str| !path.is_empty() && roots.iter().any(|root| root.starts_with(&format!("{path}/")));
        let mut open: Vec<&str> = roots.iter().map(String::as_str).collect();
        let containers = steps.iter().flat_map(|step| [Some(&step.path), step.from.as_ref()]).flatten();
        open.extend(containers.map(String::as_str).filter(|path| above(path)));
        let mut after = before.clone();
        for name in extra {
            set_null(&mut after, name);
        }
        let steps: Vec<_> =
            steps.iter().map(|step| step.fitted(resource, extra)).collect::<Result<_, _>>()?;
        apply(&mut after, &steps, &open).map_err(|error| error.coded(PATCH_FAILED))?;
        // An object that was replaced has the defaults of what its sender left out.
        contract::fill(resource.name, &mut after);
        let patched = Self { resource, before, after };
        patched.check(&writable)?;
        Ok(patched)
    }

    /// The new value of a property, by its dotted name, if the patch changed it.
    pub(crate) fn changed(&self, name: &str) -> Option<&Value> {
        let pointer = format!("/{}", name.replace('.', "/"));
        let after = self.after.pointer(&pointer).unwrap_or(&Value::Null);
        (!same(self.before.pointer(&pointer).unwrap_or(&Value::Null), after)).then_some(after)
    }

    /// A property as it is now: a text.
    pub(crate) fn text(&self, name: &str) -> &str {
        let pointer = format!("/{}", name.replace('.', "/"));
        self.after.pointer(&pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn check(&self, writable: &[&str]) -> Result<(), ApiError> {
        for property in self.resource.properties.iter().filter(|property| !property.is_embedded()) {
            if !writable.contains(&property.name) && self.changed(property.name).is_some() {
                return Err(refuse(property.name, format!("{} is read-only", property.name)));
            }
        }
        // Null for what was never there is ours, not the client's.
        let mut object = self.after.clone();
        without_untouched_nulls(&mut object, &self.before);
        contract::check_object(self.resource.name, &object)
    }

    /// What a document has below `prefix`, to be written to a row that was just made.
    pub(crate) fn below(
        resource: &Resource,
        prefix: &str,
        document: &Value,
    ) -> Result<Vec<Assignment>, ApiError> {
        let inside = |property: &&Property| {
            property.writes.is_some()
                && property.name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'))
        };
        let properties = resource.properties.iter().filter(inside);
        properties
            .map(|property| {
                let pointer = format!("/{}", property.name.replace('.', "/"));
                Self::assignment(property, document.pointer(&pointer).unwrap_or(&Value::Null))
            })
            .collect()
    }

    fn assignment(property: &Property, value: &Value) -> Result<Assignment, ApiError> {
        let stored = query::stored(property, value);
        let value =
            stored.ok_or_else(|| refuse(property.name, format!("{} cannot be {value}", property.name)))?;
        Ok(Assignment { property: *property, value })
    }

    /// What to write.
    pub(crate) fn assignments(&self) -> Result<Vec<Assignment>, ApiError> {
        let properties = self.resource.properties.iter().filter(|property| property.writes.is_some());
        let changed = properties.filter_map(|property| Some((property, self.changed(property.name)?)));
        changed.map(|(property, value)| Self::assignment(property, value)).collect()
    }

    /// What changed, before and after, by dotted names: for the activity log.
    pub(crate) fn difference(&self) -> (Value, Value) {
        let changed = self.resource.properties.iter().filter_map(|property| {
            let after = self.changed(property.name)?;
            let pointer = format!("/{}", property.name.replace('.', "/"));
            let before = self.before.pointer(&pointer).unwrap_or(&Value::Null);
            // What is in an object has rows of its own here; of the object there is only whether it is there.
            let shown = |value: &Value| match property.kind {
                Kind::Object => Value::Bool(!value.is_null()),
                _ => value.clone(),
            };
            let (before, after) = (shown(before), shown(after));
            let differs = before != after;
            differs.then(|| ((property.name.to_owned(), before), (property.name.to_owned(), after)))
        });
        let (before, after): (Map<_, _>, Map<_, _>) = changed.unzip();
        (Value::Object(before), Value::Object(after))
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

fn set_null(object: &mut Value, dotted: &str) {
    let mut current = object;
    for step in dotted.split('.') {
        if !current.is_object() {
            *current = Value::Object(Map::new());
        }
        let Value::Object(members) = current else { return };
        current = members.entry(step).or_insert(Value::Null);
    }
}

fn without_untouched_nulls(object: &mut Value, before: &Value) {
    let Value::Object(members) = object else { return };
    members.retain(|name, value| !(value.is_null() && before.get(name).is_none_or(Value::is_null)));
    for (name, value) in members {
        without_untouched_nulls(value, before.get(name.as_str()).unwrap_or(&Value::Null));
    }
}

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
fn same(one: &Value, other: &Value) -> bool {
    one == other
        || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one.total_cmp(&other).is_eq())
}

fn absent(path: &str) -> ApiError {
    refuse(path, format!("{path} does not exist"))
}

fn refuse(path: &str, message: String) -> ApiError {
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
