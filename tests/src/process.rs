//! Programs of the project, run as they are run by people.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The host's program.
pub fn keelson() -> PathBuf {
    built("KEELSON_BIN", "keelson")
}

/// The agent's program.
pub fn keelson_agent() -> PathBuf {
    built("KEELSON_AGENT_BIN", "keelson-agent")
}

/// The folder with the shipped plugins' packages.
pub fn packages() -> PathBuf {
    let folder = guests().join("packages");
    assert!(folder.is_dir(), "{} is missing; make it with: cargo xtask guests", folder.display());
    folder
}

/// The folder that `cargo xtask guests` writes.
pub fn guests() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/dist");
    std::env::var_os("KEELSON_GUESTS").map_or_else(default, PathBuf::from)
}

fn built(variable: &str, name: &str) -> PathBuf {
    let beside_this_test = || {
        let test = std::env::current_exe().expect("this test's program");
        test.ancestors().nth(2).expect("the target folder").join(name)
    };
    let program = std::env::var_os(variable).map_or_else(beside_this_test, PathBuf::from);
    assert!(program.is_file(), "{} is not built; run: cargo build --workspace", program.display());
    program
}

/// Runs a program to its end; panics with what it printed unless it succeeds.
pub fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {stderr}");
    output
}

/// The same; its standard output without the last line break.
pub fn answer(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).expect("text").trim_end().to_owned()
}

/// A line of a process's status in MiB: `VmRSS:`, what it takes now; `VmHWM:`, the most it took.
pub fn memory(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let text = status.lines().find_map(|text| text.strip_prefix(line)).expect("a line of the status");
    let kib: f64 = text.trim().trim_end_matches(" kB").parse().expect("a number");
    kib / 1024.0
}
