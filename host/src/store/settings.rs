//! What organisations are set to, beside what the resource engine reads and writes.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};

statements! {
    ENSURE_BRANDING = "INSERT INTO branding_settings (organization_uid, managed_policy) VALUES ($1, 'AllowCustomization') \
        ON CONFLICT (organization_uid) DO NOTHING";
    ENSURE_POLICY = "INSERT INTO policy_settings (organization_uid, mfa_status, rest_api_proxying_enabled, \
        power_shell_sessions_enabled, redirecting_to_vbr_wizard_enabled, redirecting_to_vbr_web_ui_enabled, webhooks_enabled) \
        VALUES ($1, 'Disabled', FALSE, FALSE, FALSE, FALSE, FALSE) ON CONFLICT (organization_uid) DO NOTHING";
    SET_PORTAL = "INSERT INTO portal (singleton, uri) VALUES (1, $1) ON CONFLICT (singleton) DO UPDATE SET uri = excluded.uri";
    FORCED = "SELECT count(*) FROM organizations o CROSS JOIN installation i JOIN branding_settings m ON \
        m.managed_policy = 'ForceInheritance' AND m.organization_uid <> o.uid AND (m.organization_uid = i.uid \
            OR m.organization_uid = (SELECT c.reseller_uid FROM companies c WHERE c.uid = o.uid)) WHERE o.uid = $1";
    MANAGER = "SELECT m.uid, m.name FROM organizations m WHERE m.uid = coalesce((SELECT c.reseller_uid FROM companies c \
        WHERE c.uid = $1), (SELECT i.uid FROM installation i))";
    OWNER_EMAIL = "SELECT coalesce((SELECT u.email FROM users u JOIN companies c ON c.owner_name = u.name \
        WHERE c.uid = $1 AND u.organization_uid = $1), o.email) FROM organizations o WHERE o.uid = $1";
}

/// An organisation, for the texts that mention it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Named {
    /// Its id.
    pub uid: Uuid,
    /// Its name.
    pub name: String,
}

impl Tx {
    /// What organisations are set to.
    pub fn settings(&mut self) -> Settings<'_> {
        Settings(self)
    }
}

/// Settings, seen through a transaction.
#[derive(Debug)]
pub struct Settings<'t>(&'t mut Tx);

impl Settings<'_> {
    /// Gives an organisation a row for its branding, so that a patch has something to write to.
    pub async fn ensure_branding(&mut self, organization: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ENSURE_BRANDING).bind(organization).execute(db).await?.rows_affected());
        Ok(())
    }

    /// The same for its policy.
    pub async fn ensure_policy(&mut self, organization: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ENSURE_POLICY).bind(organization).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Whether a manager insists on its own branding.
    pub async fn branding_is_forced(&mut self, organization: Uuid) -> Result<bool, StoreError> {
        let by: i64 = on!(self.0, db => sqlx::query_scalar(FORCED).bind(organization).fetch_one(db).await?);
        Ok(by > 0)
    }

    /// Notes where this host's portal is found.
    pub async fn set_portal(&mut self, uri: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(SET_PORTAL).bind(uri).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Who manages a company: its reseller, else the provider.
    pub async fn manager(&mut self, company: Uuid) -> Result<Option<Named>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(MANAGER).bind(company).fetch_optional(db).await?);
        Ok(row)
    }

    /// The address of a company's owner, else of the company.
    pub async fn owner_email(&mut self, company: Uuid) -> Result<Option<String>, StoreError> {
        let found: Option<Option<String>> =
            on!(self.0, db => sqlx::query_scalar(OWNER_EMAIL).bind(company).fetch_optional(db).await?);
        Ok(found.flatten().filter(|address| !address.trim().is_empty()))
    }
}
