//! The plugin's settings, read-only.

use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};

use crate::plugins::abi;
use crate::plugins::sandbox::CallState;

/// What a call sees of the settings.
#[derive(Debug, Clone)]
pub(in crate::plugins) struct ConfigView(Arc<str>);

impl ConfigView {
    /// `settings` is valid under the package's schema, defaults filled in.
    pub(in crate::plugins) fn new(settings: &serde_json::Value) -> Self {
        Self(settings.to_string().into())
    }
}

impl abi::config::Host for ConfigView {
    fn get(&mut self) -> String {
        self.0.as_ref().to_owned()
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::config::add_to_linker::<_, HasSelf<ConfigView>>(linker, |state| &mut state.config)
}
