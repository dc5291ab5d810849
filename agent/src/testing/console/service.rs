//! The test host's answers.

use std::sync::Arc;

use keelson_proto::v1::agent_message::Kind as Up;
use keelson_proto::v1::console_message::Kind as Down;
use keelson_proto::v1::console_server::Console;
use keelson_proto::v1::{
    Acknowledge, AgentMessage, Batch, CommandHeard, CommandReport, ConsoleMessage, EnrollRequest,
    EnrollResponse, RenewRequest, Resync, StatusRequest, StatusResponse, Welcome, command_report,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::{Ledger, Mode, Peer, SECRET, State};
use crate::clock::{Clock as _, SystemClock};
use crate::random::Random;
use crate::testing::pki::subject;

pub(super) struct Service(pub(super) Arc<State>);

pub(crate) const CREDIT: u32 = 4;

type Answers = mpsc::UnboundedSender<Result<ConsoleMessage, Status>>;

fn agent_of<T>(request: &Request<T>) -> Result<String, Status> {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0.as_ref());
    peer.map(subject).ok_or_else(|| Status::unauthenticated("no client certificate"))
}

#[tonic::async_trait]
impl Console for Service {
    async fn enroll(&self, request: Request<EnrollRequest>) -> Result<Response<EnrollResponse>, Status> {
        let request = request.into_inner();
        if request.token != SECRET {
            return Err(Status::permission_denied("the token is not valid"));
        }
        assert!(!request.computer.unwrap().host_name.is_empty());
        let mut random = Random::from_entropy();
        let uid = Uuid::from_u64_pair(random.next_u64(), random.next_u64());
        let (certificate_chain, not_after) = self.0.certify(&request.certificate_request, &uid.to_string());
        self.0.agent(&uid.to_string(), |_| {});
        Ok(Response::new(EnrollResponse { agent_uid: uid.as_bytes().to_vec(), certificate_chain, not_after }))
    }

    async fn renew(&self, request: Request<RenewRequest>) -> Result<Response<EnrollResponse>, Status> {
        let agent = agent_of(&request)?;
        self.0.agent(&agent, |ledger| ledger.renewals += 1);
        let request = request.into_inner();
        let (certificate_chain, not_after) = self.0.certify(&request.certificate_request, &agent);
        let agent_uid = Uuid::parse_str(&agent).unwrap().as_bytes().to_vec();
        Ok(Response::new(EnrollResponse { agent_uid, certificate_chain, not_after }))
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        agent_of(&request)?;
        let host_time = SystemClock.now_ms();
        Ok(Response::new(StatusResponse { host_time, host_version: crate::VERSION.to_owned() }))
    }

    type SessionStream = UnboundedReceiverStream<Result<ConsoleMessage, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<AgentMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let agent = agent_of(&request)?;
        let state = Arc::clone(&self.0);
        let (answers, down) = mpsc::unbounded_channel();
        let cut = state.cut.lock().unwrap().clone();
        tokio::spawn(async move {
            tokio::select! {
                () = serve(&state, &agent, request.into_inner(), &answers) => {}
                () = cut.cancelled() => {}
            }
        });
        Ok(Response::new(UnboundedReceiverStream::new(down)))
    }
}

fn answer(answers: &Answers, kind: Down) {
    // The agent may be gone already.
    answers.send(Ok(ConsoleMessage { kind: Some(kind) })).ok();
}

async fn serve(state: &State, agent: &str, mut up: Streaming<AgentMessage>, answers: &Answers) {
    loop {
        let message = tokio::select! {
            message = up.message() => message,
            () = state.resync.notified() => {
                answer(answers, Down::Resync(Resync { reason: "a person asked".to_owned() }));
                continue;
            }
            () = state.ordered.notified() => {
                for command in state.orders.lock().unwrap().drain(..) {
                    answer(answers, Down::Command(command));
                }
                continue;
            }
        };
        match message.ok().flatten().and_then(|message| message.kind) {
            Some(Up::Hello(hello)) => state.agent(agent, |ledger| {
                ledger.hellos.push(hello);
                let (epoch, sequence) = ledger.committed;
                let incarnation = ledger.incarnation.to_vec();
                let welcome = Welcome { epoch, sequence, heartbeat_seconds: 1, credit: CREDIT, incarnation };
                answer(answers, Down::Welcome(welcome));
            }),
            Some(Up::Heartbeat(_)) => state.agent(agent, |ledger| ledger.heartbeats += 1),
            Some(Up::Batch(batch)) => {
                if !take(state, agent, &batch, answers) {
                    return;
                }
            }
            Some(Up::Report(report)) => state.agent(agent, |ledger| report_on(ledger, report, answers)),
            None => return,
        }
    }
}

/// A result is heard, as often as it comes.
fn report_on(ledger: &mut Ledger, report: CommandReport, answers: &Answers) {
    if matches!(report.what, Some(command_report::What::Result(_))) && !ledger.deaf {
        answer(answers, Down::Heard(CommandHeard { uid: report.uid.clone() }));
    }
    ledger.reports.push(report);
}

/// Whether the session goes on.
fn take(state: &State, agent: &str, batch: &Batch, answers: &Answers) -> bool {
    let mode = *state.mode.lock().unwrap();
    let (epoch, sequence) = (batch.epoch, batch.sequence);
    let refused = mode == Mode::Refuse(epoch, sequence);
    state.agent(agent, |ledger| {
        ledger.received.push((epoch, sequence));
        if mode != Mode::CutBeforeCommit && !refused {
            ledger.commit(batch);
        }
    });
    if refused {
        answers.send(Err(Status::invalid_argument("record 1: no"))).ok();
        return false;
    }
    if matches!(mode, Mode::Serve | Mode::Refuse(..)) {
        answer(answers, Down::Acknowledge(Acknowledge { epoch, sequence }));
    }
    !matches!(mode, Mode::CutBeforeCommit | Mode::CutBeforeAcknowledge)
}
