//! Guests that misbehave. After each: the message names the reason, the blame is right, and the neighbour still answers.

use std::time::{Duration, Instant};

use keelson::plugins::{Blame, CHUNK_ROWS, FactTable, GuestFault, PluginState, Refusal, Values};
use serde_json::json;

use super::support::{EVIL, Shelf, Stage};

async fn stage() -> Stage {
    Shelf::with_evil(&json!({})).start().await
}

/// The fault that `mode` is blamed for, and its message.
async fn fault(mode: &str) -> (GuestFault, String) {
    let stage = stage().await;
    let error = stage.misbehave(mode).await.unwrap_err();
    assert!(error.is_guest(), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(EVIL) && message.contains("misbehave"), "{message}");
    stage.neighbour_answers().await;
    match error.blame {
        Blame::Guest(fault) => (fault, message),
        other => panic!("{other:?}"),
    }
}

async fn bad_verdict(mode: &str) -> String {
    match fault(mode).await {
        (GuestFault::BadVerdict(reason), _) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_that_spins_is_stopped_while_its_neighbour_answers() {
    let stage = stage().await;
    let began = Instant::now();
    let spinning = stage.misbehave("spin");
    let neighbour = async {
        stage.neighbour_answers().await;
        began.elapsed()
    };
    let (outcome, answered) = tokio::join!(spinning, neighbour);
    let stopped = began.elapsed();
    let error = outcome.unwrap_err();
    let late = matches!(error.blame, Blame::Guest(GuestFault::CpuDeadline(_) | GuestFault::WallDeadline(_)));
    assert!(late, "{error:?}");
    assert!(error.to_string().contains("was stopped"), "{error}");
    assert!(
        answered < stopped,
        "the neighbour answered after {answered:?}, the spinner stopped after {stopped:?}"
    );
    stage.neighbour_answers().await;
}

#[tokio::test]
async fn as_many_spinners_as_may_run_leave_the_runtime_of_the_host_alone() {
    let stage = stage().await;
    let spinners =
        async { tokio::join!(stage.misbehave("spin"), stage.misbehave("spin"), stage.misbehave("spin")) };
    let host = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let began = Instant::now();
            tokio::time::sleep(Duration::from_millis(5)).await;
            slowest = slowest.max(began.elapsed());
        }
        slowest
    };
    let ((first, second, third), slowest) = tokio::join!(spinners, host);
    assert!(first.is_err() && second.is_err() && third.is_err());
    assert!(slowest < Duration::from_secs(1), "the host's runtime stood still for {slowest:?}");
    stage.neighbour_answers().await;
}

#[tokio::test]
async fn one_that_grows_without_end_hits_its_limit() {
    let (fault, message) = fault("grow").await;
    assert_eq!(fault, GuestFault::Memory(32 << 20));
    assert!(message.contains("32 MiB") && message.contains("[limits] memory"), "{message}");
}

#[tokio::test]
async fn one_that_panics_leaves_its_last_words() {
    let (fault, message) = fault("trap").await;
    assert!(matches!(fault, GuestFault::Trap(_)), "{fault:?}");
    assert!(message.contains("evil on purpose"), "{message}");
}

