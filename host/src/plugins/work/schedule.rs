//! When the turn of a task comes.

use cronexpr::{Crontab, MakeTimestamp};
use sha2::{Digest as _, Sha256};

use crate::plugins::manifest::Task;

/// For a schedule that never comes again, such as the 30th of February.
const NEVER: i64 = i64::MAX / 2;

/// Reads minute, hour, day of month, month and weekday; all UTC. What is wrong is a sentence.
pub(in crate::plugins) fn parse(cron: &str) -> Result<Crontab, String> {
    if cron.split_whitespace().count() != 5 {
        return Err(format!(
            "`{}` must be minute, hour, day of month, month and weekday: \"0 * * * *\" is each hour",
            cron.escape_default()
        ));
    }
    cronexpr::parse_crontab(&format!("{cron} UTC")).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim();
        format!("`{}` is no schedule: {reason}", cron.escape_default())
    })
}

/// The next turn after `now`, put off by the task's own part of its jitter.
pub(super) fn next(task: &Task, plugin: &str, now: i64) -> i64 {
    let found = parse(&task.cron).ok().and_then(|crontab| {
        let from = MakeTimestamp::from_millisecond(now).ok()?;
        Some(crontab.find_next(from).ok()?.timestamp().as_millisecond())
    });
    found.map_or(NEVER, |turn| turn.saturating_add(put_off(task, plugin, turn)))
}

/// The same for all hosts of a database, another for each turn: they must agree, and the crowd must not.
fn put_off(task: &Task, plugin: &str, turn: i64) -> i64 {
    let jitter = u64::try_from(task.jitter.as_millis()).unwrap_or(u64::MAX);
    let mut hash = Sha256::new();
    for part in [plugin.as_bytes(), &[0], task.id.as_bytes(), &[0], &turn.to_le_bytes()] {
        hash.update(part);
    }
    let dice = hash.finalize().iter().take(8).fold(0_u64, |dice, byte| (dice << 8) | u64::from(*byte));
    i64::try_from(dice.checked_rem(jitter).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::plugins::manifest::Overlap;

    /// 2026-11-21 09:05 UTC.
    const NOW: i64 = 1_795_251_900_000;
    const HOUR: i64 = 3_600_000;

    fn task(cron: &str, jitter: Duration) -> Task {
        Task {
            id: "sync".to_owned(),
            name: "Sync".to_owned(),
            cron: cron.to_owned(),
            jitter,
            timeout: Duration::from_secs(1),
            overlap: Overlap::Skip,
        }
    }

    #[test]
    fn the_next_turn_is_the_first_after_now() {
        let next = |cron| next(&task(cron, Duration::ZERO), "a.b", NOW);
        assert_eq!(next("0 * * * *"), NOW - 5 * 60_000 + HOUR);
        assert_eq!(next("*/5 * * * *"), NOW + 5 * 60_000, "not the one that is now");
        assert_eq!(next("0 9 22 11 *"), NOW - 5 * 60_000 + 24 * HOUR);
    }

    #[test]
    fn a_turn_is_put_off_within_its_jitter_and_by_the_same_everywhere() {
        let jittered = task("0 * * * *", Duration::from_mins(10));
        let (ours, theirs) = (next(&jittered, "a.b", NOW), next(&jittered, "a.b", NOW));
        let turn = NOW - 5 * 60_000 + HOUR;
        assert_eq!(ours, theirs);
        assert!((turn..turn + 600_000).contains(&ours));
        assert_ne!(ours, next(&jittered, "a.c", NOW), "another plugin");
    }

    #[test]
    fn a_bad_schedule_is_refused_in_a_sentence() {
        assert!(parse("0 * * * *").is_ok() && parse("30 4 1,15 * 1-5").is_ok());
        assert!(parse("every hour").unwrap_err().contains("must be minute"));
        assert!(parse("61 * * * *").unwrap_err().contains("is no schedule"));
        assert!(parse("0 * * * * Europe/Berlin").unwrap_err().contains("must be minute"));
    }
}
