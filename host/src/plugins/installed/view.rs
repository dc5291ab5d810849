//! What an administrator sees of the plugins.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{InstallError, PackageAbout, held, plugin_uid};
use crate::plugins::grants::{Ask, Grants};
use crate::plugins::library::Library;
use crate::plugins::package::Package;
use crate::plugins::{LoadError, PluginState, PluginStatus, Plugins, load};
use crate::store::{InstalledPlugin, InstalledVersion, OrganizationRule, Tx};

/// A plugin with all that there is to say of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginView {
    /// `vendor.name`.
    pub id: String,
    /// The API's name of it.
    pub uid: Uuid,
    /// For people.
    pub name: String,
    /// The version that runs, if it is enabled.
    pub version: String,
    /// The one before it.
    pub former_version: Option<String>,
    /// One that waits for somebody to approve what it asks for.
    pub pending_version: Option<String>,
    /// Versions that are here, in the order in which they came.
    pub versions: Vec<String>,
    /// Whether it is meant to run.
    pub enabled: bool,
    /// How it is; none if it is not enabled.
    #[serde(flatten)]
    pub state: Option<PluginState>,
    /// Why the newer files do not run, while the older do.
    pub update_refused: Option<String>,
    /// How far it is trusted; none for one in the developer's folder.
    pub trust: Option<String>,
    /// Whose it is, by the name that somebody vouches for.
    pub publisher: Option<String>,
    /// What its package says; none for one in the developer's folder.
    pub about: Option<PackageAbout>,
    /// What it may do.
    pub granted: Vec<String>,
    /// What the waiting version, or the one that there is, asks for beyond that.
    pub lacking: Vec<Ask>,
    /// Whether companies without a rule have it.
    pub companies_allowed: bool,
    /// Companies and resellers with a rule.
    pub rules: Vec<(Uuid, bool)>,
}

/// A plugin's settings, and the form that they fill.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingsForm {
    /// With defaults filled in.
    pub settings: Value,
    /// JSON Schema; none if the plugin takes no settings.
    pub schema: Option<Value>,
}

impl Plugins {
    /// All plugins: installed ones, whether they run or not, and those of the developer's folder.
    pub async fn views(&self) -> Result<Vec<PluginView>, InstallError> {
        let statuses = self.list();
        let (installed, versions, rules) = match self.services() {
            Ok(services) => {
                let mut tx = services.store.read().await?;
                let installed = tx.plugins().all().await?;
                let versions = tx.plugins().all_versions().await?;
                (installed, versions, tx.plugins().rules().await?)
            }
            Err(_) => (Vec::new(), Vec::new(), Vec::new()),
        };
        let by_id: HashMap<&str, &PluginStatus> = statuses
            .iter()
            .filter(|status| status.folder.is_none())
            .map(|status| (status.id.as_str(), status))
            .collect();
        let mut views: Vec<PluginView> = installed
            .into_iter()
            .map(|row| {
                let status = by_id.get(row.id.as_str()).copied();
                let versions: Vec<_> =
                    versions.iter().filter(|version| version.plugin_id == row.id).collect();
                view(row, status, &versions, &rules)
            })
            .collect();
        views.extend(statuses.iter().filter(|status| status.folder.is_some()).map(developers));
        Ok(views)
    }

    /// The settings of a plugin, and their form.
    pub async fn settings(&self, id: &str) -> Result<SettingsForm, InstallError> {
        let mut tx = self.services()?.store.read().await?;
        let plugin = tx.plugins().get(id).await?.filter(|plugin| plugin.removed_at.is_none());
        let plugin = plugin.ok_or_else(|| InstallError::not_installed(id))?;
        let package = with_settings(&mut tx, &plugin, &plugin.settings).await?;
        let failed = |fault| LoadError { folder: package.place.clone(), plugin: Some(id.to_owned()), fault };
        let schema = package.settings_schema().map_err(failed)?;
        Ok(SettingsForm { settings: package.settings().map_err(failed)?, schema })
    }

