//! `PATCH /organizations/{organizationUid}`.

use serde_json::Value;
use uuid::Uuid;

use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::patch::{JsonPatch, Patched};
use crate::model::world::country_name;
use crate::model::{NewOrganization, OrganizationKind};
use crate::store::{ORGANIZATIONS, Tx};

/// Changes what an organisation says of itself.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let uid = change.ask.uid("organizationUid")?;
    let mut tx = change.begin().await?;
    let mut patched = change.patched(&mut tx, &ORGANIZATIONS, uid, &steps, &[]).await?;
    name_patched_country(&mut patched)?;
    let name = patched.text("name").to_owned();
    if patched.changed("name").is_some() {
        rename(&mut tx, uid, &name).await?;
    }
    change.write(&mut tx, uid, &patched, &name, Some(uid)).await?;
    change.commit(tx).await?;
    change.reply(&ORGANIZATIONS, uid).await
}

/// The same for an organisation to be made, whose properties stand below `organizationInput`.
pub(in crate::api) fn name_country(mut new: NewOrganization) -> Result<NewOrganization, ApiError> {
    if let Some(country) = new.country {
        let name = known_country("organizationInput.country", country)?;
        new.country_name.get_or_insert_with(|| name.to_owned());
    }
    Ok(new)
}

fn known_country(property: &str, id: i64) -> Result<&'static str, ApiError> {
    country_name(id).ok_or_else(|| {
        let message = format!("{property}: {id} is no country; GET /misc/countries has their ids");
        ApiError::property(property, message)
    })
}

/// A country is one of those that `GetCountries` lists; its name comes with it, unless the client gives another.
fn name_patched_country(patched: &mut Patched) -> Result<(), ApiError> {
    let Some(country) = patched.changed("country").cloned() else { return Ok(()) };
    let named = patched.changed("countryName").is_some();
    let name = match country.as_i64() {
        None => Value::Null,
        Some(id) => known_country("country", id)?.into(),
    };
    if let (false, Some(members)) = (named, patched.after.as_object_mut()) {
        members.insert("countryName".to_owned(), name);
    }
    Ok(())
}

async fn rename(tx: &mut Tx, uid: Uuid, name: &str) -> Result<(), ApiError> {
    let Some(kind) = tx.organizations().kind(uid).await? else { return Ok(()) };
    if tx.organizations().named(kind, name).await?.is_some_and(|other| other != uid) {
        // Whose it is, and that it is anybody's, is nobody else's business.
        let message = format!("the name \"{name}\" cannot be given to an organization; choose another one");
        return Err(ApiError::conflict(message));
    }
    if kind == OrganizationKind::Company {
        tx.organizations().renamed(uid, name).await?;
    }
    Ok(())
}
