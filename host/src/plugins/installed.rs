//! What an administrator does with plugins: install, enable, upgrade, roll back, remove. The database holds the outcome; every
//! host of it loads what that says.
//!
//! **Order.** A package is judged whole (signature, pipeline) before anything is written. A version that takes another's place is
//! stored first, asked to migrate then, and switched to last: a crash between leaves the old one running and the new one waiting.
//!
//! **Crash.** Each step is one transaction with its row in the activity log.

mod actor;
mod catalogue;
mod error;
mod outcome;
mod switch;
mod upkeep;
mod view;

use std::collections::BTreeSet;

use semver::Version;
use uuid::{Uuid, uuid};

use super::grants::{Grants, asks};
use super::library::Library;
use super::load;
use super::manifest::Manifest;
use super::package::Signed;
use super::services::Services;
use super::trust::{Keyring, Trust};
use super::{Inner, Plugins};
use crate::clock::DAY;
use crate::store::{InstalledPlugin, NewPackage, PluginKey, Tx};

pub use actor::Actor;
pub use catalogue::{Found, Offered, OfferedPlugin, read_package};
pub use error::InstallError;
pub use outcome::{Installed, PackageAbout, Vouched};
pub use view::{PluginView, SettingsForm};

/// The API wants a UUID for a plugin: the `UUIDv5` of its id in this namespace.
const NAMESPACE: Uuid = uuid!("6f0b7c52-6d3c-5c3e-9b0e-2f6f1f3c9a71");
/// So long what a removed plugin stored is kept.
const KEPT: i64 = 30 * DAY;

/// The API's name of a plugin.
pub fn plugin_uid(id: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, id.as_bytes())
}

/// A package that passed everything but the administrator's judgement.
pub(super) struct Admitted {
    id: String,
    version: Version,
    about: PackageAbout,
    sha256: String,
    signed: Option<Signed>,
    bytes: Vec<u8>,
}

impl Plugins {
    /// Installs a package, or has it take the place of another version. `vouched` is the publisher that its library names.
    pub async fn install(
        &self,
        bytes: Vec<u8>,
        vouched: Option<Vouched>,
        actor: &Actor,
    ) -> Result<(String, Installed), InstallError> {
        let services = self.services()?;
        let admitted = self.inner.admit(bytes).await?;
        let id = admitted.id.clone();
        let mut tx = services.store.write().await?;
        let keyring = self.inner.keyring(&mut tx, vouched).await?;
        let outcome = self.inner.put(&mut tx, &admitted, &keyring, actor).await?;
        tx.commit().await?;
        let outcome = match outcome {
            Installed::Upgraded { .. } => {
                let from = self.switch(&id, &admitted.version.to_string(), actor).await?;
                Installed::Upgraded { from }
            }
            other => other,
        };
        self.reload().await;
        Ok((id, outcome))
    }

    /// Lets a plugin run. What it asks for must be granted, or be `approved` with this.
    pub async fn enable(&self, id: &str, approved: bool, actor: &Actor) -> Result<(), InstallError> {
        let mut tx = self.services()?.store.write().await?;
        let mut plugin = held(&mut tx, id).await?;
        let version = plugin.version.clone();
        grant(&mut tx, &mut plugin, &version, approved).await?;
        plugin.enabled = true;
        tx.plugins().change(&plugin).await?;
        actor.note(&mut tx, "enabled", &plugin).await?;
        tx.commit().await?;
        self.reload().await;
        Ok(())
    }

    /// Ends it. Its settings, its data and what it may do stay.
    pub async fn disable(&self, id: &str, actor: &Actor) -> Result<(), InstallError> {
        self.change(id, "disabled", actor, |plugin| plugin.enabled = false).await
    }

    /// Grants what a waiting version asks for and has it take its place; without one, what the running version asks for.
    pub async fn approve(&self, id: &str, actor: &Actor) -> Result<String, InstallError> {
        let mut tx = self.services()?.store.write().await?;
        let mut plugin = held(&mut tx, id).await?;
        let version = plugin.pending_version.clone().unwrap_or_else(|| plugin.version.clone());
        grant(&mut tx, &mut plugin, &version, true).await?;
        tx.plugins().change(&plugin).await?;
        actor.note(&mut tx, "granted what it asks for to", &plugin).await?;
        tx.commit().await?;
        if plugin.pending_version.is_some() {
            self.switch(id, &version, actor).await?;
        }
        self.reload().await;
        Ok(version)
    }

    /// Back to the version before.
    pub async fn roll_back(&self, id: &str, actor: &Actor) -> Result<String, InstallError> {
        let mut tx = self.services()?.store.read().await?;
        let plugin = tx.plugins().get(id).await?.ok_or_else(|| InstallError::not_installed(id))?;
        drop(tx);
        let former = plugin.former_version.ok_or_else(|| {
            InstallError::Conflict(format!(
                "{id} has had no version before {}, so there is none to go back to",
                plugin.version
            ))
        })?;
        self.switch(id, &former, actor).await?;
        self.reload().await;
        Ok(former)
    }

