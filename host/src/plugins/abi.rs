//! The bindings that are generated from `wit/`. Only `capability/` and `call/` use them, each for its one interface;
//! nothing generated goes further than that.

mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "whole",
        exports: { default: async },
    });
}

pub(super) use generated::exports::keelson::plugin::{alert_rules, lifecycle};
pub(super) use generated::keelson::plugin::{config, log, types};

/// The version of the contract that this host offers.
pub(super) const CONTRACT: semver::Version = semver::Version::new(0, 2, 0);
/// The contract's package.
pub(super) const PACKAGE: &str = "keelson:plugin";
/// What a plugin may import from it.
pub(super) const IMPORTS: &[&str] = &["types", "log", "config"];
/// What a plugin may export to it.
pub(super) const EXPORTS: &[&str] = &["lifecycle", "alert-rules"];
