//! `cargo xtask demo`: Keelson on this machine, with a real backup engine and a fleet to look at.
//!
//! Who acts: `keelson serve` on SQLite; one agent beside a restic repository that is made here, with one workload
//! whose only snapshot is old; simulated agents of other companies, and one of the provider's Cloud Connect server. Everything listens on loopback. The children die
//! with xtask: in reverse order on Ctrl-C, when one of them fails, and when xtask itself is killed.

mod client;
mod console;
mod place;
mod repository;
mod stack;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

use crate::guests;
use crate::library;
use crate::process::{self, Daemon};
use crate::setup::{self, Tool};
use crate::step;
use crate::test;
use crate::web;
use crate::workspace::Workspace;
use client::Client;
use console::Console;
use place::{Credentials, Doors, Place};
use repository::Repository;
use stack::Stack;

const ADMIN: &str = "admin";
/// The first has the restic repository, the others share the simulated fleet.
const COMPANIES: [&str; 3] = ["Harbour Dental", "Northgate Logistics", "Brightwater School"];
/// The provider's Cloud Connect server.
const SITE: &str = "site";
const SITE_TOKEN: &str = "site.token";
const START_PATIENCE: Duration = Duration::from_mins(1);
const ALARM_PATIENCE: Duration = Duration::from_mins(1);

/// Where the demo runs and how much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write what a script needs to this file once everything is up
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the data here and go on with it next time, instead of starting from nothing in .keelson/demo
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Port of the page and the API; 0 takes a free one
    #[arg(long, default_value_t = 1280)]
    port: u16,
    /// How many simulated backup servers
    #[arg(long, value_enum, default_value = "small")]
    fleet: Fleet,
}

/// Sizes of the simulated fleet.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Fleet {
    /// 5 servers
    Small,
    /// 200 servers
    Large,
}

impl Fleet {
    /// Servers of each company that has some, everything simulated.
    fn shares(self) -> [usize; 2] {
        match self {
            Self::Small => [3, 2],
            Self::Large => [100, 100],
        }
    }
}

/// What a person or a script needs to use the demo.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Card {
    url: String,
    user: String,
    password: String,
    api_key: String,
    ca_file: PathBuf,
    data: PathBuf,
    health: String,
    restic_repository: PathBuf,
    restic_password_file: PathBuf,
    stale_host: String,
    stale_path: PathBuf,
}

/// Starts everything, says how to use it and waits for Ctrl-C, which is the good end.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> anyhow::Result<()> {
    let mut stack = Stack::default();
    let outcome = prepare_and_watch(workspace, args, &mut stack);
    if !stack.is_empty() {
        step::say("\nstopping");
        stack.stop();
    }
    match outcome {
        Err(error) if error.is::<process::Interrupted>() => Ok(()),
        other => other,
    }
}

fn prepare_and_watch(workspace: &Workspace, args: &Args, stack: &mut Stack) -> anyhow::Result<()> {
    let doors = Doors::choose(args.port)?;
    let place = Place::open(workspace, args.data.as_deref())?;
    setup::ensure(&[Tool::Restic])?;
    let guests = guests::run(workspace, None)?;
    web::run(workspace)?;
    step::run("build", || test::build_programs(workspace, "dev"))?;
    let library = library::run(workspace, &workspace.binary("keelson"), &guests)?;
    let demo = Demo { workspace, place, doors, library };
    let card = demo.bring_up(args, stack)?;
    announce(&card);
    if let Some(file) = &args.json {
        let file = std::path::absolute(file).context("failed to read the current folder")?;
        let text = serde_json::to_vec_pretty(&card)?;
        // It holds a password.
        guests::replace(&file, &text, 0o600)
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    loop {
        process::check_interrupted()?;
        stack.check()?;
        process::pause(Duration::from_millis(200));
    }
}

/// The parts that the steps share.
struct Demo<'w> {
    workspace: &'w Workspace,
    place: Place,
    doors: Doors,
    library: PathBuf,
}

