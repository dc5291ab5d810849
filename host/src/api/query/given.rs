//! The parameters that an operation has beside those of all lists, held to the contract before its handler looks at them: an id
//! that is empty would otherwise be one that was not given, and ask for more than was meant.

use serde_json::Value;
use uuid::Uuid;

use super::{Pairs, brief};
use crate::api::contract;
use crate::api::error::ApiError;
use crate::instant;

/// Read elsewhere, and more leniently than their schemas.
const OF_ALL: [&str; 6] = ["filter", "sort", "select", "limit", "offset", "expand"];

/// Refuses the first value that its parameter cannot have.
pub(crate) fn check(operation: &str, pairs: &Pairs) -> Result<(), ApiError> {
    if pairs.is_empty() {
        return Ok(());
    }
    for parameter in contract::query_parameters(operation) {
        let (Some(name), Some(schema)) =
            (parameter.get("name").and_then(Value::as_str), parameter.get("schema"))
        else {
            continue;
        };
        if OF_ALL.contains(&name) {
            continue;
        }
        for value in pairs.all(name) {
            if let Some(wanted) = misfit(contract::resolved(schema), value.trim()) {
                let message = format!("{name} must be {wanted}, not \"{}\"", brief(value));
                return Err(ApiError::parameter(name, message));
            }
        }
    }
    Ok(())
}

/// What a value should have been.
fn misfit(schema: &Value, value: &str) -> Option<String> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        let known = words.iter().any(|word| word.eq_ignore_ascii_case(value));
        return (!known).then(|| format!("one of {}", words.join(", ")));
    }
    let text = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("type"), text("format")) {
        ("string", "uuid") => Uuid::try_parse(value).is_err().then(|| "a UUID".to_owned()),
        ("string", "date" | "date-time") => instant::parse(value)
            .is_none()
            .then(|| "an RFC 3339 date such as 2026-01-31T12:00:00Z".to_owned()),
        ("string", _) => length(schema, value),
        ("integer", _) => value.parse::<i64>().is_err().then(|| "a whole number".to_owned()),
        ("boolean", _) => {
            let known = ["true", "false", "1", "0"].iter().any(|word| word.eq_ignore_ascii_case(value));
            (!known).then(|| "true or false".to_owned())
        }
        _ => None,
    }
}

fn length(schema: &Value, value: &str) -> Option<String> {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    let count = value.chars().count() as u64;
    if let Some(least) = bound("minLength").filter(|least| count < *least) {
        return Some(format!("at least {least} characters long"));
    }
    bound("maxLength").filter(|most| count > *most).map(|most| format!("at most {most} characters long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(operation: &str, query: &str) -> String {
        let error = check(operation, &Pairs::parse(Some(query)).unwrap()).unwrap_err();
        error.message().to_owned()
    }

    #[test]
    fn an_empty_id_or_date_is_none_and_is_refused_by_name() {
        assert!(
            refused("GetBackupRepositoriesByServer", "companyUid=").contains("companyUid must be a UUID")
        );
        assert!(
            refused("GetCompaniesAggregatedUsage", "toDate=").contains("toDate must be an RFC 3339 date")
        );
        assert!(refused("GetVb365ProtectedObjects", "orderBy=").contains("orderBy must be at least"));
        let long = "x".repeat(5_000);
        assert!(refused("GetVb365ProtectedObjects", &format!("objectNameFilter={long}")).contains("at most"));
    }

    #[test]
    fn a_word_that_the_contract_does_not_have_is_refused_with_those_it_has() {
        assert!(refused("GetEntityPermissions", "entityType=Cat").contains("one of"));
    }

    #[test]
    fn what_fits_and_what_is_nobodys_business_passes() {
        for query in ["", "fromDate=2026-01-01&limit=&filter=&x=y", "TODATE=2026-01-01T00:00:00Z"] {
            assert!(
                check("GetCompaniesAggregatedUsage", &Pairs::parse(Some(query)).unwrap()).is_ok(),
                "{query}"
            );
        }
    }
}
