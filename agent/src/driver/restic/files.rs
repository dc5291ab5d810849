//! The files of snapshots: what `restic ls` and `restic dump` say of them.
//!
//! `listing` reads folders and keeps them for as long as the session is open; `archive` and `write` bring files back.

mod archive;
mod listing;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::command::{Command, ResticError};
use super::snapshot::workload_key;
use super::stream::Part;
use crate::driver::Refused;
use crate::driver::restore::{
    Bytes, Fetched, Found, Kind, Listed, Opened, Page, Places, Point, Restore, SourcePath, Wanted, Written,
};
use crate::error::chain;
use listing::{Entry, Listing};

/// The engine of restores from one repository.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) command: Arc<Command>,
    /// Where files may go beside where they were.
    pub(super) roots: Vec<PathBuf>,
    /// This machine's name: what was backed up under it goes back in place.
    pub(super) host_name: String,
    /// The repository's id, once it was asked.
    pub(super) repository: OnceCell<String>,
}

/// A snapshot that is open.
#[derive(Debug)]
struct Snapshot {
    command: Arc<Command>,
    id: String,
    places: Places,
    roots: Vec<PathBuf>,
    listing: Listing,
}

/// What `restic snapshots` says of one.
#[derive(Deserialize)]
struct Known {
    id: String,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    paths: Vec<String>,
}

fn refused(error: &ResticError) -> Refused {
    Refused(chain(error))
}

impl Files {
    async fn find(&self, point: &Point) -> Result<Snapshot, Refused> {
        let id = &point.restore_point;
        // Short ids and words like `latest` could mean another one tomorrow.
        if id.len() != 64 || !id.bytes().all(|letter| letter.is_ascii_hexdigit()) {
            return Err(Refused("a restic snapshot is named by its 64 hexadecimal digits".to_owned()));
        }
        let repository = self.repository.get_or_try_init(|| self.command.repository_id());
        if *repository.await.map_err(|error| refused(&error))? != point.server {
            return Err(Refused("the restore point is of another repository than this agent's".to_owned()));
        }
        let all: Option<Vec<Known>> = self
            .command
            .json(&["snapshots", "--json", "--no-lock"])
            .await
            .map_err(|error| refused(&error))?;
        let found = all.unwrap_or_default().into_iter().find(|known| known.id == *id);
        let mut known = found.ok_or_else(|| {
            Refused("the repository has this snapshot no more; it was forgotten since".to_owned())
        })?;
        known.paths.sort_unstable();
        if workload_key(&known.hostname, &known.paths) != point.workload {
            return Err(Refused(
                "the snapshot is of another workload than the one that was named".to_owned(),
            ));
        }
        let places = Places {
            in_place: known.hostname.eq_ignore_ascii_case(&self.host_name),
            roots: self.roots.iter().map(|root| root.display().to_string()).collect(),
        };
        Ok(Snapshot {
            command: Arc::clone(&self.command),
            id: known.id,
            places,
            roots: self.roots.clone(),
            listing: Listing::default(),
        })
    }
}

impl Restore for Files {
    fn open<'e>(&'e self, point: &'e Point) -> BoxFuture<'e, Result<Arc<dyn Opened>, Refused>> {
        Box::pin(async move {
            let opened: Arc<dyn Opened> = Arc::new(self.find(point).await?);
            Ok(opened)
        })
    }
}

impl Snapshot {
    /// Something that must be there.
    async fn stat(&self, path: &SourcePath) -> Result<Entry, Refused> {
        let found =
            self.listing.stat(&self.command, &self.id, path).await.map_err(|error| refused(&error))?;
        found.ok_or_else(|| Refused(format!("there is no \"{path}\" in this backup")))
    }

    async fn fetch_one(&self, path: &SourcePath) -> Result<(Entry, u64, u64), Refused> {
        let mut entry = self.stat(path).await?;
        if entry.kind != Kind::Folder {
            let size = entry.size.unwrap_or_default();
            return Ok((entry, 1, size));
        }
        let census = listing::census(&self.command, &self.id, path).await.map_err(|error| refused(&error))?;
        entry.size = Some(census.size);
        Ok((entry, census.files, census.size))
    }

    async fn dump(&self, path: &SourcePath, offset: u64) -> Result<Bytes, Refused> {
        let entry = self.stat(path).await?;
        if entry.kind != Kind::File {
            return Err(Refused(format!("\"{path}\" is no file; only files have bytes")));
        }
        let size = entry.size.unwrap_or_default();
        if offset > size {
            return Err(Refused(format!("\"{path}\" has {size} bytes; there is nothing at {offset}")));
        }
        let part = Part { offset, size: Some(size) };
        let path = path.to_string();
        self.command.bytes(&["dump", "--no-lock", &self.id, &path], part).map_err(|error| refused(&error))
    }
}

impl Opened for Snapshot {
    fn places(&self) -> Places {
        self.places.clone()
    }

    fn list<'s>(&'s self, folder: &'s SourcePath, page: Page) -> BoxFuture<'s, Result<Listed, Refused>> {
        Box::pin(self.listing.list(&self.command, &self.id, folder, page))
    }

    fn search<'s>(
        &'s self,
        folder: &'s SourcePath,
        text: &'s str,
        limit: usize,
    ) -> BoxFuture<'s, Result<Found, Refused>> {
        Box::pin(async move {
            let found = listing::search(&self.command, &self.id, folder, text, limit).await;
            found.map_err(|error| refused(&error))
        })
    }

    fn fetch<'s>(&'s self, paths: &'s [SourcePath]) -> BoxFuture<'s, Result<Fetched, Refused>> {
        Box::pin(async move {
            let mut fetched = Fetched::default();
            for path in paths {
                let (entry, files, size) = self.fetch_one(path).await?;
                fetched.items.push(entry.item(path));
                fetched.files += files;
                fetched.size += size;
            }
            Ok(fetched)
        })
    }

    fn read<'s>(&'s self, file: &'s SourcePath, offset: u64) -> BoxFuture<'s, Result<Bytes, Refused>> {
        Box::pin(self.dump(file, offset))
    }

    fn write<'s>(&'s self, wanted: &'s Wanted) -> BoxFuture<'s, Result<Written, Refused>> {
        Box::pin(self.write_all(wanted))
    }
}

#[cfg(test)]
mod tests;
