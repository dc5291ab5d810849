//! The extension point `tasks`.

use std::time::Duration;

use serde_json::Value;

use crate::{Call, Error};

/// Work by the clock: the tasks of `[[extends.tasks]]`. At least once: a part whose host died is done again.
pub trait Tasks {
    /// Does a part of a task, from `checkpoint` on; none at the begin of a run. `arguments` is an object, empty if the clock began
    /// the run.
    fn run(call: &Call, task: &str, arguments: &Value, checkpoint: Option<&[u8]>) -> Result<Outcome, Error>;
}

/// How a part of a run went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// One line for the administrator.
    pub summary: String,
    /// There is more to do, from here on; at most 64 KiB.
    pub checkpoint: Option<Vec<u8>>,
    /// After that time.
    pub wait: Duration,
}

impl Outcome {
    /// The run is over.
    pub fn done(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// There is more to do, from this checkpoint on.
    pub fn more(summary: impl Into<String>, checkpoint: impl Into<Vec<u8>>) -> Self {
        Self { summary: summary.into(), checkpoint: Some(checkpoint.into()), wait: Duration::ZERO }
    }

    /// The same, after a while.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}