#[tokio::test]
async fn one_that_recurses_for_ever_runs_out_of_stack() {
    let (fault, message) = fault("recurse").await;
    assert!(matches!(fault, GuestFault::Trap(_)), "{fault:?}");
    assert!(message.contains("crashed"), "{message}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_even_read() {
    for mode in ["huge-message", "huge-list"] {
        let (fault, message) = fault(mode).await;
        assert_eq!(fault, GuestFault::TooMuchData(4 << 20), "{mode}");
        assert!(message.contains("4 MiB"), "{message}");
    }
}

#[tokio::test]
async fn a_bad_verdict_is_named() {
    assert!(bad_verdict("row-out-of-range").await.contains("row 2 is out of range"));
    assert!(bad_verdict("rows-descending").await.contains("not ascending"));
    assert!(bad_verdict("row-twice").await.contains("not ascending"));
    assert!(bad_verdict("bad-message").await.contains("has the message 9"));
    assert!(bad_verdict("bad-recheck").await.contains("`recheck` has 3"));
    assert!(bad_verdict("nul").await.contains("row 0 has a NUL"));
}

#[tokio::test]
async fn a_chunk_of_the_longest_names_fits_into_the_memory_of_a_guest() {
    let stage = Shelf::with_evil(&json!({ "rules": "named" })).start().await;
    let facts = FactTable::new(CHUNK_ROWS)
        .with("first-seen", Values::Ints(vec![1; CHUNK_ROWS]))
        .with("name", Values::Strings(vec!["x".repeat(4 << 10); CHUNK_ROWS]));
    let evaluation = stage.plugins.evaluate(EVIL, "misbehave", r#"{"mode":"longest-name"}"#, 0, facts).await;
    assert_eq!(evaluation.unwrap().verdicts[0].message, "256");
}

#[tokio::test]
async fn parameters_are_tried_on_an_empty_table() {
    let stage = stage().await;
    let tried = async |mode| stage.plugins.try_parameters(EVIL, "misbehave", &json!({ "mode": mode })).await;
    assert_eq!(tried("behave").await, Ok(()));
    let error = tried("refuse").await.unwrap_err();
    assert!(matches!(error.blame, Blame::Guest(GuestFault::Answered { retryable: false, .. })), "{error:?}");
    assert!(error.to_string().contains("under this moon"), "{error}");
    assert!(matches!(tried("trap").await.unwrap_err().blame, Blame::Guest(GuestFault::Trap(_))));
    let gone = stage.plugins.try_parameters(EVIL, "gone", &json!({})).await.unwrap_err();
    assert!(matches!(gone.blame, Blame::Policy(Refusal::NoSuchRule(_))), "{gone:?}");
}

#[tokio::test]
async fn a_long_message_is_cut() {
    let stage = stage().await;
    let message = stage.misbehave("long-message").await.unwrap().verdicts.remove(0).message;
    assert!(message.len() <= 2_048 && message.ends_with('…'), "{}", message.len());
}

#[tokio::test]
async fn a_flood_of_log_lines_ends_the_call_well_and_keeps_little() {
    let stage = stage().await;
    assert!(stage.misbehave("log-flood").await.unwrap().verdicts.is_empty());
    stage.neighbour_answers().await;
}

#[tokio::test]
async fn an_orderly_no_is_passed_on_and_is_no_strike() {
    let stage = stage().await;
    for _ in 0..4 {
        let error = stage.misbehave("say-no").await.unwrap_err();
        assert!(error.to_string().contains("`no`: not today") && error.is_retryable(), "{error}");
    }
    assert!(stage.misbehave("behave").await.is_ok());
}

#[tokio::test]
async fn a_rule_reaches_no_server_and_no_secret() {
    let stage = stage().await;
    for mode in ["http", "secrets"] {
        let error = stage.misbehave(mode).await.unwrap_err();
        let expected = format!("`{mode}` is not for calls that must be pure functions");
        assert!(error.to_string().contains(&expected), "{error}");
    }
    assert!(stage.misbehave("behave").await.is_ok(), "an orderly no is no strike");
}

#[tokio::test]
async fn three_strikes_pause_it_and_a_good_probe_brings_it_back() {
    let stage = stage().await;
    for _ in 0..3 {
        assert!(stage.misbehave("trap").await.unwrap_err().is_guest());
    }
    let error = stage.misbehave("behave").await.unwrap_err();
    assert!(matches!(error.blame, Blame::Policy(Refusal::CircuitOpen(_))), "{error:?}");
    assert!(error.to_string().contains("paused"), "{error}");
    let shown = stage.status(EVIL).unwrap().state;
    assert!(matches!(shown, PluginState::CircuitOpen { failures: 3, .. }), "{shown:?}");
    stage.neighbour_answers().await;

    stage.clock.advance(1_000);
    stage.misbehave("behave").await.unwrap();
    assert!(stage.misbehave("trap").await.unwrap_err().is_guest());
    assert!(stage.misbehave("behave").await.is_err(), "a strike so soon after pauses it at once");
    stage.clock.advance(2_000);
    stage.misbehave("behave").await.unwrap();
}

#[tokio::test]
async fn a_crowd_before_one_plugin_is_told_that_it_is_busy() {
    let stage = stage().await;
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let plugins = stage.plugins.clone();
        crowd.spawn(async move {
            let facts = FactTable::new(0).with("first-seen", Values::Ints(Vec::new()));
            plugins.evaluate(EVIL, "misbehave", r#"{"mode":"spin"}"#, 0, facts).await.unwrap_err()
        });
    }
    let busy = async {
        let mut busy = 0;
        while busy == 0 {
            let error = crowd.join_next().await.expect("somebody is told").unwrap();
            busy += usize::from(matches!(error.blame, Blame::Policy(Refusal::Busy { .. })));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), busy).await.unwrap();
    crowd.abort_all();
    stage.neighbour_answers().await;
}
