//! What clients send, from the plain to the hostile.

use super::*;
use crate::store::list::{Collation, Comparison, Condition, Property, Resource, Value};
use crate::store::{ALARMS, COMPANIES, RESTORE_POINTS};

const OFFER: Offer = Offer { schema: "Company" };

fn ask(resource: &Resource, pairs: &[(&str, &str)]) -> Result<ListRequest, ApiError> {
    let encode = |text: &str| {
        hex::encode(text).as_bytes().chunks(2).fold(String::new(), |mut out, pair| {
            out.push('%');
            out.push_str(std::str::from_utf8(pair).unwrap());
            out
        })
    };
    let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    ListRequest::parse(Some(&query.join("&")), resource, OFFER)
}

fn filter(text: &str) -> Condition {
    ask(&COMPANIES, &[("filter", text)]).unwrap().query.filter
}

fn refused(resource: &Resource, name: &str, text: &str) -> String {
    let error = ask(resource, &[(name, text)]).unwrap_err();
    assert_eq!(error.status(), http::StatusCode::BAD_REQUEST);
    assert_eq!(error.parameter_name(), Some(name), "{text}");
    error.message().to_owned()
}

/// A condition in a few characters, for comparing.
fn shown(condition: &Condition) -> String {
    let all = |inner: &[Condition]| inner.iter().map(shown).collect::<Vec<_>>().join(",");
    match condition {
        Condition::All(inner) => format!("all({})", all(inner)),
        Condition::Any(inner) => format!("any({})", all(inner)),
        Condition::ExclusiveOr(one, other) => format!("xor({},{})", shown(one), shown(other)),
        Condition::Not(inner) => format!("not({})", shown(inner)),
        Condition::Compare { property, comparison, value, collation } => {
            format!("{} {comparison:?} {} {collation:?}", property.name, value_shown(value))
        }
        Condition::Set { property, comparison, values, .. } => {
            format!("{} {comparison:?} {{{}}}", property.name, values.join(";"))
        }
        Condition::In { property, values, .. } => {
            format!("{} in [{}]", property.name, values.iter().map(value_shown).collect::<Vec<_>>().join(";"))
        }
    }
}

fn value_shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{text}'"),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Uuid(uuid) => uuid.to_string(),
        Value::Flag(flag) => flag.to_string(),
    }
}

#[test]
fn a_request_without_parameters_asks_for_the_first_hundred_rows() {
    let request = ListRequest::parse(None, &COMPANIES, OFFER).unwrap();
    assert_eq!((request.query.limit, request.query.offset, request.query.sort.len()), (100, 0, 0));
    assert_eq!(shown(&request.query.filter), "all()");
    assert!(request.shape.select.is_all() && request.shape.expand.is_empty());
}

#[test]
fn the_items_of_the_array_all_have_to_hold() {
    let text = r#"[{"property":"name","operation":"contains","collation":"ignorecase","value":"foo"},
        {"operation":"or","items":[{"property":"status","operation":"equals","value":"Active"},
        {"operation":"not","items":[{"property":"isRestAccessEnabled","operation":"notEquals","value":true}]}]}]"#;
    assert_eq!(
        shown(&filter(text)),
        "all(name Contains 'foo' IgnoreCase,any(status Equals 'Active' Ordinal,\
         not(all(isRestAccessEnabled NotEquals true Ordinal))))"
    );
}

#[test]
fn clients_in_the_wild_are_understood() {
    let expected = "all(name Equals 'a' Ordinal)";
    for text in [
        r#"[{"property":"name","operation":"equals","value":"a"}]"#,
        r#"{"property":"name","operation":"equals","value":"a"}"#,
        "[{'property': 'name', 'operation': 'equals', 'collation': None, 'value': 'a', 'items': None}]",
        r#"[{"Property":"Name","Operation":"Equals","Value":"a","Items":[]}]"#,
        r#"[{"property":"NAME","operation":"EQUALS","collation":"Ordinal","value":"a","items":null}]"#,
    ] {
        assert_eq!(shown(&filter(text)), expected, "{text}");
    }
    let exclusive = r#"[{"operation":"exclusiveOr","property":null,"value":null,"collation":"ordinal","items":[
        {"property":"name","operation":"equals","value":"a"},{"property":"name","operation":"equals","value":1}]}]"#;
    assert_eq!(shown(&filter(exclusive)), "all(xor(name Equals 'a' Ordinal,name Equals '1' Ordinal))");
    for nothing in ["", " ", "null", "[]", "None"] {
        assert_eq!(shown(&filter(nothing)), "all()");
    }
}

