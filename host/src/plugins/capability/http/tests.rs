//! The capability with a real database, real sockets and a real server on loopback. Only the name server is the test's own, so that
//! it can answer as an attacker's would, and addresses of the public internet lead to the server of the test.

mod limits;
mod reach;
mod rules;
mod secrets;
mod server;
mod stage;
mod tokens;
