//! Builds the parts and hands them to each other; the only file that knows all of them.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agents::{self, AgentAccess, Gateway, GatewayOptions, Listener};
use crate::alarms::Engine;
use crate::api::{self, ApiOptions, ApiState};
use crate::clock::{Clock, SharedClock, SystemClock};
use crate::config::Config;
use crate::mail::MailOptions;
use crate::model::world::time_zones;
use crate::model::{Door, HostCertificate};
use crate::pki::Pki;
use crate::plugins::{PluginOptions, Plugins, Services};
use crate::seal::Seal;
use crate::store::{self, Store};

/// Held by the host that runs on a data folder.
const LOCK: &str = "lock";
/// Names the installation whose database belongs to a data folder.
const MARK: &str = "installation";
/// A command that looks whether a host runs holds the lock for a moment.
const LOCK_ATTEMPTS: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Where a running host can be reached: `run.json` in the data folder, for the command line and for scripts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFile {
    /// Of the process.
    pub pid: u32,
    /// REST and console.
    pub api: SocketAddr,
    /// Agents in tenants' networks.
    pub agents_remote: SocketAddr,
    /// Agents in the provider's network.
    pub agents_hosted: SocketAddr,
    /// Health.
    pub health: SocketAddr,
    /// The name under which agents and browsers reach it.
    pub advertise: String,
    /// SHA-256 of the CA's public key.
    pub ca_fingerprint: String,
    /// The CA's certificate, for scripts to trust.
    pub ca_file: PathBuf,
}

impl RunFile {
    /// Of the host that runs, or ran last, on this data folder.
    pub fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(data.join("run.json")).ok()?).ok()
    }

    fn write(&self, data: &Path) -> anyhow::Result<()> {
        let (draft, path) = (data.join("run.json.new"), data.join("run.json"));
        std::fs::write(&draft, serde_json::to_vec_pretty(self)?).context("cannot write run.json")?;
        std::fs::rename(&draft, &path).context("cannot write run.json")
    }
}

/// A host that runs.
#[derive(Debug)]
pub struct App {
    /// Where.
    pub addresses: RunFile,
    data: PathBuf,
    store: Store,
    gateway: Gateway,
    agents: AgentAccess,
    plugins: Plugins,
    tasks: TaskTracker,
    stopping: CancellationToken,
    /// Held while the host runs: two of them on one folder would share one set of keys and one `run.json`.
    _lock: File,
}

/// The ports, open.
struct Listeners {
    api: Listener,
    remote: Listener,
    hosted: Listener,
    health: Listener,
}

impl App {
    /// Starts a host on a data folder with the machine's clock.
    pub async fn start(data: &Path, config: &Config) -> anyhow::Result<Self> {
        Self::start_at(data, config, Arc::new(SystemClock)).await
    }

