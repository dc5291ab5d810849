//! What can go wrong, who is to blame, and the way out. The chain of a cause is already one text here: the engine's
//! own error types do not leave `plugins/`.

use std::path::PathBuf;
use std::time::Duration;

use super::limits::mebibytes;

/// The plugin platform did not start.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PluginError {
    /// The engine refuses its own settings.
    #[error("the WASM engine does not start on this machine: {0}")]
    Engine(String),
    /// No thread for guests.
    #[error("no threads for plugins: {0}")]
    Threads(String),
    /// The folder of plugins cannot be listed.
    #[error("cannot read the folder of plugins {}: {reason}; make it readable or give another with --plugins", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Which plugins are installed cannot be read.
    #[error("cannot read which plugins are installed: {0}")]
    Database(String),
}

/// A call of a plugin gave no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("plugin {plugin}, {step}: {blame}")]
pub struct CallError {
    /// The plugin's id.
    pub plugin: String,
    /// What it was to do.
    pub step: String,
    /// Who is at fault.
    pub blame: Blame,
}

/// Who is at fault when a call gives no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Blame {
    /// The plugin: its author has something to mend.
    #[error("{0}")]
    Guest(GuestFault),
    /// Keelson itself.
    #[error("the host is at fault, please report it: {0}")]
    Host(String),
    /// Nobody: a limit or a state that an administrator sees and can change.
    #[error("{0}")]
    Policy(Refusal),
}

/// What a plugin did wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GuestFault {
    /// It stopped at an instruction.
    #[error("the plugin crashed ({0}); its author has to mend it")]
    Trap(String),
    /// It used more processor time than such a call gets.
    #[error("the plugin ran for more than its {} ms of processor time and was stopped", .0.as_millis())]
    CpuDeadline(Duration),
    /// It did not come back in time.
    #[error("the plugin did not answer within {} ms and was stopped", .0.as_millis())]
    WallDeadline(Duration),
    /// It asked for more memory than it may have.
    #[error("the plugin needs more than its {} of memory; `[limits] memory` in its plugin.toml may ask for up to 256 MiB", mebibytes(*.0))]
    Memory(usize),
    /// Its answer does not fit.
    #[error("the plugin handed over too much data: an answer may have {} in all", mebibytes(*.0))]
    TooMuchData(usize),
    /// A column of its verdicts is not what the contract says.
    #[error("the plugin gave a bad verdict: {0}")]
    BadVerdict(String),
    /// A view is not what the schema says.
    #[error("the plugin gave a bad view: {0}")]
    BadView(String),
    /// The answer of a route is not what the contract says.
    #[error("the plugin gave a bad answer: {0}")]
    BadResponse(String),
    /// It answered with an error of its own.
    #[error("the plugin answered `{code}`: {message}")]
    Answered {
        /// From an open set.
        code: String,
        /// One sentence.
        message: String,
        /// Whether the same call may succeed later.
        retryable: bool,
    },
    /// Anything else that its code made the engine refuse.
    #[error("the plugin broke the contract: {0}")]
    Contract(String),
}

/// Why a call was not even tried.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Too many calls already wait.
    #[error("busy: {running} calls run and {waiting} wait already; try again in a moment")]
    Busy {
        /// How many may run at once.
        running: usize,
        /// How many may wait.
        waiting: usize,
    },
    /// It failed too often.
    #[error("paused after repeated failures; it is tried again in {} ms", .0.as_millis())]
    CircuitOpen(Duration),
    /// It failed at every try.
    #[error("given up after repeated failures; mend the plugin, or disable and enable it to try again")]
    GivenUp,
    /// No such plugin runs.
    #[error("no such plugin is loaded; `keelson plugin list` shows what is, and why another is refused")]
    NotLoaded,
    /// The plugin has no such view.
    #[error("it has no view `{0}`")]
    NoSuchView(String),
    /// The plugin has no operations of its own.
    #[error("it has no routes")]
    NoRoutes,
    /// The plugin has no such rule.
    #[error("it has no rule `{0}` (any more)")]
    NoSuchRule(String),
    /// The parameters do not fit the rule's schema.
    #[error("the parameters do not fit: {}; change them in the alarm's template", .0.join("; "))]
    Parameters(Vec<String>),
    /// The host shuts down.
    #[error("the host is shutting down")]
    Stopping,
}

impl CallError {
    pub(super) fn new(plugin: &str, step: impl Into<String>, blame: Blame) -> Self {
        Self { plugin: plugin.to_owned(), step: step.into(), blame }
    }

    /// Whether the plugin is at fault.
    pub fn is_guest(&self) -> bool {
        matches!(self.blame, Blame::Guest(_))
    }

