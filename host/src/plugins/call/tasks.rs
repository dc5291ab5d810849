//! The extension point `tasks`: work by the clock, in parts.

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::Instance;

use crate::plugins::abi::types::Context;
use crate::plugins::call::{Failure, GuestCall};
use crate::plugins::error::GuestFault;
use crate::plugins::limits::{Budget, TASK_CPU};
use crate::plugins::sandbox::{CallState, Guest};
use crate::plugins::terms::Terms;
use crate::plugins::text::cut;

/// The longest summary.
const MAX_SUMMARY: usize = 512;
/// The largest checkpoint.
const MAX_CHECKPOINT: usize = 64 << 10;
/// The longest wait between two parts: longer ones are what the clock is for.
const MAX_WAIT: u32 = 24 * 3600;

/// Does a part of a task.
#[derive(Debug)]
pub(in crate::plugins) struct RunTask {
    pub(in crate::plugins) task: String,
    /// A JSON object.
    pub(in crate::plugins) arguments: String,
    pub(in crate::plugins) checkpoint: Option<Vec<u8>>,
    pub(in crate::plugins) attempt: u32,
    pub(in crate::plugins) timeout: Duration,
}

/// How a part went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::plugins) struct Part {
    pub(in crate::plugins) summary: String,
    /// There is more, from here on, after that time.
    pub(in crate::plugins) more: Option<(Vec<u8>, Duration)>,
}

impl GuestCall for RunTask {
    type Output = Part;

    fn terms(&self, _now: i64) -> Terms {
        Terms::work(Budget { cpu: TASK_CPU, wall: self.timeout }, None, self.attempt)
    }

    async fn run(
        self,
        guest: &Guest,
        context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<Part, Failure> {
        let Some(indices) = &guest.exports.tasks else {
            return Err(Failure::Fault(GuestFault::Contract("it exports no tasks".to_owned())));
        };
        let exports = indices.load(&mut *store, instance)?;
        let checkpoint = self.checkpoint.as_deref();
        let outcome = exports.call_run(store, &context, &self.task, &self.arguments, checkpoint).await??;
        let mut summary = outcome.summary;
        cut(&mut summary, MAX_SUMMARY);
        let more = outcome.checkpoint.map(|checkpoint| {
            let bad = |reason: String| Failure::Fault(GuestFault::Contract(reason));
            if checkpoint.len() > MAX_CHECKPOINT {
                return Err(bad(format!(
                    "a checkpoint of {} bytes; {MAX_CHECKPOINT} at most",
                    checkpoint.len()
                )));
            }
            let wait = outcome.resume_after_seconds;
            if wait > MAX_WAIT {
                return Err(bad(format!("a wait of {wait} s between two parts; {MAX_WAIT} at most")));
            }
            Ok((checkpoint, Duration::from_secs(u64::from(wait))))
        });
        // PostgreSQL's texts have none.
        Ok(Part { summary: summary.replace('\0', ""), more: more.transpose()? })
    }
}