    /// Removes it. What it stored is kept for 30 days, and there again if it is installed again by then; with `purge` it is erased
    /// at once, and the publisher's key is forgotten.
    pub async fn remove(&self, id: &str, purge: bool, actor: &Actor) -> Result<(), InstallError> {
        let mut tx = self.services()?.store.write().await?;
        let found = tx.plugins().hold(id).await?;
        let mut plugin = found
            .filter(|plugin| purge || plugin.removed_at.is_none())
            .ok_or_else(|| InstallError::not_installed(id))?;
        if purge {
            tx.plugins().erase(id).await?;
            actor.note(&mut tx, "removed, with all that it stored,", &plugin).await?;
        } else {
            plugin.enabled = false;
            plugin.removed_at = Some(self.inner.sandbox.clock.now_ms());
            tx.plugins().change(&plugin).await?;
            actor.note(&mut tx, "removed", &plugin).await?;
        }
        tx.commit().await?;
        self.reload().await;
        Ok(())
    }

    /// Says which organisations have it: those that have a rule, and whether all others do.
    pub async fn set_companies(
        &self,
        id: &str,
        otherwise: Option<bool>,
        rules: Option<&[(Uuid, bool)]>,
        actor: &Actor,
    ) -> Result<(), InstallError> {
        let mut tx = self.services()?.store.write().await?;
        let mut plugin = held(&mut tx, id).await?;
        plugin.companies_allowed = otherwise.unwrap_or(plugin.companies_allowed);
        tx.plugins().change(&plugin).await?;
        if let Some(rules) = rules {
            tx.plugins().set_rules(id, rules).await?;
        }
        actor.note(&mut tx, "changed the companies of", &plugin).await?;
        tx.commit().await?;
        self.reload().await;
        Ok(())
    }

    /// Where everything is kept.
    pub(super) fn services(&self) -> Result<&Services, InstallError> {
        self.inner.sandbox.outside.services.as_ref().ok_or(InstallError::NoDatabase)
    }

    async fn change(
        &self,
        id: &str,
        verb: &str,
        actor: &Actor,
        change: impl FnOnce(&mut InstalledPlugin) + Send,
    ) -> Result<(), InstallError> {
        let mut tx = self.services()?.store.write().await?;
        let mut plugin = held(&mut tx, id).await?;
        change(&mut plugin);
        tx.plugins().change(&plugin).await?;
        actor.note(&mut tx, verb, &plugin).await?;
        tx.commit().await?;
        self.reload().await;
        Ok(())
    }
}

impl Inner {
    /// Takes a package through every step of a load, with nothing granted.
    async fn admit(&self, bytes: Vec<u8>) -> Result<Admitted, InstallError> {
        let place = std::path::PathBuf::from("the package");
        let failed = |fault| super::LoadError { folder: place.clone(), plugin: None, fault };
        let copy = bytes.clone();
        let package = load::unpack(place.clone(), copy, "{}".to_owned()).await.map_err(failed)?;
        let manifest = package.manifest.clone().map_err(failed)?;
        let signed = package.signed().map_err(failed)?;
        let sha256 = package.digest.clone();
        load::load(&self.sandbox, package, Grants::Words(BTreeSet::new())).await?;
        let about = about(&manifest);
        Ok(Admitted { id: manifest.id, version: manifest.version, about, sha256, signed, bytes })
    }

    /// The keys that count: those of the database, the shipped one, and one for whom a library vouches.
    async fn keyring(&self, tx: &mut Tx, vouched: Option<Vouched>) -> Result<Keyring, InstallError> {
        let shipped = self.library.as_deref().and_then(|folder| Library::shipped(folder).ok());
        let mut keyring = Keyring {
            shipped: shipped.map(|library| library.key).into_iter().collect(),
            developer: self.developer,
            ..Keyring::default()
        };
        keyring.verified.extend(vouched.map(|vouched| (vouched.publisher, vouched.key)));
        for PluginKey { key, name, tier, .. } in tx.plugins().keys().await? {
            let Ok(key) = key.parse() else { continue };
            match tier.as_str() {
                "OwnKey" => keyring.own.push(key),
                _ => keyring.verified.push((name, key)),
            }
        }
        Ok(keyring)
    }