    /// Starts a host with any clock.
    pub async fn start_at(data: &Path, config: &Config, clock: SharedClock) -> anyhow::Result<Self> {
        make_data_folder(data)?;
        let lock = lock(data).await?;
        let pki = Arc::new(Pki::open(data, &*clock)?);
        let url = config.database(data);
        not_lost(data, &url).await?;
        let store = Store::open(&url).await?;
        store.limit_reads(Duration::from_secs(u64::from(config.longest_read_seconds)));
        let installation = ensure_installation(&store, &clock).await?;
        claim(data, &installation)?;
        let seal = Seal::open(data)?;
        let services = Services { store: store.clone(), seal: seal.clone() };
        let plugin_options = PluginOptions {
            folder: config.plugins(data),
            library: config.library(),
            developer: config.unsigned_plugins,
            services: Some(services),
        };
        let plugins = Plugins::start(plugin_options, Arc::clone(&clock)).await?;
        let listeners = bind(config)?;
        let names = names(config);
        let changed = Arc::new(Notify::new());

        let options = GatewayOptions { heartbeat: config.heartbeat() };
        let gateway = Gateway::new(
            store.clone(),
            Arc::clone(&pki),
            Arc::clone(&clock),
            seal.clone(),
            (options, installation.incarnation),
            Arc::clone(&changed),
        )
        .await?;
        let addresses = addresses(&listeners, &pki, config)?;
        let (tasks, stopping) = (TaskTracker::new(), CancellationToken::new());
        let agents_tls = pki.agents_tls(&names, &*clock)?;
        gateway.open(Door::Remote, listeners.remote, Arc::clone(&agents_tls));
        gateway.open(Door::Hosted, listeners.hosted, agents_tls);

        let engine = Engine::new(store.clone(), plugins.clone(), Arc::clone(&clock), Arc::clone(&changed));
        tasks.spawn(engine.run(stopping.clone()));
        tasks.spawn(plugins.clone().work(stopping.clone()));
        tasks.spawn(agents::outbox::keep(store.clone(), Arc::clone(&clock), stopping.clone()));
        let mut options = ApiOptions::new(config, seal);
        let agents = access(&gateway, &addresses);
        options.agents = agents.clone();
        options.address = api::address(config, addresses.api.port());
        options.mail = MailOptions::of(config)?;
        note_what_is_shown(&store, &pki, &options.address, &names, &*clock).await?;
        let state = ApiState::new(store.clone(), plugins.clone(), Arc::clone(&clock), installation, options);
        tasks.spawn(state.mailer().clone().run(stopping.clone()));
        tasks.spawn(api::serve_health(listeners.health, state.clone(), stopping.clone()));
        tasks.spawn(api::serve(listeners.api, pki.api_tls(&names, &*clock)?, state, stopping.clone()));
        addresses.write(data)?;
        let data = data.to_owned();
        Ok(Self { addresses, data, store, gateway, agents, plugins, tasks, stopping, _lock: lock })
    }

    /// Its database.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Its agents.
    pub(crate) fn agents(&self) -> &AgentAccess {
        &self.agents
    }

    /// Its plugins.
    pub(crate) fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    /// Lets go of callers and agents, and waits for what is under way.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.gateway.stop().await;
        self.tasks.close();
        self.tasks.wait().await;
        self.plugins.stop().await;
        self.store.close().await;
        // Left behind, it only names ports that nobody listens on.
        drop(std::fs::remove_file(self.data.join("run.json")));
    }
}

/// The installation that a data folder belongs to, once it had a database.
fn marked(data: &Path) -> Option<String> {
    std::fs::read_to_string(data.join(MARK)).ok().map(|text| text.trim().to_owned())
}

/// A host that ran on this data folder had a database. An empty one in its place would turn every agent and every user away, as
/// if there had never been one, and would be taken for the real one by whoever starts the host.
pub(crate) async fn not_lost(data: &Path, url: &str) -> anyhow::Result<()> {
    let Some(installation) = marked(data) else { return Ok(()) };
    if store::inspect(url).await?.is_some_and(|found| found.schema.is_some()) {
        return Ok(());
    }
    bail!(
        "the database of installation {installation} is not there, or holds nothing: put it back, name the right one with --database, \
         or restore a backup with `keelson db restore`; to begin anew, remove {}",
        data.join(MARK).display()
    )
}

/// From now on the data folder is this installation's, unless it is another's: that one's agents and users are unknown in this
/// database, which would turn them away for good.
fn claim(data: &Path, installation: &crate::model::Installation) -> anyhow::Result<()> {
    let (mark, uid) = (data.join(MARK), installation.uid.to_string());
    match marked(data) {
        None => std::fs::write(&mark, format!("{uid}\n"))
            .with_context(|| format!("cannot write {}", mark.display())),
        Some(known) if known == uid => Ok(()),
        Some(known) => bail!(
            "this is the database of installation {uid}, but the data folder belongs to {known}: name the right one with --database \
             or another folder with --data; to let this one take its place, remove {}",
            mark.display()
        ),
    }
}

/// Whatever database comes next is the data folder's.
pub(crate) fn unmark(data: &Path) -> anyhow::Result<()> {
    let mark = data.join(MARK);
    match std::fs::remove_file(&mark) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", mark.display()))
        }
        _ => Ok(()),
    }
}

