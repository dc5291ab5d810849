//! Cloud Connect: whether a server has what is wanted here.

use std::str::FromStr;

/// Whether the Cloud Connect server has what is wanted of a tenant, or of a share of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// It has.
    Settled,
    /// It is to be made there.
    Creating,
    /// It is to be changed there.
    Updating,
    /// It is to be removed there.
    Deleting,
    /// The server did not make it.
    CreationFailed,
    /// The server did not change it.
    UpdateFailed,
    /// The server did not remove it: it is still there.
    DeletionFailed,
}

impl Sync {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Settled,
        Self::Creating,
        Self::Updating,
        Self::Deleting,
        Self::CreationFailed,
        Self::UpdateFailed,
        Self::DeletionFailed,
    ];

    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "Settled",
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
            Self::CreationFailed => "CreationFailed",
            Self::UpdateFailed => "UpdateFailed",
            Self::DeletionFailed => "DeletionFailed",
        }
    }
}

impl FromStr for Sync {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|sync| sync.name() == text)
            .ok_or_else(|| format!("'{text}' says nothing of a server that this version knows"))
    }
}
