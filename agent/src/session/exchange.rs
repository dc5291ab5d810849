//! One session: Hello, Welcome, then batches and heartbeats up, acknowledgements and wishes down.

use std::time::Duration;

use keelson_proto::v1::agent_message::Kind as Up;
use keelson_proto::v1::console_client::ConsoleClient;
use keelson_proto::v1::console_message::Kind as Down;
use keelson_proto::v1::{Acknowledge, AgentMessage, ConsoleMessage, Gap, Heartbeat, Hello, Welcome};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tracing::{debug, info, warn};

use super::resume::{Resume, decide};
use super::{Behind, End, Link, SessionError};

const ANSWER: Duration = Duration::from_secs(20);
/// The host may grant more; a batch is up to 1 MiB, and this many are in memory.
const MAX_CREDIT: u32 = 32;
/// Batches under way, and heartbeats beside them. Sending never waits: what finds no room is sent later.
const OUTGOING: usize = MAX_CREDIT as usize + 8;
/// Read from the spool at once.
const READ: u32 = 8;

/// What is under way.
#[derive(Debug)]
struct Flow {
    epoch: u64,
    sent: u64,
    acknowledged: u64,
    credit: u32,
}

struct Exchange<'a> {
    link: &'a Link,
    up: Sender<AgentMessage>,
    flow: Flow,
}

/// Holds a session until it fails, the agent stops or the certificate is due for renewal.
pub(super) async fn hold(
    link: &Link,
    channel: Channel,
    renew_at: i64,
    welcomed: impl FnOnce(),
) -> Result<End, SessionError> {
    let (up, outgoing) = mpsc::channel(OUTGOING);
    let position = link.shared.spool.position().await?;
    let hello = Up::Hello(Hello {
        agent_version: crate::VERSION.to_owned(),
        computer: Some(link.computer.clone()),
        epoch: position.epoch,
        driver: link.driver_kind.to_owned(),
        run: link.run.to_vec(),
        acknowledged_epoch: position.heard.epoch,
        acknowledged_sequence: position.heard.sequence,
        incarnation: position.incarnation.to_vec(),
    });
    offer(&up, hello)?;
    let mut client = ConsoleClient::new(channel);
    let opening = client.session(ReceiverStream::new(outgoing));
    let mut down = in_time(opening).await?.map_err(|status| SessionError::from_status(&status))?.into_inner();
    let first = in_time(down.message()).await?.map_err(|status| SessionError::from_status(&status))?;
    let Some(ConsoleMessage { kind: Some(Down::Welcome(welcome)) }) = first else {
        return Err(first.map_or(SessionError::Closed, |_| SessionError::Protocol("no Welcome after Hello")));
    };
    welcomed();
    let flow = begin(link, &welcome).await?;
    link.work.resume().await?;
    Exchange { link, up, flow }.run(&mut down, &welcome, renew_at).await
}

/// Brings the spool to where the host stands.
async fn begin(link: &Link, welcome: &Welcome) -> Result<Flow, SessionError> {
    let spool = &link.shared.spool;
    let position = spool.position().await?;
    let credit = welcome.credit.clamp(1, MAX_CREDIT);
    // A host of before does not say.
    let incarnation = welcome.incarnation.as_slice().try_into().unwrap_or(position.incarnation);
    let cause = if incarnation == position.incarnation {
        "the host's database is older than it was, though it does not say that it was restored"
    } else {
        "the host's database was restored from a backup"
    };
    let resume = decide(position, welcome);
    let (epoch, sent) = match resume {
        Resume::After(sequence) => {
            if sequence > 0 {
                spool.acknowledge(position.epoch, sequence, link.clock.as_ref()).await?;
            }
            (position.epoch, sequence)
        }
        Resume::Again(sequence) => {
            warn!(
                agent.uid = %link.settings.agent_uid,
                "{cause}: what it had acknowledged after batch {sequence} is sent again, up to batch {}",
                position.acknowledged
            );
            (position.epoch, sequence)
        }
        Resume::Lost => {
            let gap = position.gap_after(welcome.epoch, welcome.sequence);
            let reason = format!("{cause}, and what it lost is not all at hand any more");
            (restart(link, welcome.epoch, Some(gap), &reason).await?, 0)
        }
        Resume::Restart(reason) => (restart(link, welcome.epoch, None, reason).await?, 0),
    };
    link.shared.set_behind(matches!(resume, Resume::Again(_)).then_some(Behind {
        stands: (welcome.epoch, welcome.sequence),
        had: (position.heard.epoch, position.heard.sequence),
    }));
    // In a host that has not caught up, the next session must see the same cause.
    let has_lost = matches!(resume, Resume::Again(_) | Resume::Lost);
    if !has_lost && incarnation != position.incarnation {
        spool.meet(incarnation).await?;
    }
    Ok(Flow { epoch, sent, acknowledged: sent, credit })
}

async fn restart(link: &Link, floor: u64, gap: Option<Gap>, reason: &str) -> Result<u64, SessionError> {
    let epoch = link.shared.begin_epoch(floor, gap, link.clock.as_ref()).await?;
    info!(agent.uid = %link.settings.agent_uid, epoch, "a new epoch with the full inventory begins: {reason}");
    link.shared.collect.notify_one();
    Ok(epoch)
}

