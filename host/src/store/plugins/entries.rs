//! What plugins keep: keys and values, within a quota that is exact whoever writes at the same time.

use sqlx::FromRow;

use super::PluginRows;
use crate::id::CompanyUid;
use crate::store::{StoreError, on, statements};

statements! {
    MEET = "INSERT INTO plugin_counters (plugin_id, revision, bytes, entries) VALUES ($1, 0, 0, 0) ON CONFLICT (plugin_id) DO NOTHING";
    // Also the lock: who writes for this plugin takes turns.
    NEXT = "UPDATE plugin_counters SET revision = revision + 1 WHERE plugin_id = $1 RETURNING revision, bytes, entries";
    SIZE = "SELECT CAST(octet_length(value) + octet_length(name) AS BIGINT) FROM plugin_entries \
        WHERE plugin_id = $1 AND space = $2 AND name = $3";
    COUNT = "UPDATE plugin_counters SET bytes = $2, entries = $3 WHERE plugin_id = $1";
    USED = "SELECT CAST(coalesce(sum(octet_length(value) + octet_length(name)), 0) AS BIGINT) AS bytes, count(*) AS entries \
        FROM plugin_entries WHERE plugin_id = $1";
    GET = "SELECT name, value, revision FROM plugin_entries WHERE plugin_id = $1 AND space = $2 AND name = $3 \
        AND (expires_at IS NULL OR expires_at > $4)";
    PUT = "INSERT INTO plugin_entries (plugin_id, space, company_uid, name, value, revision, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (plugin_id, space, name) \
        DO UPDATE SET value = excluded.value, revision = excluded.revision, expires_at = excluded.expires_at";
    DELETE = "DELETE FROM plugin_entries WHERE plugin_id = $1 AND space = $2 AND name = $3";
    SCAN = "SELECT name, value, revision FROM plugin_entries WHERE plugin_id = $1 AND space = $2 AND name > $3 \
        AND name >= $4 AND (expires_at IS NULL OR expires_at > $5) ORDER BY name LIMIT $6";
    SWEEP = "DELETE FROM plugin_entries WHERE expires_at <= $1";
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PluginEntry {
    /// Its key.
    pub name: String,
    /// Itself.
    pub value: Vec<u8>,
    /// Of this write.
    pub revision: i64,
}

/// What a plugin has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct PluginUsage {
    /// Keys and values; what has expired counts until it is swept.
    pub bytes: i64,
    /// How many.
    pub entries: i64,
}

/// What a write of a plugin starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct NextWrite {
    /// Unique within the plugin.
    pub revision: i64,
    /// As far as it was counted.
    #[sqlx(flatten)]
    pub usage: PluginUsage,
}

/// Whose entries of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntrySpace<'s> {
    /// Of this plugin.
    pub plugin: &'s str,
    /// Of this company, or the plugin's own.
    pub company: Option<CompanyUid>,
}

impl EntrySpace<'_> {
    fn name(&self) -> String {
        self.company.map(|company| company.to_string()).unwrap_or_default()
    }
}

impl PluginRows<'_> {
    /// The revision of the next write and what the plugin has before it; until the end of the transaction nobody else writes for
    /// this plugin.
    pub async fn next_write(&mut self, plugin: &str) -> Result<NextWrite, StoreError> {
        on!(self.0, db => sqlx::query(MEET).bind(plugin).execute(db).await?.rows_affected());
        Ok(on!(self.0, db => sqlx::query_as(NEXT).bind(plugin).fetch_one(db).await?))
    }

    /// The bytes of a key and its value, if it is there, expired or not.
    pub async fn size_of_entry(
        &mut self,
        space: EntrySpace<'_>,
        key: &str,
    ) -> Result<Option<i64>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_scalar(SIZE)
            .bind(space.plugin)
            .bind(space.name())
            .bind(key)
            .fetch_optional(db)
            .await?))
    }

    /// Writes down what a plugin has.
    pub async fn count_entries(&mut self, plugin: &str, usage: PluginUsage) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(COUNT)
            .bind(plugin)
            .bind(usage.bytes)
            .bind(usage.entries)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// What a plugin has in all, counted row by row.
    pub async fn usage(&mut self, plugin: &str) -> Result<PluginUsage, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(USED).bind(plugin).fetch_one(db).await?))
    }

    /// The value of a key, if it has not expired.
    pub async fn entry(
        &mut self,
        space: EntrySpace<'_>,
        key: &str,
        now: i64,
    ) -> Result<Option<PluginEntry>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(GET)
            .bind(space.plugin)
            .bind(space.name())
            .bind(key)
            .bind(now)
            .fetch_optional(db)
            .await?))
    }

    /// Writes one.
    pub async fn put_entry(
        &mut self,
        space: EntrySpace<'_>,
        entry: &PluginEntry,
        expires_at: Option<i64>,
    ) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(PUT)
            .bind(space.plugin)
            .bind(space.name())
            .bind(space.company)
            .bind(&entry.name)
            .bind(&entry.value)
            .bind(entry.revision)
            .bind(expires_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Removes one; whether it was there.
    pub async fn delete_entry(&mut self, space: EntrySpace<'_>, key: &str) -> Result<bool, StoreError> {
        let gone = on!(self.0, db => sqlx::query(DELETE)
            .bind(space.plugin)
            .bind(space.name())
            .bind(key)
            .execute(db)
            .await?
            .rows_affected());
        Ok(gone > 0)
    }

    /// Entries behind `after`, from `least` on, ascending by the bytes of their keys.
    pub async fn scan_entries(
        &mut self,
        space: EntrySpace<'_>,
        (after, least): (&str, &str),
        now: i64,
        limit: i64,
    ) -> Result<Vec<PluginEntry>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(SCAN)
            .bind(space.plugin)
            .bind(space.name())
            .bind(after)
            .bind(least)
            .bind(now)
            .bind(limit)
            .fetch_all(db)
            .await?))
    }

    /// Removes what has expired.
    pub async fn sweep_entries(&mut self, now: i64) -> Result<u64, StoreError> {
        Ok(on!(self.0, db => sqlx::query(SWEEP).bind(now).execute(db).await?.rows_affected()))
    }
}
