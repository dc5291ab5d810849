//! Writing files of a backup beneath a folder of this machine.
//!
//! Everything is opened beneath the handle of that folder, one part of a path at a time, and no link is ever followed: what
//! names a backup holds, and what somebody does in the folder meanwhile, decides nothing about where bytes go. A file is
//! written aside, checked against the size that the backup says, and renamed: there is the old one, or the new one whole.

mod attributes;
mod cases;
mod names;

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, Metadata, OpenOptions};

use super::contract::Existing;
use crate::driver::Refused;
pub(crate) use attributes::Attributes;
use attributes::Lacking;
use cases::Cases;

const BUFFER: usize = 64 * 1024;

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is there, with so many bytes.
    Written(u64),
    /// The same, but not all beside its bytes could be set; in words.
    Incomplete(u64, String),
    /// Another one is there, and stays.
    Kept,
}

/// Why a file was not written.
#[derive(Debug)]
pub(crate) enum PutError {
    /// The backup's side: whoever reads on reads nonsense.
    Source(io::Error),
    /// This one alone, in words.
    Item(String),
}

/// A folder that files are written beneath.
#[derive(Debug)]
pub(crate) struct Target {
    root: Dir,
    existing: Existing,
    /// Whether files get the owners that they had: in place, where the same numbers mean the same people.
    owners: bool,
    /// The folder that was used last: files come folder by folder.
    last: Option<(Vec<OsString>, Dir)>,
    /// Folders that were made, to be finished when their files are in them.
    made: Vec<(Vec<OsString>, Attributes)>,
    cases: Cases,
}

impl Target {
    fn new(root: Dir, existing: Existing, owners: bool) -> Self {
        Self { root, existing, owners, last: None, made: Vec::new(), cases: Cases::default() }
    }

    /// Where everything was: the whole machine.
    #[cfg(unix)]
    pub(crate) fn in_place(existing: Existing) -> Result<Self, Refused> {
        let root = Dir::open_ambient_dir("/", ambient_authority());
        let root = root.map_err(|error| Refused(format!("the root folder cannot be opened: {error}")))?;
        Ok(Self::new(root, existing, true))
    }

    /// Where everything was: the whole machine.
    #[cfg(not(unix))]
    pub(crate) fn in_place(_existing: Existing) -> Result<Self, Refused> {
        Err(Refused(
            "on this system this agent does not restore in place; restore to another folder".to_owned(),
        ))
    }

    /// A folder beneath one of `roots`; made if it is not there.
    pub(crate) fn beneath(roots: &[PathBuf], wanted: &str, existing: Existing) -> Result<Self, Refused> {
        let refuse =
            |why: String| Refused(format!("files cannot go to \"{}\": {why}", wanted.escape_debug()));
        let path = Path::new(wanted);
        let odd = path.components().any(|part| matches!(part, Component::ParentDir | Component::CurDir));
        if !path.is_absolute() || odd || wanted.contains('\0') {
            return Err(refuse("name a folder from the root on, without . and ..".to_owned()));
        }
        let Some((root, rest)) = roots.iter().find_map(|root| Some((root, path.strip_prefix(root).ok()?)))
        else {
            let list: Vec<_> = roots.iter().map(|root| root.display().to_string()).collect();
            return Err(refuse(if list.is_empty() {
                "this agent writes to no other folders; an administrator may list some under `restore-roots` in agent.toml"
                    .to_owned()
            } else {
                format!("this agent writes only beneath {} (`restore-roots` in agent.toml)", list.join(", "))
            }));
        };
        let opened = Dir::open_ambient_dir(root, ambient_authority());
        let dir = opened.map_err(|error| refuse(format!("{} cannot be opened: {error}", root.display())))?;
        let mut target = Self::new(dir, existing, false);
        let parts: Vec<OsString> = rest.components().map(|part| part.as_os_str().to_owned()).collect();
        target.root = target.folder(&parts).map_err(refuse)?;
        target.last = None;
        Ok(target)
    }

