//! The store's contract, on both databases.

mod agents;
mod alarms;
mod backups;
mod bad_databases;
pub(crate) mod cloud;
mod commands;
mod engine;
mod fixtures;
mod fleet;
mod ingest;
mod lists;
mod plans;
mod plugin_access;
mod schema;
