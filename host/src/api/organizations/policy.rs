//! `PATCH /organizations/{organizationUid}/configuration/policy`.

use uuid::Uuid;

use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::organizations::{organization, refuse_unknown};
use crate::api::patch::{JsonPatch, Patched};
use crate::model::OrganizationKind;
use crate::store::{POLICY, Tx};

/// What a manager must have switched on before an organisation can.
const SWITCHES: &[&str] = &[
    "restApiProxyingEnabled",
    "powerShellSessionsEnabled",
    "redirectingToVbrWizardEnabled",
    "redirectingToVbrWebUIEnabled",
    "webhooksEnabled",
];

/// Changes what an organisation's users must and may do.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let mut tx = change.begin().await?;
    let (uid, name) = organization(&change.ask, &mut tx).await?;
    tx.settings().ensure_policy(uid).await?;
    let patched = change.patched(&mut tx, &POLICY, uid, &steps, &[]).await?;
    refuse_unknown(&patched, &["mfaPolicyStatus"])?;
    check_switches(&patched)?;
    check_mfa(&patched)?;
    check_enforcement(&mut tx, uid, &patched).await?;
    change.write(&mut tx, uid, &patched, &name, Some(uid)).await?;
    change.commit(tx).await?;
    change.reply(&POLICY, uid).await
}

fn check_switches(patched: &Patched) -> Result<(), ApiError> {
    for name in SWITCHES {
        let by_manager = patched.before.get(format!("{name}ByManager")).and_then(serde_json::Value::as_bool);
        let switched_on = patched.changed(name).and_then(serde_json::Value::as_bool) == Some(true);
        if switched_on && by_manager != Some(true) {
            let message = format!(
                "{name} is switched off by the organization's manager; have it switched on there first"
            );
            return Err(ApiError::switched_off(name, message));
        }
    }
    Ok(())
}

fn check_mfa(patched: &Patched) -> Result<(), ApiError> {
    const STATUS: &str = "mfaPolicyStatus";
    let inherited =
        patched.before.get(STATUS).and_then(serde_json::Value::as_str) == Some("EnabledByInheritance");
    match patched.changed(STATUS).and_then(serde_json::Value::as_str) {
        Some("EnabledByInheritance") => Err(ApiError::property(
            STATUS,
            "mfaPolicyStatus becomes EnabledByInheritance when a manager sets enforceMfaPolicy; set it to Enabled or Disabled",
        )),
        Some("Disabled") if inherited => Err(ApiError::switched_off(
            STATUS,
            "the organization's manager enforces a second factor; it can be switched off only there"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

async fn check_enforcement(tx: &mut Tx, uid: Uuid, patched: &Patched) -> Result<(), ApiError> {
    let enforces = patched.changed("enforceMfaPolicy").and_then(serde_json::Value::as_bool) == Some(true);
    if enforces && tx.organizations().kind(uid).await? == Some(OrganizationKind::Company) {
        return Err(ApiError::property(
            "enforceMfaPolicy",
            "enforceMfaPolicy is about managed organizations, and a company has none; set mfaPolicyStatus to Enabled for its own users",
        ));
    }
    Ok(())
}