    /// Whether the same call may succeed later without anybody mending anything.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.blame,
            Blame::Policy(Refusal::Busy { .. } | Refusal::CircuitOpen(_))
                | Blame::Guest(GuestFault::Answered { retryable: true, .. })
        )
    }
}

/// A plugin that may not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("plugin in {} refused at step `{}`: {fault}", folder.display(), self.fault.step())]
pub struct LoadError {
    /// Where it lies.
    pub folder: PathBuf,
    /// Its id, where the manifest could be read.
    pub plugin: Option<String>,
    /// Why.
    pub fault: LoadFault,
}

/// Why a plugin may not run; a variant for each step of the pipeline.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LoadFault {
    /// A file is missing, unreadable or too large.
    #[error("{0}")]
    Read(String),
    /// A `.kpkg` that is not what it should be.
    #[error("the package cannot be used: {0}")]
    Archive(String),
    /// Its signature.
    #[error("{0}")]
    Signature(String),
    /// `plugin.toml`.
    #[error("plugin.toml: {0}")]
    Manifest(String),
    /// It declares what this host does not offer.
    #[error("plugin.toml: {0}")]
    Unsupported(String),
    /// `config.schema.json`.
    #[error("{0}")]
    Schema(String),
    /// `settings.json`.
    #[error("settings.json does not fit the plugin's schema: {}", .0.join("; "))]
    Settings(Vec<String>),
    /// A compiled file.
    #[error(
        "plugin.wasm is precompiled machine code, which is never accepted; give the component that it was made from"
    )]
    Precompiled,
    /// Not a component, or a damaged one.
    #[error("plugin.wasm {0}")]
    Component(String),
    /// An import that no plugin gets.
    #[error("{0}")]
    Imports(String),
    /// An export that is missing, or one too many.
    #[error("{0}")]
    Exports(String),
    /// Made for another contract.
    #[error("it is for another version of the contract: {0}")]
    Contract(String),
    /// The compiler gave up.
    #[error("plugin.wasm does not compile: {0}")]
    Compile(String),
    /// It needs more than the host gives.
    #[error("{0}")]
    Resources(String),
    /// The first call.
    #[error("{0}")]
    Describe(Blame),
    /// It says that it is another one.
    #[error(
        "the component says that it is {component}, but plugin.toml says {manifest}; build and package them together"
    )]
    Identity {
        /// `id version` of the component.
        component: String,
        /// `id version` of the manifest.
        manifest: String,
    },
    /// Asking for its rules failed.
    #[error("{0}")]
    ListRules(Blame),
    /// A rule is not what the contract says.
    #[error("{0}")]
    Rules(String),
    /// Another folder has that id.
    #[error("the id `{id}` is already used by {other}; remove one of the two")]
    Duplicate {
        /// Which.
        id: String,
        /// The one that runs.
        other: String,
    },
    /// The host itself failed.
    #[error("the host is at fault, please report it: {0}")]
    Host(String),
}

impl LoadFault {
    /// The step of the pipeline, for programs.
    pub fn step(&self) -> &'static str {
        match self {
            Self::Read(_) => "read",
            Self::Archive(_) => "archive",
            Self::Signature(_) => "signature",
            Self::Manifest(_) | Self::Unsupported(_) => "manifest",
            Self::Schema(_) => "config-schema",
            Self::Settings(_) => "settings",
            Self::Precompiled | Self::Component(_) => "component",
            Self::Imports(_) => "imports",
            Self::Exports(_) => "exports",
            Self::Contract(_) => "contract",
            Self::Compile(_) => "compile",
            Self::Resources(_) => "resources",
            Self::Describe(_) => "describe",
            Self::Identity { .. } => "identity",
            Self::ListRules(_) | Self::Rules(_) => "rules",
            Self::Duplicate { .. } => "registry",
            Self::Host(_) => "host",
        }
    }

    /// Whether the very same files may pass at another time: it was the host's moment, not the package.
    pub(super) fn may_pass_later(&self) -> bool {
        match self {
            Self::Describe(blame) | Self::ListRules(blame) => {
                !matches!(blame, Blame::Guest(fault) if !matches!(fault, GuestFault::WallDeadline(_)))
            }
            Self::Read(_) | Self::Duplicate { .. } | Self::Host(_) => true,
            _ => false,
        }
    }

    /// Whether the package is at fault, not the host or its state.
    pub fn is_guest(&self) -> bool {
        match self {
            Self::Describe(blame) | Self::ListRules(blame) => matches!(blame, Blame::Guest(_)),
            Self::Settings(_) | Self::Duplicate { .. } | Self::Host(_) => false,
            _ => true,
        }
    }
}
