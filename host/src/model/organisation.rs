//! Companies and users.

use uuid::Uuid;

use crate::id::{CompanyUid, ResellerUid, UserUid};

/// This installation of Keelson.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Installation {
    /// Its id for life.
    pub uid: Uuid,
    /// Changed when the database is restored from a backup.
    pub incarnation: Uuid,
    /// When the database was made.
    pub installed_at: i64,
}

/// Which tier an organisation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationKind {
    /// The service provider; there is one.
    Provider,
    /// A reseller of the provider.
    Reseller,
    /// A tenant.
    Company,
}

impl OrganizationKind {
    /// As stored and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "Provider",
            Self::Reseller => "Reseller",
            Self::Company => "Company",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Provider, Self::Reseller, Self::Company].into_iter().find(|kind| kind.name() == name)
    }
}

/// An organisation to be made, in the words of the API's `OrganizationInput`.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's own")]
pub struct NewOrganization {
    pub name: String,
    pub alias: Option<String>,
    pub city: Option<String>,
    pub company_id: Option<String>,
    pub country: Option<i64>,
    pub country_name: Option<String>,
    pub domain: Option<String>,
    pub email: Option<String>,
    pub legal_name: Option<String>,
    #[serde(rename = "locationAdmin0Code")]
    pub location_admin0_code: Option<String>,
    #[serde(rename = "locationAdmin1Code")]
    pub location_admin1_code: Option<String>,
    #[serde(rename = "locationAdmin2Code")]
    pub location_admin2_code: Option<String>,
    pub notes: Option<String>,
    pub phone: Option<String>,
    pub region_name: Option<String>,
    pub state: Option<i64>,
    pub street: Option<String>,
    pub tax_id: Option<String>,
    pub veeam_tenant_id: Option<String>,
    pub website: Option<String>,
    pub zip_code: Option<String>,
}

impl NewOrganization {
    /// One of which no more than the name is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// A tenant of the provider or of a reseller.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Company {
    /// Its id.
    pub uid: CompanyUid,
    /// Unique without regard to case.
    pub name: String,
    /// A word of the API's `status`.
    pub status: String,
    /// Whether the company must be notified of alarms that are triggered for it: whether mails tell of them, not whether its users see
    /// them. The mails come with the notification plugin.
    pub alarm_detect_enabled: bool,
    /// Whether its users may use the API.
    pub rest_access_enabled: bool,
    /// The owner's user name.
    pub owner_name: String,
    /// Absent: a tenant of the provider itself.
    pub reseller_uid: Option<ResellerUid>,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// A company to be made.
#[derive(Debug, Clone)]
pub struct NewCompany {
    /// Its organisation.
    pub organization: NewOrganization,
    /// Whether the company must be notified of alarms that are triggered for it: whether mails tell of them, not whether its users see
    /// them. The mails come with the notification plugin.
    pub alarm_detect_enabled: bool,
    /// Whether its users may use the API.
    pub rest_access_enabled: bool,
    /// The owner's user name.
    pub owner_name: String,
    /// Absent: a tenant of the provider itself.
    pub reseller_uid: Option<ResellerUid>,
    /// What it pays by.
    pub subscription_plan_uid: Option<Uuid>,
}

/// An organisation between the provider and companies.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Reseller {
    /// Its id.
    pub uid: ResellerUid,
    /// Unique without regard to case.
    pub name: String,
    /// A word of the API's `status`.
    pub status: String,
    /// Whether its users may use the API.
    pub rest_access_enabled: bool,
}

/// A reseller to be made.
#[derive(Debug, Clone)]
pub struct NewReseller {
    /// Its organisation.
    pub organization: NewOrganization,
    /// Whether its users may use the API.
    pub rest_access_enabled: bool,
    /// The owner's user name.
    pub owner_name: String,
    /// Its number with the vendor's partner programme.
    pub pro_partner_id: Option<String>,
    /// In free words.
    pub description: Option<String>,
    /// What its users may do, and grant, with jobs: a JSON array of the API's `PermissionClaims`.
    pub claims: String,
}

/// Somebody who signs in.
#[derive(Clone, sqlx::FromRow)]
pub struct User {
    /// Its id.
    pub uid: UserUid,
    /// The provider, a reseller or a company.
    pub organization_uid: Uuid,
    /// Unique without regard to case.
    pub name: String,
    /// A [`super::Role`], as the API spells it.
    pub role: String,
    /// argon2id, in PHC form.
    pub password_hash: String,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Unix milliseconds.
    pub created_at: i64,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("uid", &self.uid).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The provider, a reseller or a company.
    pub organization_uid: Uuid,
    /// Unique without regard to case.
    pub name: String,
    /// Its role.
    pub role: super::Role,
    /// argon2id, in PHC form.
    pub password_hash: String,
}
