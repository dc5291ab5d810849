//! Randomness that nobody can guess.

use wasmtime::component::{HasSelf, Linker};

use super::refusal::Refusal;
use crate::plugins::abi;
use crate::plugins::sandbox::CallState;
use crate::plugins::terms::Terms;

/// The most bytes of one request.
const MOST: u32 = 64 << 10;

/// What a call sees of it.
#[derive(Debug)]
pub(in crate::plugins) struct RandomView(Terms);

impl RandomView {
    pub(in crate::plugins) fn new(terms: Terms) -> Self {
        Self(terms)
    }
}

impl abi::random::Host for RandomView {
    fn bytes(&mut self, length: u32) -> Result<Vec<u8>, abi::types::PluginError> {
        self.0.refuse_if_pure("random")?;
        if length > MOST {
            return Err(Refusal::bad_request(format!("{length} bytes; {MOST} at most")).into());
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        getrandom::fill(&mut bytes).map_err(|error| {
            Refusal::later("unavailable", format!("this machine gives no randomness: {error}"))
        })?;
        Ok(bytes)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::random::add_to_linker::<_, HasSelf<RandomView>>(linker, |state| &mut state.random)
}
