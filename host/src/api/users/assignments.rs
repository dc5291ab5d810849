//! `/users/{userUid}/assignments`: which sites and locations a user sees whose role sees only those given to them.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{authority, role_word};
use crate::api::ApiState;
use crate::api::ask::Ask;
use crate::api::body::JsonBody;
use crate::api::change::{Change, Object};
use crate::api::envelope::{self, Envelope};
use crate::api::error::ApiError;
use crate::api::query::Shape;
use crate::id::{CompanyUid, LocationUid, SiteUid, UserUid};
use crate::model::{Role, Scope, User};
use crate::store::{LOCATIONS, Tx, USERS};

/// More than anybody looks after.
const MOST: usize = 1000;

/// What a user sees of their organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UserAssignments {
    /// For site administrators.
    site_uids: Vec<Uuid>,
    /// For location administrators and location users.
    location_uids: Vec<Uuid>,
}

/// Says what a user sees of their organisation.
#[utoipa::path(
    get, path = "/users/{userUid}/assignments", operation_id = "GetUserAssignments",
    params(("userUid" = Uuid, Path)),
    responses((status = 200, description = "What the user sees", body = Envelope<UserAssignments>)),
)]
pub(super) async fn get(State(state): State<ApiState>, ask: Ask) -> Result<Response, ApiError> {
    let user = UserUid(ask.object()?.1);
    let mut tx = state.store().read().await?;
    ask.must_see(&mut tx, &USERS, user.0).await?;
    let mut given = current(&mut tx, user).await?;
    // Whoever sees a part is not told of the rest by way of those who see more.
    match ask.caller.scope {
        Scope::Location(_, own) => {
            let seen = current(&mut tx, own).await?.location_uids;
            given.location_uids.retain(|uid| seen.contains(uid));
        }
        Scope::Site(own) => {
            let seen = current(&mut tx, own).await?.site_uids;
            given.site_uids.retain(|uid| seen.contains(uid));
        }
        _ => {}
    }
    envelope::one(&given, &Shape::default())
}

/// Says what a user sees of their organisation from now on.
#[utoipa::path(
    put, path = "/users/{userUid}/assignments", operation_id = "SetUserAssignments",
    params(("userUid" = Uuid, Path)),
    request_body = UserAssignments,
    responses((status = 200, description = "What the user sees now", body = Envelope<UserAssignments>)),
)]
pub(super) async fn put(
    mut change: Change,
    JsonBody(mut input): JsonBody<UserAssignments>,
) -> Result<Response, ApiError> {
    let user = UserUid(change.ask.object()?.1);
    for list in [&mut input.site_uids, &mut input.location_uids] {
        list.sort_unstable();
        list.dedup();
    }
    let mut tx = change.begin().await?;
    let (user, role) = authority::changeable(&change.ask, &mut tx, user).await?;
    if user.uid == change.ask.caller.uid {
        return Err(ApiError::forbidden("nobody widens what they see themselves; ask another administrator"));
    }
    check_role(role, &input)?;
    check_locations(&change.ask, &mut tx, &user, &input.location_uids).await?;
    check_sites(&mut tx, &input.site_uids).await?;
    let before = current(&mut tx, user.uid).await?;
    let locations: Vec<_> = input.location_uids.iter().copied().map(LocationUid).collect();
    let sites: Vec<_> = input.site_uids.iter().copied().map(SiteUid).collect();
    tx.accounts().set_locations(user.uid, &locations).await?;
    tx.accounts().set_sites(user.uid, &sites).await?;
    let organization = Some(user.organization_uid);
    let object = Object { kind: USERS.name, uid: user.uid.0, name: &user.name, organization };
    change.note(&object, Some(&json!(before)), Some(&json!(input)));
    change.commit(tx).await?;
    envelope::one(&input, &Shape::default())
}

async fn current(tx: &mut Tx, user: UserUid) -> Result<UserAssignments, ApiError> {
    Ok(UserAssignments {
        site_uids: tx.accounts().sites(user).await?.into_iter().map(|site| site.0).collect(),
        location_uids: tx.accounts().locations(user).await?.into_iter().map(|location| location.0).collect(),
    })
}

fn check_role(role: Role, input: &UserAssignments) -> Result<(), ApiError> {
    let word = role_word(role);
    for (name, list, fits) in [
        ("siteUids", &input.site_uids, role.has_sites()),
        ("locationUids", &input.location_uids, role.has_locations()),
    ] {
        if list.len() > MOST {
            return Err(ApiError::property(name, format!("{name} has more than {MOST} entries")));
        }
        if !fits && !list.is_empty() {
            let message =
                format!("{name}: users of the role {word} are not limited to any, so none can be given");
            return Err(ApiError::property(name, message));
        }
    }
    if role.has_locations() && input.location_uids.is_empty() {
        let message = "locationUids: a user of this role sees nothing without a location; give at least one";
        return Err(ApiError::property("locationUids", message));
    }
    Ok(())
}

/// Sites that there are. Only whoever sees all of them gives any.
async fn check_sites(tx: &mut Tx, sites: &[Uuid]) -> Result<(), ApiError> {
    for uid in sites {
        if !tx.organization_sites().is_site(SiteUid(*uid)).await? {
            return Err(ApiError::property("siteUids", format!("siteUids: there is no site {uid}")));
        }
    }
    Ok(())
}

/// Locations that the caller sees, of the user's own company.
async fn check_locations(ask: &Ask, tx: &mut Tx, user: &User, locations: &[Uuid]) -> Result<(), ApiError> {
    for uid in locations {
        ask.must_see(tx, &LOCATIONS, *uid).await?;
        if tx.accounts().company_of(LocationUid(*uid)).await? != Some(CompanyUid(user.organization_uid)) {
            let message = format!("locationUids: {uid} is a location of another company than the user's");
            return Err(ApiError::property("locationUids", message));
        }
    }
    Ok(())
}
