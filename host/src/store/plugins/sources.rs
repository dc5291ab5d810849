//! Where packages come from and whose are believed.

use sqlx::FromRow;

use super::PluginRows;
use crate::store::{StoreError, on, statements};

statements! {
    KEYS = "SELECT key, name, tier, added_at FROM plugin_keys ORDER BY name, key";
    TRUST = "INSERT INTO plugin_keys (key, name, tier, added_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (key) DO UPDATE SET name = excluded.name, tier = excluded.tier";
    DISTRUST = "DELETE FROM plugin_keys WHERE key = $1";
    LIBRARIES = "SELECT name, place, key, serial, added_at FROM plugin_libraries ORDER BY name";
    ADD_LIBRARY = "INSERT INTO plugin_libraries (name, place, key, serial, added_at) VALUES ($1, $2, $3, 0, $4) \
        ON CONFLICT (name) DO NOTHING";
    REMOVE_LIBRARY = "DELETE FROM plugin_libraries WHERE name = $1";
    // Never back: whoever can replay an old index could hide a withdrawn version.
    ADVANCE = "UPDATE plugin_libraries SET serial = $2 WHERE name = $1 AND serial < $2";
}

/// A publisher whose packages are believed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PluginKey {
    /// `ed25519:…`
    pub key: String,
    /// As the administrator calls its owner.
    pub name: String,
    /// `VerifiedPublisher` or `OwnKey`.
    pub tier: String,
    /// When.
    pub added_at: i64,
}

/// A folder of packages with a signed index.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PluginLibrary {
    /// As the administrator calls it.
    pub name: String,
    /// The folder.
    pub place: String,
    /// Signs its index.
    pub key: String,
    /// Of the last index that was read.
    pub serial: i64,
    /// When.
    pub added_at: i64,
}

impl PluginRows<'_> {
    /// Publishers that are believed.
    pub async fn keys(&mut self) -> Result<Vec<PluginKey>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(KEYS).fetch_all(db).await?))
    }

    /// Believes one; if it is known already, under this name and tier from now on.
    pub async fn trust(&mut self, key: &PluginKey) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(TRUST)
            .bind(&key.key)
            .bind(&key.name)
            .bind(&key.tier)
            .bind(key.added_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// No longer does; whether it did. What is installed stays.
    pub async fn distrust(&mut self, key: &str) -> Result<bool, StoreError> {
        Ok(on!(self.0, db => sqlx::query(DISTRUST).bind(key).execute(db).await?.rows_affected()) > 0)
    }

    /// Libraries that were added.
    pub async fn libraries(&mut self) -> Result<Vec<PluginLibrary>, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(LIBRARIES).fetch_all(db).await?))
    }

    /// Adds one; whether its name was free.
    pub async fn add_library(&mut self, library: &PluginLibrary) -> Result<bool, StoreError> {
        let added = on!(self.0, db => sqlx::query(ADD_LIBRARY)
            .bind(&library.name)
            .bind(&library.place)
            .bind(&library.key)
            .bind(library.added_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(added > 0)
    }

    /// Removes one; whether it was there.
    pub async fn remove_library(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(on!(self.0, db => sqlx::query(REMOVE_LIBRARY).bind(name).execute(db).await?.rows_affected()) > 0)
    }

    /// Remembers the serial of an index that was read.
    pub async fn advance_library(&mut self, name: &str, serial: i64) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(ADVANCE).bind(name).bind(serial).execute(db).await?.rows_affected());
        Ok(())
    }
}
