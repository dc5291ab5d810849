//! Chromium, driven by the scripts in `web/e2e`. A script reports each step that it reached, one JSON object a line, so a
//! test can act on the host between two steps while the same page stays open. With `E2E_SCREENSHOTS=FOLDER` in the
//! environment every step leaves a picture there.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// How long one step of a script may take; its own waits are shorter, so that it can say what it waited for.
const STEP: Duration = Duration::from_secs(150);
const STEP_IN_SCRIPT: &str = "120";

/// What every script needs to know of the host.
#[derive(Debug)]
pub(crate) struct Host<'a> {
    /// `https://localhost:1280`
    pub(crate) url: &'a str,
    /// The host's own CA; the browser trusts nothing else of it.
    pub(crate) ca_file: &'a Path,
    /// A user of the host.
    pub(crate) user: &'a str,
    /// And their password.
    pub(crate) password: &'a str,
}

/// A script that runs.
#[derive(Debug)]
pub(crate) struct Browser {
    child: Child,
    steps: Lines<BufReader<ChildStdout>>,
    /// The browser's profile is in here: a script that is killed cannot tidy up after itself.
    _scratch: TempDir,
}

impl Browser {
    /// `alarms.mjs`: signs in, waits for the company, for the alarm, for the alarm to go.
    pub(crate) fn watch_alarm(host: &Host<'_>, company: &str, alarm: &str) -> Result<Self> {
        Self::start(script("alarms.mjs", host)?.env("E2E_COMPANY", company).env("E2E_ALARM", alarm))
    }

    fn start(command: &mut Command) -> Result<Self> {
        let scratch = tempfile::tempdir().context("make a folder for the browser's profile")?;
        let mut child = command
            .env("TMPDIR", scratch.path())
            .spawn()
            .context("start node; it is needed for the browser tests")?;
        let output = child.stdout.take().context("take the script's output")?;
        Ok(Self { child, steps: BufReader::new(output).lines(), _scratch: scratch })
    }

    /// Waits until the script has reached this step; what it says on failure is the error.
    pub(crate) async fn reach(&mut self, step: &str) -> Result<()> {
        let waited = timeout(STEP, self.read_until(step)).await;
        waited.with_context(|| format!("the browser did not reach {step:?} within {} s", STEP.as_secs()))?
    }

    async fn read_until(&mut self, step: &str) -> Result<()> {
        while let Some(line) = self.steps.next_line().await? {
            let report: Value =
                serde_json::from_str(&line).with_context(|| format!("the script wrote {line:?}"))?;
            match report.get("step").and_then(Value::as_str) {
                Some(reached) if reached == step => return Ok(()),
                Some("failed") => bail!("on the way to {step:?} the browser failed: {report}"),
                _ => {}
            }
        }
        let mut complaint = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut complaint).await?;
        }
        bail!("the script ended before {step:?}: {complaint}")
    }

    /// Lets the script run to its end, where it also checks that the page was loaded just once and broke no rule.
    pub(crate) async fn finish(mut self) -> Result<()> {
        self.reach("done").await?;
        let status = timeout(STEP, self.child.wait()).await.context("wait for the browser to close")??;
        if !status.success() {
            bail!("the script ended with {status}");
        }
        Ok(())
    }
}

fn script(name: &str, host: &Host<'_>) -> Result<Command> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web");
    let driver = web.join("node_modules/playwright-core");
    if !driver.is_dir() {
        bail!("the browser driver is not installed: run `npm ci` in web/, or `cargo xtask test`");
    }
    let script: PathBuf = web.join("e2e").join(name);
    let mut command = Command::new("node");
    command
        .arg(script)
        .env("E2E_URL", host.url)
        .env("E2E_CA_FILE", host.ca_file)
        .env("E2E_USER", host.user)
        .env("E2E_PASSWORD", host.password)
        .env("E2E_TIMEOUT_SECONDS", STEP_IN_SCRIPT)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if let Some(browser) = std::env::var_os("CHROMIUM_BIN") {
        command.env("E2E_CHROMIUM", browser);
    }
    Ok(command)
}

#[cfg(test)]
mod tests {
    use keelson_tests::process::packages;
    use keelson_tests::{Agent, HostProcess, Repository, TestDatabase};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_alarm_comes_and_goes_while_the_page_stays_open() {
        let host = HostProcess::start(TestDatabase::sqlite(), Some(packages())).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let password = host.command(&["user", "add", "--name", "baker", "--role", "PortalAdministrator"]);
        let repository = Repository::create();
        repository.back_up("oven", 72);
        let mut agent = Agent::enroll(&host.command(&["agent", "token", "--company", "Bakery"]), &repository);
        agent.start();

        let addresses = host.addresses();
        let url = format!("https://localhost:{}/", addresses.api.port());
        let console = Host { url: &url, ca_file: &addresses.ca_file, user: "baker", password: &password };
        let mut browser = Browser::watch_alarm(&console, "Bakery", "oven").unwrap();
        browser.reach("alarm-seen").await.unwrap();
        repository.back_up("oven", 0);
        browser.reach("alarm-gone").await.unwrap();
        browser.finish().await.unwrap();
    }

    #[tokio::test]
    async fn a_browser_that_finds_no_host_says_so() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("https://127.0.0.1:{port}");
        let ca_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let host = Host { url: &url, ca_file: &ca_file, user: "nobody", password: "nothing" };
        let mut browser = Browser::watch_alarm(&host, "Anyone", "anything").unwrap();
        let error = browser.reach("signed-in").await.unwrap_err();
        assert!(error.to_string().contains("ECONNREFUSED"), "{error:#}");
    }
}