    /// Writes a package that passed.
    async fn put(
        &self,
        tx: &mut Tx,
        admitted: &Admitted,
        keyring: &Keyring,
        actor: &Actor,
    ) -> Result<Installed, InstallError> {
        let clock = &*self.sandbox.clock;
        let (id, version) = (admitted.id.as_str(), admitted.version.to_string());
        let known = tx.plugins().hold(id).await?;
        let pinned = known.as_ref().and_then(|plugin| plugin.publisher_key.as_deref()?.parse().ok());
        let refused = |reason| InstallError::Refused { id: id.to_owned(), version: version.clone(), reason };
        let trust = keyring.judge(admitted.signed.as_ref(), pinned.as_ref()).map_err(refused)?;
        let key = admitted.signed.as_ref().map(|signed| signed.key.to_string());
        let Some(mut plugin) = known else {
            tx.plugins().create(clock, (id, plugin_uid(id)), &version, key.as_deref()).await?;
            self.put_package(tx, admitted, &trust).await?;
            let plugin = held(tx, id).await?;
            actor.note(tx, "installed", &plugin).await?;
            return Ok(Installed::New { asks: admitted.about.asks.clone() });
        };
        let there = tx.plugins().versions(id).await?.into_iter().find(|there| there.version == version);
        match there {
            Some(there) if there.sha256 != admitted.sha256 => {
                return Err(InstallError::Conflict(format!(
                    "{id} {version} is here already with other files; a package that changed needs a version of its own"
                )));
            }
            Some(_) => {}
            None => self.put_package(tx, admitted, &trust).await?,
        }
        plugin.publisher_key = key;
        let outcome = settle(&mut plugin, &version, admitted, clock.now_ms());
        tx.plugins().change(&plugin).await?;
        actor.note(tx, "installed another version of", &plugin).await?;
        Ok(outcome)
    }

    async fn put_package(&self, tx: &mut Tx, admitted: &Admitted, trust: &Trust) -> Result<(), InstallError> {
        let version = admitted.version.to_string();
        let about = serde_json::json!(admitted.about).to_string();
        let package = NewPackage {
            plugin: &admitted.id,
            version: &version,
            sha256: &admitted.sha256,
            trust: trust.tier_name(),
            publisher: trust.publisher(),
            about: &about,
            bytes: &admitted.bytes,
        };
        Ok(tx.plugins().put_package(&*self.sandbox.clock, package).await?)
    }
}

/// What a package of a known plugin comes to.
fn settle(plugin: &mut InstalledPlugin, version: &str, admitted: &Admitted, now: i64) -> Installed {
    if plugin.removed_at.take().is_some() {
        // It is new to the administrator, and its data is old: what it was allowed then is asked anew.
        version.clone_into(&mut plugin.version);
        (plugin.former_version, plugin.pending_version) = (None, None);
        (plugin.enabled, plugin.switched_at) = (false, now);
        plugin.granted = Grants::list(&BTreeSet::new());
        return Installed::New { asks: admitted.about.asks.clone() };
    }
    if plugin.version == version {
        return Installed::Already;
    }
    plugin.pending_version = Some(version.to_owned());
    let lacking = Grants::parse(&plugin.granted).lacking(&admitted.about.asks);
    // What does not run has nothing that could go on meanwhile: it is asked when it is enabled.
    if lacking.is_empty() || !plugin.enabled {
        Installed::Upgraded { from: plugin.version.clone() }
    } else {
        Installed::Waiting { lacking }
    }
}

/// Grants what a version asks for, if somebody approved it, or says what is lacking.
async fn grant(
    tx: &mut Tx,
    plugin: &mut InstalledPlugin,
    version: &str,
    approved: bool,
) -> Result<(), InstallError> {
    let versions = tx.plugins().versions(&plugin.id).await?;
    let about = versions.iter().find(|there| there.version == version).map(|there| there.about.as_str());
    let about: PackageAbout = about.and_then(|about| serde_json::from_str(about).ok()).ok_or_else(|| {
        InstallError::Conflict(format!("the database has no package of {} {version}", plugin.id))
    })?;
    let lacking = Grants::parse(&plugin.granted).lacking(&about.asks);
    if !lacking.is_empty() && !approved {
        return Err(InstallError::NeedsApproval {
            id: plugin.id.clone(),
            version: version.to_owned(),
            lacking,
        });
    }
    // What it no longer asks for it does not keep either.
    let words: BTreeSet<String> = about.asks.into_iter().map(|ask| ask.capability).collect();
    plugin.granted = Grants::list(&words);
    Ok(())
}

async fn held(tx: &mut Tx, id: &str) -> Result<InstalledPlugin, InstallError> {
    let found = tx.plugins().hold(id).await?.filter(|plugin| plugin.removed_at.is_none());
    found.ok_or_else(|| InstallError::not_installed(id))
}

fn about(manifest: &Manifest) -> PackageAbout {
    let about = manifest.about.clone();
    PackageAbout {
        name: manifest.name.clone(),
        summary: about.summary,
        license: about.license,
        homepage: about.homepage,
        publisher: about.publisher,
        contract: manifest.requires.to_string(),
        asks: asks(manifest),
    }
}
