//! The stories that go through every part: a real restic repository, a real agent over mutual TLS, a real host on both
//! databases, the shipped plugin, the API.

mod authority;
mod crash;
mod rules;
mod telemetry;
mod view;