async fn ensure_installation(
    store: &Store,
    clock: &SharedClock,
) -> anyhow::Result<crate::model::Installation> {
    let mut tx = store.write().await?;
    let installation = tx.installation().ensure(&**clock).await?;
    tx.commit().await?;
    Ok(installation)
}

/// Notes where the portal is found, which certificates the host has, and which time zones there are, for the API to show.
async fn note_what_is_shown(
    store: &Store,
    pki: &Pki,
    portal: &str,
    names: &[String],
    clock: &dyn Clock,
) -> anyhow::Result<()> {
    let certificates = pki.certificates(names, clock)?;
    let certificates: Vec<_> =
        certificates.iter().filter_map(|(purpose, der)| HostCertificate::of(purpose, der)).collect();
    let mut tx = store.write().await?;
    tx.settings().set_portal(portal).await?;
    tx.world().put_certificates(&certificates).await?;
    tx.world().put_zones(&time_zones(clock.now_ms())).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes the data folder, if it is not there: nobody else of the machine looks into it.
pub(crate) fn make_data_folder(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(data).with_context(|| format!("cannot make the data folder {}", data.display()))
}

/// Whether a host runs on this data folder, or starts or stops.
pub(crate) fn is_running(data: &Path) -> bool {
    let Ok(file) = File::open(data.join(LOCK)) else { return false };
    matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
}

/// Makes sure that no host runs on this data folder for as long as the file is held.
pub(crate) async fn lock(data: &Path) -> anyhow::Result<File> {
    let path = data.join(LOCK);
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    for _ in 0..LOCK_ATTEMPTS {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(std::fs::TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
    bail!("another keelson runs on {}; stop it, or give this one another --data", data.display())
}

fn bind(config: &Config) -> anyhow::Result<Listeners> {
    fn one(what: &str, flag: &str, address: SocketAddr) -> anyhow::Result<Listener> {
        let bound = agents::bind(address);
        bound.with_context(|| {
            format!("cannot listen on {address} for {what}; free the port or give another with --{flag}")
        })
    }
    Ok(Listeners {
        api: one("the API", "api", config.api)?,
        remote: one("remote agents", "agents-remote", config.agents_remote)?,
        hosted: one("hosted agents", "agents-hosted", config.agents_hosted)?,
        health: one("health", "health", config.health)?,
    })
}

fn addresses(listeners: &Listeners, pki: &Pki, config: &Config) -> anyhow::Result<RunFile> {
    Ok(RunFile {
        pid: std::process::id(),
        api: listeners.api.local_addr()?,
        agents_remote: listeners.remote.local_addr()?,
        agents_hosted: listeners.hosted.local_addr()?,
        health: listeners.health.local_addr()?,
        advertise: config.advertise(),
        ca_fingerprint: pki.pin(),
        ca_file: std::path::absolute(pki.ca_file())?,
    })
}

/// How the API reaches agents.
fn access(gateway: &Gateway, addresses: &RunFile) -> AgentAccess {
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("keelson-agent"));
    AgentAccess {
        gateway: Some(gateway.clone()),
        advertise: addresses.advertise.clone(),
        remote: addresses.agents_remote,
        hosted: addresses.agents_hosted,
        pin: addresses.ca_fingerprint.clone(),
        program: beside.filter(|program| program.is_file()),
    }
}

/// What the server's certificate says: the advertised name, and what works on this machine.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![config.advertise()];
    for name in ["localhost", "127.0.0.1", "::1"] {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_takes_no_other_installations_database_until_it_is_told_to() {
        let data = tempfile::tempdir().unwrap();
        let installation = |number| crate::model::Installation {
            uid: uuid::Uuid::from_u128(number),
            incarnation: uuid::Uuid::nil(),
            installed_at: 0,
        };
        claim(data.path(), &installation(1)).unwrap();
        claim(data.path(), &installation(1)).unwrap();
        let error = claim(data.path(), &installation(2)).unwrap_err().to_string();
        assert!(error.contains("--database") && error.contains("remove "), "{error}");
        unmark(data.path()).unwrap();
        claim(data.path(), &installation(2)).unwrap();
    }
}
