//! The time. A call that must be a pure function has it stand still.

use std::time::Instant;

use wasmtime::component::{HasSelf, Linker};

use crate::clock::SharedClock;
use crate::plugins::abi;
use crate::plugins::sandbox::CallState;
use crate::plugins::terms::Terms;

/// What a call sees of it.
#[derive(Debug)]
pub(in crate::plugins) struct ClockView {
    clock: SharedClock,
    pure_at: Option<i64>,
    begun: Instant,
}

impl ClockView {
    pub(in crate::plugins) fn new(clock: SharedClock, terms: &Terms) -> Self {
        Self { clock, pure_at: terms.pure_at, begun: Instant::now() }
    }
}

impl abi::clock::Host for ClockView {
    fn now(&mut self) -> i64 {
        self.pure_at.unwrap_or_else(|| self.clock.now_ms())
    }

    fn elapsed(&mut self) -> u64 {
        match self.pure_at {
            Some(_) => 0,
            None => u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::clock::add_to_linker::<_, HasSelf<ClockView>>(linker, |state| &mut state.clock)
}
