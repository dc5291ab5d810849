//! What strangers may take of a port before anybody knows who they are: an address gets its share of the places and
//! never all of them, and whoever says nothing has none.
//!
//! **Cast.** [`Turns`] are places of a limited number, each address holding at most its share; who finds none waits, in
//! order. [`Silent`] are the sockets whose `ClientHello` is not there yet; a new one drives out the oldest, once that had its
//! time. [`Entrance`] puts both before a TLS handshake, for every port alike. A [`Budget`] limits what somebody asks for over
//! time, and [`Proxies`] say who that is when it comes through the operator's own.
//!
//! The other way, `outbound.rs` says where the host itself may connect to, `trust.rs` whom it takes for whom there, and
//! `exchange.rs` asks one thing of a web server.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, StartHandshake};
use tokio_util::sync::CancellationToken;

pub(crate) mod exchange;
pub(crate) mod outbound;
mod trust;

pub(crate) use outbound::{Machine, OutboundError, Reach};
pub(crate) use trust::{Authorities, Judge, Shown};
mod budget;
mod proxies;

pub(crate) use budget::{Budget, Rate};
pub(crate) use proxies::Proxies;

/// So long each of them keeps its place, whoever comes: time for its hello to arrive.
const GRACE: Duration = Duration::from_millis(250);
/// A `ClientHello` is two packets; this is time for one of them to be lost.
const HELLO: Duration = Duration::from_secs(5);
/// Handshakes under way: of a port, and of an address. A site of thousands of agents behind one address gets through
/// within seconds, one round trip for each 64.
const HANDSHAKES: (usize, usize) = (256, 64);
/// How long a socket waits for its handshake.
const PATIENCE: Duration = Duration::from_secs(20);
/// A handshake that takes longer is given up.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How many sockets a port holds that are not through yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    /// Whose `ClientHello` is awaited; a client sends it at once, so that nobody honest is long among them.
    pub(crate) silent: usize,
    /// That have said hello, those that wait for their handshake included: of a port, and of an address.
    pub(crate) line: (usize, usize),
}

impl Default for Waiting {
    fn default() -> Self {
        Self { silent: 512, line: (4096, 1024) }
    }
}

/// Places of a limited number, shared out by address.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    share: usize,
    sources: Arc<Mutex<Sources>>,
}

/// The places of each address, and how many callers hold one or wait for one.
type Sources = HashMap<IpAddr, (Arc<Semaphore>, usize)>;

/// A place; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
    _visit: Visit,
}

/// Keeps an address known for as long as somebody comes from there.
#[derive(Debug)]
struct Visit {
    source: IpAddr,
    sources: Arc<Mutex<Sources>>,
}

impl Turns {
    /// So many places, of which each address has at most a share.
    pub(crate) fn new((all, share): (usize, usize)) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), share, sources: Arc::default() }
    }

    /// A place, or none after so long a wait.
    pub(crate) async fn turn(&self, from: IpAddr, patience: Duration) -> Option<Turn> {
        let (visit, own) = self.visit(from);
        let both = async {
            // One's own first: a crowd at one address then waits there, and not in everybody's way.
            let own = own.acquire_owned().await.ok()?;
            Some((own, Arc::clone(&self.all).acquire_owned().await.ok()?))
        };
        let (own, of_all) = tokio::time::timeout(patience, both).await.ok()??;
        Some(Turn { _own: own, _of_all: of_all, _visit: visit })
    }

    /// Waits until there is a place for somebody.
    async fn vacancy(&self) {
        // It is never closed.
        drop(self.all.acquire().await);
    }

    /// Whether an address has all places that it may have.
    pub(crate) fn is_used_up(&self, from: IpAddr) -> bool {
        locked(&self.sources).get(&source(from)).is_some_and(|(own, _)| own.available_permits() == 0)
    }

    /// A place if there is one now.
    pub(crate) fn turn_now(&self, from: IpAddr) -> Option<Turn> {
        let (visit, own) = self.visit(from);
        let own = own.try_acquire_owned().ok()?;
        let of_all = Arc::clone(&self.all).try_acquire_owned().ok()?;
        Some(Turn { _own: own, _of_all: of_all, _visit: visit })
    }

    fn visit(&self, from: IpAddr) -> (Visit, Arc<Semaphore>) {
        let source = source(from);
        let mut sources = locked(&self.sources);
        let (own, visitors) =
            sources.entry(source).or_insert_with(|| (Arc::new(Semaphore::new(self.share)), 0));
        *visitors += 1;
        (Visit { source, sources: Arc::clone(&self.sources) }, Arc::clone(own))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut sources = locked(&self.sources);
        if let Some((_, visitors)) = sources.get_mut(&self.source) {
            *visitors -= 1;
            if *visitors == 0 {
                sources.remove(&self.source);
            }
        }
    }
}

