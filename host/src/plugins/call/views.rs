//! The extension point `views`: parts of the console. What comes back is JSON that the console draws, so it is held to the
//! schema of widgets before anybody sees it.

use wasmtime::Store;
use wasmtime::component::Instance;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::CompanyUid;
use crate::plugins::abi::types::Context;
use crate::plugins::abi::views as wit;
use crate::plugins::call::{Failure, GuestCall};
use crate::plugins::error::GuestFault;
use crate::plugins::limits::VIEW_CALL;
use crate::plugins::sandbox::{CallState, Guest};
use crate::plugins::terms::Terms;
use crate::plugins::text::cut;
use crate::plugins::widgets;

/// The longest message of an action, in bytes.
const MAX_MESSAGE: usize = 2 * 1024;

/// Asks for a view.
#[derive(Debug)]
pub(in crate::plugins) struct Render {
    pub(in crate::plugins) view: String,
    /// An object.
    pub(in crate::plugins) parameters: Value,
    pub(in crate::plugins) company: Option<CompanyUid>,
}

impl GuestCall for Render {
    type Output = Value;

    fn terms(&self, _now: i64) -> Terms {
        Terms::work(VIEW_CALL, self.company, 1)
    }

    async fn run(
        self,
        guest: &Guest,
        context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<Value, Failure> {
        let exports = load(guest, store, instance)?;
        let parameters = self.parameters.to_string();
        let answer = exports.call_render(store, &context, &self.view, &parameters).await??;
        widgets::check(&answer).map_err(|reason| Failure::Fault(GuestFault::BadView(reason)))
    }
}

/// Somebody pressed a button of a view.
#[derive(Debug)]
pub(in crate::plugins) struct Act {
    pub(in crate::plugins) view: String,
    pub(in crate::plugins) action: String,
    /// An object.
    pub(in crate::plugins) parameters: Value,
    pub(in crate::plugins) company: Option<CompanyUid>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct ViewOutcome {
    /// For whoever pressed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether the view is to be rendered anew.
    #[serde(default)]
    pub render: bool,
}

impl GuestCall for Act {
    type Output = ViewOutcome;

    fn terms(&self, _now: i64) -> Terms {
        Terms::work(VIEW_CALL, self.company, 1)
    }

    async fn run(
        self,
        guest: &Guest,
        context: Context,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Result<ViewOutcome, Failure> {
        let exports = load(guest, store, instance)?;
        let parameters = self.parameters.to_string();
        let answer = exports.call_act(store, &context, &self.view, &self.action, &parameters).await??;
        let mut outcome: ViewOutcome = serde_json::from_str(&answer).map_err(|error| {
            Failure::Fault(GuestFault::BadView(format!(
                "`act` must give an object with message and render: {error}"
            )))
        })?;
        if let Some(message) = &mut outcome.message {
            cut(message, MAX_MESSAGE);
        }
        Ok(outcome)
    }
}

fn load(guest: &Guest, store: &mut Store<CallState>, instance: &Instance) -> Result<wit::Guest, Failure> {
    let Some(indices) = &guest.exports.views else {
        return Err(Failure::Fault(GuestFault::Contract("it exports no views".to_owned())));
    };
    Ok(indices.load(store, instance)?)
}
