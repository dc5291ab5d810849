//! Running programs so that Ctrl-C, a panic and a failing step leave nothing behind.
//!
//! Signals only set a flag; everything that waits looks at it. A [`Daemon`] runs in a process group of its own, so
//! that Ctrl-C in a terminal reaches xtask alone and xtask decides the order in which they stop.

use std::fmt;
use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::workspace::on_path;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

const TICK: Duration = Duration::from_millis(20);
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// Somebody asked xtask to stop: not a failure, but the way out of every wait.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// From here on Ctrl-C and SIGTERM ask; a second one ends xtask at once.
pub(crate) fn listen_for_signals() -> anyhow::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&INTERRUPTED))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED)))
            .context("failed to listen for signals")?;
    }
    Ok(())
}

/// Fails with [`Interrupted`] once somebody asked xtask to stop.
pub(crate) fn check_interrupted() -> anyhow::Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) { Err(Interrupted.into()) } else { Ok(()) }
}

/// Lets a moment pass between two looks at a condition.
#[expect(clippy::disallowed_methods, reason = "xtask has no async runtime whose worker could be blocked")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Runs a program to its end, with our own input and output; SIGTERM is passed on.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let mut child = command.spawn().with_context(|| format!("failed to start {}", describe(command)))?;
    let status = wait(&mut child)?;
    check_interrupted()?;
    if !status.success() {
        bail!("{} ended with {}", describe(command), outcome(status));
    }
    Ok(())
}

/// Runs a program to its end and returns what it printed; its standard error goes into the failure.
pub(crate) fn read(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("failed to start {}", describe(command)))?;
    check_interrupted()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {}", describe(command), outcome(output.status), why.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} did not print text", describe(command)))
}

/// Runs a quiet program that may hang; `false` when it failed or did not end in time.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration) -> anyhow::Result<bool> {
    let Ok(mut child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    else {
        return Ok(false);
    };
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > deadline || check_interrupted().is_err() {
            child.kill().context("failed to end a program that took too long")?;
            child.wait()?;
            check_interrupted()?;
            return Ok(false);
        }
        pause(TICK);
    }
}

/// Waits until `look` finds something; fails when `limit` is over, naming what was awaited.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        check_interrupted()?;
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > deadline {
            bail!("{what} did not happen within {} s", limit.as_secs());
        }
        pause(TICK * 5);
    }
}

fn wait(child: &mut Child) -> anyhow::Result<ExitStatus> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if !told && check_interrupted().is_err() {
            told = true;
            signal("TERM", child.id().into());
        }
        pause(TICK);
    }
}

/// Signals a process, or a group by its negative number; `false` where it is gone already, which is as good.
///
/// By the shell's built-in: the standard library only kills, and a crate for it changes features of crates below
/// wasmtime, so that `cargo build --workspace` and `cargo build -p keelson` would each build wasmtime anew.
fn signal(signal: &str, id: i64) -> bool {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill -s \"$0\" -- \"$1\"", signal, &id.to_string()]);
    // A group of its own, so that Ctrl-C does not end the messenger.
    shell.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.status().is_ok_and(|status| status.success())
}

/// Whether xtask runs as root.
pub(crate) fn is_root() -> bool {
    read(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let text: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", text.join(" "))
}

fn outcome(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    }
}

/// A program that runs beside xtask until it is stopped or dropped. Its output goes to a log file.
#[derive(Debug)]
pub(crate) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
    stop_signal: &'static str,
    running: bool,
}

impl Daemon {
    /// A command for [`Daemon::spawn`]. Where `setpriv` is there (it belongs to every Debian), the kernel ends the
    /// program even when xtask itself is killed hard.
    pub(crate) fn command(program: &Path) -> Command {
        let Some(setpriv) = on_path("setpriv").filter(|_| cfg!(target_os = "linux")) else {
            return Command::new(program);
        };
        let mut command = Command::new(setpriv);
        command.args(["--pdeathsig", "TERM", "--"]).arg(program);
        command
    }

    /// Starts a program; `stop_signal` is what asks it to end.
    pub(crate) fn spawn(
        name: &str,
        command: &mut Command,
        log: PathBuf,
        stop_signal: &'static str,
    ) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(&log);
        let file = file.with_context(|| format!("failed to write {}", log.display()))?;
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("failed to start {}", describe(command)))?;
        Ok(Self { name: name.to_owned(), child, log, stop_signal, running: true })
    }

    /// Fails, with the last lines of its log, when the program has ended by itself.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        self.running = false;
        bail!(
            "{} ended with {}; the last lines of {}:\n{}",
            self.name,
            outcome(status),
            self.log.display(),
            self.tail()
        );
    }

    fn tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(20)..).unwrap_or_default();
        last.join("\n")
    }

    /// Asks the program to end, waits, and ends it when it does not listen.
    pub(crate) fn stop(&mut self) {
        if !std::mem::take(&mut self.running) {
            return;
        }
        signal(self.stop_signal, self.child.id().into());
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            pause(TICK);
        }
        // The whole group, with whatever the program started itself; no group is left where it ended just now.
        if signal("KILL", -i64::from(self.child.id())) {
            drop(self.child.wait());
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn daemon(script: &str, folder: &Path) -> Daemon {
        let mut command = Daemon::command(Path::new("/bin/sh"));
        command.args(["-c", script]);
        Daemon::spawn("the test's program", &mut command, folder.join("log"), "TERM").unwrap()
    }

    #[test]
    fn a_dropped_daemon_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let daemon = daemon("exec sleep 600", folder.path());
        let id = daemon.child.id().into();
        assert!(signal("0", id));
        drop(daemon);
        assert!(!signal("0", id));
    }

    #[test]
    fn a_daemon_that_died_is_named_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut daemon = daemon("echo the database is locked; exit 3", folder.path());
        let error = wait_for("the end", Duration::from_secs(10), || Ok(daemon.check().err())).unwrap();
        let text = error.to_string();
        assert!(text.contains("the test's program ended with exit code 3"), "{text}");
        assert!(text.contains("the database is locked"), "{text}");
    }

    #[test]
    fn a_program_that_hangs_counts_as_failed() {
        let mut command = Command::new("/bin/sleep");
        assert!(!succeeds_within(command.arg("600"), Duration::from_millis(50)).unwrap());
    }

    #[test]
    fn a_failed_program_is_named_with_its_exit_code_and_complaint() {
        let error = read(Command::new("/bin/sh").args(["-c", "echo no room >&2; exit 7"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("exit code 7") && text.contains("no room"), "{text}");
    }
}
