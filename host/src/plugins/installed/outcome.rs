//! What a package says of itself, and what became of it.

use serde::{Deserialize, Serialize};

use crate::plugins::grants::Ask;
use crate::plugins::package::PublicKey;

/// What a stored package says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageAbout {
    /// For people.
    pub name: String,
    /// What it is for.
    pub summary: Option<String>,
    /// An SPDX expression, as a rule.
    pub license: Option<String>,
    /// Where there is more.
    pub homepage: Option<String>,
    /// As it calls itself; who signed it says the trust.
    pub publisher: Option<String>,
    /// The versions of the contract that it works with.
    pub contract: String,
    /// What it asks for.
    pub asks: Vec<Ask>,
}

/// A publisher for whom a library vouches.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// Its name.
    pub publisher: String,
    /// Its key.
    pub key: PublicKey,
}

/// What became of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// A new plugin; it does not run yet.
    New {
        /// What has to be approved before it does.
        asks: Vec<Ask>,
    },
    /// It is this version already.
    Already,
    /// It took the place of this one.
    Upgraded {
        /// Which.
        from: String,
    },
    /// It waits until somebody approves these; the older one goes on.
    Waiting {
        /// What is not granted.
        lacking: Vec<Ask>,
    },
}

impl Installed {
    /// In one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::New { .. } => "New",
            Self::Already => "Already",
            Self::Upgraded { .. } => "Upgraded",
            Self::Waiting { .. } => "Waiting",
        }
    }
}
