//! `POST /infrastructure/sites/tenants/{tenantUid}/assignForCompany`, and mapping wherever else it happens.

use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::WARNING;
use serde_json::json;
use uuid::Uuid;

use super::limits::{self, Terms};
use super::orders;
use crate::api::change::{Change, Object};
use crate::api::companies::must_stay;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::id::{CloudTenantUid, CompanyUid};
use crate::store::{CLOUD_TENANTS, COMPANIES, Tx};

/// Gives a tenant to a company.
pub(super) async fn assign(mut change: Change) -> Result<Response, ApiError> {
    let uid = CloudTenantUid(change.ask.uid("tenantUid")?);
    let company = change.ask.uid_parameter("companyUid")?;
    let company = company.ok_or_else(|| {
        ApiError::parameter("companyUid", "companyUid is missing: say which company the tenant is for")
    })?;
    let mut tx = change.begin().await?;
    change.ask.must_see(&mut tx, &CLOUD_TENANTS, uid.0).await?;
    tx.cloud().hold_tenant(uid).await?;
    let before = orders::written_tenant(&mut tx, uid).await?;
    let warning = map(&change, &mut tx, uid, company).await?;
    if before.company_uid != Some(CompanyUid(company)) {
        let object =
            Object { kind: CLOUD_TENANTS.name, uid: uid.0, name: &before.name, organization: Some(company) };
        let (was, is) = (json!({PROPERTY: before.company_uid}), json!({PROPERTY: company}));
        change.note(&object, Some(&was), Some(&is));
        change.commit(tx).await?;
    }
    Ok(warned(change.reply(&CLOUD_TENANTS, uid.0).await?, warning))
}

const PROPERTY: &str = "assignedForCompany";

/// Maps a tenant to a company that the caller sees, if no other company has it; perhaps with a warning.
pub(super) async fn map(
    change: &Change,
    tx: &mut Tx,
    uid: CloudTenantUid,
    company: Uuid,
) -> Result<Option<String>, ApiError> {
    change.ask.must_see(tx, &COMPANIES, company).await?;
    let tenant = orders::written_tenant(tx, uid).await?;
    let company = CompanyUid(company);
    if tenant.company_uid.is_some_and(|other| other != company) {
        return Err(ApiError::conflict(format!(
            "the tenant \"{}\" belongs to another company; take it from that one first: replace /{PROPERTY} with null",
            tenant.name
        )));
    }
    must_stay(tx, company.0).await?;
    if tenant.company_uid.is_none() {
        let reseller = tx.companies().get(company).await?.and_then(|company| company.reseller_uid);
        let limits = limits::of(tx, reseller).await?;
        limits::must_have_cloud_connect(change, limits.as_ref(), true)?;
        limits::check(limits.as_ref(), Terms::from(&tenant), |_| true)?;
    }
    tx.cloud().map_tenant(uid, tenant.site_uid, Some(company)).await?;
    let collision = tx.cloud().colliding_login(company, &tenant.user_name).await?;
    Ok(collision.map(|login| {
        format!(
            "the company has a user with the login {login}; the tenant's account {} has the same name: sign-ins to the two \
             can be mistaken for each other",
            tenant.user_name
        )
    }))
}

/// An answer with a warning beside it, which clients that look for none do not stumble over.
pub(super) fn warned(answer: Rendered, warning: Option<String>) -> Response {
    let mut response = answer.into_response();
    let text = warning.map(|text| format!("199 keelson {}", json!(text)));
    // Names of users are ASCII by their pattern; what is none is left out rather than the answer.
    if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(WARNING, value);
    }
    response
}
