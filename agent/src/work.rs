//! Commands: what the host wants done, done once.
//!
//! Who acts: the session hands over each command that comes ([`Work::take`]) and sends the reports that are due
//! ([`Work::next_report`]). A command runs as a task of its own, by the driver or, where it is about the agent itself, here.
//! Its result goes into the spool before anybody hears of it, and is said until the host says that it heard
//! ([`Work::heard`]).
//!
//! Crash: a command whose result was not kept is done again when the host asks again; drivers look at what is before they
//! change it, so that a second time does no harm.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use keelson_proto::limits::{RESULT_BYTES, TEXT_BYTES};
use keelson_proto::v1::{Command, CommandProgress, CommandReport, CommandResult, command_report};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::clock::SharedClock;
use crate::driver::{Done, Driver, Order, Refused, restore};
use crate::error::chain;
use crate::session::{Collected, Shared};
use crate::spool::{Answer, SpoolError};

/// How often a command that takes long says that it is still at it.
const ALIVE: Duration = Duration::from_secs(20);
/// How long an agent that is to end waits for the host to hear its last result.
const LAST_WORD: Duration = Duration::from_secs(10);
/// How long the full inventory may take.
const COLLECTION: Duration = Duration::from_mins(30);

/// How an agent's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As asked by whoever started it.
    Stopped,
    /// The host wants it to start anew.
    Restart,
    /// The host has removed it.
    Removed,
}

/// What runs, and what is to be said of it.
#[derive(Debug)]
pub(crate) struct Work {
    driver: Arc<dyn Driver>,
    shared: Arc<Shared>,
    clock: SharedClock,
    /// Cancelled when a command ends the agent.
    stop: CancellationToken,
    state: Mutex<State>,
    /// A report is due.
    reported: Notify,
    /// The host has heard a result.
    acknowledged: Notify,
    ended: OnceLock<Ended>,
}

#[derive(Debug, Default)]
struct State {
    /// The attempt under which the host asked last for what runs.
    running: HashMap<Vec<u8>, u32>,
    reports: VecDeque<CommandReport>,
    /// Commands that only looked: their results are large, and of no use once the host has heard them.
    looks: HashSet<Vec<u8>>,
}

