//! What all tests stand on: databases of both kinds, hosts in this process or as processes of their own, agents, clients.
//!
//! A test that touches the store is written once, with [`on_both!`], and runs once for each database. Nothing is skipped:
//! a part that is missing (PostgreSQL, restic, a built program) fails the test with the command that mends it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test's tools end the test, with the reason, when something is not as it must be"
)]

pub mod account;
pub mod agent;
pub mod alarms;
pub mod client;
pub mod cluster;
pub mod database;
pub mod disk;
pub mod fleet;
pub mod host;
pub mod intercept;
pub mod link;
pub mod process;
pub mod proxy;
pub mod simulation;
pub mod smtp;
pub mod soak;
pub mod vbr;
pub mod wait;

pub use agent::{Agent, Repository};
pub use client::Client;
pub use database::TestDatabase;
pub use host::{HostProcess, TestHost};
pub use smtp::{Delivered, MailServer, MailServerOptions, MailTls, Mood};
pub use wait::eventually;

/// One test for both databases: `on_both! { fn a_sentence(database) { … } }` becomes `a_sentence::sqlite` and
/// `a_sentence::postgres`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$doc:meta])* fn $name:ident($database:ident) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            async fn case($database: $crate::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                case($crate::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                case($crate::TestDatabase::postgres().await).await;
            }
        }
    )+};
}
