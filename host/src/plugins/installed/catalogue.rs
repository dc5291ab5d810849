//! What the libraries offer.

use semver::Version;

use super::{InstallError, Vouched};
use crate::plugins::library::{Library, LibraryError, Listed};
use crate::plugins::{Plugins, package};

/// What the libraries have.
#[derive(Debug, Default)]
pub struct Offered {
    /// Their plugins.
    pub plugins: Vec<OfferedPlugin>,
    /// Of libraries that cannot be used.
    pub complaints: Vec<String>,
}

/// A plugin that a library has.
#[derive(Debug)]
pub struct OfferedPlugin {
    /// Which one has it.
    pub library: Library,
    /// What it says of it.
    pub plugin: Listed,
}

/// A package of a library.
#[derive(Debug)]
pub struct Found {
    /// Of the `.kpkg`.
    pub bytes: Vec<u8>,
    /// Whose it is, by the library's word.
    pub vouched: Vouched,
    /// The library's name.
    pub library: String,
    /// What its users should know.
    pub advisory: Option<String>,
}

impl Plugins {
    /// All libraries: the shipped one, if it is there, and those that were added. One that cannot be read is an error of its own.
    pub async fn libraries(&self) -> Result<Vec<Result<Library, LibraryError>>, InstallError> {
        let shipped = self.inner.library.as_deref().map(Library::shipped);
        let mut found: Vec<_> = shipped.into_iter().collect();
        if let Some(services) = &self.inner.sandbox.outside.services {
            let rows = services.store.read().await?.plugins().libraries().await?;
            found.extend(rows.into_iter().map(|row| match row.key.parse() {
                Ok(key) => Ok(Library { name: row.name, folder: row.place.into(), key, serial: row.serial }),
                Err(reason) => Err(LibraryError { name: row.name, reason }),
            }));
        }
        Ok(found)
    }

    /// The plugins of all libraries.
    pub async fn offered(&self) -> Result<Offered, InstallError> {
        let mut offered = Offered::default();
        for library in self.libraries().await? {
            let now = self.inner.sandbox.clock.now_ms();
            match library.and_then(|library| library.index(now).map(|index| (library, index))) {
                Ok((library, index)) => {
                    self.remember(&library, index.serial).await?;
                    let of = |plugin| OfferedPlugin { library: library.clone(), plugin };
                    offered.plugins.extend(index.plugins.into_iter().map(of));
                }
                Err(error) => offered.complaints.push(error.to_string()),
            }
        }
        Ok(offered)
    }

    /// The package of a plugin: this version, or the newest that works with this host.
    pub async fn find(&self, id: &str, version: Option<&Version>) -> Result<Found, InstallError> {
        let Offered { plugins, complaints } = self.offered().await?;
        let Some(OfferedPlugin { library, plugin }) = plugins.iter().find(|offered| offered.plugin.id == id)
        else {
            let complaints = complaints.iter().fold(String::new(), |all, one| all + "; " + one);
            return Err(InstallError::NotInstalled(format!(
                "no library has a plugin {id}; `keelson plugin search` shows what there is, and a .kpkg is installed by its \
                 path{complaints}"
            )));
        };
        let listed = plugin.choose(version).map_err(InstallError::Conflict)?;
        let bytes = library.package(listed).map_err(|error| InstallError::Conflict(error.to_string()))?;
        Ok(Found {
            bytes,
            vouched: Vouched { publisher: plugin.publisher.clone(), key: plugin.key },
            library: library.name.clone(),
            advisory: listed.advisory.clone(),
        })
    }
}

/// Reads a package's file, capped.
pub fn read_package(file: &std::path::Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    let bytes = std::fs::File::open(file)
        .and_then(|open| package::read_capped(open, package::MAX_ARCHIVE))
        .map_err(unreadable)?;
    bytes.ok_or_else(|| format!("{} is larger than {} MiB", file.display(), package::MAX_ARCHIVE >> 20))
}
