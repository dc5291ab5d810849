//! Notification settings, and whose mail server sends an organisation's mails.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::model::{NotificationSettings, SmtpSecrets, SmtpSettings};
use crate::seal::{Seal, SealError};

statements! {
    // The organisation's own mail server, unless `$2` says that it will not do, else its reseller's, else the provider's.
    SMTP_FOR = "SELECT n.organization_uid, o.type, n.smtp, n.smtp_secrets, n.default_from, n.default_sender_name \
        FROM notification_settings n JOIN organizations o ON o.uid = n.organization_uid \
        WHERE n.smtp IS NOT NULL AND ((o.uid = $1 AND NOT $2) OR o.type = 'Provider' \
            OR o.uid = (SELECT c.reseller_uid FROM companies c WHERE c.uid = $1)) \
        ORDER BY CASE WHEN o.uid = $1 THEN 0 WHEN o.type = 'Provider' THEN 2 ELSE 1 END LIMIT 1";
    SMTP_OF = "SELECT n.organization_uid, o.type, n.smtp, n.smtp_secrets, n.default_from, n.default_sender_name \
        FROM notification_settings n JOIN organizations o ON o.uid = n.organization_uid \
        WHERE n.smtp IS NOT NULL AND o.uid = $1";
    PUT = "INSERT INTO notification_settings (organization_uid, level, default_from, default_sender_name, smtp, \
        smtp_secrets, alarms_from, alarms_sender_name, alarms_to, alarms_daily_subject, alarms_daily_time, \
        alarms_daily_status_filter, alarms_daily_sorting, billing_from, billing_sender_name, billing_subject, \
        discovery_from, discovery_sender_name, discovery_to, discovery_subject, discovery_daily_time, license_from, \
        license_sender_name, license_to, license_enabled, license_include_csv) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, \
        $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26) ON CONFLICT \
        (organization_uid) DO UPDATE SET level = excluded.level, default_from = excluded.default_from, \
        default_sender_name = excluded.default_sender_name, smtp = excluded.smtp, smtp_secrets = excluded.smtp_secrets, \
        alarms_from = excluded.alarms_from, alarms_sender_name = excluded.alarms_sender_name, alarms_to = \
        excluded.alarms_to, alarms_daily_subject = excluded.alarms_daily_subject, alarms_daily_time = \
        excluded.alarms_daily_time, alarms_daily_status_filter = excluded.alarms_daily_status_filter, \
        alarms_daily_sorting = excluded.alarms_daily_sorting, billing_from = excluded.billing_from, billing_sender_name \
        = excluded.billing_sender_name, billing_subject = excluded.billing_subject, discovery_from = \
        excluded.discovery_from, discovery_sender_name = excluded.discovery_sender_name, discovery_to = \
        excluded.discovery_to, discovery_subject = excluded.discovery_subject, discovery_daily_time = \
        excluded.discovery_daily_time, license_from = excluded.license_from, license_sender_name = \
        excluded.license_sender_name, license_to = excluded.license_to, license_enabled = excluded.license_enabled, \
        license_include_csv = excluded.license_include_csv";
    RENEW = "UPDATE notification_settings SET smtp = $2, smtp_secrets = $3 WHERE organization_uid = $1 AND smtp = $4";
}

/// Who entered a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpOwner {
    /// The provider's administrators.
    Provider,
    /// A reseller's or a company's.
    Tenant,
}

/// A mail server that was entered.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SmtpRow {
    /// By whom.
    pub organization_uid: Uuid,
    r#type: String,
    /// The settings without secrets, JSON.
    pub smtp: String,
    smtp_secrets: Option<Vec<u8>>,
    /// The sender of mails that name none.
    pub default_from: Option<String>,
    /// Its name.
    pub default_sender_name: Option<String>,
}

impl SmtpRow {
    /// Who entered it.
    pub fn owner(&self) -> SmtpOwner {
        if self.r#type == "Provider" { SmtpOwner::Provider } else { SmtpOwner::Tenant }
    }

    /// The settings without secrets.
    pub fn settings(&self) -> Result<SmtpSettings, serde_json::Error> {
        serde_json::from_str(&self.smtp)
    }

