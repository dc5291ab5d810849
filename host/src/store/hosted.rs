//! Shares of the provider's backup servers that companies get.

use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{self, CompanyUid};

statements! {
    INSERT = "INSERT INTO hosted_resources (uid, company_uid, server_uid, name, name_folded, whole_server, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OF_COMPANY = "SELECT uid, company_uid, server_uid, name, whole_server FROM hosted_resources WHERE company_uid = $1";
    GET = "SELECT uid, company_uid, server_uid, name, whole_server FROM hosted_resources WHERE uid = $1";
    // Shares of one server are given out one after the other.
    OF_SERVER = "SELECT uid, company_uid, server_uid, name, whole_server FROM hosted_resources WHERE server_uid = $1 \
        ORDER BY uid";
    DELETE = "DELETE FROM hosted_resources WHERE uid = $1";
    INSERT_BACKUP = "INSERT INTO hosted_backup_resources (uid, resource_uid, company_uid, repository_uid, storage_quota, \
        created_at) VALUES ($1, $2, $3, $4, $5, $6)";
    HAS_REPOSITORY = "SELECT count(*) FROM hosted_backup_resources WHERE resource_uid = $1 AND repository_uid = $2";
    CLAIMS = "SELECT claims FROM organizations WHERE uid = $1";
    GRANT = "UPDATE organizations SET claims = $2 WHERE uid = $1";
    REPOSITORY_IS_OF = "SELECT count(*) FROM backup_repositories WHERE uid = $1 AND server_uid = $2";
    LOCK = "UPDATE backup_servers SET name = name WHERE uid = $1";
}

/// A company's share of a hosted backup server.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HostedResource {
    /// Its id.
    pub uid: Uuid,
    /// Whose it is.
    pub company_uid: CompanyUid,
    /// Of which server.
    pub server_uid: Uuid,
    /// For people.
    pub name: String,
    /// Whether nobody else has a share.
    pub whole_server: bool,
}

impl Tx {
    /// Shares of hosted backup servers.
    pub fn hosted(&mut self) -> Hosted<'_> {
        Hosted(self)
    }
}

/// Shares of hosted backup servers, seen through a transaction.
#[derive(Debug)]
pub struct Hosted<'t>(&'t mut Tx);

impl Hosted<'_> {
    /// Gives a company a share; its id.
    pub async fn create(
        &mut self,
        clock: &dyn Clock,
        company: CompanyUid,
        server: Uuid,
        name: &str,
        whole_server: bool,
    ) -> Result<Uuid, StoreError> {
        let uid = id::fresh(clock);
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(company)
            .bind(server)
            .bind(name)
            .bind(name.to_lowercase())
            .bind(whole_server)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// One share.
    pub async fn get(&mut self, uid: Uuid) -> Result<Option<HostedResource>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// The share that a company has.
    pub async fn of_company(&mut self, company: CompanyUid) -> Result<Option<HostedResource>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(OF_COMPANY).bind(company).fetch_optional(db).await?);
        Ok(row)
    }

    /// All shares of a server. Until the transaction ends nobody else gives out one.
    pub async fn of_server(&mut self, server: Uuid) -> Result<Vec<HostedResource>, StoreError> {
        on!(self.0, db => sqlx::query(LOCK).bind(server).execute(db).await?.rows_affected());
        let rows = on!(self.0, db => sqlx::query_as(OF_SERVER).bind(server).fetch_all(db).await?);
        Ok(rows)
    }

    /// A share goes, with what it has of repositories.
    pub async fn delete(&mut self, uid: Uuid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(DELETE).bind(uid).execute(db).await?.rows_affected());
        Ok(())
    }

    /// Gives a company a repository of its server, up to `quota` GB; its id.
    pub async fn add_repository(
        &mut self,
        clock: &dyn Clock,
        resource: &HostedResource,
        repository: Uuid,
        quota: Option<i64>,
    ) -> Result<Uuid, StoreError> {
        let uid = id::fresh(clock);
        on!(self.0, db => sqlx::query(INSERT_BACKUP)
            .bind(uid)
            .bind(resource.uid)
            .bind(resource.company_uid)
            .bind(repository)
            .bind(quota)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// Whether a repository is one of this server's.
    pub async fn is_repository_of(&mut self, repository: Uuid, server: Uuid) -> Result<bool, StoreError> {
        let count: i64 = on!(self.0, db => sqlx::query_scalar(REPOSITORY_IS_OF)
            .bind(repository)
            .bind(server)
            .fetch_one(db)
            .await?);
        Ok(count > 0)
    }

    /// Whether a share has this repository already.
    pub async fn has_repository(&mut self, resource: Uuid, repository: Uuid) -> Result<bool, StoreError> {
        let count: i64 = on!(self.0, db => sqlx::query_scalar(HAS_REPOSITORY)
            .bind(resource)
            .bind(repository)
            .fetch_one(db)
            .await?);
        Ok(count > 0)
    }

    /// What an organisation's users may do with jobs: JSON, an array of texts.
    pub async fn claims(&mut self, organization: Uuid) -> Result<Option<String>, StoreError> {
        let claims =
            on!(self.0, db => sqlx::query_scalar(CLAIMS).bind(organization).fetch_optional(db).await?);
        Ok(claims)
    }

    /// What they may do from now on.
    pub async fn grant(&mut self, organization: Uuid, claims: &str) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(GRANT).bind(organization).bind(claims).execute(db).await?.rows_affected());
        Ok(())
    }
}
