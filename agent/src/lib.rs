//! `keelson-agent`: runs beside a backup server and reports to a Keelson host. It connects outbound only.
//!
//! The cast:
//!
//! - [`enroll`] trades a join token ([`token`]) for a certificate, once; [`identity`] and [`config`] keep what came of
//!   it in the data folder.
//! - [`agent`] puts a running agent together from tasks that share a spool:
//!   - the collector asks the [`driver`] for the engine's state and appends the difference ([`inventory`]) to the
//!     [`spool`];
//!   - the [`session`] sends from the spool and removes what the host acknowledged; commands that come down it are the
//!     business of `work`, which does each of them once.
//! - [`tls`] reaches the host and knows that it is the host.
//! - [`doctor`] looks at all of it from outside and says what is wrong.
//! - [`fleet`] runs many simulated agents in one process.
//!
//! What a crash leaves: a batch is in the spool or it is not, together with what it makes known; it stays until the
//! host, which acknowledges after its commit, said so. A repeated batch has the same epoch and sequence.

pub mod agent;
pub mod cli;
pub mod clock;
mod collect;
mod computer;
pub mod config;
pub mod doctor;
pub mod driver;
pub mod enroll;
pub mod error;
pub mod fleet;
pub mod identity;
pub mod inventory;
pub mod random;
pub mod session;
pub mod spool;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod token;
mod work;

pub use work::Ended;

/// This agent's version, as it tells the host.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
