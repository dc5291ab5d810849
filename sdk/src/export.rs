//! From the generated traits to the plugin's own.

use std::marker::PhantomData;
use std::sync::Once;

use crate::bindings::alert_rules::exports::keelson::plugin::alert_rules as wit;
use crate::bindings::base::exports::keelson::plugin::lifecycle;
use crate::bindings::base::keelson::plugin::types;
use crate::bindings::routes::exports::keelson::plugin::routes;
use crate::bindings::tasks::exports::keelson::plugin::tasks;
use crate::bindings::views::exports::keelson::plugin::views;
use crate::routes::Request;
use crate::views::object;
use crate::{AlertRules, Call, Error, Facts, Plugin, Routes, Tasks, Views};

/// What `plugin!` exports.
#[derive(Debug)]
pub struct Exports<P>(PhantomData<P>);

impl<P: Plugin> lifecycle::Guest for Exports<P> {
    fn describe(host: String) -> Result<String, types::PluginError> {
        log_panics();
        P::start(&host)?;
        Ok(serde_json::json!({ "id": P::ID, "version": P::VERSION }).to_string())
    }

    fn migrate(from: String, to: String) -> Result<(), types::PluginError> {
        log_panics();
        Ok(P::migrate(&from, &to)?)
    }

    fn health() -> Result<String, types::PluginError> {
        log_panics();
        let health = match P::health() {
            Ok(()) => serde_json::json!({ "healthy": true }),
            Err(error) => serde_json::json!({ "healthy": false, "message": error.message }),
        };
        Ok(health.to_string())
    }
}

impl<P: AlertRules> wit::Guest for Exports<P> {
    fn rules() -> Vec<wit::Rule> {
        log_panics();
        P::rules().into_iter().map(wit::Rule::from).collect()
    }

    fn evaluate(
        context: types::Context,
        rule: String,
        parameters: String,
        facts: types::Table,
    ) -> Result<wit::Verdicts, types::PluginError> {
        log_panics();
        let call = Call::from(context);
        let verdicts = P::evaluate(&call, &rule, &parameters, &Facts::from_table(facts))?;
        Ok(verdicts.into())
    }
}

impl<P: Views> views::Guest for Exports<P> {
    fn render(
        context: types::Context,
        view: String,
        parameters: String,
    ) -> Result<String, types::PluginError> {
        log_panics();
        let view = P::render(&Call::from(context), &view, &object(&parameters)?)?;
        Ok(view.to_json().to_string())
    }

    fn act(
        context: types::Context,
        view: String,
        action: String,
        parameters: String,
    ) -> Result<String, types::PluginError> {
        log_panics();
        let acted = P::act(&Call::from(context), &view, &action, &object(&parameters)?)?;
        Ok(match acted.message {
            Some(message) => serde_json::json!({ "render": acted.render, "message": message }),
            None => serde_json::json!({ "render": acted.render }),
        }
        .to_string())
    }
}

impl<P: Routes> routes::Guest for Exports<P> {
    fn handle(
        context: types::Context,
        request: routes::Request,
    ) -> Result<routes::Response, types::PluginError> {
        log_panics();
        Ok(P::handle(&Call::from(context), &Request::of(request)?)?.into())
    }
}

impl<P: Tasks> tasks::Guest for Exports<P> {
    fn run(
        context: types::Context,
        task: String,
        arguments: String,
        checkpoint: Option<Vec<u8>>,
    ) -> Result<tasks::Outcome, types::PluginError> {
        log_panics();
        let outcome = P::run(&Call::from(context), &task, &object(&arguments)?, checkpoint.as_deref())?;
        let wait = u32::try_from(outcome.wait.as_secs()).unwrap_or(u32::MAX);
        Ok(tasks::Outcome {
            summary: outcome.summary,
            checkpoint: outcome.checkpoint,
            resume_after_seconds: wait,
        })
    }
}

/// There is no standard error in a component: without this, a panic's message would be lost.
fn log_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string()))));
}

impl From<Error> for types::PluginError {
    fn from(error: Error) -> Self {
        Self { code: error.code, message: error.message, retryable: error.retryable }
    }
}
