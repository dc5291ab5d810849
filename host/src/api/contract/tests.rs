//! Bodies that fit and that do not, and words that agents may say.

use super::*;

fn refused(operation: &str, mut body: Value) -> Option<String> {
    check_body(operation, &mut body).err().map(|error| error.property_name().unwrap_or_default().to_owned())
}

fn company() -> Value {
    json!({
        "organizationInput": {"name": "Acme", "alias": null},
        "ownerCredentials": {"userName": "ada", "password": "secret"},
    })
}

#[test]
fn a_body_that_fits_passes_and_what_is_read_only_may_be_sent_back() {
    assert_eq!(refused("CreateCompany", company()), None);
    let sent_back = json!({"siteUid": 5, "siteName": "x"});
    assert_eq!(refused("PatchSite", sent_back), Some(String::new()), "a patch is a list");
}

#[test]
fn each_limit_is_refused_by_the_propertys_path() {
    let set = |path: &str, value: Value| {
        let mut body = company();
        let (parent, name) = path.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        refused("CreateCompany", body)
    };
    for (path, value) in [
        ("/organizationInput/name", json!("")),
        ("/organizationInput/name", json!("a<b")),
        ("/organizationInput/email", json!("ada")),
        ("/organizationInput/state", json!(52)),
        ("/organizationInput/country", json!(i64::from(i32::MAX) + 1)),
        ("/ownerCredentials/userName", json!("ada.")),
        ("/isRestAccessEnabled", json!("yes")),
        ("/resellerUid", json!("no uuid")),
    ] {
        let expected = path.trim_start_matches('/').replace('/', ".");
        assert_eq!(set(path, value), Some(expected));
    }
}

#[test]
fn addresses_of_mail_pass_and_what_is_none_does_not() {
    let user = |email: &str| {
        json!({
            "organizationUid": "00000000-0000-7000-8000-000000000000",
            "role": "CompanyTenant",
            "profile": {"email": email},
            "credentials": {"userName": "anna", "password": "correct horse"},
        })
    };
    for good in ["anna@example.com", "a.b+c@mail.example.com"] {
        assert_eq!(refused("CreateUser", user(good)), None, "{good}");
    }
    for bad in ["anna", "anna@example", "@example.com", "an na@example.com", "a@b.com,c@d.com"] {
        assert_eq!(refused("CreateUser", user(bad)).as_deref(), Some("profile.email"), "{bad}");
    }
}

#[test]
fn inside_what_may_be_null_the_property_itself_is_named() {
    for value in [json!(100_000), json!(-1), json!("x")] {
        let mut body = company();
        let agents = json!({"serverAgentsQuota": value});
        body["companyServices"] = json!({"remoteServices": {"backupAgentsManagement": agents}});
        let expected = "companyServices.remoteServices.backupAgentsManagement.serverAgentsQuota";
        assert_eq!(refused("CreateCompany", body).as_deref(), Some(expected));
    }
}

#[test]
fn a_name_that_does_not_look_like_what_it_is_is_refused_wherever_one_is_given() {
    for (schema, property) in NAMES {
        assert!(contract_property(schema, property).get("format").is_some(), "{schema}.{property}");
    }
    let organization = |name: &str| json!({"name": name});
    assert!(check_object("Organization", &organization("Bakery")).is_ok());
    for bad in [" Bakery", "Bak\u{202e}ery", "Bakery\n"] {
        let error = check_object("Organization", &organization(bad)).unwrap_err();
        assert_eq!(error.property_name(), Some("name"), "{bad:?}");
    }
}

fn contract_property(schema: &str, property: &str) -> &'static Value {
    &INPUTS[schema]["properties"][property]
}

#[test]
fn what_is_missing_is_named() {
    let mut body = company();
    body["ownerCredentials"].as_object_mut().unwrap().remove("userName");
    assert_eq!(refused("CreateCompany", body).as_deref(), Some("ownerCredentials.userName"));
    assert_eq!(refused("CreateCompany", json!([])).as_deref(), Some(""));
}

#[test]
fn words_and_read_only_properties_are_known_through_references() {
    assert!(words("Company", "status").contains(&"Active"));
    assert!(words("User", "role").contains(&"CompanyOwner"));
    assert_eq!(words("Company", "name"), Vec::<&str>::new());
    assert!(is_read_only("Company", "name") && !is_read_only("Company", "status"));
    assert_eq!(expands("Company"), ["Organization"]);
    assert_eq!(enum_name("User", "role").as_deref(), Some("UserRole"));
    assert_eq!(enum_name("Company", "status").as_deref(), Some("Company.status"));
    assert_eq!(enum_name("Company", "_embedded.organization.type").as_deref(), Some("Organization.type"));
}

#[test]
fn agents_are_held_to_the_words_that_the_contract_has() {
    let mut found = HashMap::new();
    enumerations(document(), "", &mut found);
    for (name, words) in crate::agents::fact_words() {
        let contract = found.get(*name).unwrap_or_else(|| panic!("the contract has no {name}"));
        let expected: Vec<_> = contract.iter().filter(|word| **word != "Unknown").collect();
        assert_eq!(words.0.iter().collect::<Vec<_>>(), expected, "{name}");
    }
}

/// By the names that generated clients give them, else by the schema's.
fn enumerations<'d>(value: &'d Value, name: &'d str, found: &mut HashMap<&'d str, Vec<&'d str>>) {
    if let Some(words) = value.get("enum").and_then(Value::as_array) {
        let name = value.pointer("/x-ms-enum/name").and_then(Value::as_str).unwrap_or(name);
        found.insert(name, words.iter().filter_map(Value::as_str).collect());
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                enumerations(member, name, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| enumerations(item, name, found)),
        _ => {}
    }
}
