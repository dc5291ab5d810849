//! What a guest may do besides computing: one WIT import each. A capability has a *view*, which is all that a call sees
//! of it, and links itself.

pub(super) mod clock;
pub(super) mod config;
pub(super) mod http;
pub(super) mod inventory;
pub(super) mod kv;
pub(super) mod log;
pub(super) mod random;
mod refusal;
pub(super) mod secrets;

use wasmtime::component::Linker;

use super::sandbox::CallState;

/// Links every capability of this host. A component gets only those that it imports.
pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    super::abi::types::add_to_linker::<_, wasmtime::component::HasSelf<_>>(
        linker,
        |state: &mut CallState| state,
    )?;
    log::add_to_linker(linker)?;
    config::add_to_linker(linker)?;
    secrets::add_to_linker(linker)?;
    http::add_to_linker(linker)?;
    inventory::add_to_linker(linker)?;
    kv::add_to_linker(linker)?;
    clock::add_to_linker(linker)?;
    random::add_to_linker(linker)
}
