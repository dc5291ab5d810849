//! The bindings that are generated from `wit/`. Only `capability/` and `call/` use them, each for its one interface;
//! nothing generated goes further than that.

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "whole",
        imports: {
            "keelson:plugin/http.send": async,
            "keelson:plugin/secrets.info": async,
            "keelson:plugin/inventory.read": async,
            "keelson:plugin/kv": async,
        },
        exports: { default: async },
    });
}

pub(super) use generated::exports::keelson::plugin::{alert_rules, lifecycle, routes, tasks, views};
pub(super) use generated::keelson::plugin::{
    clock, config, http, inventory, kv, log, random, secrets, types,
};

/// The version of the contract that this host offers.
pub(super) const CONTRACT: semver::Version = semver::Version::new(0, 2, 0);
/// The contract's package.
pub(super) const PACKAGE: &str = "keelson:plugin";
/// What a plugin may import from it.
pub(super) const IMPORTS: &[&str] =
    &["types", "log", "config", "secrets", "http", "inventory", "kv", "clock", "random"];
