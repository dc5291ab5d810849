//! `GET /protectedWorkloads/vb365ProtectedObjects`: a list with parameters of its own in place of `filter` and `sort`.

use crate::api::ask::Ask;
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::query::{brief, nearest};
use crate::store::VB365_OBJECTS;
use crate::store::list::{Collation, Comparison, Condition, Property, Sort, Value};

/// A page of objects. `skipCache` is understood and changes nothing: the list is read from the database as it is now.
pub(super) async fn list(ask: Ask) -> Result<Rendered, ApiError> {
    let mut request = ask.list(&VB365_OBJECTS)?;
    ask.flag_parameter("skipCache")?;
    if let Some(sort) = order(&ask)? {
        request.query.sort.insert(0, sort);
    }
    let of = Condition::All(conditions(&ask)?);
    let shown = request.shape.shown(&VB365_OBJECTS);
    let mut tx = ask.state.store().read().await?;
    let page = tx.list(&VB365_OBJECTS, &ask.caller.scope, &of, &request.query, &shown).await?;
    Ok(envelope::rendered_page(&page, request.query.offset))
}

fn order(ask: &Ask) -> Result<Option<Sort>, ApiError> {
    let descending = match ask.parameter("orderDirection")?.unwrap_or("ascending") {
        word if word.eq_ignore_ascii_case("ascending") => false,
        word if word.eq_ignore_ascii_case("descending") => true,
        word => {
            let message = format!("orderDirection must be ascending or descending, not \"{}\"", brief(word));
            return Err(ApiError::parameter("orderDirection", message));
        }
    };
    let Some(name) = ask.parameter("orderBy")? else { return Ok(None) };
    let found = VB365_OBJECTS.properties.iter().find(|property| property.name.eq_ignore_ascii_case(name));
    let property = *found.ok_or_else(|| {
        let hint = nearest(name, VB365_OBJECTS.properties.iter().map(|property| property.name));
        ApiError::parameter("orderBy", format!("objects have no property \"{}\"; {hint}", brief(name)))
    })?;
    Ok(Some(Sort { property, descending, collation: Collation::Lexicographic }))
}

fn conditions(ask: &Ask) -> Result<Vec<Condition>, ApiError> {
    let mut all = Vec::new();
    if let Some(part) = ask.parameter("objectNameFilter")? {
        let value = Value::Text(part.to_owned());
        let (comparison, collation) = (Comparison::Contains, Collation::IgnoreCase);
        all.push(Condition::Compare { property: property("name")?, comparison, value, collation });
    }
    if let Some(types) = types(ask)? {
        all.push(types);
    }
    for (parameter, name) in
        [("educationalFilter", "isEducationalUser"), ("licensedFilter", "consumesLicense")]
    {
        if let Some(flag) = ask.flag_parameter(parameter)? {
            all.push(equals(name, Value::Flag(flag))?);
        }
    }
    for (parameter, name) in [("organizationFilter", "organizationUid"), ("locationFilter", "locationUid")] {
        if let Some(uid) = ask.uid_parameter(parameter)? {
            all.push(equals(name, Value::Uuid(uid))?);
        }
    }
    if let Some(sites) = sites(ask)? {
        all.push(sites);
    }
    Ok(all)
}

fn types(ask: &Ask) -> Result<Option<Condition>, ApiError> {
    const TYPES: &[&str] = &["Unknown", "User", "Group", "Teams", "Site"];
    let mut values = Vec::new();
    for word in ask.words("objectTypeFilter") {
        let known = TYPES.iter().find(|name| name.eq_ignore_ascii_case(word));
        let known = known.ok_or_else(|| {
            let message = format!("objectTypeFilter takes {}, not \"{}\"", TYPES.join(", "), brief(word));
            ApiError::parameter("objectTypeFilter", message)
        })?;
        values.push(Value::Text((*known).to_owned()));
    }
    one_of("protectedDataType", values)
}

fn sites(ask: &Ask) -> Result<Option<Condition>, ApiError> {
    let mut values = Vec::new();
    for word in ask.words("siteFilter") {
        let uid = word.parse().map_err(|_| {
            ApiError::parameter("siteFilter", format!("siteFilter must be UUIDs, not \"{}\"", brief(word)))
        })?;
        values.push(Value::Uuid(uid));
    }
    one_of("siteUid", values)
}

fn one_of(name: &str, values: Vec<Value>) -> Result<Option<Condition>, ApiError> {
    if values.is_empty() {
        return Ok(None);
    }
    Ok(Some(Condition::In { property: property(name)?, values, collation: Collation::Ordinal }))
}

fn equals(name: &str, value: Value) -> Result<Condition, ApiError> {
    let comparison = Comparison::Equals;
    Ok(Condition::Compare { property: property(name)?, comparison, value, collation: Collation::Ordinal })
}

fn property(name: &str) -> Result<Property, ApiError> {
    VB365_OBJECTS.property(name).copied().ok_or_else(|| ApiError::internal(format!("no property {name}")))
}
