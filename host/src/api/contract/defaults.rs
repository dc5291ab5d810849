//! What an object has where its sender said nothing: the contract's defaults.

use serde_json::{Map, Value};

use super::{referred, schema};

/// Adds to `object` what it lacks and its schema has a default for, inside nested objects too. What is null stays null.
pub(crate) fn fill(schema: &str, object: &mut Value) {
    if let Some(schema) = self::schema(schema) {
        fill_in(schema, object);
    }
}

fn fill_in(schema: &'static Value, object: &mut Value) {
    let Value::Object(members) = object else { return };
    for (name, property) in properties(schema) {
        if let Some(member) = members.get_mut(name) {
            fill_in(property, member);
            continue;
        }
        if let Some(default) = word(property, "default") {
            members.insert(name.to_owned(), default.clone());
        } else if word(property, "x-veeam-create-by-default") == Some(&Value::Bool(true)) {
            let mut made = Value::Object(Map::new());
            fill_in(property, &mut made);
            members.insert(name.to_owned(), made);
        }
    }
}

/// The parts that a schema is put together from, itself first.
fn parts(schema: &'static Value) -> Vec<&'static Value> {
    let composed = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let inner: Vec<_> = composed.chain(referred(schema)).flat_map(parts).collect();
    [schema].into_iter().chain(inner).collect()
}

fn properties(schema: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    let objects = parts(schema).into_iter().filter_map(|part| part.get("properties")?.as_object());
    objects.flatten().map(|(name, property)| (name.as_str(), property))
}

fn word(schema: &'static Value, name: &str) -> Option<&'static Value> {
    parts(schema).into_iter().find_map(|part| part.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(schema: &str, mut object: Value) -> Value {
        fill(schema, &mut object);
        object
    }

    #[test]
    fn services_that_nobody_mentions_are_there_with_their_defaults() {
        let expected = json!({
            "hostedServices": {"isVbPublicCloudManagementEnabled": false},
            "remoteServices": {"isBackupResourcesEnabled": true, "isVbPublicCloudManagementEnabled": false},
        });
        assert_eq!(filled("CompanyServices", json!({})), expected);
        let reseller = filled("ResellerServices", json!({}));
        assert_eq!(reseller["remoteServices"]["backupAgentsManagement"], json!({}));
        assert_eq!(reseller["cloudConnectManagementEnabled"], json!(false));
    }

    #[test]
    fn what_was_said_stays_also_when_it_is_null() {
        let given = json!({"remoteServices": {"backupAgentsManagement": {"serverAgentsQuota": 3}}, "hostedServices": null});
        let made = filled("CompanyServices", given);
        assert_eq!(made["hostedServices"], Value::Null);
        let agents = json!({"serverAgentsQuota": 3, "isHardQuotaEnabled": false});
        assert_eq!(made["remoteServices"]["backupAgentsManagement"], agents);
    }
}
