//! All tests that need more than one crate's own parts, in one binary: linking is what costs.

// `cfg(test)` on each: it tells clippy that helpers beside the tests are tests too.
#[cfg(test)]
mod agents;
#[cfg(test)]
mod api;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod companies;
#[cfg(test)]
mod console;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod infrastructure;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod store;
