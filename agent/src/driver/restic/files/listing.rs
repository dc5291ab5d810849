//! What lies in a snapshot's folders. A folder is read when it is asked for and kept: a snapshot may hold millions of files,
//! of which a person looks at a few hundred.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::refused;
use crate::driver::Refused;
use crate::driver::restic::command::{Command, ResticError};
use crate::driver::restore::target::Attributes;
use crate::driver::restore::{Found, Item, Kind, Listed, Page, SourcePath};

/// Most entries of one folder, and of all folders that a session keeps: about a hundred bytes each.
const MOST: usize = 500_000;

/// One line of `restic ls --json`; the first is about the snapshot and has no type.
#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    path: String,
    size: Option<u64>,
    /// As Go's `os.FileMode`: the nine bits are where they are on Unix.
    #[serde(default)]
    mode: u32,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
    #[serde(default)]
    mtime: String,
}

/// What a folder holds under one name.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    name: Box<str>,
    pub(super) kind: Kind,
    pub(super) size: Option<u64>,
    mode: u32,
    owner: (u32, u32),
    modified: Option<OffsetDateTime>,
}

impl Entry {
    fn root() -> Self {
        Self { name: "/".into(), kind: Kind::Folder, size: None, mode: 0o755, owner: (0, 0), modified: None }
    }

    fn of(node: Node) -> Self {
        let kind = match node.kind.as_str() {
            "file" => Kind::File,
            "dir" => Kind::Folder,
            "symlink" => Kind::Link,
            _ => Kind::Other,
        };
        Self {
            name: node.name.into(),
            size: node.size.filter(|_| kind == Kind::File).or((kind == Kind::File).then_some(0)),
            kind,
            mode: node.mode,
            owner: (node.uid, node.gid),
            modified: OffsetDateTime::parse(&node.mtime, &Rfc3339).ok(),
        }
    }

    pub(super) fn item(&self, path: &SourcePath) -> Item {
        let at = self.modified.map(|at| at.to_offset(time::UtcOffset::UTC));
        Item {
            name: self.name.to_string(),
            path: path.to_string(),
            kind: self.kind,
            size: self.size,
            modified_at: at.and_then(|at| at.format(&Rfc3339).ok()),
        }
    }

    pub(super) fn attributes(&self) -> Attributes {
        Attributes {
            mode: Some(self.mode),
            owner: Some(self.owner),
            modified: self.modified.map(SystemTime::from),
        }
    }

    fn order(&self) -> (bool, String) {
        (self.kind != Kind::Folder, self.name.to_lowercase())
    }
}

/// A folder's entries, in the order in which they are shown, and their places in the order of their names.
#[derive(Debug)]
struct Folder {
    entries: Vec<Entry>,
    by_name: Vec<u32>,
}

impl Folder {
    fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_cached_key(Entry::order);
        let mut by_name: Vec<u32> = (0..).take(entries.len()).collect();
        by_name.sort_by(|a, b| name_at(&entries, *a).cmp(name_at(&entries, *b)));
        Self { entries, by_name }
    }

    fn get(&self, name: &str) -> Option<&Entry> {
        let found = self.by_name.binary_search_by(|index| name_at(&self.entries, *index).cmp(name)).ok()?;
        self.entries.get(usize::try_from(*self.by_name.get(found)?).ok()?)
    }
}

fn name_at(entries: &[Entry], index: u32) -> &str {
    usize::try_from(index).ok().and_then(|index| entries.get(index)).map_or("", |entry| &entry.name)
}

/// The folders that a session has looked into.
#[derive(Debug, Default)]
pub(super) struct Listing(Mutex<HashMap<SourcePath, Arc<Folder>>>);

impl Listing {
    fn kept(&self) -> MutexGuard<'_, HashMap<SourcePath, Arc<Folder>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part of a folder.
    pub(super) async fn list(
        &self,
        command: &Command,
        id: &str,
        folder: &SourcePath,
        page: Page,
    ) -> Result<Listed, Refused> {
        let held = self.kept().get(folder).map(Arc::clone);
        let listed = match held {
            Some(listed) => listed,
            None => self.read(command, id, folder).await?,
        };
        let items = listed.entries.iter().map(|entry| entry.item(&folder.join(&entry.name)));
        Ok(Listed::page(folder.to_string(), listed.entries.len(), items, page))
    }

