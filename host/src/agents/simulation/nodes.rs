//! The machines of a simulation, as they start.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::unfold;
use keelson_agent::agent::{Agent, Options};
use keelson_agent::config::{DataFolder, Extras, Settings};
use keelson_agent::driver::DriverSettings;
use keelson_agent::identity::NewKey;
use keelson_agent::spool::ReplayWindow;
use keelson_agent::tls::{Address, Connection, Dial, DialError, TlsCredentials};
use keelson_proto::v1::console_server::Console;
use keelson_proto::v1::{
    AgentMessage, EnrollRequest, EnrollResponse, RenewRequest, StatusRequest, StatusResponse,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};
use turmoil::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::desk::DeskTwin;
use super::engine::Beside;
use super::scene::{START, Scene, SimClock, uid};
use super::spool::SpoolTwin;
use crate::agents::door::{Entrant, Identity, Peer, Places};
use crate::agents::{GatewayOptions, Shared, http2, service};
use crate::clock::{ManualClock, SharedClock};
use crate::model::Door;
use crate::pki::Pki;

/// The host's name.
pub(super) const HOST: &str = "host";
const PORT: u16 = 6180;
/// No database is restored in a simulation.
const LIFE: Uuid = Uuid::from_u128(1);
/// Short, so that a peer that vanished is missed within a simulation's time.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// As long as an agent waits for TCP.
const CONNECT: Duration = Duration::from_secs(10);

/// The name of an agent's machine, or of another that has its identity.
pub(super) fn machine(agent: usize, is_double: bool) -> String {
    format!("{}-{agent}", if is_double { "double" } else { "agent" })
}

/// Gives the agents their identities, as an enrolment would.
pub(super) fn enroll(scene: &Scene) {
    let clock = ManualClock::at(START - 10_000_000);
    let pki = Pki::open(scene.data.path(), &*clock).unwrap();
    for agent in 0..scene.plan.agents {
        let folder = DataFolder::create(scene.data.path().join(agent.to_string())).unwrap();
        let key = NewKey::generate().unwrap();
        key.prepare(&folder).unwrap();
        let issued = pki.issue_agent(key.request(), uid(agent).0, &*clock).unwrap();
        key.commit(&folder, &issued.chain).unwrap();
        folder.replace(&folder.authority(), &std::fs::read(pki.ca_file()).unwrap()).unwrap();
        let server = u32::try_from(agent).unwrap();
        let settings = Settings {
            agent_uid: uid(agent).0,
            addresses: vec![format!("{HOST}:{PORT}").parse().unwrap()],
            pin: pki.pin().parse().unwrap(),
            driver: DriverSettings::Simulated { seed: 0, server, workloads: 1, since: START, site: None },
            extras: Extras::default(),
            replay: ReplayWindow::default(),
        };
        settings.store(&folder).unwrap();
    }
}

/// The host, from its start until it is killed.
pub(super) async fn host(scene: Arc<Scene>) -> turmoil::Result {
    scene.tell("host: starts");
    let desk = DeskTwin::open(&scene, scene.begin_life());
    let clock: SharedClock = Arc::new(SimClock(0));
    let options = GatewayOptions { heartbeat: HEARTBEAT };
    let shared = Arc::new(Shared::new(Arc::new(desk), clock, (options, LIFE), Arc::default()));
    let tasks = TaskTracker::new();
    shared.attend(&tasks);
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let door = Arc::clone(&shared);
    let incoming = unfold(listener, move |listener| {
        let door = Arc::clone(&door);
        async move {
            let entrant = enter(&listener, &door).await;
            Some((entrant, listener))
        }
    });
    http2(SimulatedService { shared, tasks }).serve_with_incoming(Box::pin(incoming)).await?;
    Ok(())
}

/// Knows an agent by its address.
async fn enter(listener: &TcpListener, shared: &Shared) -> io::Result<Entrant<TcpStream>> {
    let (stream, address) = listener.accept().await?;
    let name = turmoil::reverse_lookup(address.ip()).unwrap();
    let (_, agent) = name.rsplit_once('-').unwrap();
    let identity = Identity { agent: uid(agent.parse().unwrap()), fingerprint: [0; 32] };
    let handshakes = Arc::clone(&shared.handshakes);
    let peer = Peer::new(handshakes, (address, Door::Remote), Some(identity), true);
    Ok(Entrant::new(stream, peer, Places::default()))
}

/// Sessions; everybody is enrolled already.
struct SimulatedService {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

fn enrolled() -> Status {
    Status::unimplemented("in a simulation all agents are enrolled")
}

#[tonic::async_trait]
impl Console for SimulatedService {
    type SessionStream = service::Answers;

    async fn enroll(&self, _: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        Err(enrolled())
    }

    async fn renew(&self, _: Request<RenewRequest>) -> Result<Response<EnrollResponse>, Status> {
        Err(enrolled())
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        Err(enrolled())
    }

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        service::hold(&self.shared, &self.tasks, request)
    }
}

/// An agent, from its start until it is killed.
pub(super) async fn agent(scene: Arc<Scene>, agent: usize, spool: Arc<SpoolTwin>) -> turmoil::Result {
    let life = scene.begin_life();
    scene.tell(format!("agent {agent} starts"));
    let options = Options {
        interval: Duration::from_secs(1),
        max_backoff: Duration::from_secs(2),
        seed: Some(scene.plan.seed ^ life),
        ..Options::default()
    };
    let clock = Arc::new(SimClock(scene.plan.skew));
    let driver = Arc::new(Beside::new(&scene, agent, &spool, life));
    let dial = Arc::new(SimulatedDial(Arc::clone(&spool)));
    let opened = Agent::open_in_memory(&scene.data.path().join(agent.to_string()), options, clock)?;
    opened.with_driver(driver).with_spool(spool).with_dial(dial).run(CancellationToken::new()).await?;
    Ok(())
}

/// TCP of the simulation, and nothing that is secret.
#[derive(Debug)]
struct SimulatedDial(Arc<SpoolTwin>);

#[tonic::async_trait]
impl Dial for SimulatedDial {
    async fn dial(&self, addresses: &[Address], _: &TlsCredentials) -> Result<Connection, DialError> {
        let address = addresses.first().ok_or(DialError::NoAddress)?;
        self.0.reconnects();
        let stream = timeout(CONNECT, TcpStream::connect((address.host(), address.port()))).await;
        let stream = stream
            .map_err(|_| DialError::Timeout { address: address.clone() })?
            .map_err(|source| DialError::Connect { address: address.clone(), source })?;
        Connection::over(address, stream).await
    }
}
