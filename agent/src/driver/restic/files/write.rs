//! Bringing files of a snapshot back to this machine's folders.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::time::{Duration, UNIX_EPOCH};

use tokio_util::io::SyncIoBridge;

use super::archive::{Archive, Header, Type};
use super::listing::{Census, Entry, census};
use super::{Snapshot, refused};
use crate::driver::Refused;
use crate::driver::restic::stream::Part;
use crate::driver::restore::target::{Attributes, Put, PutError, Target};
use crate::driver::restore::{Bytes, Kind, SourcePath, Wanted, Written};

/// What is written, and what became of it; it goes from thread to thread, as file systems block.
struct Work {
    target: Target,
    written: Written,
    /// Parts of a path in the backup that have no place in the target: none, when all goes where it was.
    in_place: bool,
}

/// What one selected folder needs while its archive is read.
struct Selected {
    path: SourcePath,
    census: Census,
}

impl Snapshot {
    pub(super) async fn write_all(&self, wanted: &Wanted) -> Result<Written, Refused> {
        let paths = distinct(&wanted.paths, wanted.target.is_none())?;
        let target = self.target(wanted).await?;
        let mut work = Work { target, written: Written::default(), in_place: wanted.target.is_none() };
        for path in paths {
            work = self.write_one(work, path).await?;
        }
        blocking(move || {
            for (parts, reason) in work.target.finish() {
                let path: Vec<_> = parts.iter().map(|part| part.to_string_lossy()).collect();
                work.written.lack(format!("/{}", path.join("/")), reason);
            }
            work.written
        })
        .await
    }

    async fn target(&self, wanted: &Wanted) -> Result<Target, Refused> {
        let existing = wanted.existing;
        let Some(folder) = wanted.target.clone() else {
            if !self.places.in_place {
                return Err(Refused(
                    "files go back in place only on the machine that they were backed up from, and this is another; \
                     restore to a folder beneath `restore-roots`, or download them"
                        .to_owned(),
                ));
            }
            return blocking(move || Target::in_place(existing)).await?;
        };
        let roots = self.roots.clone();
        blocking(move || Target::beneath(&roots, &folder, existing)).await?
    }

    /// What fails of one is noted; an error ends all.
    async fn write_one(&self, mut work: Work, path: &SourcePath) -> Result<Work, Refused> {
        let entry = match self.stat(path).await {
            Ok(entry) => entry,
            Err(Refused(reason)) => {
                work.written.fail(path.to_string(), reason);
                return Ok(work);
            }
        };
        if work.in_place {
            work = self.make_parents(work, path).await?;
        }
        match entry.kind {
            Kind::File => self.write_file(work, path, entry).await,
            Kind::Folder => self.write_folder(work, path, entry).await,
            Kind::Link => {
                work.written.fail(path.to_string(), LINK.to_owned());
                Ok(work)
            }
            Kind::Other => {
                work.written.fail(path.to_string(), OTHER.to_owned());
                Ok(work)
            }
        }
    }

    /// The folders on the way that are missing, with the rights that they had: they could hold what nobody else may see.
    async fn make_parents(&self, mut work: Work, path: &SourcePath) -> Result<Work, Refused> {
        let mut missing = Vec::new();
        let mut next = path.parent();
        while let Some(parent) = next.filter(|parent| parent.name().is_some()) {
            let parts = parts_of(&parent, 0);
            let there;
            (work, there) = blocking(move || {
                let there = work.target.has_folder(&parts);
                (work, there)
            })
            .await?;
            if there {
                break;
            }
            next = parent.parent();
            missing.push(parent);
        }
        for parent in missing.into_iter().rev() {
            let Ok(entry) = self.stat(&parent).await else { continue };
            work = blocking(move || {
                work.folder(&parent.to_string(), &parts_of(&parent, 0), entry.attributes());
                work
            })
            .await?;
        }
        Ok(work)
    }