    /// Remembers the serial of an index that was read: an older one is not believed any more.
    pub async fn remember(&self, library: &Library, serial: i64) -> Result<(), InstallError> {
        if serial > library.serial && library.name != "shipped" {
            let mut tx = self.services()?.store.write().await?;
            tx.plugins().advance_library(&library.name, serial).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Gives a plugin other settings, which must fit the schema of the version that runs. They count from now on.
    pub async fn set_settings(
        &self,
        id: &str,
        settings: &Value,
        actor: &super::Actor,
    ) -> Result<(), InstallError> {
        let mut tx = self.services()?.store.write().await?;
        let mut plugin = held(&mut tx, id).await?;
        let text = settings.to_string();
        let package = with_settings(&mut tx, &plugin, &text).await?;
        package.settings().map_err(|fault| LoadError {
            folder: package.place.clone(),
            plugin: Some(id.to_owned()),
            fault,
        })?;
        plugin.settings = text;
        tx.plugins().change(&plugin).await?;
        actor.note(&mut tx, "changed the settings of", &plugin).await?;
        tx.commit().await?;
        self.reload().await;
        Ok(())
    }
}

async fn with_settings(
    tx: &mut Tx,
    plugin: &InstalledPlugin,
    settings: &str,
) -> Result<Package, InstallError> {
    let InstalledPlugin { id, version, .. } = plugin;
    let bytes = tx.plugins().package(id, version).await?.unwrap_or_default();
    let place = std::path::PathBuf::from(format!("{id}-{version}.kpkg"));
    let package = load::unpack(place.clone(), bytes, settings.to_owned()).await;
    Ok(package.map_err(|fault| LoadError { folder: place, plugin: Some(id.clone()), fault })?)
}

fn view(
    row: InstalledPlugin,
    status: Option<&PluginStatus>,
    versions: &[&InstalledVersion],
    rules: &[OrganizationRule],
) -> PluginView {
    let of = |version: &str| versions.iter().find(|stored| stored.version == version);
    let about_of = |version: &str| of(version).and_then(|stored| serde_json::from_str(&stored.about).ok());
    let about: Option<PackageAbout> = about_of(&row.version);
    let next: Option<PackageAbout> =
        row.pending_version.as_deref().and_then(about_of).or_else(|| about.clone());
    let current = of(&row.version);
    let rules = rules.iter().filter(|rule| rule.plugin_id == row.id);
    PluginView {
        uid: row.uid,
        name: about.as_ref().map_or_else(|| row.id.clone(), |about| about.name.clone()),
        state: status.map(|status| status.state.clone()),
        update_refused: status.and_then(|status| status.update_refused.clone()),
        trust: current.map(|stored| stored.trust.clone()),
        publisher: current.and_then(|stored| stored.publisher.clone()),
        lacking: next.map(|next| Grants::parse(&row.granted).lacking(&next.asks)).unwrap_or_default(),
        granted: serde_json::from_str(&row.granted).unwrap_or_default(),
        about,
        versions: versions.iter().map(|stored| stored.version.clone()).collect(),
        rules: rules.map(|rule| (rule.organization_uid, rule.allowed)).collect(),
        companies_allowed: row.companies_allowed,
        enabled: row.enabled,
        former_version: row.former_version,
        pending_version: row.pending_version,
        version: row.version,
        id: row.id,
    }
}

/// One in the developer's folder.
fn developers(status: &PluginStatus) -> PluginView {
    PluginView {
        uid: plugin_uid(&status.id),
        id: status.id.clone(),
        name: status.name.clone(),
        version: status.version.clone(),
        former_version: None,
        pending_version: None,
        versions: Some(status.version.clone()).filter(|version| !version.is_empty()).into_iter().collect(),
        enabled: true,
        state: Some(status.state.clone()),
        update_refused: status.update_refused.clone(),
        trust: None,
        publisher: None,
        about: None,
        granted: Vec::new(),
        lacking: Vec::new(),
        companies_allowed: true,
        rules: Vec::new(),
    }
}