impl Work {
    pub(crate) fn new(
        driver: Arc<dyn Driver>,
        shared: Arc<Shared>,
        clock: SharedClock,
        stop: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            driver,
            shared,
            clock,
            stop,
            state: Mutex::default(),
            reported: Notify::new(),
            acknowledged: Notify::new(),
            ended: OnceLock::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the agent ended, if a command ended it.
    pub(crate) fn ended(&self) -> Ended {
        self.ended.get().copied().unwrap_or(Ended::Stopped)
    }

    /// A session begins: what the last one left unsaid is old, what the host has not heard is said again.
    pub(crate) async fn resume(&self) -> Result<(), SpoolError> {
        let unheard = self.shared.spool.unheard().await?;
        let mut state = self.state();
        state.reports.clear();
        state.reports.extend(unheard.into_iter().map(said));
        Ok(())
    }

    /// Waits until there is something to say.
    pub(crate) async fn reported(&self) {
        self.reported.notified().await;
    }

    /// The next report to be sent.
    pub(crate) fn next_report(&self) -> Option<CommandReport> {
        self.state().reports.pop_front()
    }

    /// One that could not be sent yet.
    pub(crate) fn put_back(&self, report: CommandReport) {
        self.state().reports.push_front(report);
    }

    /// The last word about a command is the one that counts: what was not sent before it need not be said any more.
    fn report(&self, report: CommandReport) {
        let mut state = self.state();
        state.reports.retain(|unsent| unsent.uid != report.uid);
        state.reports.push_back(report);
        drop(state);
        self.reported.notify_one();
    }

    /// The host has heard a result.
    pub(crate) async fn heard(&self, uid: &[u8]) -> Result<(), SpoolError> {
        let looked = self.state().looks.remove(uid);
        if looked {
            self.shared.spool.forget(uid).await?;
        } else {
            self.shared.spool.heard(uid).await?;
        }
        self.acknowledged.notify_waiters();
        Ok(())
    }

    /// Something to do, perhaps not for the first time.
    pub(crate) async fn take(self: &Arc<Self>, command: Command) -> Result<(), SpoolError> {
        let running = self.state().running.get_mut(&command.uid).map(|attempt| *attempt = command.attempt);
        if running.is_some() {
            self.say_alive(&command.uid);
            return Ok(());
        }
        if let Some(result) = self.shared.spool.recall(&command.uid).await? {
            let answer = Answer { uid: command.uid, attempt: command.attempt, result };
            self.shared.spool.remember(&answer, self.clock.as_ref()).await?;
            self.report(said(answer));
            return Ok(());
        }
        self.state().running.insert(command.uid.clone(), command.attempt);
        self.say_alive(&command.uid);
        tokio::spawn(Arc::clone(self).run(command));
        Ok(())
    }

    async fn run(self: Arc<Self>, command: Command) {
        let (uid, kind) = (command.uid.clone(), command.kind.clone());
        let ends = match kind.as_str() {
            "agent-restart" => Some(Ended::Restart),
            "agent-revoke" => Some(Ended::Removed),
            _ => None,
        };
        let outcome = tokio::select! {
            biased;
            outcome = self.act(command) => outcome,
            () = self.keep_alive(&uid) => return,
        };
        let result = result_of(&kind, outcome);
        let ends = ends.filter(|_| result.done);
        if restore::is_look(&kind) {
            self.state().looks.insert(uid.clone());
        }
        // It counts as running until its result is kept: who asks in between must not have it done again.
        let attempt = self.state().running.get(&uid).copied().unwrap_or_default();
        let mut answer = Answer { uid, attempt, result };
        if let Err(error) = self.shared.spool.remember(&answer, self.clock.as_ref()).await {
            warn!("the result of a command is not kept, it may be asked for again: {}", chain(&error));
        }
        // It may have been asked for once more meanwhile: the last attempt is the one that is answered.
        answer.attempt = self.state().running.remove(&answer.uid).unwrap_or(attempt);
        let heard = self.acknowledged.notified();
        self.report(said(answer));
        if let Some(end) = ends {
            // Whether it was heard or not: the host finds out by what it sees.
            tokio::time::timeout(LAST_WORD, heard).await.ok();
            self.ended.set(end).ok();
            self.stop.cancel();
        }
    }

    /// Says again and again that it is being done. Never ends.
    async fn keep_alive(&self, uid: &[u8]) {
        loop {
            tokio::time::sleep(ALIVE).await;
            self.say_alive(uid);
        }
    }

    /// That it is being done: how far it is, no driver says.
    fn say_alive(&self, uid: &[u8]) {
        let Some(attempt) = self.state().running.get(uid).copied() else { return };
        let what = Some(command_report::What::Progress(CommandProgress::default()));
        self.report(CommandReport { uid: uid.to_vec(), attempt, what });
    }

    async fn act(&self, command: Command) -> Result<Done, Refused> {
        if command.deadline <= self.clock.now_ms() {
            return Err(Refused("its time was over when the agent heard of it".to_owned()));
        }
        match command.kind.as_str() {
            "collect" => self.collect().await,
            "agent-restart" => Ok(Done::saying("the agent starts anew")),
            "agent-revoke" => Ok(Done::saying("the agent has left")),
            "agent-update" => Err(Refused(format!(
                "an agent does not replace its own program; install the host's package on this machine (version {} runs)",
                crate::VERSION
            ))),
            "computer-reboot" => {
                Err(Refused("this agent does not restart its machine; do that on the machine".to_owned()))
            }
            _ => {
                let outcome = self.driver.execute(&order(&command)?).await;
                // What was done shows in what the engine has: the host must not wait for the next round to see it. Looking
                // into a backup changes nothing.
                if !restore::is_restore(&command.kind) {
                    self.shared.collect.notify_one();
                }
                outcome
            }
        }
    }

    /// Everything, reported anew.
    async fn collect(&self) -> Result<Done, Refused> {
        let mut collected = self.shared.collected.subscribe();
        let spool = &self.shared.spool;
        let position = spool.position().await.map_err(|error| Refused(chain(&error)))?;
        let epoch = self.shared.begin_epoch(position.epoch, None, self.clock.as_ref()).await;
        let epoch = epoch.map_err(|error| Refused(chain(&error)))?;
        self.shared.collect.notify_one();
        let told = collected.wait_for(|collected| collected.epoch >= epoch || collected.failure.is_some());
        match tokio::time::timeout(COLLECTION, told).await {
            Ok(Ok(collected)) => match &*collected {
                Collected { failure: Some(failure), .. } => Err(Refused(failure.clone())),
                Collected { .. } => Ok(Done::saying("the full inventory is on its way")),
            },
            _ => Err(Refused("the inventory is not there yet; the agent goes on collecting".to_owned())),
        }
    }
}

/// As the host gets it, and the log.
fn result_of(kind: &str, outcome: Result<Done, Refused>) -> CommandResult {
    match outcome {
        Ok(done) => {
            info!(kind, done.message, "did what the host asked");
            let json = done.result.map(|value| value.to_string()).unwrap_or_default();
            CommandResult { done: true, message: done.message, result: json }
        }
        Err(Refused(message)) => {
            warn!(kind, message, "could not do what the host asked");
            CommandResult { done: false, message, result: String::new() }
        }
    }
}

/// A command as drivers get it.
fn order(command: &Command) -> Result<Order, Refused> {
    let json = |what: &str, text: &[u8]| match text {
        [] => Ok(Value::Null),
        text => serde_json::from_slice(text)
            .map_err(|error| Refused(format!("the {what} of the command is not JSON: {error}"))),
    };
    Ok(Order {
        kind: command.kind.clone(),
        payload: json("payload", command.payload.as_bytes())?,
        secret: json("secret", &command.secret)?,
    })
}

/// As it travels. What is too much to be said is said to be: a result that the host cannot take would come again with each session.
fn said(Answer { uid, attempt, mut result }: Answer) -> CommandReport {
    if result.result.len() > RESULT_BYTES {
        let size = result.result.len();
        result = CommandResult {
            done: false,
            message: format!(
                "the answer has {size} bytes, and {RESULT_BYTES} can be said; ask for less at once"
            ),
            result: String::new(),
        };
    }
    result.message.truncate(result.message.floor_char_boundary(TEXT_BYTES));
    CommandReport { uid, attempt, what: Some(command_report::What::Result(result)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::spool;
    use crate::testing::{Scripted, limits};

    #[test]
    fn an_answer_that_is_too_long_is_said_to_be() {
        let result = CommandResult {
            done: true,
            message: "m".repeat(3 << 20),
            result: format!("[{}1]", "1,".repeat(RESULT_BYTES)),
        };
        let report = said(Answer { uid: vec![1], attempt: 1, result });
        let Some(command_report::What::Result(result)) = report.what else { panic!("a result") };
        assert!(!result.done && result.result.is_empty() && result.message.contains("ask for less"));
    }

    #[tokio::test]
    async fn what_was_not_said_yet_of_a_command_gives_way_to_the_last_word() {
        let clock: SharedClock = Arc::new(SystemClock);
        let shared = Arc::new(Shared::new(spool::memory(limits(1 << 20), clock.as_ref())));
        let answer = |uid: u8| Answer { uid: vec![uid], attempt: 1, result: CommandResult::default() };
        for uid in [1, 2] {
            shared.spool.remember(&answer(uid), clock.as_ref()).await.unwrap();
        }
        let driver = Arc::new(Scripted::new(None));
        let work = Work::new(driver, shared, clock, CancellationToken::new());
        for (uid, attempt) in [(1, 2), (2, 2), (1, 3)] {
            work.take(Command { uid: vec![uid], attempt, ..Command::default() }).await.unwrap();
        }
        let said = std::iter::from_fn(|| work.next_report()).map(|report| (report.uid[0], report.attempt));
        assert_eq!(said.collect::<Vec<_>>(), [(2, 2), (1, 3)]);
    }
}
