//! Waiting for a condition.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a condition may take. Long: machines are shared, and a test that passes does not wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until there is an answer. Panics, with what was waited for, when there is none.
pub async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {} s for: {what}", PATIENCE.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
