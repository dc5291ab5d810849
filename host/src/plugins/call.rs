//! One call of a guest: queue, fresh store, budget, and whose fault it was.

pub(super) mod alert_rules;
pub(super) mod lifecycle;
pub(super) mod routes;
pub(super) mod tasks;
pub(super) mod views;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::component::Instance;
use wasmtime::{Store, Trap};

use super::abi::types::Context;
use super::error::{Blame, GuestFault, Refusal};
use super::gate::Pass;
use super::limits::{Budget, HOSTCALL_FUEL};
use super::sandbox::{CallState, Guest, Sandbox};
use super::terms::Terms;

/// What is asked of a guest, in host terms.
pub(super) trait GuestCall: Send + 'static {
    /// What comes back.
    type Output: Send + 'static;

    /// On whose behalf it is, and what it gets. `now` is the host's.
    fn terms(&self, now: i64) -> Terms;

    /// Asks it of a fresh instance.
    fn run(
        self,
        guest: &Guest,
        context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

/// Why a call in the guest ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine stopped it.
    Engine(wasmtime::Error),
    /// It came back with something that the host does not take.
    Fault(GuestFault),
}

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<super::abi::types::PluginError> for Failure {
    fn from(error: super::abi::types::PluginError) -> Self {
        let super::abi::types::PluginError { code, mut message, retryable } = error;
        super::text::cut(&mut message, 2048);
        Self::Fault(GuestFault::Answered { code, message, retryable })
    }
}

/// Queues and runs `call`.
pub(super) async fn run<C: GuestCall>(
    sandbox: &Arc<Sandbox>,
    guest: &Arc<Guest>,
    call: C,
) -> Result<C::Output, Blame> {
    let terms = call.terms(sandbox.clock.now_ms());
    let budget = terms.budget;
    let passes = tokio::time::timeout(budget.wall, enter(sandbox, guest))
        .await
        .unwrap_or_else(|_| Err(guest.gate.busy()))
        .map_err(Blame::Policy)?;
    let runtime = sandbox.runtime().ok_or(Blame::Policy(Refusal::Stopping))?;
    let running = Arc::clone(guest);
    let now = sandbox.clock.now_ms();
    let task = runtime.spawn(async move {
        let _passes = passes;
        // Dropping the future at the deadline drops the store with it, in whatever state it is.
        tokio::time::timeout(budget.wall, attempt(&running, terms, now, call))
            .await
            .unwrap_or(Err(Blame::Guest(GuestFault::WallDeadline(budget.wall))))
    });
    match AbortOnDrop(task).join().await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => Err(Blame::Host("a call of a plugin panicked".to_owned())),
        Err(_) => Err(Blame::Policy(Refusal::Stopping)),
    }
}

async fn enter(sandbox: &Sandbox, guest: &Guest) -> Result<(Pass, Pass), Refusal> {
    Ok((guest.gate.enter().await?, sandbox.gate.enter().await?))
}

async fn attempt<C: GuestCall>(guest: &Guest, terms: Terms, now: i64, call: C) -> Result<C::Output, Blame> {
    let budget = terms.budget;
    let call_id = next_call_id();
    let context = terms.context(&call_id, now);
    let mut store = guest.store(call_id, terms);
    let outcome = async {
        let instance = guest.pre.instantiate_async(&mut store).await?;
        call.run(guest, context, &mut store, &instance).await
    }
    .await;
    outcome.map_err(|failure| match failure {
        Failure::Fault(fault) => Blame::Guest(fault),
        Failure::Engine(error) => blame(&error, store.data_mut(), budget),
    })
}

/// Unique in this process, and short: it stands in each log line of the guest.
fn next_call_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("call-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Whose fault an engine error is. What the accountants saw comes first: a refused allocation shows up as a trap of the
/// guest's own allocator, which says nothing.
fn blame(error: &wasmtime::Error, state: &mut CallState, budget: Budget) -> Blame {
    if state.cpu.exhausted() {
        return Blame::Guest(GuestFault::CpuDeadline(budget.cpu));
    }
    if let Some(limit) = state.memory.refused() {
        return Blame::Guest(GuestFault::Memory(limit));
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        let reason = match state.log.take_last_error() {
            Some(words) => format!("{trap}; its last words: {words}"),
            None => trap.to_string(),
        };
        return Blame::Guest(GuestFault::Trap(reason));
    }
    let cause = error.root_cause().to_string();
    // The engine's type for this is private; a test holds this text.
    if cause.starts_with("too much data is being copied") {
        return Blame::Guest(GuestFault::TooMuchData(HOSTCALL_FUEL));
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Blame::Host(format!("the pool of instances is smaller than the number of calls: {cause}"));
    }
    // What is left are values that do not lift: bad pointers, bad strings, bad discriminants.
    Blame::Guest(GuestFault::Contract(cause))
}

/// A caller that goes away takes its call with it.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn join(mut self) -> Result<T, tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