    /// Whether there is a folder already.
    pub(crate) fn has_folder(&mut self, parts: &[OsString]) -> bool {
        let mut dir = None;
        for part in parts {
            let Ok(next) = dir.as_ref().unwrap_or(&self.root).open_dir_nofollow(part) else { return false };
            dir = Some(next);
        }
        true
    }

    /// Makes a folder, if it is not there; whether it was made.
    pub(crate) fn put_folder(
        &mut self,
        parts: &[OsString],
        attributes: Attributes,
    ) -> Result<bool, PutError> {
        names::check(parts).map_err(PutError::Item)?;
        self.clash(parts)?;
        let Some((name, parents)) = parts.split_last() else { return Ok(false) };
        let parent = self.folder(parents).map_err(PutError::Item)?;
        let made = enter(&parent, name, true).map_err(PutError::Item)?.1;
        if made {
            self.made.push((parts.to_vec(), attributes));
        }
        Ok(made)
    }

    /// Writes a file of which the backup says that it has `size` bytes.
    pub(crate) fn put(
        &mut self,
        parts: &[OsString],
        size: u64,
        attributes: Attributes,
        content: &mut dyn Read,
    ) -> Result<Put, PutError> {
        names::check(parts).map_err(PutError::Item)?;
        self.clash(parts)?;
        let (name, parents) =
            parts.split_last().ok_or_else(|| PutError::Item("it has no name".to_owned()))?;
        let dir = self.folder(parents).map_err(PutError::Item)?;
        if let Some(there) = present(&dir, name).map_err(PutError::Item)? {
            if !there.is_file() {
                return Err(PutError::Item(format!("there is a {} where it would go", kind(&there))));
            }
            if self.existing == Existing::Keep {
                return Ok(Put::Kept);
            }
        }
        let aside = names::aside(name);
        let written = self.write_aside(&dir, &aside, size, attributes, content);
        let put = written.and_then(|lacking| {
            let placed = self.place(&dir, &aside, name).map_err(PutError::Item)?;
            Ok(if placed { put_so(size, &lacking) } else { Put::Kept })
        });
        if !matches!(put, Ok(Put::Written(_) | Put::Incomplete(..))) {
            dir.remove_file(&aside).ok();
        }
        put
    }

    fn write_aside(
        &self,
        dir: &Dir,
        aside: &OsStr,
        size: u64,
        attributes: Attributes,
        content: &mut dyn Read,
    ) -> Result<Lacking, PutError> {
        let item = |error: io::Error| PutError::Item(format!("it cannot be written: {error}"));
        // What a crash left. A link would go itself, not what it points to.
        match dir.remove_file(aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(item(error)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = dir.open_with(aside, &options).map_err(item)?.into_std();
        let mut buffer = vec![0; BUFFER];
        let mut copied: u64 = 0;
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(PutError::Source(error)),
            };
            copied += read as u64;
            file.write_all(buffer.get(..read).unwrap_or_default()).map_err(item)?;
        }
        if copied != size {
            return Err(PutError::Item(format!(
                "the backup says {size} bytes and gave {copied}; nothing was written"
            )));
        }
        let lacking = attributes.apply(&file, self.owners).map_err(item)?;
        file.sync_all().map_err(item)?;
        Ok(lacking)
    }

