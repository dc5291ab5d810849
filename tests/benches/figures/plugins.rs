//! One empty call: a fresh store and instance through everything the host puts around it, and through bare wasmtime.

use std::sync::Arc;
use std::time::Instant;

use keelson::clock::SystemClock;
use keelson::plugins::{FactTable, PluginOptions, Plugins, Values};
use keelson_tests::process::packages;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::figure::{Better, Figure, Goal, nanoseconds_each};

const CALLS: usize = 5_000;
const ROUNDS: usize = 11;

mod bare {
    wasmtime::component::bindgen!({ path: "../wit", world: "alert-rules-plugin", exports: { default: async } });
}

pub(crate) async fn run() -> Vec<Figure> {
    let options = PluginOptions { folder: Some(packages()), ..PluginOptions::default() };
    let plugins = Plugins::start(options, Arc::new(SystemClock)).await.expect("the plugins start");
    let bare = Bare::new();
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let ours = through_the_host(&plugins).await;
        let peer = bare.calls().await;
        if round > 0 {
            rounds.push((ours / 1000.0, peer / 1000.0));
        }
    }
    plugins.stop().await;
    let goal = Goal { unit: "µs/call", peer: "bare wasmtime, pooled", bound: 4.0, better: Better::Lower };
    vec![Figure::new("plugins.call.empty", &rounds, goal)]
}

fn no_rows() -> FactTable {
    FactTable::new(0)
        .with("newest-restore-point", Values::Ints(Vec::new()))
        .with("first-seen", Values::Ints(Vec::new()))
}

async fn through_the_host(plugins: &Plugins) -> f64 {
    let begun = Instant::now();
    for _ in 0..CALLS {
        let call = plugins.evaluate("keelson.alert-rules", "computer-without-backup", "{}", 0, no_rows());
        call.await.expect("no verdicts");
    }
    nanoseconds_each(begun.elapsed(), CALLS)
}

/// The engine with the same features and pool, and nothing else: no deadlines, no limits, no checks.
struct Bare {
    engine: Engine,
    prepared: bare::AlertRulesPluginPre<()>,
}

impl Bare {
    fn new() -> Self {
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(64)
            .total_core_instances(384)
            .total_memories(64)
            .max_memory_size(256 << 20);
        let mut config = Config::new();
        config.concurrency_support(false).allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config).expect("an engine");
        let file = packages().join("keelson.alert-rules/plugin.wasm");
        let component = Component::from_file(&engine, file).expect("the component");
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).expect("imports that are not called");
        let prepared = linker.instantiate_pre(&component).expect("a component that links");
        Self { engine, prepared: bare::AlertRulesPluginPre::new(prepared).expect("its exports") }
    }

    async fn calls(&self) -> f64 {
        use bare::exports::keelson::plugin::alert_rules::{Context, Table};
        let begun = Instant::now();
        for _ in 0..CALLS {
            let mut store = Store::new(&self.engine, ());
            let plugin = self.prepared.instantiate_async(&mut store).await.expect("an instance");
            let context = Context { call_id: String::new(), now: 0, company: None, attempt: 1 };
            let table = Table { rows: 0, columns: Vec::new() };
            let (rule, parameters) = ("none".to_owned(), "{}".to_owned());
            // Without columns the rule answers with an orderly refusal: the call is as empty as it can be.
            let answer = plugin.keelson_plugin_alert_rules().call_evaluate(
                &mut store,
                &context,
                &rule,
                &parameters,
                &table,
            );
            drop(answer.await.expect("a call that ends"));
        }
        nanoseconds_each(begun.elapsed(), CALLS)
    }
}
