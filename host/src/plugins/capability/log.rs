//! Lines for the provider's log. A flood is counted, not kept.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{HasSelf, Linker};

use crate::clock::{MINUTE, SharedClock};
use crate::plugins::abi;
use crate::plugins::sandbox::CallState;
use crate::plugins::text::cut;

/// The longest line.
const MAX_LINE: usize = 8 * 1024;
/// Bytes of one plugin in a minute.
const MAX_A_MINUTE: usize = 1024 * 1024;

/// What one plugin has written lately; all its calls share it.
#[derive(Debug)]
pub(in crate::plugins) struct LogBudget {
    clock: SharedClock,
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    start: i64,
    bytes: usize,
    dropped: u64,
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// And so many before it were not.
    KeptAfter(u64),
    Dropped,
}

impl LogBudget {
    pub(in crate::plugins) fn new(clock: SharedClock) -> Arc<Self> {
        Arc::new(Self { clock, window: Mutex::default() })
    }

    fn admit(&self, bytes: usize) -> Fate {
        let now = self.clock.now_ms();
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = 0;
        if now.saturating_sub(window.start).unsigned_abs() >= MINUTE.unsigned_abs() {
            before = window.dropped;
            *window = Window { start: now, ..Window::default() };
        }
        if window.bytes.saturating_add(bytes) > MAX_A_MINUTE {
            window.dropped += 1;
            return Fate::Dropped;
        }
        window.bytes += bytes;
        if before == 0 { Fate::Kept } else { Fate::KeptAfter(before) }
    }
}

/// What a call sees of the log.
#[derive(Debug)]
pub(in crate::plugins) struct LogView {
    plugin: Arc<str>,
    call: String,
    budget: Arc<LogBudget>,
    last_error: Option<String>,
}

impl LogView {
    pub(in crate::plugins) fn new(plugin: Arc<str>, call: String, budget: Arc<LogBudget>) -> Self {
        Self { plugin, call, budget, last_error: None }
    }

    /// The last line of level `error`: a panic's message, before a trap.
    pub(in crate::plugins) fn take_last_error(&mut self) -> Option<String> {
        self.last_error.take()
    }
}

impl abi::log::Host for LogView {
    fn write(&mut self, level: abi::log::Level, mut message: String) {
        cut(&mut message, MAX_LINE);
        match self.budget.admit(message.len()) {
            Fate::Dropped => return,
            Fate::Kept => {}
            Fate::KeptAfter(lines) => {
                let notice = format!("the plugin logged too much; {lines} lines were dropped");
                emit(abi::log::Level::Warn, &self.plugin, &self.call, &notice);
            }
        }
        emit(level, &self.plugin, &self.call, &message);
        if level == abi::log::Level::Error {
            cut(&mut message, 512);
            self.last_error = Some(message);
        }
    }
}

fn emit(level: abi::log::Level, plugin: &str, call: &str, message: &str) {
    match level {
        abi::log::Level::Debug => tracing::debug!(target: "keelson::guest", plugin, call, "{message}"),
        abi::log::Level::Info => tracing::info!(target: "keelson::guest", plugin, call, "{message}"),
        abi::log::Level::Warn => tracing::warn!(target: "keelson::guest", plugin, call, "{message}"),
        abi::log::Level::Error => tracing::error!(target: "keelson::guest", plugin, call, "{message}"),
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::log::add_to_linker::<_, HasSelf<LogView>>(linker, |state| &mut state.log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_flood_is_counted_and_the_next_minute_says_so() {
        let clock = ManualClock::at(10 * MINUTE);
        let budget = LogBudget::new(Arc::clone(&clock) as SharedClock);
        assert_eq!(budget.admit(MAX_A_MINUTE), Fate::Kept);
        assert_eq!(budget.admit(1), Fate::Dropped);
        assert_eq!(budget.admit(1), Fate::Dropped);
        clock.advance(MINUTE);
        assert_eq!(budget.admit(1), Fate::KeptAfter(2));
        assert_eq!(budget.admit(1), Fate::Kept);
    }
}
