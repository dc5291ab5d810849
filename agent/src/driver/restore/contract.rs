//! The JSON of the restore commands, as README writes it down. What a payload has beside is ignored: hosts may be newer.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::driver::{Done, Refused};

/// Most items of one answer, whatever was asked for.
pub(super) const MOST_ITEMS: usize = 1_000;
/// Most bytes of one answer's items: the host takes a quarter of a mebibyte.
pub(in crate::driver) const MOST_BYTES: usize = 200 * 1024;
/// Most paths of one fetch or write.
pub(super) const MOST_PATHS: usize = 1_000;

/// `restore-open`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Open {
    pub(super) server: String,
    pub(super) workload: String,
    pub(super) restore_point: String,
    pub(super) session: String,
}

/// `restore-list`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    pub(super) session: String,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
}

/// `restore-search`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Search {
    pub(super) session: String,
    #[serde(default)]
    pub(super) path: String,
    pub(super) text: String,
    pub(super) limit: Option<usize>,
}

/// `restore-fetch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fetch {
    pub(super) session: String,
    pub(super) paths: Vec<String>,
}

/// `restore-write`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Write {
    pub(super) session: String,
    pub(super) paths: Vec<String>,
    pub(super) target: Option<String>,
    pub(super) existing: Existing,
}

/// `restore-close`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Close {
    pub(super) session: String,
}

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// It stays as it is.
    Keep,
    /// The one of the backup takes its place.
    Overwrite,
}

/// What was opened.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opening {
    pub(super) session: String,
    /// Unused for so long, it ends by itself.
    pub(super) idle_seconds: u64,
    pub(super) in_place: bool,
    pub(super) restore_roots: Vec<String>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Has bytes.
    File,
    /// Has items.
    Folder,
    /// Points elsewhere; it is shown and never followed.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// A file or folder of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The last part of its path.
    pub name: String,
    /// From the root, with slashes.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes; of files only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
}

impl Item {
    /// About how much room it takes in an answer.
    fn room(&self) -> usize {
        // A character may need six letters of JSON.
        let letters = |text: &str| serde_json::to_string(text).map_or(text.len() * 6, |json| json.len());
        letters(&self.name) + letters(&self.path) + 120
    }
}

/// Which part of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Items to leave out at the start.
    pub offset: usize,
    /// Items to answer with, at most.
    pub limit: usize,
}

impl Page {
    pub(super) fn new(offset: usize, limit: Option<usize>) -> Self {
        Self { offset, limit: limit.unwrap_or(MOST_ITEMS).clamp(1, MOST_ITEMS) }
    }
}

/// A part of a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The folder.
    pub path: String,
    /// What it holds, from the asked offset on.
    pub items: Vec<Item>,
    /// How many it holds in all.
    pub total: usize,
    /// The offset to go on with; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<usize>,
}

impl Listed {
    /// The part of `all` that a page shows: as many as it may, and as fit into an answer.
    pub fn page(path: String, total: usize, all: impl Iterator<Item = Item>, page: Page) -> Self {
        let mut items = Vec::new();
        let mut room = MOST_BYTES;
        for item in all.skip(page.offset).take(page.limit) {
            let needs = item.room();
            if needs > room {
                break;
            }
            room -= needs;
            items.push(item);
        }
        let end = page.offset.saturating_add(items.len());
        Self { path, next: (end < total && !items.is_empty()).then_some(end), items, total }
    }
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// In the order of the backup.
    pub items: Vec<Item>,
    /// There is more than these: a longer text, or a folder further down, finds less.
    pub more: bool,
    #[serde(skip)]
    room: usize,
}

impl Found {
    /// Takes one; `false`: there was no place for it, and the search may end.
    pub fn push(&mut self, item: Item, limit: usize) -> bool {
        self.room += item.room();
        self.more = self.items.len() >= limit.min(MOST_ITEMS) || self.room > MOST_BYTES;
        if !self.more {
            self.items.push(item);
        }
        !self.more
    }
}

/// What there is to fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fetched {
    /// One for each path that was asked for; a folder's size is that of the files in it.
    pub items: Vec<Item>,
    /// Files in all, with those in folders.
    pub files: u64,
    /// Bytes in all.
    pub size: u64,
}

