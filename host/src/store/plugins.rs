//! What an administrator installed: plugins, the packages of their versions, the publishers that are believed, the libraries
//! that packages come from, and the companies that have a plugin or do not.
//!
//! **Rows.** `plugins` says what is to run, `plugin_packages` what of; a package stays for as long as its plugin does, so that a
//! rollback needs nobody else. Each change of a plugin bumps its revision: that is how other hosts notice.
//!
//! **Crash.** An install is one transaction: a version is there with its package, or not at all.

mod companies;
mod entries;
mod sources;
mod tasks;

use sqlx::FromRow;
use uuid::Uuid;

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;

pub use companies::{CompanyRule, OrganizationRule};
pub use entries::{EntrySpace, NextWrite, PluginEntry, PluginUsage};
pub use sources::{PluginKey, PluginLibrary};
pub use tasks::{PluginTask, TakeTask, TaskLease, TaskStep};

/// All statements about plugins.
pub(super) const ALL_STATEMENTS: &[&[(&str, &str)]] =
    &[STATEMENTS, companies::STATEMENTS, entries::STATEMENTS, sources::STATEMENTS, tasks::STATEMENTS];

macro_rules! columns {
    () => {
        "id, uid, version, former_version, pending_version, enabled, publisher_key, granted, settings, companies_allowed, \
         installed_at, switched_at, revision, removed_at"
    };
}

statements! {
    ALL = concat!("SELECT ", columns!(), " FROM plugins WHERE removed_at IS NULL ORDER BY id");
    GET = concat!("SELECT ", columns!(), " FROM plugins WHERE id = $1");
    GET_BY_UID = concat!("SELECT ", columns!(), " FROM plugins WHERE uid = $1 AND removed_at IS NULL");
    // Two that change a plugin at once take turns.
    HOLD = "UPDATE plugins SET revision = revision WHERE id = $1";
    CREATE = "INSERT INTO plugins (id, uid, version, enabled, publisher_key, granted, settings, companies_allowed, \
        installed_at, switched_at, revision) VALUES ($1, $2, $3, FALSE, $4, '[]', '{}', TRUE, $5, $5, 1)";
    CHANGE = "UPDATE plugins SET version = $2, former_version = $3, pending_version = $4, enabled = $5, publisher_key = $6, \
        granted = $7, settings = $8, companies_allowed = $9, switched_at = $10, removed_at = $11, revision = revision + 1 \
        WHERE id = $1";
    PUT_PACKAGE = "INSERT INTO plugin_packages (plugin_id, version, sha256, trust, publisher, about, package, installed_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    PACKAGE = "SELECT package FROM plugin_packages WHERE plugin_id = $1 AND version = $2";
    VERSIONS = "SELECT plugin_id, version, sha256, trust, publisher, about, installed_at FROM plugin_packages \
        WHERE plugin_id = $1 ORDER BY installed_at, version";
    RUNNING = "SELECT p.id, p.revision, p.version, p.settings, p.granted, p.companies_allowed, p.former_version, p.switched_at, k.sha256 FROM plugins p \
        JOIN plugin_packages k ON k.plugin_id = p.id AND k.version = p.version \
        WHERE p.enabled AND p.removed_at IS NULL ORDER BY p.id";
    ALL_VERSIONS = "SELECT plugin_id, version, sha256, trust, publisher, about, installed_at FROM plugin_packages \
        ORDER BY installed_at, version";
    FORGOTTEN = "SELECT id FROM plugins WHERE removed_at < $1";
    ERASE = "DELETE FROM plugins WHERE id = $1";
    ERASE_DESTINATIONS = "DELETE FROM plugin_destinations WHERE plugin_id = $1";
    ERASE_SECRETS = "DELETE FROM plugin_secrets WHERE plugin_id = $1";
    ERASE_REQUESTS = "DELETE FROM plugin_requests WHERE plugin_id = $1";
    ERASE_ENTRIES = "DELETE FROM plugin_entries WHERE plugin_id = $1";
    ERASE_COUNTERS = "DELETE FROM plugin_counters WHERE plugin_id = $1";
    ERASE_TASKS = "DELETE FROM plugin_tasks WHERE plugin_id = $1";
}

/// A plugin that is installed, or was.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct InstalledPlugin {
    /// `vendor.name`.
    pub id: String,
    /// As the API names it.
    pub uid: Uuid,
    /// The version that runs, if it is enabled.
    pub version: String,
    /// The one before it.
    pub former_version: Option<String>,
    /// One that waits for somebody to approve what it asks for.
    pub pending_version: Option<String>,
    /// Whether it runs.
    pub enabled: bool,
    /// The publisher's, since the first install.
    pub publisher_key: Option<String>,
    /// What it may do: a JSON list of words.
    pub granted: String,
    /// JSON.
    pub settings: String,
    /// Whether companies without a rule have it.
    pub companies_allowed: bool,
    /// When.
    pub installed_at: i64,
    /// When its version last changed.
    pub switched_at: i64,
    /// Of the row.
    pub revision: i64,
    /// When it was removed.
    pub removed_at: Option<i64>,
}

/// A version that is installed, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct InstalledVersion {
    /// Of this plugin.
    pub plugin_id: String,
    /// `1.2.3`
    pub version: String,
    /// Over all files of its package.
    pub sha256: String,
    /// How far it was trusted.
    pub trust: String,
    /// Whose it is, by the name of the key.
    pub publisher: Option<String>,
    /// What its manifest says, as JSON.
    pub about: String,
    /// When.
    pub installed_at: i64,
}

