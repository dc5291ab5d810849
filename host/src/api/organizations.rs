//! Organisations: the provider, its resellers and all companies, and what each is set to.

use uuid::Uuid;

use crate::api::ask::Ask;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::api::patch::Patched;
use crate::store::{BRANDING, NOTIFICATION, ORGANIZATIONS, POLICY, Tx};

mod branding;
mod notification;
mod patch;
mod policy;
mod smtp_test;
mod test_mail;
mod token;

pub(in crate::api) use notification::must_have_smtp;
pub(in crate::api) use patch::name_country;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetOrganizations", &ORGANIZATIONS)
        .get("GetOrganization", &ORGANIZATIONS)
        .add("PatchOrganization", patch::patch)
        .get("GetOrganizationBrandingSettings", &BRANDING)
        .add("PatchOrganizationBrandingSettings", branding::patch)
        .get("GetOrganizationNotificationSettings", &NOTIFICATION)
        .add("PatchOrganizationNotificationSettings", notification::patch)
        .add("TestNotificationSmtpSettings", smtp_test::test)
        .add("SendTestNotificationEmail", test_mail::send)
        .get("GetOrganizationPolicySettings", &POLICY)
        .add("PatchOrganizationPolicySettings", policy::patch)
        .add("RefreshSecurityToken", token::refresh)
}

/// The organisation of the path, and its name; one that the caller does not see is refused as one that is not there.
async fn organization(ask: &Ask, tx: &mut Tx) -> Result<(Uuid, String), ApiError> {
    let uid = ask.uid("organizationUid")?;
    ask.must_see(tx, &ORGANIZATIONS, uid).await?;
    let name = tx.organizations().name(uid).await?;
    Ok((uid, name.unwrap_or_default()))
}

/// `Unknown` stands for words that a client does not know; it is nothing to be set to.
fn refuse_unknown(patched: &Patched, names: &[&str]) -> Result<(), ApiError> {
    for name in names {
        if patched.changed(name).and_then(|value| value.as_str()) == Some("Unknown") {
            let message = format!(
                "{name} cannot be set to Unknown: it stands for words that your version does not know"
            );
            return Err(ApiError::property(name, message));
        }
    }
    Ok(())
}