/// Whom an address belongs to: of IPv6, everybody has a whole /64.
pub(crate) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sockets that have not said what they want.
#[derive(Debug)]
struct Silent {
    most: usize,
    seats: Mutex<Seats>,
    /// Poked when one of them leaves.
    left: Notify,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: BTreeMap<u64, (Instant, CancellationToken)>,
}

/// A seat among the silent.
#[derive(Debug)]
struct Seat<'a> {
    silent: &'a Silent,
    number: u64,
    lost: CancellationToken,
}

impl Silent {
    fn of(most: usize) -> Self {
        Self { most, seats: Mutex::default(), left: Notify::new() }
    }

    /// There is always a seat for the newest; the oldest loses its own if need be.
    fn seat(&self) -> Seat<'_> {
        let mut seats = locked(&self.seats);
        if seats.taken.len() >= self.most
            && let Some((_, (_, oldest))) = seats.taken.pop_first()
        {
            oldest.cancel();
        }
        let (number, lost) = (seats.next, CancellationToken::new());
        seats.next += 1;
        seats.taken.insert(number, (Instant::now(), lost.clone()));
        Seat { silent: self, number, lost }
    }

    /// For how long nobody may lose a seat yet to somebody who comes.
    fn crowded_for(&self) -> Option<Duration> {
        let seats = locked(&self.seats);
        let (_, (since, _)) = seats.taken.first_key_value().filter(|_| seats.taken.len() >= self.most)?;
        GRACE.checked_sub(since.elapsed()).filter(|left| !left.is_zero())
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        locked(&self.silent.seats).taken.remove(&self.number);
        self.silent.left.notify_one();
    }
}

/// The way into a port with TLS.
#[derive(Debug)]
pub(crate) struct Entrance {
    tls: Arc<ServerConfig>,
    silent: Silent,
    line: Turns,
    handshakes: Turns,
}

impl Entrance {
    /// One for a port where so many may wait.
    pub(crate) fn new(tls: Arc<ServerConfig>, waiting: Waiting) -> Self {
        let (line, handshakes) = (Turns::new(waiting.line), Turns::new(HANDSHAKES));
        Self { tls, silent: Silent::of(waiting.silent), line, handshakes }
    }

    /// Waits until another socket would be served rather than turned away, or turn another one away that had its time. Whoever
    /// is not accepted meanwhile waits with the system: when thousands come at once, that costs neither side anything, and
    /// trying again and again would cost both more than the handshake.
    pub(crate) async fn ready(&self) {
        while let Some(left) = self.silent.crowded_for() {
            tokio::select! {
                () = self.silent.left.notified() => {}
                () = tokio::time::sleep(left) => {}
            }
        }
        self.line.vacancy().await;
    }

