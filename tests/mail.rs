//! Mail, from the queue to a server that takes it, refuses it, or hangs.

mod delivery;
mod fixtures;
mod settings;
mod sign_in;
mod tls;
mod tokens;
