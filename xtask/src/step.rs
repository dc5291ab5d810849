//! What xtask prints: each step, what it does, and how long it took.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps that have ended, in that order: name, time, whether it went well.
static ENDED: Mutex<Vec<(String, Duration, bool)>> = Mutex::new(Vec::new());

/// Prints one line.
#[expect(clippy::print_stdout, reason = "xtask talks to the person who runs it, and only here")]
pub(crate) fn say(line: impl Display) {
    println!("{line}");
}

/// Prints one line to standard error.
#[expect(clippy::print_stderr, reason = "xtask talks to the person who runs it, and only here")]
pub(crate) fn complain(line: impl Display) {
    eprintln!("{line}");
}

/// Runs a step between its two lines and remembers its time for [`table`].
pub(crate) fn run<T>(name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    say(format_args!("→ {name} …"));
    let start = Instant::now();
    let outcome = crate::process::check_interrupted().and_then(|()| work());
    let took = start.elapsed();
    let verdict = if outcome.is_ok() { "done in" } else { "failed after" };
    say(format_args!("→ {name} … {verdict} {:.1} s", took.as_secs_f64()));
    ENDED.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), took, outcome.is_ok()));
    outcome
}

/// Prints the seconds of every step so far.
pub(crate) fn table() {
    let ended = ENDED.lock().unwrap_or_else(PoisonError::into_inner);
    let width = ended.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    say("");
    for (name, took, good) in ended.iter() {
        let mark = if *good { "" } else { "  failed" };
        say(format_args!("  {name:width$}  {:>7.1} s{mark}", took.as_secs_f64()));
    }
    let total: Duration = ended.iter().map(|(_, took, _)| *took).sum();
    say(format_args!("  {:width$}  {:>7.1} s", "all", total.as_secs_f64()));
}
