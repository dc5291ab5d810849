//! What is changed of users: profile, password, role, what they may see, and that they go. Who may is decided above.

use uuid::Uuid;

use super::{StoreError, Tx, on, resources, statements};
use crate::clock::Clock;
use crate::id::{AgentUid, CompanyUid, LocationUid, SiteUid, UserUid};
use crate::model::{BackupResource, Profile, Role};

statements! {
    PROFILE = "UPDATE users SET title = $2, first_name = $3, last_name = $4, email = $5, phone = $6, address = $7, \
        mfa_policy_status = $8 WHERE uid = $1";
    PASSWORD = "UPDATE users SET password_hash = $2 WHERE uid = $1";
    ENABLE = "UPDATE users SET enabled = $2 WHERE uid = $1";
    ROLE = "UPDATE users SET role = $2 WHERE uid = $1";
    DELETE = "DELETE FROM users WHERE uid = $1";
    MAIL = "SELECT email FROM users WHERE uid = $1";
    POLICY = resources::MFA_POLICY_OF;
    // Held until the transaction ends, so that two who go at once are not both the last but one.
    HOLD_ROLE = "UPDATE users SET enabled = enabled WHERE role = $1 AND organization_uid = $2";
    OTHERS = "SELECT count(*) FROM users WHERE role = $1 AND organization_uid = $2 AND enabled = $3 AND uid <> $4";
    WITH_ROLE = "SELECT count(*) FROM users WHERE role = $1 AND organization_uid = $2";
    LOCATIONS = "SELECT location_uid FROM user_locations WHERE user_uid = $1 ORDER BY location_uid";
    SITES = "SELECT site_uid FROM user_sites WHERE user_uid = $1 ORDER BY site_uid";
    SITES_BEYOND = "SELECT count(*) FROM organization_sites WHERE organization_uid = $1 \
        AND site_uid NOT IN (SELECT site_uid FROM user_sites WHERE user_uid = $2)";
    LOCATIONS_BEYOND = "SELECT count(*) FROM user_locations WHERE user_uid = $1 \
        AND location_uid NOT IN (SELECT location_uid FROM user_locations WHERE user_uid = $2)";
    CLEAR_LOCATIONS = "DELETE FROM user_locations WHERE user_uid = $1";
    CLEAR_SITES = "DELETE FROM user_sites WHERE user_uid = $1";
    ADD_LOCATION = "INSERT INTO user_locations (user_uid, location_uid) VALUES ($1, $2)";
    ADD_SITE = "INSERT INTO user_sites (user_uid, site_uid) VALUES ($1, $2)";
    COMPANY_OF = "SELECT company_uid FROM locations WHERE uid = $1";
    FIRST_LOCATION = "SELECT uid FROM locations WHERE company_uid = $1 \
        ORDER BY CASE type WHEN 'Default' THEN 0 ELSE 1 END, uid LIMIT 1";
    SHARE = "SELECT s.agent_uid, t.uid AS tenant_uid, t.key AS tenant_key, t.user_name AS tenant_name, t.site_uid, \
        t.company_uid, r.key AS resource_key, r.name AS resource_name \
        FROM tenant_backup_resources r JOIN cloud_tenants t ON t.uid = r.tenant_uid JOIN sites s ON s.uid = t.site_uid \
        WHERE r.uid = $1 AND r.deleted_at IS NULL AND t.deleted_at IS NULL";
    SHARE_OF = "SELECT resource_uid FROM user_backup_resources WHERE user_uid = $1";
    ADD_RESOURCE = "INSERT INTO user_backup_resources (user_uid, resource_uid, site_uid, name, description, storage_quota, \
        vcd_user_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// A cloud tenant's share of a repository, as far as a part of it is given on.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TenantShare {
    /// Beside the server.
    pub agent_uid: AgentUid,
    /// Whose share it is.
    pub tenant_uid: Uuid,
    /// The server's own key of the tenant; absent until the server has it.
    pub tenant_key: Option<String>,
    /// By that name the server finds the tenant, too.
    pub tenant_name: String,
    /// Where.
    pub site_uid: Uuid,
    /// The company that the tenant is mapped to.
    pub company_uid: Option<Uuid>,
    /// The server's own key of the share; absent until the server has it.
    pub resource_key: Option<String>,
    /// By that name the server finds the share, too.
    pub resource_name: String,
}

/// Users and what belongs to them, seen through a transaction.
#[derive(Debug)]
pub struct Accounts<'t>(&'t mut Tx);

impl Tx {
    /// What is changed of users.
    pub fn accounts(&mut self) -> Accounts<'_> {
        Accounts(self)
    }
}

