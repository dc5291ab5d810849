//! How much a plugin asks for: so many requests in a minute, whatever becomes of them.

use std::sync::{Mutex, PoisonError};

use crate::clock::{MINUTE, SharedClock};
use crate::plugins::capability::refusal::Refusal;

/// Requests of one plugin in a minute.
const A_MINUTE: u32 = 60;

/// The minute that runs.
#[derive(Debug)]
pub(super) struct Window {
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    start: i64,
    asked: u32,
}

/// Whether one more may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Yes,
    /// `first`: of this minute.
    No {
        first: bool,
    },
}

impl Window {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    pub(super) fn admit(&self) -> Admission {
        let now = self.clock.now_ms();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(state.start).unsigned_abs() >= MINUTE.unsigned_abs() {
            *state = State { start: now, asked: 0 };
        }
        state.asked = state.asked.saturating_add(1);
        if state.asked <= A_MINUTE {
            Admission::Yes
        } else {
            Admission::No { first: state.asked == A_MINUTE + 1 }
        }
    }
}

pub(super) fn refusal() -> Refusal {
    Refusal::later(
        "rate-limited",
        format!("a plugin may send {A_MINUTE} requests a minute; send fewer, or go on in the next minute"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn the_next_minute_begins_afresh() {
        let clock = ManualClock::at(10 * MINUTE);
        let window = Window::new(Arc::clone(&clock) as SharedClock);
        assert!((0..A_MINUTE).all(|_| window.admit() == Admission::Yes));
        assert_eq!(window.admit(), Admission::No { first: true });
        assert_eq!(window.admit(), Admission::No { first: false });
        clock.advance(MINUTE);
        assert_eq!(window.admit(), Admission::Yes);
    }
}
