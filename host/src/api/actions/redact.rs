//! What may be shown of a request: everything but its secrets.

use serde_json::{Map, Value};

use crate::api::query::Pairs;

/// In place of a secret.
const STRUCK_OUT: &str = "***";
/// Parts of names behind which secrets stand.
const SECRET_PARTS: &[&str] =
    &["password", "passphrase", "secret", "token", "privatekey", "authvalue", "apikey"];
/// Names that are a secret as a whole.
const SECRET_NAMES: &[&str] = &["code", "key", "pin", "value"];
/// No larger body is shown.
const LARGEST: usize = 64 * 1024;

/// The query as a JSON object of arrays.
pub(super) fn query(query: Option<&str>) -> String {
    let mut shown: Map<String, Value> = Map::new();
    for (name, value) in Pairs::parse(query).unwrap_or_default().iter() {
        let value = if is_secret(name) { STRUCK_OUT } else { value };
        if let Value::Array(values) = shown.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(value.into());
        }
    }
    Value::Object(shown).to_string()
}

/// A body of JSON; of another kind, none is shown.
pub(super) fn body(bytes: &[u8]) -> Option<String> {
    if bytes.len() > LARGEST {
        return None;
    }
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    strike_out(&mut value);
    if matches!(value, Value::String(_)) {
        // A text alone is what the operation is about, a key mostly.
        value = STRUCK_OUT.into();
    }
    Some(value.to_string())
}

fn strike_out(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(strike_out),
        Value::Object(members) => {
            // A step of a patch: its path says what its value is. What is no step has no `value` worth hiding.
            let patched = members.get("path").and_then(Value::as_str);
            let hides_value = patched.is_some_and(|path| path.split('/').any(is_secret));
            let is_step = patched.is_some();
            for (name, inner) in members {
                let secret = if name == "value" {
                    hides_value || !is_step && inner.is_string()
                } else {
                    is_secret(name)
                };
                if secret && !inner.is_null() {
                    *inner = STRUCK_OUT.into();
                } else {
                    strike_out(inner);
                }
            }
        }
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_struck_out_wherever_they_stand() {
        let shown = body(br#"{"name":"a","ownerCredentials":{"userName":"o","password":"geheim"},"list":[{"authValue":"geheim"}]}"#);
        let shown = shown.unwrap();
        assert!(!shown.contains("geheim") && shown.contains("userName"), "{shown}");
        let patch = br#"[{"op":"replace","path":"/credentials/password","value":"geheim"},{"op":"add","path":"/name","value":"x"},
            {"op":"add","path":"/credentials","value":{"password":"geheim"}}]"#;
        let shown = body(patch).unwrap();
        assert!(!shown.contains("geheim") && shown.contains(r#""value":"x""#), "{shown}");
        assert_eq!(body(br#""geheim""#).unwrap(), r#""***""#);
        assert_eq!(body(b"geheim"), None);
    }

    #[test]
    fn so_are_those_of_the_query() {
        assert_eq!(
            query(Some("code=1&secretUrl=x&a=1&a=2")),
            r#"{"a":["1","2"],"code":["***"],"secretUrl":["***"]}"#
        );
        assert_eq!(query(None), "{}");
    }
}
