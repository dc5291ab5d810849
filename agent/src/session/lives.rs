//! Many lives of an agent's session against a model of the host, each decided by a seed: streams break at any byte, the host cuts
//! before or after its commit, loses its database, asks for everything anew; the engine changes meanwhile. Time is not waited for.
//!
//! At the end of each life the host has what the engine has. `KEELSON_LIVES` says how many there are.

use std::sync::Mutex;

use hyper_util::rt::TokioIo;
use tonic::transport::Endpoint;

use super::*;
use crate::clock::ManualClock;
use crate::collect::Collector;
use crate::config::{DataFolder, Extras};
use crate::driver::{Driver, DriverSettings};
use crate::inventory::Inventory;
use crate::random::Random;
use crate::spool::{self, ReplayWindow};
use crate::testing::console::{Fragile, Ledger, Mode, offline};
use crate::testing::{Scripted, inventory, limits};
use crate::tls::Dialler;

const LIVES: u64 = 100;
/// Sessions at the end of a life in which nothing breaks: a wish that was left over may end the first.
const QUIET: u64 = 3;
const NOW: i64 = 1_700_000_000_000;
/// What a session may take of a life, of time that passes by itself.
const SESSION: Duration = Duration::from_secs(3);

/// Whatever the engine has at some time.
fn engine(random: &mut Random) -> Inventory {
    let mut present = Vec::new();
    for key in ["oven", "mixer", "till", "scale"] {
        if random.below(4) > 0 {
            present.push((key, i64::try_from(random.below(40)).unwrap()));
        }
    }
    inventory("s", &present)
}

fn link(driver: &Arc<Scripted>, limit: u64) -> (Link, Collector) {
    let clock: SharedClock = Arc::new(ManualClock::new(NOW));
    let shared = Arc::new(Shared::new(spool::memory(limits(limit), clock.as_ref())));
    let driver: Arc<dyn Driver> = Arc::<Scripted>::clone(driver);
    let stop = CancellationToken::new();
    let collector = Collector {
        driver: Arc::clone(&driver),
        shared: Arc::clone(&shared),
        clock: Arc::clone(&clock),
        interval: Duration::from_millis(100),
        stop: stop.clone(),
    };
    let settings = Settings {
        agent_uid: uuid::Uuid::from_u128(7),
        addresses: Vec::new(),
        pin: "ab".repeat(32).parse().unwrap(),
        driver: DriverSettings::Simulated { seed: 1, server: 0, workloads: 1, since: 0, site: None },
        extras: Extras::default(),
        replay: ReplayWindow::default(),
    };
    let link = Link {
        folder: DataFolder::at("/nowhere"),
        computer: settings.driver.computer(),
        settings,
        driver_kind: "simulated",
        run: [7; 16],
        work: Work::new(driver, Arc::clone(&shared), Arc::clone(&clock), stop.clone()),
        dial: Arc::new(Dialler),
        shared,
        clock,
        stop,
    };
    (link, collector)
}

async fn channel(stream: Fragile) -> Option<tonic::transport::Channel> {
    let once = Mutex::new(Some(TokioIo::new(stream)));
    let connector = tower::service_fn(move |_: http::Uri| {
        let stream = once.lock().unwrap().take();
        std::future::ready(stream.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotConnected)))
    });
    Endpoint::from_static("https://console.example").connect_with_connector(connector).await.ok()
}

async fn life(seed: u64) {
    let mut random = Random::for_parts(seed, &[]);
    let driver = Arc::new(Scripted::new(Some(engine(&mut random))));
    // Every other spool is so small that it has to be compacted.
    let limit = if random.below(2) == 0 { 3_000 } else { 1 << 20 };
    let (link, collector) = link(&driver, limit);
    let (state, host) = offline();
    let mut last = Inventory::default();
    let sessions = 4 + random.below(10);
    for session in 0..sessions + QUIET {
        let is_quiet = session >= sessions;
        if session <= sessions {
            last = engine(&mut random);
            driver.set(Some(last.clone()));
        }
        *state.mode.lock().unwrap() = match random.below(4) {
            0 if !is_quiet => Mode::CutBeforeCommit,
            1 if !is_quiet => Mode::CutBeforeAcknowledge,
            _ => Mode::Serve,
        };
        if !is_quiet && random.below(6) == 0 {
            state.agents.lock().unwrap().values_mut().for_each(Ledger::lose_everything);
        }
        if !is_quiet && random.below(6) == 0 {
            state.resync.notify_one();
        }
        let bytes = if is_quiet { u64::MAX } else { random.below(9_000) };
        let pieces = Random::for_parts(seed, &[session]);
        let (near, far) = Fragile::connect(&state, bytes, pieces);
        host.send(Ok(far)).unwrap();
        let Some(channel) = channel(near).await else { continue };
        tokio::select! {
            _ = exchange::hold(&link, channel, i64::MAX, || {}) => {}
            kept = collector.keep() => kept.unwrap(),
            () = tokio::time::sleep(SESSION) => {}
        }
    }
    let agents = state.agents.lock().unwrap();
    let ledger = agents.values().next().expect("an agent that came");
    assert!(ledger.violations.is_empty(), "seed {seed}: {:?}", ledger.violations);
    assert!(ledger.holds(&last), "seed {seed}: the host has {:?}", ledger.objects);
}

#[tokio::test(start_paused = true)]
async fn whatever_a_seed_does_to_an_agents_sessions_the_host_comes_to_the_engines_state() {
    let lives = std::env::var("KEELSON_LIVES").ok().and_then(|lives| lives.parse().ok()).unwrap_or(LIVES);
    for seed in 0..lives {
        life(seed).await;
    }
}
