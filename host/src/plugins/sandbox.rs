//! Where guests run: the engine, what it links, and a small runtime of its own, so that a guest that spins takes no
//! worker from the API.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use wasmtime::component::{InstancePre, Linker};
use wasmtime::{Store, UpdateDeadline};

use super::abi;
use super::capability::clock::ClockView;
use super::capability::config::ConfigView;
use super::capability::http::{HttpDesk, HttpView, Outside};
use super::capability::inventory::{InventoryDesk, InventoryView};
use super::capability::kv::{KvDesk, KvView};
use super::capability::log::{LogBudget, LogView};
use super::capability::random::RandomView;
use super::capability::secrets::{SecretsDesk, SecretsView};
use super::capability::{self};
use super::engine::Engine;
use super::error::PluginError;
use super::exports::Exports;
use super::gate::Gate;
use super::limits::{
    Accountant, CALLS, HANDLES, HOSTCALL_FUEL, PLUGIN_CALLS, PLUGIN_WAITING_CALLS, TICK, WAITING_CALLS,
};
use super::services::Services;
use super::terms::Terms;
use crate::clock::SharedClock;
use crate::net::{Authorities, Machine};

/// Threads that run guests.
const WORKERS: usize = 2;

/// Everything that all plugins share.
pub(super) struct Sandbox {
    pub(super) engine: Engine,
    pub(super) linker: Linker<CallState>,
    pub(super) gate: Gate,
    pub(super) clock: SharedClock,
    /// What capabilities work with.
    pub(super) outside: Outside,
    runtime: Option<Runtime>,
}

impl Sandbox {
    pub(super) fn start(clock: SharedClock, services: Option<Services>) -> Result<Arc<Self>, PluginError> {
        let engine = Engine::start()?;
        let mut linker = Linker::new(engine.wasm());
        capability::add_to_linker(&mut linker).map_err(|error| PluginError::Engine(format!("{error:#}")))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("keelson-guest")
            .enable_time()
            .build()
            .map_err(|error| PluginError::Threads(error.to_string()))?;
        let host = Handle::try_current().map_err(|error| PluginError::Threads(error.to_string()))?;
        let outside = Outside {
            services,
            clock: Arc::clone(&clock),
            network: Arc::new(Machine),
            authorities: Authorities::with(&[]),
            runtime: host,
        };
        let gate = Gate::new(CALLS, WAITING_CALLS);
        Ok(Arc::new(Self { engine, linker, gate, clock, outside, runtime: Some(runtime) }))
    }

    /// Where a call runs; none while the host stops.
    pub(super) fn runtime(&self) -> Option<&Runtime> {
        self.runtime.as_ref()
    }
}

impl Drop for Sandbox {
    /// A runtime that is dropped inside another one panics, unless it need not wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What the host holds for one call, inside its store.
#[derive(Debug)]
pub(super) struct CallState {
    pub(super) memory: Accountant,
    pub(super) cpu: Cpu,
    pub(super) log: LogView,
    pub(super) config: ConfigView,
    pub(super) http: HttpView,
    pub(super) secrets: SecretsView,
    pub(super) inventory: InventoryView,
    pub(super) kv: KvView,
    pub(super) clock: ClockView,
    pub(super) random: RandomView,
}

impl abi::types::Host for CallState {}

/// Processor time: one tick each time that the guest is found running.
#[derive(Debug)]
pub(super) struct Cpu {
    ticks: u32,
    budget: u32,
}

impl Cpu {
    fn new(budget: Duration) -> Self {
        let budget = budget.as_millis().div_ceil(TICK.as_millis());
        Self { ticks: 0, budget: u32::try_from(budget).unwrap_or(u32::MAX) }
    }

    /// Whether the guest was stopped for it.
    pub(super) fn exhausted(&self) -> bool {
        self.ticks > self.budget
    }
}

/// A component that is ready to run, with all that a call of it needs.
pub(super) struct Guest {
    pub(super) id: Arc<str>,
    pub(super) pre: InstancePre<CallState>,
    pub(super) exports: Exports,
    pub(super) memory: usize,
    pub(super) config: ConfigView,
    pub(super) log: Arc<LogBudget>,
    pub(super) http: Arc<HttpDesk>,
    pub(super) secrets: Arc<SecretsDesk>,
    pub(super) inventory: Arc<InventoryDesk>,
    pub(super) kv: Arc<KvDesk>,
    pub(super) clock: SharedClock,
    pub(super) gate: Gate,
}

impl Guest {
    pub(super) fn new_gate() -> Gate {
        Gate::new(PLUGIN_CALLS, PLUGIN_WAITING_CALLS)
    }

    /// A store for one call, thrown away after it.
    pub(super) fn store(&self, call: String, terms: Terms) -> Store<CallState> {
        let state = CallState {
            memory: Accountant::new(self.memory),
            cpu: Cpu::new(terms.budget.cpu),
            http: HttpView::new(Arc::clone(&self.http), &call, terms.clone()),
            secrets: SecretsView::new(Arc::clone(&self.secrets), terms.clone()),
            inventory: InventoryView::new(Arc::clone(&self.inventory), terms.clone()),
            kv: KvView::new(Arc::clone(&self.kv), terms.clone()),
            clock: ClockView::new(Arc::clone(&self.clock), &terms),
            random: RandomView::new(terms),
            log: LogView::new(Arc::clone(&self.id), call, Arc::clone(&self.log)),
            config: self.config.clone(),
        };
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOSTCALL_FUEL);
        store.set_max_component_handles(HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut context| {
            let cpu = &mut context.data_mut().cpu;
            cpu.ticks = cpu.ticks.saturating_add(1);
            Ok(if cpu.exhausted() { UpdateDeadline::Interrupt } else { UpdateDeadline::Yield(1) })
        });
        store
    }
}
