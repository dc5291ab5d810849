//! One version takes another's place.

use std::sync::Arc;

use super::{Actor, InstallError, held};
use crate::plugins::call::{self, lifecycle::Migrate};
use crate::plugins::error::LoadError;
use crate::plugins::grants::Grants;
use crate::plugins::{Plugins, load};

impl Plugins {
    /// Has version `to` take the place of the one that there is, after the plugin has made its data fit. Gives the version that
    /// went.
    pub(super) async fn switch(&self, id: &str, to: &str, actor: &Actor) -> Result<String, InstallError> {
        let services = self.services()?;
        let mut tx = services.store.read().await?;
        let plugin = tx.plugins().get(id).await?.ok_or_else(|| InstallError::not_installed(id))?;
        let bytes = tx.plugins().package(id, to).await?;
        drop(tx);
        let from = plugin.version.clone();
        if from == to {
            return Ok(from);
        }
        let bytes = bytes.ok_or_else(|| {
            InstallError::Conflict(format!("the database has no package of {id} {to}; install it again"))
        })?;
        let place = std::path::PathBuf::from(format!("{id}-{to}.kpkg"));
        let failed = |fault| LoadError { folder: place.clone(), plugin: Some(id.to_owned()), fault };
        let package = load::unpack(place.clone(), bytes, plugin.settings.clone()).await.map_err(failed)?;
        let sandbox = &self.inner.sandbox;
        let loaded = load::load(sandbox, package, Grants::parse(&plugin.granted)).await?;
        let migrate = Migrate { from: from.clone(), to: to.to_owned() };
        call::run(sandbox, &Arc::clone(&loaded.guest), migrate).await.map_err(|blame| {
            InstallError::Migrate {
                id: id.to_owned(),
                from: from.clone(),
                to: to.to_owned(),
                blame: Box::new(blame),
            }
        })?;

        let mut tx = services.store.write().await?;
        let mut plugin = held(&mut tx, id).await?;
        if plugin.version != from {
            return Err(InstallError::Conflict(format!(
                "somebody else changed {id} from {from} to {} meanwhile; look at it and try again",
                plugin.version
            )));
        }
        plugin.former_version = Some(from.clone());
        to.clone_into(&mut plugin.version);
        if plugin.pending_version.as_deref() == Some(to) {
            plugin.pending_version = None;
        }
        plugin.switched_at = sandbox.clock.now_ms();
        tx.plugins().change(&plugin).await?;
        actor.note(&mut tx, "switched", &plugin).await?;
        tx.commit().await?;
        Ok(from)
    }
}