#[test]
fn null_among_the_values_of_in_asks_for_absent_properties_too() {
    let text = r#"{"property":"name","operation":"in","value":["a",null,"b"]}"#;
    assert_eq!(shown(&filter(text)), "all(any(name in ['a';'b'],name Equals null Ordinal))");
    assert_eq!(
        shown(&filter(r#"{"property":"name","operation":"in","value":"a"}"#)),
        "all(any(name in ['a']))"
    );
    assert_eq!(shown(&filter(r#"{"property":"name","operation":"in","value":[]}"#)), "all(any())");
}

#[test]
fn values_are_read_as_the_propertys_kind() {
    let one = |property: &str, value: &str| {
        let text = format!(r#"{{"property":"{property}","operation":"greaterThan","value":{value}}}"#);
        ask(&RESTORE_POINTS, &[("filter", &text)]).map(|request| shown(&request.query.filter))
    };
    for value in ["5", "\"5\"", "5.0", "\" 5 \""] {
        assert_eq!(one("size", value).unwrap(), "all(size GreaterThan 5 Ordinal)");
    }
    for value in ["1.5", "\"five\"", "99999999999999999999", "1e300", "true", "{}", "[5]", "\"\""] {
        let message = one("size", value).unwrap_err();
        assert!(message.message().contains("\"size\" needs a whole number"), "{value}");
    }
    assert_eq!(
        one("creationDate", "\"1970-01-01T01:00:00+01:00\"").unwrap(),
        "all(creationDate GreaterThan 0 Ordinal)"
    );
    assert!(one("creationDate", "\"soon\"").unwrap_err().message().contains("RFC 3339"));
    let uuid = "0190c5a8-0000-7000-8000-000000000000";
    for value in [uuid.to_owned(), uuid.to_uppercase(), format!("{{{uuid}}}"), uuid.replace('-', "")] {
        let read = one("backupAgentUid", &format!("\"{value}\"")).unwrap();
        assert_eq!(read, format!("all(backupAgentUid GreaterThan {uuid} Ordinal)"));
    }
    assert!(one("backupAgentUid", "\"0190\"").unwrap_err().message().contains("needs a UUID"));
}

#[test]
fn what_is_not_known_is_named_with_the_nearest_that_is() {
    let on = |text: &str| refused(&COMPANIES, "filter", text);
    let message = on(r#"{"property":"nmae","operation":"equals","value":1}"#);
    assert_eq!(message, "Company has no property \"nmae\"; did you mean \"name\"?");
    let message = on(r#"{"property":"name","operation":"equal","value":1}"#);
    assert_eq!(message, "unknown operation \"equal\"; did you mean \"equals\"?");
    let message = on(r#"{"property":"name","operation":"equals","collation":"ignore-case","value":1}"#);
    assert_eq!(message, "unknown collation \"ignore-case\"; did you mean \"ignorecase\"?");
    let message = on(r#"{"property":"status","operation":"equals","value":"Activ"}"#);
    assert_eq!(message, "\"status\" is never \"Activ\"; did you mean \"Active\"?");
    let message = on(r#"{"property":"name","operation":"equals","vlaue":1}"#);
    assert_eq!(message, "unknown member \"vlaue\" in filter; did you mean \"value\"?");
}

#[test]
fn operators_that_do_not_fit_the_property_are_refused() {
    let on = |text: &str| refused(&COMPANIES, "filter", text);
    assert!(on(r#"{"property":"name","operation":"subset","value":["a"]}"#).contains("holds one value"));
    assert!(on(r#"{"property":"name","operation":"superset","value":["a"]}"#).contains("use \"in\""));
    assert!(on(r#"{"property":"instanceUid","operation":"contains","value":"00000000-0000-0000-0000-000000000000"}"#).contains("searches texts"));
    assert!(
        on(r#"{"property":"isRestAccessEnabled","operation":"lessThan","value":true}"#).contains("no order")
    );
    assert!(on(r#"{"property":"name","operation":"lessThan","value":null}"#).contains("needs a value"));
    assert!(on(r#"{"property":"name","operation":"equals","items":[{}]}"#).contains("belong to"));
    assert!(on(r#"{"operation":"or","property":"name","items":[]}"#).contains("not \"property\""));
    for group in ["or", "not", "exclusiveOr"] {
        assert!(on(&format!(r#"{{"operation":"{group}"}}"#)).contains("needs"), "{group}");
    }
    assert!(on(r#"{"operation":"equals","value":1}"#).contains("needs a \"property\""));
    assert!(on(r#"{"property":"name","value":1}"#).contains("no \"operation\""));
    assert!(on("[1]").contains("must be an object"));
    assert!(on(r#"{"property":"name","operation":5}"#).contains("must be a string"));
}

#[test]
fn a_comparison_without_its_value_is_refused_and_null_is_a_value() {
    for operation in ["equals", "notEquals", "lessThan", "contains", "in"] {
        let message =
            refused(&COMPANIES, "filter", &format!(r#"{{"property":"name","operation":"{operation}"}}"#));
        assert!(message.contains("has no \"value\""), "{message}");
    }
    let null = filter(r#"{"property":"name","operation":"notEquals","Value":null}"#);
    assert_eq!(shown(&null), "all(name NotEquals null Ordinal)");
}

#[test]
fn a_misspelt_parameter_does_not_return_everything() {
    let error = ListRequest::parse(Some("fitler=[]"), &COMPANIES, OFFER).unwrap_err();
    assert_eq!(error.status(), http::StatusCode::BAD_REQUEST);
    assert_eq!(error.message(), "unknown parameter \"fitler\"; did you mean \"filter\"?");
    assert!(Shape::parse(Some("selct=[]"), OFFER).is_err());
    assert!(ListRequest::parse(Some("_=1&organizationScope=all"), &COMPANIES, OFFER).is_ok());
}

#[test]
fn limits_hold() {
    let leaf = r#"{"property":"name","operation":"equals","value":"a"}"#;
    let nested = |depth: usize| {
        (1..depth).fold(leaf.to_owned(), |inner, _| format!(r#"{{"operation":"and","items":[{inner}]}}"#))
    };
    filter(&nested(8));
    assert!(refused(&COMPANIES, "filter", &nested(9)).contains("nest more than 8 deep"));
    assert!(refused(&COMPANIES, "filter", &nested(60)).contains("nest"));
    refused(&COMPANIES, "filter", &nested(5_000));
    let many = |count: usize| format!("[{}]", vec![leaf; count].join(","));
    filter(&many(64));
    assert!(refused(&COMPANIES, "filter", &many(65)).contains("more than 64 expressions"));
    let values = |count: usize| {
        let values = vec!["\"a\""; count].join(",");
        format!(r#"{{"property":"name","operation":"in","value":[{values}]}}"#)
    };
    filter(&values(1000));
    assert!(refused(&COMPANIES, "filter", &values(1001)).contains("at most 1000"));
    let together = |count: usize| format!("[{}]", vec![values(1000); count].join(","));
    filter(&together(4));
    assert!(refused(&COMPANIES, "filter", &together(5)).contains("more than 4000 values"));
}

#[test]
fn a_nul_character_is_refused_however_it_is_written() {
    let escaped = r#"{"property":"name","operation":"equals","value":"a\u0000b"}"#;
    assert!(refused(&COMPANIES, "filter", escaped).contains("without NUL"));
    assert!(refused(&COMPANIES, "filter", "{\"a\":\"\0\"}").contains("NUL"));
}

#[test]
fn odd_input_is_refused_and_never_panics() {
    let long = "x".repeat(2_000);
    let pieces = [
        "[",
        "]",
        "{",
        "}",
        "'",
        "\"",
        "\\",
        ":",
        ",",
        "null",
        "\u{feff}",
        "\u{1F600}",
        "0",
        "-",
        "\\u",
        "\\ud800",
        "%",
        &long,
    ];
    for one in pieces {
        for two in pieces {
            for three in pieces {
                let text = format!("{one}{two}{three}");
                for name in ["filter", "sort", "select", "expand", "limit", "offset"] {
                    if let Err(error) = ask(&ALARMS, &[(name, &text)]) {
                        assert!(error.message().len() < 1_000, "{name}: {}", error.message());
                    }
                }
            }
        }
    }
}

#[test]
fn sort_keys_are_read_in_their_order() {
    let text =
        r#"[{"property":"status","direction":"Descending"},{"property":"name","collation":"lexicographic"}]"#;
    let sort = ask(&COMPANIES, &[("sort", text)]).unwrap().query.sort;
    let keys: Vec<_> = sort.iter().map(|key| (key.property.name, key.descending, key.collation)).collect();
    assert_eq!(keys, [("status", true, Collation::Ordinal), ("name", false, Collation::Lexicographic)]);
    let wrong = r#"{"property":"name","direction":"down"}"#;
    assert!(refused(&COMPANIES, "sort", wrong).contains("unknown direction \"down\""));
    assert!(refused(&COMPANIES, "sort", r#"{"property":"nam"}"#).contains("did you mean \"name\""));
    assert!(refused(&COMPANIES, "sort", "{}").contains("no \"property\""));
}

#[test]
fn limit_and_offset_keep_to_the_contract() {
    let page = |limit, offset| {
        let request = ask(&COMPANIES, &[("limit", limit), ("offset", offset)]).unwrap();
        (request.query.limit, request.query.offset)
    };
    assert_eq!(page("500", "2147483647"), (500, 2_147_483_647));
    assert_eq!(page("", "\"7\""), (100, 7));
    for wrong in ["0", "501", "-1", "x", "1.5", "99999999999999999999"] {
        assert!(refused(&COMPANIES, "limit", wrong).contains("from 1 to 500"), "{wrong}");
    }
    refused(&COMPANIES, "offset", "2147483648");
}

#[test]
fn select_keeps_what_the_schema_has_and_refuses_the_rest() {
    let text = r#"[{"propertyPath":"Name"},{"propertyPath":"ownerCredentials.userName"}]"#;
    let shape = ask(&COMPANIES, &[("select", text)]).unwrap().shape;
    let answer =
        serde_json::json!({"name": "a", "status": "b", "ownerCredentials": {"userName": "c", "x": 1}});
    assert_eq!(
        shape.select.apply(&answer),
        serde_json::json!({"name": "a", "ownerCredentials": {"userName": "c"}})
    );
    let nested = r#"[{"propertyPath":"_embedded.organization.taxId"}]"#;
    assert!(ask(&COMPANIES, &[("select", nested)]).is_ok());
    assert!(refused(&COMPANIES, "select", r#"[{"propertyPath":"nam"}]"#).contains("did you mean \"name\""));
    assert!(refused(&COMPANIES, "select", r#"[{"property":"name"}]"#).contains("propertyPath"));
}

#[test]
fn expand_takes_the_offered_names_in_any_notation() {
    for query in ["expand=Organization", "expand=organization", "expand=[%22Organization%22]"] {
        let request = ListRequest::parse(Some(query), &COMPANIES, OFFER).unwrap();
        let shown = request.shape.shown(&COMPANIES);
        assert!(shown.iter().any(|shown| shown.property.is_embedded()), "{query}");
    }
    assert!(refused(&COMPANIES, "expand", "Organisation").contains("did you mean \"Organization\""));
    let none = Offer { schema: "User" };
    assert!(Shape::parse(Some("expand=x"), none).unwrap_err().message().contains("expands nothing"));
}

#[test]
fn a_comparison_keeps_the_collation_for_texts_only() {
    let text = r#"{"property":"status","operation":"equals","collation":"ignorecase","value":"active"}"#;
    assert_eq!(shown(&filter(text)), "all(status Equals 'Active' Ordinal)");
    let property = Property::text("x", "x");
    let condition = Condition::Compare {
        property,
        comparison: Comparison::Equals,
        value: Value::Null,
        collation: Collation::IgnoreCase,
    };
    assert_eq!(shown(&condition), "x Equals null IgnoreCase");
}