    async fn read(&self, command: &Command, id: &str, folder: &SourcePath) -> Result<Arc<Folder>, Refused> {
        let mut own = folder.name().is_none().then_some(Kind::Folder);
        let mut entries = Vec::new();
        let mut full = false;
        let asked = folder.to_string();
        let arguments = ["ls", "--json", "--no-lock", id, &asked];
        let read = command.lines(&arguments, |line| {
            let Some(node) = node(line)? else { return Ok(ControlFlow::Continue(())) };
            if node.path == asked {
                own = Some(Entry::of(node).kind);
            } else if parent(&node.path) == asked {
                entries.push(Entry::of(node));
            }
            full = entries.len() > MOST;
            Ok(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        read.await.map_err(|error| refused(&error))?;
        match own {
            None => return Err(Refused(format!("there is no \"{folder}\" in this backup"))),
            Some(Kind::Folder) => {}
            Some(_) => return Err(Refused(format!("\"{folder}\" is no folder"))),
        }
        if full {
            return Err(Refused(format!(
                "\"{folder}\" holds more than {MOST} entries, which is more than is listed; search it for a name"
            )));
        }
        let listed = Arc::new(Folder::new(entries));
        let mut kept = self.kept();
        let held: usize = kept.values().map(|folder| folder.entries.len()).sum();
        if held + listed.entries.len() > MOST {
            kept.clear();
        }
        kept.insert(folder.clone(), Arc::clone(&listed));
        Ok(listed)
    }

    /// What lies at a path, out of what was listed already or of restic.
    pub(super) async fn stat(
        &self,
        command: &Command,
        id: &str,
        path: &SourcePath,
    ) -> Result<Option<Entry>, ResticError> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(Some(Entry::root())) };
        if let Some(folder) = self.kept().get(&parent) {
            return Ok(folder.get(name).cloned());
        }
        let asked = path.to_string();
        let mut found = None;
        let arguments = ["ls", "--json", "--no-lock", id, &asked];
        let read = command.lines(&arguments, |line| {
            found = node(line)?.filter(|node| node.path == asked).map(Entry::of);
            Ok(if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        });
        read.await?;
        Ok(found)
    }
}

/// What a folder holds, with all folders in it.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub(super) files: u64,
    pub(super) size: u64,
    /// Devices, pipes and sockets, which an archive takes for empty files.
    pub(super) others: HashSet<String>,
}

pub(super) async fn census(command: &Command, id: &str, folder: &SourcePath) -> Result<Census, ResticError> {
    let mut census = Census::default();
    below(command, id, folder, |mut node| {
        let path = std::mem::take(&mut node.path);
        let entry = Entry::of(node);
        match entry.kind {
            Kind::File => {
                census.files += 1;
                census.size += entry.size.unwrap_or_default();
            }
            Kind::Other => {
                census.others.insert(path);
            }
            Kind::Folder | Kind::Link => {}
        }
        ControlFlow::Continue(())
    })
    .await?;
    Ok(census)
}

/// Names below a folder that have a text in them, whatever the case. restic's own `find` takes patterns, and finds all that
/// lies in a folder whose name fits.
pub(super) async fn search(
    command: &Command,
    id: &str,
    folder: &SourcePath,
    text: &str,
    limit: usize,
) -> Result<Found, ResticError> {
    let text = text.to_lowercase();
    let mut found = Found::default();
    below(command, id, folder, |node| {
        if !node.name.to_lowercase().contains(&text) {
            return ControlFlow::Continue(());
        }
        let Ok(path) = SourcePath::parse(&node.path) else { return ControlFlow::Continue(()) };
        if found.push(Entry::of(node).item(&path), limit) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })
    .await?;
    Ok(found)
}

/// Hands over all that lies below a folder.
async fn below(
    command: &Command,
    id: &str,
    folder: &SourcePath,
    mut each: impl FnMut(Node) -> ControlFlow<()>,
) -> Result<(), ResticError> {
    let asked = folder.to_string();
    let prefix = if folder.name().is_none() { asked.clone() } else { format!("{asked}/") };
    let arguments = ["ls", "--json", "--no-lock", "--recursive", id, &asked];
    command
        .lines(&arguments, |line| {
            let inside = node(line)?.filter(|node| node.path.starts_with(&prefix));
            Ok(inside.map_or(ControlFlow::Continue(()), &mut each))
        })
        .await
}

fn node(line: &[u8]) -> Result<Option<Node>, ResticError> {
    if line.is_empty() {
        return Ok(None);
    }
    let node: Node =
        serde_json::from_slice(line).map_err(|error| ResticError::Output("ls".to_owned(), error))?;
    Ok(Some(node).filter(|node| !node.kind.is_empty()))
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => "",
    }
}
