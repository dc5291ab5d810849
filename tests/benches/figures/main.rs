//! The figures: each one beside its peer, measured in the same run. `cargo xtask bench [NAME…] [--json FILE]`.
//!
//! Medians of several rounds, the two sides in turn, so that a machine that slows down slows both. A figure never fails a
//! build: it is read, not asserted.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark ends with the reason when it cannot measure, and its numbers are small"
)]

use std::io::Write;

mod agents;
mod figure;
mod ingest;
mod lists;
mod plugins;
mod rules;

use figure::Figure;

fn main() {
    tracing_subscriber::fmt().with_env_filter("warn").with_writer(std::io::stderr).init();
    // `cargo bench` adds `--bench`; the rest is ours.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut names, mut json) = (Vec::new(), None);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => json = arguments.next(),
            _ => names.push(argument),
        }
    }
    let mut file = json.map(|path| {
        std::fs::OpenOptions::new().create(true).append(true).open(path).expect("a file to append to")
    });
    // Each group is written when it is done: what is measured stays measured, whatever comes after.
    let mut report = |figures: Vec<Figure>| {
        for figure in &figures {
            let line = serde_json::to_string(figure).expect("JSON");
            writeln!(std::io::stdout(), "{line}").expect("standard output");
            if let Some(file) = &mut file {
                writeln!(file, "{line}").expect("a file");
            }
        }
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // The peer of agents' connections is a process of its own, as its memory is measured.
    if let [echo, folder, client_ca] = names.as_slice()
        && echo == agents::ECHO
    {
        return runtime.block_on(agents::echo(folder.as_ref(), client_ca.as_ref()));
    }
    let wanted = Wanted(names);
    if wanted.any_of("agents") {
        report(runtime.block_on(agents::run(&wanted)));
    }
    if wanted.any_of("rules") {
        report(runtime.block_on(rules::run()));
    }
    if wanted.any_of("plugins") {
        report(runtime.block_on(plugins::run()));
    }
    // What agents say is part of what they cost.
    if wanted.any_of("ingest") || wanted.is("agents") {
        report(runtime.block_on(ingest::run(&wanted)));
    }
    if wanted.any_of("lists") {
        report(runtime.block_on(lists::run()));
    }
}

/// What the command line names: beginnings of benchmarks' names; all of them, if none.
struct Wanted(Vec<String>);

impl Wanted {
    /// Whether one benchmark is to run.
    fn is(&self, bench: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| name == "skeleton" || bench.starts_with(name.as_str()))
    }

    /// Whether one of a group is.
    fn any_of(&self, group: &str) -> bool {
        let inside = |name: &String| name.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'));
        self.is(group) || self.0.iter().any(inside)
    }
}
