//! What a file has beside its bytes.

use std::fs::{File, FileTimes, Permissions};
use std::io;
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

impl Attributes {
    /// Gives them to an open file or folder: the owner first, as changing it takes bits away.
    pub(super) fn apply(&self, file: &File, owners: bool) -> io::Result<()> {
        #[cfg(unix)]
        {
            if let Some((user, group)) = self.owner.filter(|_| owners) {
                match std::os::unix::fs::fchown(file, Some(user), Some(group)) {
                    // Who is not root writes what is their own.
                    Err(error) if error.kind() != io::ErrorKind::PermissionDenied => return Err(error),
                    _ => {}
                }
            }
            if let Some(mode) = self.mode {
                let permissions: Permissions = std::os::unix::fs::PermissionsExt::from_mode(mode & 0o777);
                file.set_permissions(permissions)?;
            }
        }
        match self.modified {
            Some(at) => file.set_times(FileTimes::new().set_modified(at)),
            None => Ok(()),
        }
    }
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