    async fn write_file(&self, mut work: Work, path: &SourcePath, entry: Entry) -> Result<Work, Refused> {
        let content = match self.dump(path, 0).await {
            Ok(content) => content,
            Err(Refused(reason)) => {
                work.written.fail(path.to_string(), reason);
                return Ok(work);
            }
        };
        let (path, parts) = (path.to_string(), work.parts(path));
        blocking(move || {
            let size = entry.size.unwrap_or_default();
            let mut content = SyncIoBridge::new(content);
            if let Err(error) = work.file(&path, &parts, size, entry.attributes(), &mut content) {
                work.written.fail(path, error.to_string());
            }
            work
        })
        .await
    }

    async fn write_folder(&self, mut work: Work, path: &SourcePath, entry: Entry) -> Result<Work, Refused> {
        let asked = path.to_string();
        let census = census(&self.command, &self.id, path).await.map_err(|error| refused(&error));
        let part = Part { offset: 0, size: None };
        let arguments = ["dump", "--no-lock", "--archive", "tar", &self.id, &asked];
        let archive = self.command.bytes(&arguments, part).map_err(|error| refused(&error));
        let (census, archive) = match (census, archive) {
            (Ok(census), Ok(archive)) => (census, archive),
            (Err(Refused(reason)), _) | (_, Err(Refused(reason))) => {
                work.written.fail(asked, reason);
                return Ok(work);
            }
        };
        let selected = Selected { path: path.clone(), census };
        blocking(move || {
            let parts = work.parts(&selected.path);
            work.folder(&asked, &parts, entry.attributes());
            work.unpack(&selected, archive);
            work
        })
        .await
    }
}

const LINK: &str = "it is a link; links are not written";
const OTHER: &str = "it is a device, a pipe or a socket; such are not written";

impl Work {
    /// Where something of the backup goes, beneath the target.
    fn parts(&self, path: &SourcePath) -> Vec<OsString> {
        parts_of(path, self.left_out(path))
    }

    /// How many of the first parts of a selected path have no place in the target.
    fn left_out(&self, selected: &SourcePath) -> usize {
        if self.in_place { 0 } else { selected.parts().len().saturating_sub(1) }
    }

    fn folder(&mut self, path: &str, parts: &[OsString], attributes: Attributes) {
        match self.target.put_folder(parts, attributes) {
            Ok(made) => self.written.folders += u64::from(made),
            Err(PutError::Item(reason)) => self.written.fail(path.to_owned(), reason),
            Err(PutError::Source(error)) => self.written.fail(path.to_owned(), error.to_string()),
        }
    }

    /// An error: the backup cannot be read on.
    fn file(
        &mut self,
        path: &str,
        parts: &[OsString],
        size: u64,
        attributes: Attributes,
        content: &mut dyn Read,
    ) -> Result<(), std::io::Error> {
        match self.target.put(parts, size, attributes, content) {
            Ok(Put::Written(size)) => {
                self.written.files += 1;
                self.written.size += size;
            }
            Ok(Put::Incomplete(size, reason)) => {
                self.written.files += 1;
                self.written.size += size;
                self.written.lack(path.to_owned(), reason);
            }
            Ok(Put::Kept) => self.written.keep(path.to_owned()),
            Err(PutError::Item(reason)) => self.written.fail(path.to_owned(), reason),
            Err(PutError::Source(error)) => return Err(error),
        }
        Ok(())
    }

