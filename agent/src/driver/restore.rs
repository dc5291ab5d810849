//! File restore, whatever the engine: opening a restore point, looking into it, writing files back.
//!
//! Who acts: the host opens a session under an id of its own and names it in all that follows; `sessions` keeps what is open,
//! ends what nobody has used for half an hour, and turns commands (`contract`) into calls of an engine. An engine implements
//! [`Restore`] and [`Opened`], and nothing else. `target` writes files for engines that only read: beneath the handle of a
//! folder, never through a link.
//!
//! Crash: sessions are forgotten with the process. The host opens anew; opening again under the same id answers the same.

pub(crate) mod contract;
pub(crate) mod path;
pub(crate) mod sessions;
pub(crate) mod target;

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;

use super::Refused;
pub use contract::{Existing, Fetched, Found, Item, Kind, Listed, Page, Written};
pub use path::SourcePath;
pub(crate) use sessions::{Sessions, is_look, is_restore};

/// Which restore point to open, in the engine's own keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The backup server.
    pub server: String,
    /// Whose backup it is.
    pub workload: String,
    /// The restore point.
    pub restore_point: String,
}

/// What to write back, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Files and folders; a folder with all that it holds.
    pub paths: Vec<SourcePath>,
    /// A folder of this machine; `None`: where they were.
    pub target: Option<String>,
    /// What becomes of files that are there.
    pub existing: Existing,
}

/// The bytes of a file. Nothing is read before it is asked for, and an end without an error is the file's end: a file that
/// cannot be read whole ends with an error, never short.
pub type Bytes = Pin<Box<dyn AsyncRead + Send>>;

/// An engine whose restore points can be opened.
pub trait Restore: Debug + Send + Sync {
    /// Removes what an earlier process left behind, before the first session is opened.
    fn clean(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    /// Makes the files of a restore point readable.
    fn open<'e>(&'e self, point: &'e Point) -> BoxFuture<'e, Result<Arc<dyn Opened>, Refused>>;
}

/// A restore point that is open. Several calls may run at once.
pub trait Opened: Debug + Send + Sync {
    /// What the host tells people before they choose: whether files can go back in place, and which folders may take them.
    fn places(&self) -> Places;

    /// A part of a folder: folders first, each by name.
    fn list<'s>(&'s self, folder: &'s SourcePath, page: Page) -> BoxFuture<'s, Result<Listed, Refused>>;

    /// Below a folder, what has `text` in its name, whatever the case.
    fn search<'s>(
        &'s self,
        folder: &'s SourcePath,
        text: &'s str,
        limit: usize,
    ) -> BoxFuture<'s, Result<Found, Refused>>;

    /// What there is to fetch: each path must be there.
    fn fetch<'s>(&'s self, paths: &'s [SourcePath]) -> BoxFuture<'s, Result<Fetched, Refused>>;

    /// A file's bytes from `offset` on.
    fn read<'s>(&'s self, file: &'s SourcePath, offset: u64) -> BoxFuture<'s, Result<Bytes, Refused>>;

    /// Writes files back. What fails alone is told with its reason; the others are written.
    fn write<'s>(&'s self, wanted: &'s Wanted) -> BoxFuture<'s, Result<Written, Refused>>;

    /// Lets the restore point go.
    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Where files of a restore point can go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Back to where they were.
    pub in_place: bool,
    /// Beneath these folders of the agent's machine.
    pub roots: Vec<String>,
}