/// What became of what was to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Files that were written.
    pub files: u64,
    /// Their bytes.
    pub size: u64,
    /// Folders that were made.
    pub folders: u64,
    /// Files that were there and stayed.
    pub kept: u64,
    /// Files and folders that are there, without all that they had beside their bytes.
    pub incomplete: u64,
    /// What was not written, and should have been.
    pub failed: u64,
    /// What was kept, is incomplete or failed, as far as it fits.
    pub items: Vec<Fate>,
    /// `items` leaves some out.
    pub more: bool,
    #[serde(skip)]
    room: usize,
}

/// What became of one item that was not written as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fate {
    /// In the backup.
    pub path: String,
    /// "kept", "incomplete", "failed".
    pub outcome: &'static str,
    /// Why; empty for what was kept.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Written {
    /// It was there, and stays.
    pub fn keep(&mut self, path: String) {
        self.kept += 1;
        self.note(Fate { path, outcome: "kept", reason: String::new() });
    }

    /// It was written, and is not all that it was.
    pub fn lack(&mut self, path: String, reason: String) {
        self.incomplete += 1;
        self.note(Fate { path, outcome: "incomplete", reason });
    }

    /// It could not be written.
    pub fn fail(&mut self, path: String, reason: String) {
        self.failed += 1;
        self.note(Fate { path, outcome: "failed", reason });
    }

    fn note(&mut self, fate: Fate) {
        self.room += fate.path.len() + fate.reason.len() + 60;
        self.more |= self.items.len() >= MOST_ITEMS || self.room > MOST_BYTES;
        if !self.more {
            self.items.push(fate);
        }
    }

    /// In one sentence.
    pub(super) fn summary(&self) -> String {
        let Self { files, size, kept, incomplete, failed, .. } = self;
        let also =
            |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
        let (kept, failed) = (also(*kept, "were there and stay"), also(*failed, "could not be written"));
        let incomplete = also(*incomplete, "lack their owner, permissions or time");
        format!("{files} files were written ({size} bytes){kept}{incomplete}{failed}")
    }
}

pub(super) fn payload<T: DeserializeOwned>(kind: &str, payload: &Value) -> Result<T, Refused> {
    T::deserialize(payload)
        .map_err(|error| Refused(format!("the payload of {kind} is not understood: {error}")))
}

pub(super) fn answer(message: impl Into<String>, result: &impl Serialize) -> Result<Done, Refused> {
    let result = serde_json::to_value(result)
        .map_err(|error| Refused(format!("the answer cannot be written as JSON: {error}")))?;
    Ok(Done { message: message.into(), result: Some(result) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(index: usize, name: usize) -> Item {
        let name = format!("{index}{}", "n".repeat(name));
        Item { path: format!("/{name}"), name, kind: Kind::File, size: Some(1), modified_at: None }
    }

    #[test]
    fn pages_follow_each_other_without_a_gap_and_fit_into_an_answer() {
        let total = 2_500;
        let mut seen = 0;
        let mut next = Some(0);
        while let Some(offset) = next {
            let page = Page::new(offset, None);
            let listed = Listed::page("/".into(), total, (0..total).map(|index| item(index, 250)), page);
            assert!(serde_json::to_string(&listed).unwrap().len() < 256 * 1024);
            assert!(listed.items[0].name.starts_with(&seen.to_string()));
            seen += listed.items.len();
            next = listed.next;
        }
        assert_eq!(seen, total);
        let beyond = Listed::page("/".into(), 3, (0..3).map(|index| item(index, 1)), Page::new(9, None));
        assert_eq!((beyond.items.len(), beyond.next, beyond.total), (0, None, 3));
    }

    #[test]
    fn a_search_and_a_report_that_grow_too_long_say_so() {
        let mut found = Found::default();
        assert!((0..1_000).take_while(|index| found.push(item(*index, 5_000), 1_000)).count() < 40);
        assert!(found.more);
        let mut written = Written::default();
        (0..5_000).for_each(|index| written.fail(format!("/{index}"), "x".repeat(100)));
        assert!(written.more && written.items.len() < 1_500);
        assert_eq!(written.failed, 5_000);
        assert!(serde_json::to_string(&written).unwrap().len() < 256 * 1024);
    }
}