impl Demo<'_> {
    fn bring_up(&self, args: &Args, stack: &mut Stack) -> anyhow::Result<Card> {
        let client = step::run("host", || self.start_host(stack))?;
        let repository = Repository::new(self.place.folder());
        let first_time = self.place.credentials()?;
        match step::run("plugins", || self.console().enable_all_plugins()) {
            // A plugin that was built anew under its old version is refused where the old one is: that one goes on.
            Err(error) if first_time.is_some() => step::say(format_args!("  {error:#}")),
            outcome => outcome?,
        }
        let credentials = match &first_time {
            Some(known) => known.clone(),
            None => step::run("people, companies, repository", || self.populate(&repository, args.fleet))?,
        };
        step::run("agents", || self.start_agents(args.fleet, stack))?;
        let card = self.card(credentials, &client, &repository);
        if first_time.is_none() {
            step::run("alarm", || self.await_alarm(&card, &client, stack))?;
        }
        Ok(card)
    }

    fn start_host(&self, stack: &mut Stack) -> anyhow::Result<Client> {
        self.place.forget_last_run()?;
        self.place.write_settings(&self.doors, &self.library)?;
        let mut serve = Daemon::command(&self.workspace.binary("keelson"));
        serve.arg("serve").arg("--data").arg(self.place.folder());
        stack.start("keelson", serve, &self.place.log("keelson"))?;
        process::wait_for("the start of keelson", START_PATIENCE, || {
            stack.check()?;
            let Some(ca) = self.place.ca_file() else { return Ok(None) };
            let client = Client::new(&ca, self.doors.api, self.doors.health)?;
            Ok(client.is_ready().then_some(client))
        })
        .with_context(|| format!("see {}", self.place.log("keelson").display()))
    }

    fn populate(&self, repository: &Repository, fleet: Fleet) -> anyhow::Result<Credentials> {
        let console = self.console();
        let password = place::random_password()?;
        console.add_admin(ADMIN, &password)?;
        let api_key = console.add_api_key(ADMIN)?;
        repository.make()?;
        let [restic_company, simulated @ ..] = COMPANIES;
        let uid = console.add_company(restic_company)?;
        self.enrol_restic_agent(&console.join_token(&uid, 1)?, repository)?;
        for (company, servers) in simulated.iter().zip(fleet.shares()) {
            let uid = console.add_company(company)?;
            let token = console.join_token(&uid, servers)?;
            self.place.keep_secret(&fleet_token(company), &token)?;
        }
        self.place.keep_secret(SITE_TOKEN, &console.provider_token()?)?;
        let credentials = Credentials { password, api_key };
        self.place.remember(&credentials)?;
        Ok(credentials)
    }

    fn enrol_restic_agent(&self, token: &str, repository: &Repository) -> anyhow::Result<()> {
        let file = self.place.keep_secret("agent.token", token)?;
        let mut enroll = self.workspace.tool(self.workspace.binary("keelson-agent"));
        enroll
            .arg("enroll")
            .arg("--token-file")
            .arg(file)
            .arg("--data")
            .arg(self.place.folder().join("agent"));
        enroll.args(["--driver", "restic", "--server-name", "harbour-backup", "--restic-repo"]);
        enroll.arg(repository.folder()).arg("--restic-password-file").arg(repository.password_file());
        process::read(&mut enroll).map(drop)
    }

    fn start_agents(&self, fleet: Fleet, stack: &mut Stack) -> anyhow::Result<()> {
        let program = self.workspace.binary("keelson-agent");
        let mut agent = Daemon::command(&program);
        agent.arg("run").arg("--data").arg(self.place.folder().join("agent")).args(["--interval", "2"]);
        repository::clean_environment(&mut agent);
        stack.start("keelson-agent", agent, &self.place.log("agent"))?;
        let [_, simulated @ ..] = COMPANIES;
        for (seed, (company, servers)) in simulated.iter().zip(fleet.shares()).enumerate() {
            let mut simulation = Daemon::command(&program);
            simulation.args(["fleet", "--workloads", "8", "--servers", &servers.to_string()]);
            simulation.arg("--seed").arg((seed + 1).to_string());
            simulation.arg("--data").arg(self.place.folder().join(fleet_name(company)));
            simulation.arg("--token-file").arg(self.place.folder().join(fleet_token(company)));
            stack.start(
                &format!("the fleet of {company}"),
                simulation,
                &self.place.log(&fleet_name(company)),
            )?;
        }
        // A folder of a demo from before there was a site has no token for one.
        let token = self.place.folder().join(SITE_TOKEN);
        if token.exists() {
            let mut site = Daemon::command(&program);
            site.args(["fleet", "--servers", "0", "--seed", "9", "--site-token-file"]).arg(token);
            site.arg("--data").arg(self.place.folder().join(SITE));
            stack.start("the Cloud Connect site", site, &self.place.log(SITE))?;
        }
        Ok(())
    }

    fn await_alarm(&self, card: &Card, client: &Client, stack: &mut Stack) -> anyhow::Result<()> {
        let mut last = String::from("no answer yet");
        let outcome = process::wait_for(&format!("the alarm of {}", card.stale_host), ALARM_PATIENCE, || {
            stack.check()?;
            let found = client.active_alarms(&card.api_key).map(|alarms| {
                last = format!("{} active alarms, none of them its", alarms.len());
                alarms.iter().any(|alarm| alarm.to_string().contains(&card.stale_host))
            });
            Ok(found.unwrap_or_else(|error| {
                last = format!("{error:#}");
                false
            }))
            .map(|found| found.then_some(()))
        });
        outcome.with_context(|| {
            format!(
                "GET /api/v3/alarms/active: {last}. Look at {} (did it send facts?) and {} (did the rule run?)",
                self.place.log("agent").display(),
                self.place.log("keelson").display()
            )
        })
    }

    fn console(&self) -> Console<'_> {
        Console::new(self.workspace, self.place.folder())
    }

    fn card(&self, credentials: Credentials, client: &Client, repository: &Repository) -> Card {
        Card {
            url: client.url().to_owned(),
            user: ADMIN.to_owned(),
            password: credentials.password,
            api_key: credentials.api_key,
            ca_file: client.ca_file().to_path_buf(),
            data: self.place.folder().to_path_buf(),
            health: client.health().to_owned(),
            restic_repository: repository.folder().to_path_buf(),
            restic_password_file: repository.password_file().to_path_buf(),
            stale_host: repository::STALE.to_owned(),
            stale_path: repository.files_of(repository::STALE),
        }
    }
}