    /// Gives a file that was written aside its name, unless one has it that is to stay.
    fn place(&self, dir: &Dir, aside: &OsStr, name: &OsStr) -> Result<bool, String> {
        if self.existing == Existing::Keep {
            // Unlike a rename, this never replaces what came meanwhile.
            match dir.hard_link(aside, dir, name) {
                Ok(()) => {
                    dir.remove_file(aside).map_err(|error| format!("it is there twice: {error}"))?;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
                // A file system without hard links.
                Err(_) => {}
            }
        }
        dir.rename(aside, dir, name).map_err(|error| format!("it cannot be given its name: {error}"))?;
        Ok(true)
    }

    /// Where names differ only in case and the file system takes them for one, the second must not replace the first.
    fn clash(&mut self, parts: &[OsString]) -> Result<(), PutError> {
        let mut cases = std::mem::take(&mut self.cases);
        let clash = cases.enter(parts, |one, other| self.is_same(one, other));
        self.cases = cases;
        clash.map_or(Ok(()), |other| {
            let other = Path::new("/").join(other.iter().collect::<PathBuf>());
            Err(PutError::Item(format!(
                "its name differs only in case from {}, and this file system takes both for one",
                other.display()
            )))
        })
    }

    fn is_same(&mut self, one: &[OsString], other: &[OsString]) -> bool {
        let mut seen = |parts: &[OsString]| {
            let (name, parents) = parts.split_last()?;
            present(&self.folder(parents).ok()?, name).ok()?
        };
        match (seen(one), seen(other)) {
            (Some(one), Some(other)) => attributes::is_same(&one, &other),
            _ => false,
        }
    }

    /// A folder beneath the root, made if it is not there.
    fn folder(&mut self, parts: &[OsString]) -> Result<Dir, String> {
        let copy =
            |dir: &Dir| dir.try_clone().map_err(|error| format!("its folder cannot be opened: {error}"));
        if let Some((last, dir)) = &self.last
            && last == parts
        {
            return copy(dir);
        }
        let mut dir = copy(&self.root)?;
        for (index, part) in parts.iter().enumerate() {
            let (next, made) = enter(&dir, part, true)?;
            if made {
                let path = parts.iter().take(index + 1).cloned().collect();
                self.made.push((path, Attributes::default()));
            }
            dir = next;
        }
        self.last = Some((parts.to_vec(), copy(&dir)?));
        Ok(dir)
    }

    /// Gives the folders that were made what they had, the innermost first: a file that comes changes its folder's time. Those
    /// that are there, and not as they were.
    pub(crate) fn finish(mut self) -> Vec<(Vec<OsString>, String)> {
        let mut failed = Vec::new();
        let mut made = std::mem::take(&mut self.made);
        made.sort_by_key(|(parts, _)| std::cmp::Reverse(parts.len()));
        for (parts, attributes) in made {
            let done = self.folder(&parts).and_then(|dir| {
                let applied = dir.open(".").and_then(|own| attributes.apply(&own.into_std(), self.owners));
                applied.map_err(|error| format!("the folder is there, but not as it was: {error}"))
            });
            if let Some(reason) = done.map_or_else(Some, |lacking| attributes::said(&lacking)) {
                failed.push((parts, reason));
            }
        }
        failed
    }
}

fn put_so(size: u64, lacking: &[&str]) -> Put {
    attributes::said(lacking).map_or(Put::Written(size), |reason| Put::Incomplete(size, reason))
}

/// Goes into a folder, which is perhaps made; whether it was. Never through a link.
fn enter(dir: &Dir, name: &OsStr, make: bool) -> Result<(Dir, bool), String> {
    let refuse = |error: io::Error| match present(dir, name) {
        Ok(Some(there)) if !there.is_dir() => {
            format!("\"{}\" on the way to it is a {}", name.display(), kind(&there))
        }
        _ => format!("the folder \"{}\" cannot be opened: {error}", name.display()),
    };
    match dir.open_dir_nofollow(name) {
        Ok(next) => return Ok((next, false)),
        Err(error) if make && error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(refuse(error)),
    }
    let mut builder = DirBuilder::new();
    // Until its files are in it, nobody else looks into it.
    #[cfg(unix)]
    cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let is_new = match dir.create_dir_with(name, &builder) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(error) => return Err(format!("the folder \"{}\" cannot be made: {error}", name.display())),
    };
    Ok((dir.open_dir_nofollow(name).map_err(refuse)?, is_new))
}

/// What there is under a name; of a link, the link.
fn present(dir: &Dir, name: &OsStr) -> Result<Option<Metadata>, String> {
    match dir.symlink_metadata(name) {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("\"{}\" cannot be looked at: {error}", name.display())),
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    if metadata.is_symlink() {
        "link"
    } else if metadata.is_dir() {
        "folder"
    } else if metadata.is_file() {
        "file"
    } else {
        "device or the like"
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
