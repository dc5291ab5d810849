//! Seeds, and the checker's own proof.
//!
//! `KEELSON_SEEDS` says how many seeds are played, `KEELSON_SEED` which one alone.

use super::Bug;
use super::script::{Played, play};

/// Seeds that are played each time.
const SEEDS: u64 = 30;
/// Seeds within which a bug is found.
const ENOUGH: u64 = 20;
/// The end of a story that failed.
const SHOWN: usize = 60;
/// The test of the seeds.
const REPLAY: &str = "agents::simulation::tests::whatever";
/// What the seeds bring about between them: a simulation in which nothing happens shows nothing.
const HAPPENS: &[&str] = &[
    "Partition(",
    "OneWay(\"host\"",
    "OneWay(\"agent",
    "Hold(",
    "Off(\"host\")",
    "Off(\"agent",
    "Away begins",
    "has a double",
    "out of turn",
    "begins epoch",
    ": collect",
    "noted false",
];

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

fn seeds() -> std::ops::Range<u64> {
    match number("KEELSON_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("KEELSON_SEEDS").unwrap_or(SEEDS),
    }
}

#[test]
fn whatever_a_seed_does_to_network_processes_and_stores_each_fact_and_each_command_counts_once() {
    let mut missing = HAPPENS.to_vec();
    for seed in seeds() {
        let Played { story, violations } = play(seed, None);
        let shown = if number("KEELSON_SEED").is_some() { 0 } else { story.len().saturating_sub(SHOWN) };
        assert!(
            violations.is_empty(),
            "{}\nseed {seed}: {violations:?}\nto see all of it again: KEELSON_SEED={seed} cargo test -p keelson --lib {REPLAY}",
            story[shown..].join("\n"),
        );
        missing.retain(|what| !story.iter().any(|line| line.contains(what)));
    }
    let are_few = seeds().count() < usize::try_from(SEEDS).unwrap();
    assert!(are_few || missing.is_empty(), "no seed brings about {missing:?}: there must be more of them");
}

#[test]
fn a_seed_tells_the_same_story_each_time() {
    for seed in 0..4 {
        let (first, second) = (play(seed, None).story, play(seed, None).story);
        let parted = first.iter().zip(&second).position(|(one, other)| one != other);
        assert_eq!(parted, None, "seed {seed}: {:?}", parted.map(|at| (&first[at], &second[at])));
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

/// The bug is found, and by the check that is for it.
fn is_found(bug: Bug, as_what: &str) {
    let found = (0..ENOUGH).find_map(|seed| play(seed, Some(bug)).violations.into_iter().next());
    let found = found.unwrap_or_else(|| panic!("{bug:?} is not found within {ENOUGH} seeds"));
    assert!(found.contains(as_what), "{bug:?} shows as: {found}");
}

/// Cases 13 and 14.
#[test]
fn a_host_that_answers_before_it_commits_is_found() {
    is_found(Bug::AnswersBeforeCommit, "was told that");
}

/// Case 38.
#[test]
fn a_host_that_ignores_epochs_is_found() {
    is_found(Bug::EpochsIgnored, "came Offset");
}

/// Case 38.
#[test]
fn a_host_that_counts_a_repeat_is_found() {
    is_found(Bug::RepeatsCount, "came Offset");
}

/// Case 39.
#[test]
fn a_host_that_keeps_what_a_new_epoch_does_not_mention_is_found() {
    is_found(Bug::NothingSwept, "too much");
}

/// Case 38.
#[test]
fn a_host_that_makes_agents_start_over_without_a_reason_is_found() {
    is_found(Bug::FollowersRefused, "without a reason");
}

/// Case 1.
#[test]
fn an_agent_whose_spool_forgets_when_the_connection_ends_is_found() {
    is_found(Bug::SpoolForgets, "does not come to rest: of agent");
}

/// Case 6.
#[test]
fn an_agent_that_does_a_command_again_is_found() {
    is_found(Bug::AnswersForgotten, "did command");
}