/// `fleet-brightwater-school`: its data, its log and, with an ending, its token.
fn fleet_name(company: &str) -> String {
    format!("fleet-{}", company.to_lowercase().replace(' ', "-"))
}

fn fleet_token(company: &str) -> String {
    format!("{}.token", fleet_name(company))
}

fn announce(card: &Card) {
    let Card { url, user, password, api_key, .. } = card;
    let ca = shown(&card.ca_file);
    step::say(format_args!(
        "\nKeelson is up; Ctrl-C stops everything.\n\n  page     {url}\n  login    {user} / {password}\n  API key  {api_key}\n  \
         CA       {ca}\n\n  curl --cacert {ca} -H 'Authorization: Bearer {api_key}' {url}/api/v3/alarms/active\n\n\
         For the calls that README shows:\n\n  export KEELSON={url} CA={ca} KEY={api_key}\n"
    ));
    step::say(format_args!(
        "{} has no fresh backup, and an alarm says so. This resolves it:\n\n  restic -r {} --password-file {} backup --host {} {}\n",
        card.stale_host,
        shown(&card.restic_repository),
        shown(&card.restic_password_file),
        card.stale_host,
        shown(&card.stale_path),
    ));
}

/// A path as one word for a shell.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.chars().all(|letter| letter.is_alphanumeric() || "/._-".contains(letter));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_stays_one_word() {
        assert_eq!(shown(Path::new("/a/b-c.d")), "/a/b-c.d");
        assert_eq!(shown(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn the_fleet_has_the_size_its_name_promises() {
        assert_eq!(Fleet::Small.shares().iter().sum::<usize>(), 5);
        assert_eq!(Fleet::Large.shares().iter().sum::<usize>(), 200);
    }
}
