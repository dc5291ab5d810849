//! What the demo asks of the host's command line.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::process;
use crate::workspace::Workspace;

/// `keelson …` on one data folder.
pub(super) struct Console<'d> {
    workspace: &'d Workspace,
    data: &'d Path,
}

impl<'d> Console<'d> {
    /// For the data in this folder; the host may be running on it.
    pub(super) fn new(workspace: &'d Workspace, data: &'d Path) -> Self {
        Self { workspace, data }
    }

    /// Makes a portal administrator. The password goes in by standard input, where no process list shows it.
    pub(super) fn add_admin(&self, name: &str, password: &str) -> anyhow::Result<()> {
        let mut command = self.command(&[
            "user",
            "add",
            "--name",
            name,
            "--role",
            "PortalAdministrator",
            "--password-stdin",
        ]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(password.as_bytes()).context("keelson did not read the password")?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("`keelson user add` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    /// Makes an API key, shown this once.
    pub(super) fn add_api_key(&self, user: &str) -> anyhow::Result<String> {
        self.word(&["apikey", "add", "--user", user, "--description", "cargo xtask demo"])
    }

    /// Makes a company; returns its uid.
    pub(super) fn add_company(&self, name: &str) -> anyhow::Result<String> {
        self.word(&["company", "add", "--name", name])
    }

    /// A token that lets `uses` agents of a company join.
    pub(super) fn join_token(&self, company: &str, uses: usize) -> anyhow::Result<String> {
        self.word(&["agent", "token", "--company", company, "--uses", &uses.to_string()])
    }

    /// A token that lets one agent of the provider's own join, within the provider's network.
    pub(super) fn provider_token(&self) -> anyhow::Result<String> {
        self.word(&["agent", "token", "--provider", "--door", "hosted", "--uses", "1"])
    }

    /// Installs and enables everything that the shipped library has, as an administrator would.
    pub(super) fn enable_all_plugins(&self) -> anyhow::Result<()> {
        let found = process::read(&mut self.command(&["plugin", "search", "--json"]))?;
        let found: serde_json::Value =
            serde_json::from_str(&found).context("`keelson plugin search` printed no JSON")?;
        for one in found.get("found").and_then(serde_json::Value::as_array).into_iter().flatten() {
            let id = one
                .pointer("/plugin/id")
                .and_then(serde_json::Value::as_str)
                .context("a plugin without an id")?;
            process::read(&mut self.command(&["plugin", "install", id, "--enable", "--approve"]))?;
        }
        Ok(())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.workspace.tool(self.workspace.binary("keelson"));
        command.args(args).arg("--data").arg(self.data);
        command
    }

    fn word(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = process::read(&mut self.command(args))?;
        single_word(&output)
            .with_context(|| format!("`keelson {}` printed {output:?}, not one word", args.join(" ")))
    }
}

fn single_word(output: &str) -> Option<String> {
    let mut words = output.split_whitespace();
    words.next().filter(|_| words.next().is_none()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_word_or_none_at_all() {
        assert_eq!(single_word("kj1.abc\n").as_deref(), Some("kj1.abc"));
        assert_eq!(single_word(""), None);
        assert_eq!(single_word("warning: x\nkj1.abc\n"), None);
    }
}