/// A package that comes into the database.
#[derive(Debug, Clone, Copy)]
pub struct NewPackage<'a> {
    /// Of this plugin.
    pub plugin: &'a str,
    /// `1.2.3`
    pub version: &'a str,
    /// Over all of its files.
    pub sha256: &'a str,
    /// How far it is trusted.
    pub trust: &'a str,
    /// Whose it is.
    pub publisher: Option<&'a str>,
    /// What its manifest says, as JSON.
    pub about: &'a str,
    /// The `.kpkg`.
    pub bytes: &'a [u8],
}

/// What is to run.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RunningPlugin {
    /// `vendor.name`.
    pub id: String,
    /// Of its row: the same revision is the same plugin with the same settings.
    pub revision: i64,
    /// `1.2.3`
    pub version: String,
    /// JSON.
    pub settings: String,
    /// What it may do: a JSON list of words.
    pub granted: String,
    /// Whether companies without a rule have it.
    pub companies_allowed: bool,
    /// The version before it.
    pub former_version: Option<String>,
    /// When this version took its place.
    pub switched_at: i64,
    /// Of its package.
    pub sha256: String,
}

impl Tx {
    /// Plugins that are installed.
    pub fn plugins(&mut self) -> PluginRows<'_> {
        PluginRows(self)
    }
}

/// Plugins, seen through a transaction.
#[derive(Debug)]
pub struct PluginRows<'t>(&'t mut Tx);

impl PluginRows<'_> {
    /// All that are installed.
    pub async fn all(&mut self) -> Result<Vec<InstalledPlugin>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(ALL).fetch_all(db).await?))
    }

    /// One that is installed, or whose data is still kept.
    pub async fn get(&mut self, id: &str) -> Result<Option<InstalledPlugin>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(GET).bind(id).fetch_optional(db).await?))
    }

    /// One that is installed, by the API's name.
    pub async fn get_by_uid(&mut self, uid: Uuid) -> Result<Option<InstalledPlugin>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(GET_BY_UID).bind(uid).fetch_optional(db).await?))
    }

    /// The same as [`Self::get`], to be changed: others who want to wait for the end of the transaction.
    pub async fn hold(&mut self, id: &str) -> Result<Option<InstalledPlugin>, StoreError> {
        on!(self.0, db => sqlx::query(HOLD).bind(id).execute(db).await?.rows_affected());
        self.get(id).await
    }

    /// A plugin that was not there; it does not run yet and may do nothing.
    pub async fn create(
        &mut self,
        clock: &dyn Clock,
        (id, uid): (&str, Uuid),
        version: &str,
        publisher_key: Option<&str>,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(CREATE)
            .bind(id)
            .bind(uid)
            .bind(version)
            .bind(publisher_key)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Writes what of a plugin may change.
    pub async fn change(&mut self, plugin: &InstalledPlugin) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(CHANGE)
            .bind(&plugin.id)
            .bind(&plugin.version)
            .bind(&plugin.former_version)
            .bind(&plugin.pending_version)
            .bind(plugin.enabled)
            .bind(&plugin.publisher_key)
            .bind(&plugin.granted)
            .bind(&plugin.settings)
            .bind(plugin.companies_allowed)
            .bind(plugin.switched_at)
            .bind(plugin.removed_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// A version's package.
    pub async fn put_package(&mut self, clock: &dyn Clock, new: NewPackage<'_>) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(PUT_PACKAGE)
            .bind(new.plugin)
            .bind(new.version)
            .bind(new.sha256)
            .bind(new.trust)
            .bind(new.publisher)
            .bind(new.about)
            .bind(new.bytes)
            .bind(clock.now_ms())
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Its bytes.
    pub async fn package(&mut self, id: &str, version: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_scalar(PACKAGE).bind(id).bind(version).fetch_optional(db).await?))
    }

    /// The versions of a plugin that are here, in the order in which they came.
    pub async fn versions(&mut self, id: &str) -> Result<Vec<InstalledVersion>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(VERSIONS).bind(id).fetch_all(db).await?))
    }

    /// What is to run.
    pub async fn running(&mut self) -> Result<Vec<RunningPlugin>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(RUNNING).fetch_all(db).await?))
    }

    /// The same of all plugins.
    pub async fn all_versions(&mut self) -> Result<Vec<InstalledVersion>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(ALL_VERSIONS).fetch_all(db).await?))
    }

    /// Erases a plugin with all that it stored.
    pub async fn erase(&mut self, id: &str) -> Result<(), StoreError> {
        for statement in [
            ERASE_DESTINATIONS,
            ERASE_SECRETS,
            ERASE_REQUESTS,
            ERASE_ENTRIES,
            ERASE_COUNTERS,
            ERASE_TASKS,
            ERASE,
        ] {
            on!(self.0, db => sqlx::query(statement).bind(id).execute(db).await?.rows_affected());
        }
        Ok(())
    }

    /// Erases the plugins that were removed before an instant; which those were.
    pub async fn forget(&mut self, before: i64) -> Result<Vec<String>, StoreError> {
        let ids: Vec<String> =
            on!(self.0, db => sqlx::query_scalar(FORGOTTEN).bind(before).fetch_all(db).await?);
        for id in &ids {
            self.erase(id).await?;
        }
        Ok(ids)
    }
}
