//! The store's contract, on both databases.

mod agents;
mod alarms;
mod bad_databases;
mod fixtures;
mod ingest;
mod lists;
mod schema;
