//! `/organizations/companies/{companyUid}/hostedResources/vbr`: which of the provider's own backup servers a company has.

use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::must_stay;
use crate::api::change::{Change, Input, Object};
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::patch::JsonPatch;
use crate::api::permissions;
use crate::id::CompanyUid;
use crate::store::list::{Condition, Shown};
use crate::store::{BACKUP_SERVERS, COMPANIES, HOSTED_RESOURCES, HostedResource, Tx};

/// What lets a company's users set the schedules of their jobs on a hosted server.
const SCHEDULING: &str = "HostedVbrJobScheduleWrite";

/// A share to be given.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HostedInput {
    server_uid: Uuid,
    friendly_name: String,
    #[serde(default)]
    is_whole_server_assigned: bool,
    #[serde(default)]
    is_job_scheduling_enabled: bool,
}

/// Gives a company a hosted backup server.
pub(super) async fn create(
    mut change: Change,
    Input(input): Input<HostedInput>,
) -> Result<Rendered, ApiError> {
    let company = CompanyUid(change.ask.uid("companyUid")?);
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &COMPANIES, company.0).await?;
    must_stay(&mut tx, company.0).await?;
    must_be_hosted(&change, &mut tx, input.server_uid).await?;
    reseller_must_have(&mut tx, company, input.is_job_scheduling_enabled).await?;
    if let Some(other) = tx.hosted().of_company(company).await? {
        return Err(ApiError::conflict(format!(
            "the company has a hosted backup server already, \"{}\"; a company has one: delete that resource first",
            other.name
        )));
    }
    must_have_room(&mut tx, input.server_uid, None, input.is_whole_server_assigned).await?;
    let clock = change.ask.state.clock();
    let (server, name) = (input.server_uid, input.friendly_name);
    let uid = tx.hosted().create(clock, company, server, &name, input.is_whole_server_assigned).await?;
    if input.is_job_scheduling_enabled {
        grant_scheduling(&mut tx, company, true).await?;
    }
    let object = Object { kind: HOSTED_RESOURCES.name, uid, name: &name, organization: Some(company.0) };
    let after = json!({
        "serverUid": server,
        "isWholeServerAssigned": input.is_whole_server_assigned,
        "isJobSchedulingEnabled": input.is_job_scheduling_enabled,
    });
    change.note(&object, None, Some(&after));
    change.commit(tx).await?;
    change.reply(&HOSTED_RESOURCES, uid).await
}

/// Changes its name, and whether the company has the server to itself.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let mut tx = change.begin().await?;
    let found = of_path(&change, &mut tx).await?;
    let patched = change.patched(&mut tx, &HOSTED_RESOURCES, found.uid, &steps, &[]).await?;
    if patched.changed("isWholeServerAssigned") == Some(&Value::Bool(true)) {
        must_have_room(&mut tx, found.server_uid, Some(found.uid), true).await?;
    }
    let name = patched.text("friendlyName").to_owned();
    change.write(&mut tx, found.uid, &patched, &name, Some(found.company_uid.0)).await?;
    change.commit(tx).await?;
    change.reply(&HOSTED_RESOURCES, found.uid).await
}

