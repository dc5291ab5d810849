//! What people ask of plugins: views, operations of their own, how they are.

use std::sync::Arc;

use serde_json::Value;

use super::call::lifecycle::AskHealth;
use super::call::views::{Act, Render};
use super::registry::Generation;
use super::{Blame, CallError, Health, Plugins, Refusal, RouteRequest, RouteResponse, ViewInfo, ViewOutcome};
use crate::id::CompanyUid;

impl Plugins {
    /// All views of the plugins that run.
    pub fn all_views(&self) -> Vec<ViewInfo> {
        self.inner
            .snapshot
            .load()
            .generations()
            .flat_map(|generation| ViewInfo::of(&generation.manifest))
            .collect()
    }

    /// Has a plugin render a view, on behalf of a company or of the provider. `parameters` is an object.
    pub async fn render(
        &self,
        plugin: &str,
        view: &str,
        parameters: Value,
        company: Option<CompanyUid>,
    ) -> Result<Value, CallError> {
        let fail = |blame: Blame| CallError::new(plugin, format!("rendering the view {view}"), blame);
        let generation = self.with_view(plugin, view).map_err(fail)?;
        self.guarded(&generation, Render { view: view.to_owned(), parameters, company }).await.map_err(fail)
    }

    /// Tells a plugin that somebody pressed a button of a view.
    pub async fn act(
        &self,
        plugin: &str,
        (view, action): (&str, &str),
        parameters: Value,
        company: Option<CompanyUid>,
    ) -> Result<ViewOutcome, CallError> {
        let fail = |blame: Blame| CallError::new(plugin, format!("doing {action} of the view {view}"), blame);
        let generation = self.with_view(plugin, view).map_err(fail)?;
        let (view, action) = (view.to_owned(), action.to_owned());
        self.guarded(&generation, Act { view, action, parameters, company }).await.map_err(fail)
    }

    /// Asks an operation of a plugin's own.
    pub async fn route(&self, plugin: &str, request: RouteRequest) -> Result<RouteResponse, CallError> {
        let step = format!("{} {}", request.method, request.path);
        let fail = |blame: Blame| CallError::new(plugin, step.as_str(), blame);
        let generation = self.generation(plugin).map_err(fail)?;
        if !generation.manifest.extends.routes {
            return Err(fail(Blame::Policy(Refusal::NoRoutes)));
        }
        self.guarded(&generation, request).await.map_err(fail)
    }

    /// What a plugin says of how it is.
    pub async fn health(&self, plugin: &str) -> Result<Health, CallError> {
        let fail = |blame: Blame| CallError::new(plugin, "asking how it is", blame);
        let generation = self.generation(plugin).map_err(fail)?;
        self.guarded(&generation, AskHealth).await.map_err(fail)
    }

    fn with_view(&self, plugin: &str, view: &str) -> Result<Arc<Generation>, Blame> {
        let generation = self.generation(plugin)?;
        if generation.manifest.extends.views.iter().any(|known| known.id == view) {
            Ok(generation)
        } else {
            Err(Blame::Policy(Refusal::NoSuchView(view.to_owned())))
        }
    }
}
