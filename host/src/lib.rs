//! The Keelson host: storage, agent connections, the API, and a plugin host. Everything a provider may want different is a
//! plugin.
//!
//! Imports only go down: `main → cli → app → api → areas (alarms, mail) → (agents, plugins) → store → (model, net, pki, seal) → (id, clock,
//! error)`. What looks like an upward call is a row: the gateway marks what changed as due, and never calls alarms.

pub mod agents;
pub mod alarms;
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod error;
pub mod id;
mod instant;
pub mod lifecycle;
pub mod mail;
pub mod model;
mod net;
pub mod pki;
pub mod plugins;
pub mod seal;
pub mod store;