impl Exchange<'_> {
    async fn run(
        &mut self,
        down: &mut Streaming<ConsoleMessage>,
        welcome: &Welcome,
        renew_at: i64,
    ) -> Result<End, SessionError> {
        let every = Duration::from_secs(u64::from(heartbeat_seconds(welcome)));
        let mut heartbeat = interval_at(Instant::now() + every, every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.send_due().await?;
            self.send_reports()?;
            tokio::select! {
                // What is rare comes first: a host that says much holds up no heartbeat.
                biased;
                () = self.link.stop.cancelled() => return Ok(End::Stopped),
                _ = heartbeat.tick() => {
                    if self.link.clock.now_ms() >= renew_at {
                        return Ok(End::RenewalDue);
                    }
                    self.beat()?;
                }
                () = self.link.work.reported() => {}
                () = self.link.shared.grown.notified() => {}
                message = down.message() => match message {
                    Ok(Some(message)) => self.receive(message).await?,
                    Ok(None) => return Err(SessionError::Closed),
                    Err(status) => return Err(self.ended(&status).await?),
                },
            }
        }
    }

    /// Why the host ended the stream. A batch that it can never take must not be sent again for ever: the full inventory
    /// of a new epoch is the one other way to bring it to the present state.
    async fn ended(&self, status: &Status) -> Result<SessionError, SessionError> {
        // The second is the protocol's own word for a message that is too large.
        let is_unfit = matches!(status.code(), Code::InvalidArgument | Code::OutOfRange);
        if is_unfit && self.flow.sent > self.flow.acknowledged {
            restart(self.link, self.flow.epoch, None, "the host cannot take a batch").await?;
        }
        Ok(SessionError::from_status(status))
    }

    /// Sends what the credit allows.
    async fn send_due(&mut self) -> Result<(), SessionError> {
        loop {
            let position = self.link.shared.spool.position().await?;
            if position.epoch != self.flow.epoch {
                // The collector began another, as the spool was full.
                self.flow =
                    Flow { epoch: position.epoch, sent: 0, acknowledged: 0, credit: self.flow.credit };
            }
            let under_way = self.flow.sent.saturating_sub(self.flow.acknowledged);
            let room = u64::from(self.flow.credit).saturating_sub(under_way);
            let count = u32::try_from(room).unwrap_or(READ).min(READ);
            if count == 0 || position.last <= self.flow.sent {
                return Ok(());
            }
            let batches = self.link.shared.spool.read(self.flow.epoch, self.flow.sent, count).await?;
            for batch in batches {
                let sequence = batch.sequence;
                if !offer(&self.up, Up::Batch(batch))? {
                    return Ok(());
                }
                debug!(epoch = self.flow.epoch, sequence, "batch sent");
                self.flow.sent = sequence;
            }
        }
    }

    /// What is to be said of commands.
    fn send_reports(&self) -> Result<(), SessionError> {
        while let Some(report) = self.link.work.next_report() {
            if !offer(&self.up, Up::Report(report.clone()))? {
                self.link.work.put_back(report);
                break;
            }
        }
        Ok(())
    }

    fn beat(&self) -> Result<(), SessionError> {
        let beat = Up::Heartbeat(Heartbeat { agent_time: self.link.clock.now_ms() });
        if !offer(&self.up, beat)? {
            warn!("the host does not read: a heartbeat was left out");
        }
        Ok(())
    }

    async fn receive(&mut self, message: ConsoleMessage) -> Result<(), SessionError> {
        match message.kind {
            Some(Down::Acknowledge(acknowledge)) => self.acknowledged(acknowledge).await,
            // A second wish that crossed the new epoch on its way: it has not heard of that yet.
            Some(Down::Resync(_)) if self.flow.sent == 0 => Ok(()),
            Some(Down::Resync(resync)) => {
                let epoch = restart(self.link, self.flow.epoch, None, &resync.reason).await?;
                self.flow = Flow { epoch, sent: 0, acknowledged: 0, credit: self.flow.credit };
                Ok(())
            }
            Some(Down::Command(command)) => Ok(self.link.work.take(command).await?),
            Some(Down::Heard(heard)) => Ok(self.link.work.heard(&heard.uid).await?),
            Some(Down::Welcome(_)) => Err(SessionError::Protocol("a second Welcome")),
            // A newer host's message that this agent does not know.
            None => Ok(()),
        }
    }

    async fn acknowledged(&mut self, acknowledge: Acknowledge) -> Result<(), SessionError> {
        let Acknowledge { epoch, sequence } = acknowledge;
        if epoch != self.flow.epoch || sequence <= self.flow.acknowledged {
            return Ok(());
        }
        if sequence > self.flow.sent {
            return Err(SessionError::Protocol("it acknowledged a batch that was not sent"));
        }
        self.link.shared.spool.acknowledge(epoch, sequence, self.link.clock.as_ref()).await?;
        self.flow.acknowledged = sequence;
        self.link.shared.catches_up((epoch, sequence));
        Ok(())
    }
}

/// Puts a message on its way if there is room.
fn offer(up: &Sender<AgentMessage>, kind: Up) -> Result<bool, SessionError> {
    match up.try_send(AgentMessage { kind: Some(kind) }) {
        Ok(()) => Ok(true),
        Err(TrySendError::Full(_)) => Ok(false),
        Err(TrySendError::Closed(_)) => Err(SessionError::Closed),
    }
}

fn heartbeat_seconds(welcome: &Welcome) -> u32 {
    match welcome.heartbeat_seconds {
        0 => 30,
        seconds => seconds.min(3600),
    }
}

async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, SessionError> {
    timeout(ANSWER, answer).await.map_err(|_| SessionError::Silent(ANSWER.as_secs()))
}
