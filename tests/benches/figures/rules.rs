//! 100,000 workloads through "Computer without backup": in the sandbox with deadlines on, natively, and as a CEL expression.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use keelson::clock::{HOUR, SystemClock};
use keelson::plugins::{CHUNK_ROWS, FactTable, PluginOptions, Plugins, Values};
use keelson_alert_rules::computer_without_backup;
use keelson_tests::process::packages;

use crate::figure::{Better, Figure, Goal, nanoseconds_each};

const ROWS: usize = 100_000;
const ROUNDS: usize = 15;
const NOW: i64 = 1_795_000_000_000;
const RPO_HOURS: i64 = 24;
const PLUGIN: &str = "keelson.alert-rules";
const RULE: &str = "computer-without-backup";

/// One workload in fifty is late.
fn facts() -> (Vec<i64>, Vec<i64>) {
    let newest = |row: usize| {
        let hours = if row.is_multiple_of(50) { 60 } else { (row % 23) as i64 };
        NOW - hours * HOUR - row as i64
    };
    ((0..ROWS).map(newest).collect(), vec![NOW - 1000 * HOUR; ROWS])
}

fn tables(newest: &[i64], first_seen: &[i64]) -> Vec<FactTable> {
    let chunks = newest.chunks(CHUNK_ROWS).zip(first_seen.chunks(CHUNK_ROWS));
    let table = |(newest, first_seen): (&[i64], &[i64])| {
        FactTable::new(newest.len())
            .with("newest-restore-point", Values::Ints(newest.to_vec()))
            .with("first-seen", Values::Ints(first_seen.to_vec()))
    };
    chunks.map(table).collect()
}

pub(crate) async fn run() -> Vec<Figure> {
    let options = PluginOptions { folder: Some(packages()), ..PluginOptions::default() };
    let plugins = Plugins::start(options, Arc::new(SystemClock)).await.expect("the plugins start");
    let (newest, first_seen) = facts();
    let (mut native, mut cel) = (Vec::new(), Vec::new());
    // The first round warms up.
    for round in 0..=ROUNDS {
        let ours = in_the_sandbox(&plugins, &newest, &first_seen).await;
        let natively = natively(&newest, &first_seen);
        let as_cel = as_cel(&newest);
        if round > 0 {
            native.push((ours, natively));
            cel.push((as_cel, ours));
        }
    }
    plugins.stop().await;
    let natively =
        Goal { unit: "ns/row", peer: "the same function, native", bound: 4.0, better: Better::Lower };
    let as_cel = Goal {
        unit: "ns/row",
        peer: "ours; the value is the cel crate's",
        bound: 50.0,
        better: Better::Higher,
    };
    vec![
        Figure::new("rules.columns.100k", &native, natively),
        Figure::new("rules.columns.100k.cel", &cel, as_cel),
    ]
}

async fn in_the_sandbox(plugins: &Plugins, newest: &[i64], first_seen: &[i64]) -> f64 {
    let tables = tables(newest, first_seen);
    let begun = Instant::now();
    let mut late = 0;
    for table in tables {
        let evaluation =
            plugins.evaluate(PLUGIN, RULE, r#"{"rpoHours":24}"#, NOW, table).await.expect("verdicts");
        late += evaluation.verdicts.len();
    }
    let time = begun.elapsed();
    assert_eq!(late, ROWS / 50);
    nanoseconds_each(time, ROWS)
}

fn natively(newest: &[i64], first_seen: &[i64]) -> f64 {
    let begun = Instant::now();
    let mut late = 0;
    for (newest, first_seen) in newest.chunks(CHUNK_ROWS).zip(first_seen.chunks(CHUNK_ROWS)) {
        let verdicts =
            computer_without_backup::judge(NOW, RPO_HOURS, black_box(newest), black_box(first_seen));
        late += black_box(verdicts).len();
    }
    let time = begun.elapsed();
    assert_eq!(late, ROWS / 50);
    nanoseconds_each(time, ROWS)
}

/// A tenth of the rows is enough to know: it is the slowest by far.
fn as_cel(newest: &[i64]) -> f64 {
    let program = cel::Program::compile("now - newest > rpo * 3600000").expect("a program");
    let mut context = cel::Context::default();
    context.add_variable_from_value("now", NOW);
    context.add_variable_from_value("rpo", RPO_HOURS);
    let rows = ROWS / 10;
    let begun = Instant::now();
    let mut late = 0;
    for newest in newest.iter().take(rows) {
        context.add_variable_from_value("newest", *newest);
        late += usize::from(program.execute(&context).expect("a verdict") == cel::Value::Bool(true));
    }
    let time = begun.elapsed();
    assert_eq!(late, rows / 50);
    nanoseconds_each(time, rows)
}
