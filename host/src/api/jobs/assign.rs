//! `POST` and `DELETE …/jobs/{jobUid}/assign`: which company a job of a hosted server works for.

use axum::response::Response;
use serde_json::json;

use super::act;
use crate::api::change::{Change, Object};
use crate::api::companies::must_stay;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::id::CompanyUid;
use crate::model::OrganizationKind;
use crate::store::{COMPANIES, JOBS, ServerJob, Tx};

/// Maps a job to a company, which then sees it and what it protects.
pub(super) async fn assign(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("jobUid")?;
    let company = change.ask.uid_parameter("companyUid")?;
    let company = company.ok_or_else(|| ApiError::parameter("companyUid", "companyUid is missing"))?;
    let mut tx = change.begin().await?;
    let job = job(&change, &mut tx, uid).await?;
    change.ask.must_see(&mut tx, &COMPANIES, company).await?;
    if tx.organizations().kind(job.company_uid.0).await? == Some(OrganizationKind::Company) {
        return Err(ApiError::conflict(format!(
            "job \"{}\" runs on \"{}\", a company's own backup server; only jobs of hosted backup servers can be assigned",
            job.name, job.server_name
        )));
    }
    must_fit(&mut tx, &job, CompanyUid(company)).await?;
    tx.infrastructure().assign_job(&job, Some(CompanyUid(company))).await?;
    note(&mut change, &job, Some(CompanyUid(company)));
    change.commit(tx).await?;
    Ok(envelope::empty())
}

/// A job works for one company, which has a share of the server that it runs on.
async fn must_fit(tx: &mut Tx, job: &ServerJob, company: CompanyUid) -> Result<(), ApiError> {
    must_stay(tx, company.0).await?;
    if job.mapped_company_uid.is_some_and(|other| other != company) {
        return Err(ApiError::conflict(format!(
            "job \"{}\" is assigned to another company; take it from that one first: DELETE …/jobs/{}/assign",
            job.name, job.uid
        )));
    }
    let share = tx.hosted().of_company(company).await?;
    if share.is_some_and(|share| share.server_uid == job.server_uid) {
        return Ok(());
    }
    Err(ApiError::conflict(format!(
        "the company has no share of the backup server \"{}\"; give it one first: POST \
         /organizations/companies/{company}/hostedResources/vbr",
        job.server_name
    )))
}

/// Gives a job back to the owner of its server.
pub(super) async fn unassign(mut change: Change) -> Result<Response, ApiError> {
    let uid = change.ask.uid("jobUid")?;
    let mut tx = change.begin().await?;
    let job = job(&change, &mut tx, uid).await?;
    if job.mapped_company_uid.is_none() {
        return Err(ApiError::conflict(format!("job \"{}\" is assigned to no company", job.name)));
    }
    tx.infrastructure().assign_job(&job, None).await?;
    note(&mut change, &job, None);
    change.commit(tx).await?;
    Ok(envelope::empty())
}

async fn job(change: &Change, tx: &mut Tx, uid: uuid::Uuid) -> Result<ServerJob, ApiError> {
    act::seen(change, tx, uid).await?;
    tx.infrastructure().job(uid).await?.ok_or_else(|| ApiError::absent(JOBS.name, uid))
}

fn note(change: &mut Change, job: &ServerJob, to: Option<CompanyUid>) {
    let before = json!({"mappedOrganizationUid": job.mapped_company_uid});
    let after = json!({"mappedOrganizationUid": to});
    let organization = to.unwrap_or(job.holder_uid);
    let object =
        Object { kind: JOBS.name, uid: job.uid, name: &job.name, organization: Some(organization.0) };
    change.note(&object, Some(&before), Some(&after));
}
