//! The names in bodies. The clients' usual server reads them without regard to case, so they are put as the schema spells them
//! before anything looks at them. A name that no version knows is refused: it is a slip, and what it was to say would be lost.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::api::query::{brief, nearest};

/// Names that only older versions of the contract have, by schema: their clients send back what they once read, and it says nothing.
static OLDER: LazyLock<BTreeMap<String, Vec<String>>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../contract-older.json")).unwrap_or_default());

/// RFC 6902 has members that it does not define ignored.
const LENIENT: &str = "JsonPatch";

/// Where a reference leads.
pub(crate) type Resolve = fn(&str) -> Option<&'static Value>;

/// Puts the names of `body` as `schema` spells them. `extra` are dotted names that are known beside the schema's.
pub(crate) fn settle(
    schema: &'static Value,
    resolve: Resolve,
    extra: &[&str],
    body: &mut Value,
) -> Result<(), ApiError> {
    Names { resolve, extra }.settle(schema, body, "")
}

/// The same for a part of an object: `path` is where it stands.
pub(crate) fn settle_below(
    schema: &'static Value,
    resolve: Resolve,
    extra: &[&str],
    (part, path): (&mut Value, &str),
) -> Result<(), ApiError> {
    Names { resolve, extra }.settle(schema, part, path)
}

struct Names<'e> {
    resolve: Resolve,
    extra: &'e [&'e str],
}

/// What is known of an object: the properties of all parts that its schema is put together from, and the parts' names.
#[derive(Default)]
struct Known {
    properties: BTreeMap<&'static str, &'static Value>,
    schemas: Vec<&'static str>,
    items: Option<&'static Value>,
    /// What all other names may hold, if there may be others.
    others: Option<&'static Value>,
}

