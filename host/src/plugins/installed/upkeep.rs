//! What is done with installed plugins by itself: one whose new version fails goes back to the version before, and what a removed
//! one stored is erased when its time has come.

use super::{Actor, InstallError, KEPT};
use crate::clock::MINUTE;
use crate::plugins::{PluginState, Plugins};

/// A new version that fails so soon is at fault itself.
const PROBATION: i64 = 10 * MINUTE;

impl Plugins {
    /// What is to be done now and then: goes back where a new version fails, and erases what was removed 30 days ago. The watcher
    /// does it by itself.
    pub async fn look_after(&self) -> Result<(), InstallError> {
        self.roll_back_the_failed().await?;
        self.erase_the_removed().await
    }

    /// Has plugins whose new version is in quarantine go back to the one before.
    pub(in crate::plugins) async fn roll_back_the_failed(&self) -> Result<(), InstallError> {
        let services = self.services()?;
        let failed: Vec<String> = self
            .list()
            .into_iter()
            .filter(|status| status.folder.is_none() && is_quarantined(&status.state))
            .map(|status| status.id)
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        let now = self.inner.sandbox.clock.now_ms();
        let mut tx = services.store.read().await?;
        let provider = tx.installation().current().await?.map(|installation| installation.uid);
        let running = tx.plugins().running().await?;
        drop(tx);
        for plugin in running.into_iter().filter(|plugin| failed.contains(&plugin.id)) {
            let on_probation = now.saturating_sub(plugin.switched_at) < PROBATION;
            let (Some(former), true) = (&plugin.former_version, on_probation) else { continue };
            let actor = Actor::host(now, "RollBackPlugin", provider);
            self.roll_back(&plugin.id, &actor).await?;
            tracing::warn!(
                plugin = plugin.id,
                from = plugin.version,
                to = former,
                "plugin rolled back: its new version failed within ten minutes"
            );
        }
        Ok(())
    }

    /// Erases what plugins stored that were removed 30 days ago.
    pub(in crate::plugins) async fn erase_the_removed(&self) -> Result<(), InstallError> {
        let services = self.services()?;
        let before = self.inner.sandbox.clock.now_ms().saturating_sub(KEPT);
        let mut tx = services.store.write().await?;
        let erased = tx.plugins().forget(before).await?;
        tx.plugins().sweep_entries(self.inner.sandbox.clock.now_ms()).await?;
        tx.commit().await?;
        for plugin in erased {
            tracing::info!(plugin, "erased what the removed plugin had stored");
        }
        Ok(())
    }
}

fn is_quarantined(state: &PluginState) -> bool {
    matches!(state, PluginState::CircuitOpen { .. } | PluginState::Quarantined { .. })
}
