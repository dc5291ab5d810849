//! The engine that compiles and runs guests: pooled memories where the machine has the address space for them, and an
//! epoch every 10 ms so that no guest runs without being looked at.

use std::num::NonZeroUsize;

use wasmtime::{Config, Enabled, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::error::PluginError;
use super::limits::{INSTANCES, MAX_MEMORY, MEMORIES, TABLE_ELEMENTS, TABLES, TICK};

/// Stores that may be alive at once: the running calls, and loads beside them.
const STORES: u32 = 64;

/// The engine, with a thread that moves its epoch.
#[derive(Debug)]
pub(super) struct Engine {
    wasm: wasmtime::Engine,
}

impl Engine {
    /// Starts it; without the address space for a pool, instances are made one by one.
    pub(super) fn start() -> Result<Self, PluginError> {
        let wasm = match wasmtime::Engine::new(&config(Some(pool()))) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "no address space to pool plugin memories; each call allocates its own, which is slower"
                );
                wasmtime::Engine::new(&config(None))
                    .map_err(|error| PluginError::Engine(format!("{error:#}")))?
            }
        };
        start_ticking(wasm.weak()).map_err(|error| PluginError::Threads(error.to_string()))?;
        Ok(Self { wasm })
    }

    /// For compiling, linking and stores.
    pub(super) fn wasm(&self) -> &wasmtime::Engine {
        &self.wasm
    }
}

fn config(pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(512 << 10)
        .wasm_backtrace_max_frames(NonZeroUsize::new(32))
        .memory_init_cow(true);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn pool() -> PoolingAllocationConfig {
    let per_component = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(STORES)
        .total_core_instances(STORES * 6)
        .total_memories(STORES)
        .total_tables(STORES * 4)
        .total_stacks(STORES)
        .max_memory_size(MAX_MEMORY)
        .table_elements(TABLE_ELEMENTS)
        .max_component_instance_size(1 << 20)
        .max_core_instances_per_component(per_component(INSTANCES))
        .max_memories_per_component(per_component(MEMORIES))
        .max_tables_per_component(per_component(TABLES))
        .max_tables_per_module(2)
        .linear_memory_keep_resident(1 << 20)
        .pagemap_scan(Enabled::Auto)
        .table_keep_resident(64 << 10)
        .max_unused_warm_slots(32);
    pool
}

/// Moves the epoch until the last user of the engine is gone: a guest that outlives the host's handle must still be
/// stopped. It is a thread and not a task, because guests that spin may hold all workers of a runtime.
fn start_ticking(engine: EngineWeak) -> std::io::Result<()> {
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::park_timeout(TICK);
        }
    };
    std::thread::Builder::new().name("keelson-epoch".to_owned()).spawn(tick).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_starts_with_and_without_a_pool() {
        Engine::start().unwrap();
        wasmtime::Engine::new(&config(None)).unwrap();
    }
}
