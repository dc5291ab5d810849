//! One figure and its peer.

use std::time::Duration;

use serde::Serialize;

/// What better means.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    Lower,
    Higher,
}

/// One line of the report.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    bench: String,
    value: f64,
    unit: &'static str,
    peer: &'static str,
    peer_value: f64,
    /// Median of the rounds' own ratios, value ÷ peer.
    ratio: f64,
    /// The smallest and the largest of them.
    spread: [f64; 2],
    goal: f64,
    better: Better,
    holds: bool,
    /// Where the slowest hundredth counts: ours and the peer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<[f64; 2]>,
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    pub(crate) unit: &'static str,
    pub(crate) peer: &'static str,
    pub(crate) bound: f64,
    pub(crate) better: Better,
}

impl Figure {
    /// From rounds of (ours, peer's), each in the goal's unit.
    pub(crate) fn new(bench: &str, rounds: &[(f64, f64)], goal: Goal) -> Self {
        let ratios: Vec<f64> = rounds.iter().map(|(ours, peer)| ours / peer).collect();
        let ratio = median(&ratios);
        let holds = match goal.better {
            Better::Lower => ratio <= goal.bound,
            Better::Higher => ratio >= goal.bound,
        };
        let smallest = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let largest = ratios.iter().copied().fold(0.0, f64::max);
        Self {
            bench: bench.to_owned(),
            value: rounded(median(&rounds.iter().map(|(ours, _)| *ours).collect::<Vec<_>>())),
            unit: goal.unit,
            peer: goal.peer,
            peer_value: rounded(median(&rounds.iter().map(|(_, peer)| *peer).collect::<Vec<_>>())),
            ratio: rounded(ratio),
            spread: [rounded(smallest), rounded(largest)],
            goal: goal.bound,
            better: goal.better,
            holds,
            p99: None,
        }
    }

    /// The same, held to a bound of its own instead of its peer's multiple.
    pub(crate) fn within(mut self, bound: f64) -> Self {
        self.goal = bound;
        self.holds = self.value <= bound;
        self
    }

    /// The same with the slowest hundredth of the rounds.
    pub(crate) fn with_p99(mut self, rounds: &[(f64, f64)]) -> Self {
        let slowest = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            rounded(values[(values.len() * 99).div_ceil(100) - 1])
        };
        let ours = slowest(rounds.iter().map(|(ours, _)| *ours).collect());
        self.p99 = Some([ours, slowest(rounds.iter().map(|(_, peer)| *peer).collect())]);
        self
    }
}

/// Nanoseconds for each of `number` things.
pub(crate) fn nanoseconds_each(time: Duration, number: usize) -> f64 {
    time.as_secs_f64() * 1e9 / number as f64
}

/// How many of `number` things in a second.
pub(crate) fn per_second(time: Duration, number: usize) -> f64 {
    number as f64 / time.as_secs_f64()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn rounded(value: f64) -> f64 {
    let scale = if value.abs() < 10.0 { 1000.0 } else { 10.0 };
    (value * scale).round() / scale
}
