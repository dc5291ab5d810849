//! `PATCH /organizations/{organizationUid}/configuration/branding`.

use crate::api::change::{Change, Input};
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::organizations::{organization, refuse_unknown};
use crate::api::patch::{JsonPatch, Patched};
use crate::store::BRANDING;

/// Changes how the portal looks to an organisation's users, and where they find it.
pub(super) async fn patch(
    mut change: Change,
    Input(steps): Input<Vec<JsonPatch>>,
) -> Result<Rendered, ApiError> {
    let mut tx = change.begin().await?;
    let (uid, name) = organization(&change.ask, &mut tx).await?;
    tx.settings().ensure_branding(uid).await?;
    let patched = change.patched(&mut tx, &BRANDING, uid, &steps, &[]).await?;
    refuse_unknown(&patched, &["portalColorTheme", "managedOrganizationsBrandingPolicy"])?;
    check_uri(&patched)?;
    let own_look = ["portalColorTheme", "webUri"].into_iter().find(|name| patched.changed(name).is_some());
    if let Some(property) = own_look
        && tx.settings().branding_is_forced(uid).await?
    {
        return Err(ApiError::switched_off(
            property,
            format!(
                "{property} comes from the organization's manager, whose branding policy is ForceInheritance; have the \
                 manager set it to AllowCustomization"
            ),
        ));
    }
    change.write(&mut tx, uid, &patched, &name, Some(uid)).await?;
    change.commit(tx).await?;
    change.reply(&BRANDING, uid).await
}

/// It goes into mails as a link.
fn check_uri(patched: &Patched) -> Result<(), ApiError> {
    if patched.changed("webUri").is_none() {
        return Ok(());
    }
    let text = patched.text("webUri");
    let parsed = text.parse::<http::Uri>().ok();
    let good = parsed.is_some_and(|uri| {
        uri.scheme_str() == Some("https")
            && uri.authority().is_some_and(|place| !place.as_str().contains('@'))
            && uri.query().is_none()
    });
    if good && text.len() <= 1024 && !text.contains(['#', '"', '<', '>']) {
        return Ok(());
    }
    Err(ApiError::property(
        "webUri",
        "webUri must be an https address without user, query and fragment, such as https://portal.example",
    ))
}