/// Takes a hosted backup server from a company, with what it had there: repositories, jobs, and what its users could do with their
/// schedules. The jobs are the provider's again.
pub(super) async fn remove(mut change: Change) -> Result<Response, ApiError> {
    let mut tx = change.begin().await?;
    let found = of_path(&change, &mut tx).await?;
    let jobs = tx.infrastructure().jobs_mapped_to(found.server_uid, found.company_uid).await?;
    for uid in &jobs {
        if let Some(job) = tx.infrastructure().job(*uid).await? {
            tx.infrastructure().assign_job(&job, None).await?;
        }
    }
    tx.hosted().delete(found.uid).await?;
    grant_scheduling(&mut tx, found.company_uid, false).await?;
    let organization = Some(found.company_uid.0);
    let object = Object { kind: HOSTED_RESOURCES.name, uid: found.uid, name: &found.name, organization };
    change.note(&object, Some(&json!({"serverUid": found.server_uid, "unassignedJobs": jobs})), None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// The share that the path names, below a company that the caller sees.
pub(super) async fn of_path(change: &Change, tx: &mut Tx) -> Result<HostedResource, ApiError> {
    let (company, uid) = (change.ask.uid("companyUid")?, change.ask.uid("vbrHostedResourceUid")?);
    change.ask.must_see(tx, &COMPANIES, company).await?;
    let found = tx.hosted().get(uid).await?.filter(|found| found.company_uid.0 == company);
    found.ok_or_else(|| ApiError::absent(HOSTED_RESOURCES.name, uid))
}

async fn must_be_hosted(change: &Change, tx: &mut Tx, server: Uuid) -> Result<(), ApiError> {
    const ROLE: &str = "backupServerRoleType";
    let Some(property) = BACKUP_SERVERS.property(ROLE).copied() else {
        return Err(ApiError::internal(format!("no property {ROLE}")));
    };
    let shown = [Shown { property, unknown: &[] }];
    let all = Condition::All(Vec::new());
    let found = tx.find(&BACKUP_SERVERS, &change.ask.caller.scope, &all, server, &shown).await?;
    let found = found.ok_or_else(|| ApiError::absent(BACKUP_SERVERS.name, server))?.value();
    match found.get(ROLE).and_then(Value::as_str) {
        Some("Hosted") => Ok(()),
        role => Err(ApiError::property(
            "serverUid",
            format!(
                "serverUid: only a hosted backup server of the provider's can be given to a company, and the role of this one is {}",
                role.unwrap_or("Unknown")
            ),
        )),
    }
}

/// A whole server belongs to one company, and what belongs to one is not shared.
async fn must_have_room(tx: &mut Tx, server: Uuid, own: Option<Uuid>, whole: bool) -> Result<(), ApiError> {
    let shares = tx.hosted().of_server(server).await?;
    let mut others = shares.iter().filter(|share| Some(share.uid) != own);
    if whole && others.next().is_some() {
        let message = "other companies have a share of this server, so it cannot be given to one as a whole";
        return Err(ApiError::conflict(message));
    }
    if !whole && others.any(|share| share.whole_server) {
        return Err(ApiError::conflict(
            "the whole server is given to another company; choose another server",
        ));
    }
    Ok(())
}

/// Lets a company's users set the schedules of their jobs, or no longer.
async fn grant_scheduling(tx: &mut Tx, company: CompanyUid, granted: bool) -> Result<(), ApiError> {
    let claims = tx.hosted().claims(company.0).await?.unwrap_or_default();
    let mut claims: Vec<String> = serde_json::from_str(&claims).map_err(ApiError::internal)?;
    let had = claims.len();
    claims.retain(|claim| claim != SCHEDULING);
    if granted {
        claims.push(SCHEDULING.to_owned());
    }
    if claims.len() != had {
        tx.hosted().grant(company.0, &json!(claims).to_string()).await?;
    }
    Ok(())
}

/// A company gets of the provider's servers only what its reseller has of them.
async fn reseller_must_have(tx: &mut Tx, company: CompanyUid, scheduling: bool) -> Result<(), ApiError> {
    let reseller = tx.companies().get(company).await?.and_then(|company| company.reseller_uid);
    let Some(reseller) = reseller else { return Ok(()) };
    let Some(limits) = tx.resellers().limits(reseller).await? else { return Ok(()) };
    if !limits.hosted_backup_resources {
        return Err(ApiError::conflict(format!(
            "the company's reseller \"{}\" has no hosted backup servers; first replace \
             /resellerServices/hostedServices/backupResourcesEnabled of the reseller with true",
            limits.name
        )));
    }
    if scheduling && !permissions::own(tx, reseller.0).await?.iter().any(|claim| claim == SCHEDULING) {
        return Err(ApiError::property(
            "isJobSchedulingEnabled",
            format!(
                "isJobSchedulingEnabled: the company's reseller \"{}\" was not granted {SCHEDULING}; grant it to the \
                 reseller first, or leave the switch off",
                limits.name
            ),
        ));
    }
    Ok(())
}
