//! The programs that the demo started, stopped in reverse order.

use std::path::Path;
use std::process::Command;

use crate::process::Daemon;

/// Children, the first started at the bottom.
#[derive(Debug, Default)]
pub(super) struct Stack(Vec<Daemon>);

impl Stack {
    /// Starts a program, made by [`Daemon::command`], on top of the others.
    pub(super) fn start(&mut self, name: &str, mut command: Command, log: &Path) -> anyhow::Result<()> {
        self.0.push(Daemon::spawn(name, &mut command, log.to_path_buf(), "TERM")?);
        Ok(())
    }

    /// Fails when one of them has ended by itself.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        self.0.iter_mut().try_for_each(Daemon::check)
    }

    /// Stops all of them, the last started first.
    pub(super) fn stop(&mut self) {
        while let Some(mut daemon) = self.0.pop() {
            daemon.stop();
        }
    }

    /// Whether nothing was started.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::process::wait_for;

    #[test]
    fn the_last_started_stops_first() {
        let folder = tempfile::tempdir().unwrap();
        let order = folder.path().join("order");
        let mut stack = Stack::default();
        for name in ["host", "agent"] {
            let ready = folder.path().join(name);
            let script = format!(
                "trap 'echo {name} >> {}; exit 0' TERM; touch {}; while :; do sleep 0.05; done",
                order.display(),
                ready.display()
            );
            let mut command = Daemon::command(Path::new("/bin/sh"));
            command.args(["-c", &script]);
            stack.start(name, command, &folder.path().join("log")).unwrap();
            wait_for("the trap", Duration::from_secs(10), || Ok(ready.exists().then_some(()))).unwrap();
        }
        stack.stop();
        assert!(stack.is_empty());
        assert_eq!(fs::read_to_string(&order).unwrap(), "agent\nhost\n");
    }
}
