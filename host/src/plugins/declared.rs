//! What a plugin asks of administrators, read from its manifest: nothing of it runs.

use std::path::Path;

use serde::Serialize;
use zeroize::Zeroizing;

use super::manifest::{Manifest, SecretSlot};
use super::secret::EnteredSecret;
use super::text::nearest;
use super::{Plugins, load, manifest, watch};
use crate::net::exchange::Origin;
use crate::store::{Store, StoreError};

/// What one plugin declares.
#[derive(Debug, Clone)]
pub struct Declared {
    /// `vendor.name`.
    pub id: String,
    /// Its own.
    pub version: String,
    /// Servers that it wants to call.
    pub destinations: Vec<DeclaredDestination>,
    /// Secrets that are to go there.
    pub secrets: Vec<DeclaredSecret>,
}

/// A server that it wants to call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredDestination {
    /// What it is bound by.
    pub label: String,
    /// It may be asked with these.
    pub methods: Vec<String>,
    /// For paths that begin so.
    pub path_prefixes: Vec<String>,
    /// What the plugin's author suggests.
    pub default_origin: Option<String>,
    /// Why.
    pub reason: String,
}

/// A secret that is to go to some of them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredSecret {
    /// What it is entered by.
    pub label: String,
    /// `token`, `password` or `oauth2-client`.
    pub kind: &'static str,
    /// Where in a request it stands.
    pub placement: String,
    /// Labels of destinations.
    pub used_by: Vec<String>,
    /// Why.
    pub reason: String,
    #[serde(skip)]
    slot: SecretSlot,
}

impl Declared {
    fn of(manifest: Manifest) -> Self {
        let destinations = manifest.capabilities.http.into_iter().map(|destination| DeclaredDestination {
            label: destination.label,
            methods: destination.methods,
            path_prefixes: destination.path_prefixes,
            default_origin: destination.default_origin,
            reason: destination.reason,
        });
        let secrets = manifest.capabilities.secrets.into_iter().map(|slot| DeclaredSecret {
            label: slot.label.clone(),
            kind: slot.kind.name(),
            placement: slot.placement.to_string(),
            used_by: slot.used_by.clone(),
            reason: slot.reason.clone(),
            slot,
        });
        Self {
            id: manifest.id,
            version: manifest.version.to_string(),
            destinations: destinations.collect(),
            secrets: secrets.collect(),
        }
    }

    /// The destination of that label.
    pub fn destination(&self, label: &str) -> Result<&DeclaredDestination, String> {
        let labels: Vec<_> = self.destinations.iter().map(|destination| destination.label.as_str()).collect();
        let found = self.destinations.iter().find(|destination| destination.label == label);
        found.ok_or_else(|| format!("{} asks for no destination '{label}'{}", self.id, among(label, &labels)))
    }

    /// The secret of that label.
    pub fn secret(&self, label: &str) -> Result<&DeclaredSecret, String> {
        let labels: Vec<_> = self.secrets.iter().map(|secret| secret.label.as_str()).collect();
        let found = self.secrets.iter().find(|secret| secret.label == label);
        found.ok_or_else(|| format!("{} asks for no secret '{label}'{}", self.id, among(label, &labels)))
    }
}

fn among(word: &str, known: &[&str]) -> String {
    if known.is_empty() { "; it asks for none at all".to_owned() } else { nearest(word, known) }
}

impl DeclaredSecret {
    /// Reads what was typed for it. The error never repeats it.
    pub fn read(&self, typed: &Zeroizing<String>) -> Result<EnteredSecret, String> {
        EnteredSecret::read(&self.slot.kind, typed)
    }
}

impl Plugins {
    /// What the plugin with that id declares: the version that is installed, or the one in the developer's folder.
    pub async fn declared(&self, id: &str) -> Result<Declared, String> {
        if let Ok(services) = self.services() {
            let installed = installed(&services.store, id).await.map_err(|error| error.to_string())?;
            if let Some(bytes) = installed {
                let place = format!("{id}.kpkg").into();
                let package =
                    load::unpack(place, bytes, "{}".to_owned()).await.map_err(|fault| fault.to_string())?;
                return package.manifest.map(Declared::of).map_err(|fault| fault.to_string());
            }
        }
        match &self.inner.folder {
            Some(folder) => in_folder(folder, id).await,
            None => Err(format!("there is no plugin '{id}'; `keelson plugin list` shows what is installed")),
        }
    }
}

async fn installed(store: &Store, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut tx = store.read().await?;
    let Some(plugin) = tx.plugins().get(id).await?.filter(|plugin| plugin.removed_at.is_none()) else {
        return Ok(None);
    };
    // What waits for an approval is what there is to prepare for.
    let version = plugin.pending_version.unwrap_or(plugin.version);
    tx.plugins().package(id, &version).await
}

/// What the plugin with that id declares, of those in the folder of plugins.
async fn in_folder(folder: &Path, id: &str) -> Result<Declared, String> {
    let places = watch::list(folder).map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut others = Vec::new();
    for place in places {
        // One that cannot be read is no reason to hide the others; `keelson plugin list` names it.
        let Ok(package) = load::read(&place).await else { continue };
        match package.manifest {
            Ok(manifest) if manifest.id == id => return Ok(Declared::of(manifest)),
            Ok(manifest) => others.push(manifest.id),
            Err(_) => {}
        }
    }
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    let hint = if others.is_empty() { "; there is none at all".to_owned() } else { nearest(id, &others) };
    Err(format!("there is no plugin '{id}' in {}{hint}", folder.display()))
}

/// Whether a destination may be bound to it. Without TLS, only what stands in a private network may.
pub fn check_origin(origin: &str, private_network: bool) -> Result<(), String> {
    manifest::check_origin(origin)?;
    match Origin::parse(origin) {
        None => Err(format!("`{}` is no origin", origin.escape_default())),
        Some(origin) if !origin.secure && !private_network => Err(
            "an origin without TLS is for private networks only: give https://…, or say --private-network"
                .to_owned(),
        ),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_without_tls_is_for_private_networks() {
        assert_eq!(check_origin("https://psa.example.com", false), Ok(()));
        assert_eq!(check_origin("http://10.0.0.1:8080", true), Ok(()));
        assert!(check_origin("http://psa.example.com", false).unwrap_err().contains("--private-network"));
        assert!(check_origin("https://psa.example.com/api", true).unwrap_err().contains("nothing behind it"));
    }
}