impl Accounts<'_> {
    /// How a user is reached, and whether they must have a second factor.
    pub async fn set_profile(
        &mut self,
        user: UserUid,
        profile: &Profile,
        mfa_policy: &str,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(PROFILE)
            .bind(user)
            .bind(profile.title.as_deref().unwrap_or("Unknown"))
            .bind(&profile.first_name)
            .bind(&profile.last_name)
            .bind(&profile.email)
            .bind(&profile.phone)
            .bind(&profile.address)
            .bind(mfa_policy)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A new password, in PHC form.
    pub async fn set_password(&mut self, user: UserUid, hash: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(PASSWORD).bind(user).bind(hash).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Whether they may sign in.
    pub async fn enable(&mut self, user: UserUid, enabled: bool) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ENABLE).bind(user).bind(enabled).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Another role.
    pub async fn set_role(&mut self, user: UserUid, role: Role) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ROLE).bind(user).bind(role.name()).execute(db).await?.rows_affected());
        Ok(())
    }

    /// They go, with all that lets them in.
    pub async fn delete(&mut self, user: UserUid) -> Result<(), StoreError> {
        self.0.credentials().delete_user(user).await?;
        on!(self.0, db => sqlx::query(DELETE).bind(user).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Where mails to a user go.
    pub async fn mail(&mut self, user: UserUid) -> Result<Option<String>, StoreError> {
        let mail: Option<Option<String>> =
            on!(self.0, db => sqlx::query_scalar(MAIL).bind(user).fetch_optional(db).await?);
        Ok(mail.flatten())
    }

    /// Whether an administrator wants a second factor of them: theirs, or whoever sets the policy of their organisation or
    /// of its managers.
    pub async fn must_have_factor(&mut self, user: UserUid) -> Result<bool, StoreError> {
        let policy: Option<String> =
            on!(self.0, db => sqlx::query_scalar(POLICY).bind(user).fetch_optional(db).await?);
        Ok(policy.is_some_and(|policy| policy.starts_with("Enabled")))
    }

    /// Whether somebody else of this role in this organisation may sign in. Until the transaction ends, nobody takes them
    /// away.
    pub async fn is_last(
        &mut self,
        user: UserUid,
        role: Role,
        organization: Uuid,
    ) -> Result<bool, StoreError> {
        on!(self.0, db => sqlx::query(HOLD_ROLE)
            .bind(role.name())
            .bind(organization)
            .execute(db)
            .await?
            .rows_affected());
        let others: i64 = on!(self.0, db => sqlx::query_scalar(OTHERS)
            .bind(role.name())
            .bind(organization)
            .bind(true)
            .bind(user)
            .fetch_one(db)
            .await?);
        Ok(others == 0)
    }

    /// Whether an organisation has a user of this role.
    pub async fn has_role(&mut self, role: Role, organization: Uuid) -> Result<bool, StoreError> {
        let count: i64 = on!(self.0, db => sqlx::query_scalar(WITH_ROLE)
            .bind(role.name())
            .bind(organization)
            .fetch_one(db)
            .await?);
        Ok(count > 0)
    }

    /// The locations that a user sees.
    pub async fn locations(&mut self, user: UserUid) -> Result<Vec<LocationUid>, StoreError> {
        let all = on!(self.0, db => sqlx::query_scalar(LOCATIONS).bind(user).fetch_all(db).await?);
        Ok(all)
    }

    /// The sites that a user sees.
    pub async fn sites(&mut self, user: UserUid) -> Result<Vec<SiteUid>, StoreError> {
        let all = on!(self.0, db => sqlx::query_scalar(SITES).bind(user).fetch_all(db).await?);
        Ok(all)
    }

    /// How many sites an organisation has beside those of a site administrator.
    pub async fn sites_beyond(&mut self, organization: Uuid, user: UserUid) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(SITES_BEYOND)
            .bind(organization)
            .bind(user)
            .fetch_one(db)
            .await?);
        Ok(count)
    }

    /// How many locations a user sees beside those of another.
    pub async fn locations_beyond(&mut self, user: UserUid, other: UserUid) -> Result<i64, StoreError> {
        let count = on!(self.0, db => sqlx::query_scalar(LOCATIONS_BEYOND)
            .bind(user)
            .bind(other)
            .fetch_one(db)
            .await?);
        Ok(count)
    }

    /// The locations that a user sees from now on.
    pub async fn set_locations(&mut self, user: UserUid, all: &[LocationUid]) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(CLEAR_LOCATIONS).bind(user).execute(db).await?.rows_affected());
        for uid in all {
            on!(self.0, db => sqlx::query(ADD_LOCATION).bind(user).bind(uid).execute(db).await?.rows_affected());
        }
        Ok(())
    }

    /// The sites that a user sees from now on.
    pub async fn set_sites(&mut self, user: UserUid, all: &[SiteUid]) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(CLEAR_SITES).bind(user).execute(db).await?.rows_affected());
        for uid in all {
            on!(self.0, db => sqlx::query(ADD_SITE).bind(user).bind(uid).execute(db).await?.rows_affected());
        }
        Ok(())
    }

    /// Whose a location is.
    pub async fn company_of(&mut self, location: LocationUid) -> Result<Option<CompanyUid>, StoreError> {
        let uid = on!(self.0, db => sqlx::query_scalar(COMPANY_OF).bind(location).fetch_optional(db).await?);
        Ok(uid)
    }

    /// The location that a company began with.
    pub async fn first_location(&mut self, company: CompanyUid) -> Result<Option<LocationUid>, StoreError> {
        let uid =
            on!(self.0, db => sqlx::query_scalar(FIRST_LOCATION).bind(company).fetch_optional(db).await?);
        Ok(uid)
    }

    /// The tenant's share of this id, and where it is.
    pub async fn share(&mut self, uid: Uuid) -> Result<Option<TenantShare>, StoreError> {
        let share = on!(self.0, db => sqlx::query_as(SHARE).bind(uid).fetch_optional(db).await?);
        Ok(share)
    }

    /// The tenant's share of which a subtenant has a part.
    pub async fn share_of(&mut self, user: UserUid) -> Result<Option<Uuid>, StoreError> {
        let uid = on!(self.0, db => sqlx::query_scalar(SHARE_OF).bind(user).fetch_optional(db).await?);
        Ok(uid)
    }

    /// What a subtenant may use.
    pub async fn add_resource(
        &mut self,
        clock: &dyn Clock,
        user: UserUid,
        resource: &BackupResource,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ADD_RESOURCE)
            .bind(user)
            .bind(resource.tenant_backup_resource_uid)
            .bind(resource.site_uid)
            .bind(&resource.resource_friendly_name)
            .bind(&resource.description)
            .bind(resource.quota())
            .bind(&resource.vcd_user_id)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }
}