    fn unpack(&mut self, selected: &Selected, archive: Bytes) {
        let mut archive = Archive::new(SyncIoBridge::new(archive));
        let mut files = 0;
        let outcome = loop {
            let header = match archive.next() {
                Ok(Some(header)) => header,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            if let Err(error) = self.unpack_one(selected, &header, &mut archive, &mut files) {
                break Err(error);
            }
        };
        let listed = selected.census.files;
        if let Err(error) = outcome {
            let missing = listed.saturating_sub(files);
            let reason =
                format!("the backup could not be read to its end, {missing} files are missing: {error}");
            self.written.fail(selected.path.to_string(), reason);
        } else if files != listed {
            let reason = format!("the backup lists {listed} files and gave {files}");
            self.written.fail(selected.path.to_string(), reason);
        }
    }

    fn unpack_one(
        &mut self,
        selected: &Selected,
        header: &Header,
        content: &mut dyn Read,
        files: &mut u64,
    ) -> Result<(), std::io::Error> {
        let shown = String::from_utf8_lossy(&header.path);
        let shown = format!("/{}", shown.trim_matches('/'));
        if header.kind == Type::File && selected.census.others.contains(&shown) {
            self.written.fail(shown, OTHER.to_owned());
            return Ok(());
        }
        *files += u64::from(header.kind == Type::File);
        let parts = match parts_within(&header.path, &selected.path, self.left_out(&selected.path)) {
            Ok(parts) => parts,
            Err(reason) => {
                self.written.fail(shown, reason);
                return Ok(());
            }
        };
        let modified = u64::try_from(header.modified).ok().map(Duration::from_secs);
        let attributes = Attributes {
            mode: Some(header.mode),
            owner: Some(header.owner),
            modified: modified.and_then(|since| UNIX_EPOCH.checked_add(since)),
        };
        match header.kind {
            Type::Folder => self.folder(&shown, &parts, attributes),
            Type::File => return self.file(&shown, &parts, header.size, attributes, content),
            Type::Link => self.written.fail(shown, LINK.to_owned()),
            Type::Other => self.written.fail(shown, OTHER.to_owned()),
        }
        Ok(())
    }
}

fn parts_of(path: &SourcePath, left_out: usize) -> Vec<OsString> {
    path.parts().iter().skip(left_out).map(OsString::from).collect()
}

/// The parts of a name in an archive, which must lie within what was selected. Whether each is a name, the target judges.
fn parts_within(path: &[u8], selected: &SourcePath, left_out: usize) -> Result<Vec<OsString>, String> {
    let trimmed = path.strip_prefix(b"/").unwrap_or(path);
    let trimmed = trimmed.strip_suffix(b"/").unwrap_or(trimmed);
    let parts: Vec<&[u8]> = trimmed.split(|byte| *byte == b'/').collect();
    let own = selected.parts();
    let within = parts.len() > own.len() && own.iter().zip(&parts).all(|(own, part)| own.as_bytes() == *part);
    if !within {
        return Err(format!("the archive holds it, but it does not lie in {selected}"));
    }
    parts.into_iter().skip(left_out).map(name).collect()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn name(bytes: &[u8]) -> Result<OsString, String> {
    let name: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(bytes);
    Ok(name.to_owned())
}

#[cfg(not(unix))]
fn name(bytes: &[u8]) -> Result<OsString, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "its name is no text".to_owned())?;
    Ok(OsStr::new(text).to_owned())
}

/// Each thing once, and what lies in one folder side by side: what lies in a folder that is selected too comes with it.
fn distinct(paths: &[SourcePath], in_place: bool) -> Result<Vec<&SourcePath>, Refused> {
    let mut kept: Vec<&SourcePath> = Vec::new();
    for path in paths {
        let elsewhere = |other: &&SourcePath| *other != path && path.is_within(other);
        if !kept.contains(&path) && !paths.iter().any(|other| elsewhere(&other)) {
            kept.push(path);
        }
    }
    kept.sort_by(|one, other| one.parts().cmp(other.parts()));
    let mut names = HashSet::new();
    match kept.iter().find(|path| !names.insert(path.name())) {
        Some(path) if !in_place => Err(Refused(format!(
            "two of the paths end in \"{}\" and would meet in the target; restore them one after the other",
            path.name().unwrap_or("/")
        ))),
        _ => Ok(kept),
    }
}

/// Runs what waits for a file system where that holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Refused(format!("writing broke off: {error}")))
}
