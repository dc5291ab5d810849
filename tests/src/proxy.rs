//! A network that can be spoilt: a TCP proxy in this process, between agents and a host.
//!
//! Its weather holds for all connections through it; what is random in it comes from a seed, so that a failure can be had again.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It carries.
    Clear,
    /// Each new connection breaks after a random number of bytes below this one.
    Cuts(u64),
    /// Each new connection has one bit turned over, somewhere in its first so many bytes, on the way to the host.
    Flips(u64),
    /// Nothing is carried any more, and nobody is told.
    Gone,
    /// Each piece is late by this much, and one in so many takes its connection along.
    Late(Duration, u64),
    /// One byte at a time towards the host, with this between two.
    Trickle(Duration),
    /// What the host says is not read.
    Deaf,
}

/// Random numbers that a seed decides.
#[derive(Debug)]
pub struct Dice(Mutex<u64>);

impl Dice {
    /// Of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// Any number below this one.
    pub fn below(&self, bound: u64) -> u64 {
        // SplitMix64.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

/// The proxy.
#[derive(Debug)]
pub struct Proxy {
    /// Where agents reach it.
    pub port: u16,
    weather: watch::Sender<Weather>,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    dice: Dice,
    /// What was spoilt: cuts and flips.
    spoilt: AtomicUsize,
    /// Renewed when all connections are to break.
    epoch: Mutex<CancellationToken>,
}

impl Proxy {
    /// Carries to a port of this machine.
    pub async fn start(to: u16, seed: u64) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (weather, sight) = watch::channel(Weather::Clear);
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            dice: Dice::new(seed),
            spoilt: AtomicUsize::new(0),
            epoch: Mutex::new(stop.child_token()),
        });
        tokio::spawn(accept(listener, to, sight, Arc::clone(&shared), stop.clone()));
        Self { port, weather, shared, stop }
    }

    /// From now on.
    pub fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Breaks all connections that there are.
    pub fn cut_all(&self) {
        let mut epoch = self.shared.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        epoch.cancel();
        *epoch = self.stop.child_token();
    }

    /// How often it broke a connection or turned a bit over.
    pub fn spoilt(&self) -> usize {
        self.shared.spoilt.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept(
    listener: TcpListener,
    to: u16,
    weather: watch::Receiver<Weather>,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((near, _)) = accepted else { continue };
        let (weather, shared) = (weather.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(("127.0.0.1", to)).await else { return };
            carry(near, far, weather, shared).await;
        });
    }
}

/// One connection's fate.
struct Fate {
    /// Bytes until it breaks.
    left: AtomicU64,
    /// The byte towards the host that is spoilt.
    flip: Option<u64>,
    weather: watch::Receiver<Weather>,
    shared: Arc<Shared>,
}

async fn carry(near: TcpStream, far: TcpStream, weather: watch::Receiver<Weather>, shared: Arc<Shared>) {
    drop((near.set_nodelay(true), far.set_nodelay(true)));
    let now = *weather.borrow();
    let left = if let Weather::Cuts(bytes) = now { shared.dice.below(bytes) } else { u64::MAX };
    let flip = if let Weather::Flips(bytes) = now { Some(shared.dice.below(bytes)) } else { None };
    let broken = shared.epoch.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let fate = Arc::new(Fate { left: AtomicU64::new(left), flip, weather, shared });
    let ((from_agent, to_agent), (from_host, to_host)) = (near.into_split(), far.into_split());
    let up = pump(from_agent, to_host, Arc::clone(&fate), true);
    let down = pump(from_host, to_agent, fate, false);
    // Both ends go at once, with whatever was under way.
    tokio::select! {
        () = broken.cancelled() => {}
        () = up => {}
        () = down => {}
    }
}

/// Carries one way until an end goes or the weather breaks it.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fate: Arc<Fate>, is_up: bool) {
    let mut weather = fate.weather.clone();
    let mut buffer = vec![0; 16 * 1024];
    let mut carried = 0;
    loop {
        let deaf = |weather: &Weather| *weather == Weather::Gone || (*weather == Weather::Deaf && !is_up);
        if weather.wait_for(|weather| !deaf(weather)).await.is_err() {
            return;
        }
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        let now = *weather.borrow();
        if now == Weather::Gone {
            // Lost, and the connection with it: it does not come back with the network.
            std::future::pending::<()>().await;
        }
        let piece = buffer.get_mut(..count).expect("what was read");
        let length = u64::try_from(count).expect("a length");
        spoil(piece, carried, is_up, &fate);
        carried += length;
        let allowed = fate.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            Some(if left == u64::MAX { left } else { left.saturating_sub(length) })
        });
        let allowed = allowed.unwrap_or_default().min(length);
        let piece = piece.get(..usize::try_from(allowed).expect("a length")).expect("a part");
        if !send(&mut to, piece, now, is_up, &fate).await {
            return;
        }
        if allowed < length {
            fate.shared.spoilt.fetch_add(1, Ordering::Relaxed);
            return;
        }
    }
}

/// Turns one bit over, if it is in this piece.
fn spoil(piece: &mut [u8], carried: u64, is_up: bool, fate: &Fate) {
    let place = fate.flip.filter(|_| is_up).and_then(|flip| flip.checked_sub(carried));
    let place = place.and_then(|place| usize::try_from(place).ok());
    if let Some(byte) = place.and_then(|place| piece.get_mut(place)) {
        *byte ^= 1 << fate.shared.dice.below(8);
        fate.shared.spoilt.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sends a piece as the weather has it; false when the connection is over.
async fn send(to: &mut OwnedWriteHalf, piece: &[u8], weather: Weather, is_up: bool, fate: &Fate) -> bool {
    match weather {
        Weather::Late(late, one_in) => {
            tokio::time::sleep(late).await;
            if fate.shared.dice.below(one_in) == 0 {
                fate.shared.spoilt.fetch_add(1, Ordering::Relaxed);
                return false;
            }
        }
        Weather::Trickle(between) if is_up => {
            for byte in piece {
                if to.write_all(&[*byte]).await.is_err() {
                    return false;
                }
                tokio::time::sleep(between).await;
            }
            return true;
        }
        _ => {}
    }
    to.write_all(piece).await.is_ok()
}