impl Names<'_> {
    fn settle(&self, schema: &'static Value, value: &mut Value, path: &str) -> Result<(), ApiError> {
        let mut known = Known::default();
        self.gather(schema, &mut known);
        match value {
            Value::Array(items) => {
                let Some(schema) = known.items else { return Ok(()) };
                for (position, item) in items.iter_mut().enumerate() {
                    self.settle(schema, item, &below(path, &position.to_string()))?;
                }
                Ok(())
            }
            // An object of no known shape is its sender's own.
            Value::Object(members) if !known.properties.is_empty() => self.members(&known, members, path),
            _ => Ok(()),
        }
    }

    fn members(&self, known: &Known, members: &mut Map<String, Value>, path: &str) -> Result<(), ApiError> {
        for (name, mut value) in std::mem::take(members) {
            let Some(spelt) = self.spelt(known, &name, path)? else { continue };
            let here = below(path, &spelt);
            if let Some(schema) = known.properties.get(spelt.as_str()).copied().or(known.others) {
                self.settle(schema, &mut value, &here)?;
            }
            if members.insert(spelt, value).is_some() {
                let message = format!(
                    "{here} is there twice, in different spellings; names are read without regard to case"
                );
                return Err(ApiError::property(&here, message));
            }
        }
        Ok(())
    }

    /// A name as it is spelt; none where it says nothing.
    fn spelt(&self, known: &Known, name: &str, path: &str) -> Result<Option<String>, ApiError> {
        if known.properties.contains_key(name) {
            return Ok(Some(name.to_owned()));
        }
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        if let Some(spelt) = known.properties.keys().find(|other| same(other)) {
            return Ok(Some((*spelt).to_owned()));
        }
        let here = below(path, name);
        let extra = self.extra.iter().find(|extra| extra.eq_ignore_ascii_case(&here));
        if let Some(extra) = extra.and_then(|extra| extra.rsplit('.').next()) {
            return Ok(Some(extra.to_owned()));
        }
        if known.others.is_some() {
            return Ok(Some(name.to_owned()));
        }
        let older = known.schemas.iter().filter_map(|schema| OLDER.get(*schema)).flatten();
        if known.schemas.contains(&LENIENT) || older.into_iter().any(|other| same(other)) {
            return Ok(None);
        }
        let hint = nearest(name, known.properties.keys().copied());
        let here = below(path, &brief(name));
        Err(ApiError::property(&here, format!("{here} is no property that there is; {hint}")))
    }

    fn gather(&self, schema: &'static Value, known: &mut Known) {
        if let Some(name) =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next())
        {
            if !known.schemas.contains(&name) {
                known.schemas.push(name);
                if let Some(found) = (self.resolve)(name) {
                    self.gather(found, known);
                }
            }
            return;
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            known.properties.entry(name).or_insert(property);
        }
        known.items = known.items.or_else(|| schema.get("items"));
        known.others = known
            .others
            .or_else(|| schema.get("additionalProperties").filter(|more| **more != Value::Bool(false)));
        let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|word| schema.get(word)?.as_array());
        for part in parts.flatten() {
            self.gather(part, known);
        }
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::contract;

    fn settled_by(schema: &'static Value, mut body: Value) -> Result<Value, String> {
        let outcome = settle(schema, contract::schema, &["credentials.password"], &mut body);
        outcome.map(|()| body).map_err(|error| error.property_name().unwrap_or_default().to_owned())
    }

    fn settled(schema: &str, body: Value) -> Result<Value, String> {
        settled_by(contract::schema(schema).unwrap(), body)
    }

    /// The body of an operation.
    fn sent(operation: &str, body: Value) -> Result<Value, String> {
        settled_by(contract::OPERATIONS[operation].body_schema().unwrap(), body)
    }

    #[test]
    fn names_are_read_without_regard_to_case_however_deep_they_stand() {
        let given = json!({"IsAlarmDetectEnabled": true, "CompanyServices": {"REMOTESERVICES": {"backupagentsmanagement": {}}}});
        let expected = json!({
            "isAlarmDetectEnabled": true, "companyServices": {"remoteServices": {"backupAgentsManagement": {}}},
        });
        assert_eq!(settled("CompanyInput", given), Ok(expected));
    }

    #[test]
    fn a_name_that_nothing_knows_is_refused_with_its_path_and_the_nearest() {
        let given = json!({"organizationInput": {"nmae": "Bakery"}});
        assert_eq!(settled("CompanyInput", given).unwrap_err(), "organizationInput.nmae");
        let mut body = json!({"isAlarmDetectEnabld": true});
        let refusal =
            settle(contract::schema("CompanyInput").unwrap(), contract::schema, &[], &mut body).unwrap_err();
        assert!(
            refusal.message().contains("did you mean \"isAlarmDetectEnabled\"?"),
            "{}",
            refusal.message()
        );
    }

    #[test]
    fn a_name_in_two_spellings_is_refused() {
        assert_eq!(
            settled("CompanyInput", json!({"resellerUid": null, "ResellerUid": null})).unwrap_err(),
            "resellerUid"
        );
    }

    #[test]
    fn what_only_an_older_version_knows_says_nothing() {
        assert_eq!(sent("CreateCompany", json!({"Permissions": []})), Ok(json!({})));
        assert_eq!(
            sent("CreateCompany", json!({"companyServices": {"storageQuota": 1}})),
            Ok(json!({"companyServices": {}}))
        );
    }

    #[test]
    fn what_is_known_beside_the_schema_passes() {
        let given = json!({"Credentials": {"Password": "correct horse"}});
        assert_eq!(settled("User", given), Ok(json!({"credentials": {"password": "correct horse"}})));
        assert!(settled("CloudTenant", json!({"credentials": {"pasword": "x"}})).is_err());
    }

    #[test]
    fn a_step_of_a_patch_may_have_members_of_its_own() {
        let given = json!([{"Op": "replace", "path": "/name", "value": {"any": 1}, "comment": "x"}]);
        let expected = json!([{"op": "replace", "path": "/name", "value": {"any": 1}}]);
        assert_eq!(sent("PatchCompany", given), Ok(expected));
    }
}
