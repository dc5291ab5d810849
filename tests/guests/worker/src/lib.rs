//! Works by the clock and keeps what it did; misbehaves as its arguments say.

use std::time::Duration;

use keelson_sdk::kv::{self, Space};
use keelson_sdk::{Call, Error, Outcome, Plugin, Tasks, clock, random};
use serde_json::Value;

struct Worker;

impl Plugin for Worker {
    const ID: &'static str = "test.worker";
    const VERSION: &'static str = "1.0.0";
}

impl Tasks for Worker {
    fn run(call: &Call, task: &str, arguments: &Value, checkpoint: Option<&[u8]>) -> Result<Outcome, Error> {
        let runs = count(&format!("runs/{task}"))?;
        match arguments["mode"].as_str().unwrap_or_default() {
            "parts" => Ok(parts(arguments["parts"].as_u64().unwrap_or_default(), checkpoint)),
            "wait" if checkpoint.is_none() => {
                Ok(Outcome::more("waits", *b"waited").after(Duration::from_mins(10)))
            }
            "fail" => Err(Error::new("no-such-thing", "there is nothing to do it with")),
            "fail-once" if call.attempt == 1 => Err(Error::new("not-yet", "the server is away").retryable()),
            "later" => Err(Error::new("not-yet", "the server is away").retryable()),
            "trap" => trap(),
            "spin" => spin(),
            "flood" => flood(),
            "foreign" => {
                kv::set(&Space::Company("not a uid".to_owned()), "a", b"b", None).map(|_| Outcome::default())
            }
            "large-checkpoint" => Ok(Outcome::more("too much", vec![0; (64 << 10) + 1])),
            "tools" => tools(call),
            _ => Ok(Outcome::done(format!("run {runs} of {task}, attempt {}", call.attempt))),
        }
    }
}

/// How often it was called with that key, this one included.
fn count(key: &str) -> Result<u64, Error> {
    let next = kv::read::<u64>(&Space::Plugin, key)?.unwrap_or_default() + 1;
    kv::write(&Space::Plugin, key, &next)?;
    Ok(next)
}

/// So many parts, each from where the one before stopped.
fn parts(all: u64, checkpoint: Option<&[u8]>) -> Outcome {
    let done = checkpoint.and_then(|bytes| bytes.first().copied()).unwrap_or_default() + 1;
    if u64::from(done) >= all {
        Outcome::done(format!("{done} parts"))
    } else {
        Outcome::more(format!("part {done}"), [done])
    }
}

/// Fills its store until it is told to stop.
fn flood() -> Result<Outcome, Error> {
    let value = vec![7; 200 << 10];
    for number in 0..10_000 {
        kv::set(&Space::Plugin, &format!("flood/{number}"), &value, None)?;
    }
    Ok(Outcome::done("nobody stopped it"))
}

/// The clock, randomness and every function of the store.
fn tools(call: &Call) -> Result<Outcome, Error> {
    let (one, two) = (random::bytes(16)?, random::bytes(16)?);
    let first = kv::set(&Space::Plugin, "tool/a", &one, Some(0))?;
    let conflict = kv::set(&Space::Plugin, "tool/a", &two, Some(0)).is_err();
    kv::set(&Space::Plugin, "tool/b", &two, None)?;
    kv::set_for(&Space::Plugin, "tool/c", &two, Duration::from_mins(1))?;
    let page = kv::scan(&Space::Plugin, "tool/", None, 2)?;
    let rest = kv::scan(&Space::Plugin, "tool/", page.next.as_deref(), 2)?;
    let gone = kv::delete(&Space::Plugin, "tool/a")? && !kv::delete(&Space::Plugin, "tool/a")?;
    let right = one != two && first > 0 && conflict && gone && clock::now() == call.now;
    let pages = (page.entries.len(), rest.entries.len(), rest.next.is_none());
    Ok(Outcome::done(format!("{right} {pages:?}")))
}

fn spin() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

#[expect(clippy::panic, reason = "that is the point")]
fn trap() -> ! {
    panic!("dropped the tools")
}

keelson_sdk::plugin!(Worker: tasks);
