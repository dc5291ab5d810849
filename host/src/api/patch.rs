//! Patches: an object of a resource, changed as RFC 6902 says (`steps`), and held to what its resource lets be written.

use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::api::{contract, query};
use crate::store::list::{Assignment, Kind, Property, Resource};

mod steps;

pub(crate) use steps::{JsonPatch, apply};

use steps::{refuse, same};

/// The API's number for a patch that cannot be applied.
const PATCH_FAILED: u16 = 1001;

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
        let containers = steps.iter().flat_map(JsonPatch::pointers);
        open.extend(containers.filter(|path| above(path)));
        let mut after = before.clone();
        for name in extra {
            set_null(&mut after, name);
        }
        let steps: Vec<_> =
            steps.iter().map(|step| step.fitted(resource, extra)).collect::<Result<_, _>>()?;
        apply(&mut after, &steps, &open).map_err(|error| error.coded(PATCH_FAILED))?;
        // A step may add a member to any object that is writable: one that its schema does not have would say nothing.
        contract::settle_part(resource.name, "", extra, &mut after)?;
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
