//! `…/hostedResources/vbr/{vbrHostedResourceUid}/backupResources`: which repositories of its hosted server a company has.

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::hosted;
use crate::api::change::{Change, Input, Object};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::store::HOSTED_BACKUP_RESOURCES;

/// A repository to be given.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BackupInput {
    repository_uid: Uuid,
    #[serde(default)]
    storage_quota: Option<i64>,
    #[serde(default = "yes")]
    is_storage_quota_unlimited: bool,
}

fn yes() -> bool {
    true
}

/// Gives a company a repository of its hosted server.
pub(super) async fn create(
    mut change: Change,
    Input(input): Input<BackupInput>,
) -> Result<Rendered, ApiError> {
    let quota = quota(&input)?;
    let mut tx = change.begin().await?;
    let resource = hosted::of_path(&change, &mut tx).await?;
    if !tx.hosted().is_repository_of(input.repository_uid, resource.server_uid).await? {
        return Err(ApiError::property(
            "repositoryUid",
            format!("repositoryUid: the company's hosted server has no repository {}", input.repository_uid),
        ));
    }
    if tx.hosted().has_repository(resource.uid, input.repository_uid).await? {
        return Err(ApiError::conflict("the company has this repository already"));
    }
    let clock = change.ask.state.clock();
    let uid = tx.hosted().add_repository(clock, &resource, input.repository_uid, quota).await?;
    let organization = Some(resource.company_uid.0);
    let object = Object { kind: HOSTED_BACKUP_RESOURCES.name, uid, name: &resource.name, organization };
    let after = json!({"repositoryUid": input.repository_uid, "storageQuota": quota});
    change.note(&object, None, Some(&after));
    change.commit(tx).await?;
    change.reply(&HOSTED_BACKUP_RESOURCES, uid).await
}

/// GB; none is without limit.
fn quota(input: &BackupInput) -> Result<Option<i64>, ApiError> {
    const QUOTA: &str = "storageQuota";
    match (input.is_storage_quota_unlimited, input.storage_quota) {
        (true, None) => Ok(None),
        (false, Some(quota)) => Ok(Some(quota)),
        (true, Some(_)) => Err(ApiError::property(
            QUOTA,
            "storageQuota has no meaning while isStorageQuotaUnlimited is true; send one or the other",
        )),
        (false, None) => {
            Err(ApiError::property(QUOTA, "storageQuota is missing, and isStorageQuotaUnlimited is false"))
        }
    }
}
