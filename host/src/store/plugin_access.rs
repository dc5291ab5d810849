//! What administrators gave to plugins: where their destinations stand, and the secrets that go there.

use zeroize::{Zeroize as _, Zeroizing};

use super::{StoreError, Tx, on, statements};
use crate::seal::{Seal, SealError};

statements! {
    BIND = "INSERT INTO plugin_destinations (plugin_id, label, origin, private_network, bound_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (plugin_id, label) DO UPDATE SET origin = excluded.origin, private_network = excluded.private_network, \
        bound_at = excluded.bound_at";
    UNBIND = "DELETE FROM plugin_destinations WHERE plugin_id = $1 AND label = $2";
    DESTINATION = "SELECT label, origin, private_network, bound_at FROM plugin_destinations WHERE plugin_id = $1 AND label = $2";
    DESTINATIONS = "SELECT label, origin, private_network, bound_at FROM plugin_destinations WHERE plugin_id = $1 ORDER BY label";
    SET = "INSERT INTO plugin_secrets (plugin_id, label, sealed, kind, expires_at, set_at) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (plugin_id, label) DO UPDATE SET sealed = excluded.sealed, kind = excluded.kind, \
        expires_at = excluded.expires_at, set_at = excluded.set_at";
    REMOVE = "DELETE FROM plugin_secrets WHERE plugin_id = $1 AND label = $2";
    SECRET = "SELECT plugin_id, label, sealed, kind, expires_at, set_at FROM plugin_secrets WHERE plugin_id = $1 AND label = $2";
    SECRETS = "SELECT plugin_id, label, sealed, kind, expires_at, set_at FROM plugin_secrets WHERE plugin_id = $1 ORDER BY label";
}

/// Where a destination stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct BoundDestination {
    /// The manifest's.
    pub label: String,
    /// `scheme://host[:port]`.
    pub origin: String,
    /// Whether it may stand in the provider's own network.
    pub private_network: bool,
    /// Since when.
    pub bound_at: i64,
}

/// A secret as it is stored.
#[derive(Clone, sqlx::FromRow)]
pub struct SecretRow {
    plugin_id: String,
    /// The manifest's.
    pub label: String,
    sealed: Vec<u8>,
    /// `token`, `password` or `oauth2-client`.
    pub kind: String,
    /// Where that can be read from it.
    pub expires_at: Option<i64>,
    /// When it was entered.
    pub set_at: i64,
}

impl std::fmt::Debug for SecretRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretRow")
            .field("label", &self.label)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl SecretRow {
    /// What it hides. One that was moved here from another row does not open.
    pub fn open(&self, seal: &Seal) -> Result<Zeroizing<String>, SealError> {
        let purpose = purpose(&self.plugin_id, &self.label);
        let plain = seal.unseal(&purpose, &self.sealed)?;
        String::from_utf8(plain).map(Zeroizing::new).map_err(|error| {
            error.into_bytes().zeroize();
            SealError::Foreign { purpose }
        })
    }
}

/// Ids and labels have no colon.
fn purpose(plugin: &str, label: &str) -> String {
    format!("plugin-secret:{plugin}:{label}")
}

impl Tx {
    /// What administrators gave to plugins.
    pub fn plugin_access(&mut self) -> PluginAccess<'_> {
        PluginAccess(self)
    }
}

/// Destinations and secrets of plugins, seen through a transaction.
#[derive(Debug)]
pub struct PluginAccess<'t>(&'t mut Tx);

impl PluginAccess<'_> {
    /// Binds a destination, in place of where it stood before.
    pub async fn bind(&mut self, plugin: &str, to: &BoundDestination) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(BIND)
            .bind(plugin)
            .bind(&to.label)
            .bind(&to.origin)
            .bind(to.private_network)
            .bind(to.bound_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Takes it away; whether it was there.
    pub async fn unbind(&mut self, plugin: &str, label: &str) -> Result<bool, StoreError> {
        let gone = on!(self.0, db => sqlx::query(UNBIND).bind(plugin).bind(label).execute(db).await?.rows_affected());
        Ok(gone > 0)
    }

    /// Where one stands.
    pub async fn destination(
        &mut self,
        plugin: &str,
        label: &str,
    ) -> Result<Option<BoundDestination>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(DESTINATION).bind(plugin).bind(label).fetch_optional(db).await?);
        Ok(row)
    }

    /// Where all of a plugin's stand.
    pub async fn destinations(&mut self, plugin: &str) -> Result<Vec<BoundDestination>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(DESTINATIONS).bind(plugin).fetch_all(db).await?);
        Ok(rows)
    }

    /// Keeps a secret, sealed, in place of the one before. `row` is `(label, kind, expires_at, set_at)`.
    pub async fn set_secret(
        &mut self,
        seal: &Seal,
        plugin: &str,
        row: (&str, &str, Option<i64>, i64),
        value: &str,
    ) -> Result<(), StoreError> {
        let (label, kind, expires_at, set_at) = row;
        let sealed = seal.seal(&purpose(plugin, label), value.as_bytes())?;
        on!(self.0, db => sqlx::query(SET)
            .bind(plugin)
            .bind(label)
            .bind(&sealed)
            .bind(kind)
            .bind(expires_at)
            .bind(set_at)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets it; whether it was there.
    pub async fn remove_secret(&mut self, plugin: &str, label: &str) -> Result<bool, StoreError> {
        let gone = on!(self.0, db => sqlx::query(REMOVE).bind(plugin).bind(label).execute(db).await?.rows_affected());
        Ok(gone > 0)
    }

    /// One secret.
    pub async fn secret(&mut self, plugin: &str, label: &str) -> Result<Option<SecretRow>, StoreError> {
        let row =
            on!(self.0, db => sqlx::query_as(SECRET).bind(plugin).bind(label).fetch_optional(db).await?);
        Ok(row)
    }

    /// All of a plugin's.
    pub async fn secrets(&mut self, plugin: &str) -> Result<Vec<SecretRow>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(SECRETS).bind(plugin).fetch_all(db).await?);
        Ok(rows)
    }
}
