//! What a file has beside its bytes.

use std::fs::{File, FileTimes, Permissions};
use std::io::{self, ErrorKind};
use std::time::SystemTime;

use cap_std::fs::Metadata;

/// Who may do what with a file or folder, whose it is, and when it was changed. What is absent stays as the system makes it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attributes {
    /// As on Unix. Only the nine bits of reading, writing and running: no backup makes a file run as somebody else.
    pub(crate) mode: Option<u32>,
    /// User and group by their numbers.
    pub(crate) owner: Option<(u32, u32)>,
    /// When it was last changed.
    pub(crate) modified: Option<SystemTime>,
}

/// What a system did not let be set, in words.
pub(super) type Lacking = Vec<&'static str>;

impl Attributes {
    /// Gives them to an open file or folder: the owner first, as changing it takes bits away. What this agent may not set, or the
    /// file system does not keep, stays as the system made it: for nobody but the owner.
    pub(super) fn apply(&self, file: &File, owners: bool) -> io::Result<Lacking> {
        let mut lacking = Lacking::new();
        let mut noted = |what: &'static str, set: io::Result<()>| match set {
            // A number that a container does not know is no valid one.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::InvalidInput
                ) =>
            {
                lacking.push(what);
                Ok(())
            }
            set => set,
        };
        #[cfg(unix)]
        {
            if let Some((user, group)) = self.owner.filter(|owner| owners && owner_of(file) != Some(*owner)) {
                noted("owner", std::os::unix::fs::fchown(file, Some(user), Some(group)))?;
            }
            if let Some(mode) = self.mode {
                let permissions: Permissions = std::os::unix::fs::PermissionsExt::from_mode(mode & 0o777);
                noted("permissions", file.set_permissions(permissions))?;
            }
        }
        if let Some(at) = self.modified {
            noted("time of its last change", file.set_times(FileTimes::new().set_modified(at)))?;
        }
        Ok(lacking)
    }
}

#[cfg(unix)]
fn owner_of(file: &File) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    file.metadata().ok().map(|there| (there.uid(), there.gid()))
}

/// For people; nothing when all was set.
pub(super) fn said(lacking: &[&str]) -> Option<String> {
    (!lacking.is_empty())
        .then(|| format!("it is there, but this agent may not set its {}", lacking.join(", its ")))
}

/// Whether two names lead to one file.
#[cfg(unix)]
pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use cap_std::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether two names lead to one file: here, names that differ only in case do.
#[cfg(not(unix))]
pub(super) fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}