    /// Their secrets, opened.
    pub fn secrets(&self, seal: &Seal) -> Result<SmtpSecrets, SealError> {
        let Some(sealed) = &self.smtp_secrets else { return Ok(SmtpSecrets::default()) };
        let purpose = purpose(self.organization_uid);
        let plain = seal.unseal(&purpose, sealed)?;
        serde_json::from_slice(&plain).map_err(|_not_ours| SealError::Foreign { purpose })
    }
}

fn purpose(organization: Uuid) -> String {
    format!("smtp:{organization}")
}

/// Settings as they are stored: what may be shown, and what is sealed.
fn stored(seal: &Seal, organization: Uuid, smtp: &SmtpSettings) -> Result<(String, Vec<u8>), StoreError> {
    let mut shown = smtp.clone();
    let secrets = serde_json::json!(shown.take_secrets()).to_string();
    let sealed = seal.seal(&purpose(organization), secrets.as_bytes())?;
    Ok((serde_json::json!(shown).to_string(), sealed))
}

impl Tx {
    /// Notification settings.
    pub fn notifications(&mut self) -> Notifications<'_> {
        Notifications(self)
    }
}

/// Notification settings, seen through a transaction.
#[derive(Debug)]
pub struct Notifications<'t>(&'t mut Tx);

impl Notifications<'_> {
    /// The mail server that sends this organisation's mails.
    pub async fn smtp_for(&mut self, organization: Uuid) -> Result<Option<SmtpRow>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(SMTP_FOR)
            .bind(organization)
            .bind(false)
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// The mail server that sends what this organisation's own administrators are not to read: its manager's.
    pub async fn smtp_above(&mut self, organization: Uuid) -> Result<Option<SmtpRow>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(SMTP_FOR)
            .bind(organization)
            .bind(true)
            .fetch_optional(db)
            .await?);
        Ok(row)
    }

    /// The mail server that this organisation itself entered.
    pub async fn smtp_of(&mut self, organization: Uuid) -> Result<Option<SmtpRow>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(SMTP_OF).bind(organization).fetch_optional(db).await?);
        Ok(row)
    }

    /// Stores an organisation's settings, whole. Secrets that are to survive must be in them: see
    /// [`SmtpSettings::keeps_secrets_of`].
    pub async fn put(
        &mut self,
        seal: &Seal,
        organization: Uuid,
        settings: &NotificationSettings,
    ) -> Result<(), StoreError> {
        let smtp = settings.smtp.as_ref().map(|smtp| stored(seal, organization, smtp)).transpose()?;
        let (smtp, secrets) = smtp.unzip();
        let filter = settings.alarms.daily_status_filter.as_ref();
        let filter = filter.map(|words| serde_json::json!(words).to_string());
        on!(self.0, db => sqlx::query(PUT)
            .bind(organization)
            .bind(&settings.level)
            .bind(&settings.default_from)
            .bind(&settings.default_sender_name)
            .bind(smtp)
            .bind(secrets)
            .bind(&settings.alarms.from)
            .bind(&settings.alarms.sender_name)
            .bind(&settings.alarms.to)
            .bind(&settings.alarms.daily_subject)
            .bind(&settings.alarms.daily_time)
            .bind(filter)
            .bind(&settings.alarms.daily_sorting)
            .bind(&settings.billing.from)
            .bind(&settings.billing.sender_name)
            .bind(&settings.billing.subject)
            .bind(&settings.discovery.from)
            .bind(&settings.discovery.sender_name)
            .bind(&settings.discovery.to)
            .bind(&settings.discovery.subject)
            .bind(&settings.discovery.daily_time)
            .bind(&settings.license.from)
            .bind(&settings.license.sender_name)
            .bind(&settings.license.to)
            .bind(settings.license.enabled)
            .bind(settings.license.include_csv)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Keeps tokens that an identity provider renewed, unless somebody changed the settings meanwhile.
    pub async fn renew(&mut self, seal: &Seal, row: &SmtpRow, smtp: &SmtpSettings) -> Result<(), StoreError> {
        let (shown, sealed) = stored(seal, row.organization_uid, smtp)?;
        on!(self.0, db => sqlx::query(RENEW)
            .bind(row.organization_uid)
            .bind(shown)
            .bind(sealed)
            .bind(&row.smtp)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }
}