    /// Brings a socket to TLS. What costs us something begins only when it has said hello.
    pub(crate) async fn admit<S>(&self, stream: S, from: IpAddr) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let hello = self.hello(stream).await?;
        let crowded = || io::Error::new(io::ErrorKind::QuotaExceeded, "too many handshakes wait");
        let _place = self.line.turn_now(from).ok_or_else(crowded)?;
        let _turn = self.handshakes.turn(from, PATIENCE).await.ok_or_else(crowded)?;
        tokio::time::timeout(HANDSHAKE, hello.into_stream(Arc::clone(&self.tls))).await?
    }

    async fn hello<S>(&self, stream: S) -> io::Result<StartHandshake<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let seat = self.silent.seat();
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream);
        tokio::select! {
            hello = tokio::time::timeout(HELLO, hello) => hello?,
            () = seat.lost.cancelled() => {
                Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too many sockets say nothing"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_its_share_and_the_others_have_theirs() {
        let (turns, one, other) = (Turns::new((3, 2)), address("10.0.0.1"), address("10.0.0.2"));
        let (first, second) = (turns.turn_now(one).unwrap(), turns.turn(one, SHORT).await.unwrap());
        assert!(turns.turn_now(one).is_none() && turns.turn(one, SHORT).await.is_none());
        let third = turns.turn(other, SHORT).await.unwrap();
        assert!(turns.turn_now(other).is_none(), "all places are taken");
        drop(first);
        assert!(turns.turn_now(one).is_some());
        drop((second, third));
        assert!(locked(&turns.sources).is_empty(), "who is gone is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_behind_one_address_is_served_in_order_and_nobody_is_refused() {
        let (turns, site) = (Turns::new((256, 4)), address("192.0.2.1"));
        let served = Arc::new(Mutex::new(Vec::new()));
        let crowd = (0..100).map(|number| {
            let (turns, served) = (turns.clone(), Arc::clone(&served));
            tokio::spawn(async move {
                let turn = turns.turn(site, PATIENCE).await;
                locked(&served).push(number);
                tokio::time::sleep(Duration::from_millis(100)).await;
                turn.is_some()
            })
        });
        for served in crowd.collect::<Vec<_>>() {
            assert!(served.await.unwrap());
        }
        assert!(locked(&served).is_sorted());
    }

    #[test]
    fn an_address_in_two_notations_is_one_and_a_network_of_ipv6_is_one() {
        assert_eq!(source(address("::ffff:10.0.0.1")), address("10.0.0.1"));
        assert_eq!(source(address("2001:db8::1")), source(address("2001:db8::ffff:2")));
        assert_ne!(source(address("2001:db8::1")), source(address("2001:db8:0:1::1")));
    }

    #[test]
    fn the_newest_of_the_silent_drives_out_the_oldest() {
        let silent = Silent::of(8);
        let mut seats: Vec<_> = (0..8).map(|_| silent.seat()).collect();
        assert!(seats.iter().all(|seat| !seat.lost.is_cancelled()));
        seats.push(silent.seat());
        assert_eq!(seats.iter().filter(|seat| seat.lost.is_cancelled()).count(), 1);
        assert!(seats[0].lost.is_cancelled());
        drop(seats);
        assert!(locked(&silent.seats).taken.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_comes_in_while_it_would_cost_a_socket_its_place_before_it_could_speak() {
        let silent = Silent::of(8);
        let mut seats: Vec<_> = (1..8).map(|_| silent.seat()).collect();
        assert_eq!(silent.crowded_for(), None);
        seats.push(silent.seat());
        assert_eq!(silent.crowded_for(), Some(GRACE));
        tokio::time::advance(GRACE).await;
        assert_eq!(silent.crowded_for(), None, "the oldest had its time");
        seats.drain(..1);
        seats.push(silent.seat());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(silent.crowded_for(), None, "the next oldest had, too");
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_line_is_waited_for() {
        let turns = Turns::new((1, 1));
        let only = turns.turn_now(address("10.0.0.1")).unwrap();
        assert!(tokio::time::timeout(SHORT, turns.vacancy()).await.is_err());
        drop(only);
        turns.vacancy().await;
        assert!(turns.turn_now(address("10.0.0.1")).is_some(), "waiting takes no place");
    }
}
