//! How an agent reaches its host, and how it knows that it has.
//!
//! - `pin`: the SHA-256 of the CA's public key, and the diagnosis when the certificates seen do not lead to it;
//! - `verify`: rustls' verifier, with the pinned CA as its only root;
//! - `credentials`: TLS 1.3 settings, with the agent's own certificate once it has one;
//! - `dial`: address → TCP → TLS → a tonic channel over that one connection.
//!
//! No public root is ever trusted. Before enrolment the CA is taken from the chain that the host presents, if its
//! key has the pin from the join token; afterwards it is the one that was stored.

mod address;
mod credentials;
mod dial;
mod pin;
mod verify;

pub use address::{Address, AddressError};
pub use credentials::{CredentialsError, TlsCredentials};
pub use dial::{Connection, Dial, DialError, Dialler, dial, dial_any};
pub(crate) use dial::{open, reach};
pub use pin::{Pin, PinError, PinMismatch, SeenCertificate};
