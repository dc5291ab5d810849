//! Which companies have a plugin.

use sqlx::FromRow;
use uuid::Uuid;

use super::PluginRows;
use crate::id::CompanyUid;
use crate::store::{StoreError, on, statements};

statements! {
    RULES = "SELECT plugin_id, organization_uid, allowed FROM plugin_companies ORDER BY plugin_id, organization_uid";
    CLEAR = "DELETE FROM plugin_companies WHERE plugin_id = $1";
    ADD = "INSERT INTO plugin_companies (plugin_id, organization_uid, allowed) VALUES ($1, $2, $3)";
    // A company's own rule comes last: it is the one that counts.
    BY_COMPANY = "SELECT r.plugin_id, c.uid AS company_uid, r.allowed, 0 AS own FROM plugin_companies r \
            JOIN companies c ON c.reseller_uid = r.organization_uid \
        UNION ALL SELECT r.plugin_id, c.uid AS company_uid, r.allowed, 1 AS own FROM plugin_companies r \
            JOIN companies c ON c.uid = r.organization_uid \
        ORDER BY own";
}

/// Whether a company has a plugin, whatever the others have. A reseller's rule is for its companies.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OrganizationRule {
    /// This plugin.
    pub plugin_id: String,
    /// A company, or a reseller.
    pub organization_uid: Uuid,
    /// Whether.
    pub allowed: bool,
}

/// What comes of the rules: a company that one is about. Of two for one company, the later counts.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CompanyRule {
    /// This plugin.
    pub plugin_id: String,
    /// This company.
    pub company_uid: CompanyUid,
    /// Whether it has it.
    pub allowed: bool,
}

impl PluginRows<'_> {
    /// The organisations with a rule, of all plugins.
    pub async fn rules(&mut self) -> Result<Vec<OrganizationRule>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(RULES).fetch_all(db).await?))
    }

    /// The companies that these rules are about.
    pub async fn company_rules(&mut self) -> Result<Vec<CompanyRule>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(BY_COMPANY).fetch_all(db).await?))
    }

    /// Replaces a plugin's.
    pub async fn set_rules(&mut self, id: &str, rules: &[(Uuid, bool)]) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(CLEAR).bind(id).execute(db).await?.rows_affected());
        for (organization, allowed) in rules {
            on!(self.0, db => sqlx::query(ADD)
                .bind(id)
                .bind(organization)
                .bind(allowed)
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(())
    }
}
