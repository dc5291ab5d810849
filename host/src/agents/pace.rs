//! How fast one agent may talk: what is over its allowance is read later, so that its connection fills up and it waits.

use std::time::Duration;

use tokio::time::Instant;

/// Messages a second, and those that may come at once.
const MESSAGES: (f64, f64) = (500.0, 2_000.0);
/// Bytes a second, and those that may come at once.
const BYTES: (f64, f64) = (16.0 * 1024.0 * 1024.0, 64.0 * 1024.0 * 1024.0);

/// The allowance of one session.
#[derive(Debug)]
pub(super) struct Pace {
    at: Instant,
    messages: f64,
    bytes: f64,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), messages: MESSAGES.1, bytes: BYTES.1 }
    }

    /// A message of this size came: for how long nothing more is to be read.
    pub(super) fn spend(&mut self, bytes: usize) -> Duration {
        let now = Instant::now();
        let passed = now.duration_since(self.at).as_secs_f64();
        self.at = now;
        self.messages = (self.messages + passed * MESSAGES.0).min(MESSAGES.1) - 1.0;
        let bytes = u32::try_from(bytes).map_or(f64::from(u32::MAX), f64::from);
        self.bytes = (self.bytes + passed * BYTES.0).min(BYTES.1) - bytes;
        let debt = |left: f64, rate: f64| if left < 0.0 { -left / rate } else { 0.0 };
        Duration::from_secs_f64(debt(self.messages, MESSAGES.0).max(debt(self.bytes, BYTES.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_agent_may_say_much_at_once_but_not_for_long() {
        let mut pace = Pace::new();
        let free = (0..10_000).take_while(|_| pace.spend(1).is_zero()).count();
        assert!((1_990..=2_010).contains(&free), "{free}");
        let begun = Instant::now();
        for _ in 0..1_000 {
            let wait = pace.spend(1);
            tokio::time::advance(wait).await;
        }
        let took = begun.elapsed().as_secs_f64();
        assert!((1.8..=2.2).contains(&took), "{took} s for a thousand");
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_count_as_messages_do() {
        let mut pace = Pace::new();
        assert!(pace.spend(60 << 20).is_zero());
        let wait = pace.spend(20 << 20).as_secs_f64();
        assert!((0.9..=1.1).contains(&wait), "{wait}");
    }
}
