//! What a plugin may know of its secrets: that they are there, and when they expire. No function gives one away.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{HasSelf, Linker};

use super::refusal::Refusal;
use crate::plugins::abi;
use crate::plugins::manifest::{Capabilities, SecretSlot};
use crate::plugins::sandbox::CallState;
use crate::plugins::services::Services;
use crate::plugins::terms::Terms;

/// What all calls of one plugin share.
#[derive(Debug)]
pub(in crate::plugins) struct SecretsDesk {
    plugin: Arc<str>,
    declared: Vec<SecretSlot>,
    services: Option<Services>,
    runtime: Handle,
}

impl SecretsDesk {
    pub(in crate::plugins) fn new(
        plugin: Arc<str>,
        declared: &Capabilities,
        services: Option<Services>,
        runtime: Handle,
    ) -> Arc<Self> {
        Arc::new(Self { plugin, declared: declared.secrets.clone(), services, runtime })
    }

    async fn info(&self, label: &str) -> Result<abi::secrets::About, Refusal> {
        let slot = self.declared.iter().find(|slot| slot.label == label);
        let kind = slot.ok_or_else(|| Refusal::unknown_secret(label))?.kind.name();
        let services = self.services.as_ref().ok_or_else(Refusal::no_services)?;
        let row = async {
            let mut tx = services.store.read().await?;
            let row = tx.plugin_access().secret(&self.plugin, label).await?;
            tx.commit().await?;
            Ok(row)
        };
        let row = row.await.map_err(|error| Refusal::no_store(&error))?;
        // One that was entered as another kind is none that the plugin can use.
        let row = row.filter(|row| row.kind == kind);
        let expires = row.as_ref().and_then(|row| row.expires_at);
        Ok(abi::secrets::About { kind: kind.to_owned(), set: row.is_some(), expires })
    }
}

/// What a call sees of them.
#[derive(Debug)]
pub(in crate::plugins) struct SecretsView {
    desk: Arc<SecretsDesk>,
    terms: Terms,
}

impl SecretsView {
    pub(in crate::plugins) fn new(desk: Arc<SecretsDesk>, terms: Terms) -> Self {
        Self { desk, terms }
    }
}

impl abi::secrets::Host for SecretsView {
    async fn info(&mut self, label: String) -> Result<abi::secrets::About, abi::types::PluginError> {
        self.terms.refuse_if_pure("secrets")?;
        let desk = Arc::clone(&self.desk);
        let task = self.desk.runtime.spawn(async move { desk.info(&label).await });
        Ok(AbortOnDropHandle::new(task).await.unwrap_or_else(|_| Err(Refusal::stopping()))?)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::secrets::add_to_linker::<_, HasSelf<SecretsView>>(linker, |state| &mut state.secrets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::abi::secrets::Host as _;
    use crate::plugins::limits::ROUTE_CALL;
    use crate::plugins::manifest::Manifest;
    use crate::seal::Seal;
    use crate::store::Store;

    const MANIFEST: &str = r#"
        id = "acme.psa"
        name = "PSA"
        version = "1.0.0"
        contract = { requires = "0.2" }
        http = [{ label = "psa", methods = ["GET"], path-prefixes = ["/"], reason = "Tickets" }]
        secrets = [{ label = "token", kind = "token", placement = "bearer", used-by = ["psa"], reason = "To sign in" }]
    "#;

    fn view(services: Option<Services>, terms: Terms) -> SecretsView {
        let declared = Manifest::parse(MANIFEST).unwrap().capabilities;
        SecretsView::new(SecretsDesk::new("acme.psa".into(), &declared, services, Handle::current()), terms)
    }

    #[tokio::test]
    async fn a_plugin_learns_that_a_secret_is_there_and_when_it_expires_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}/db", folder.path().display())).await.unwrap();
        let services = Services { store, seal: Seal::open(folder.path()).unwrap() };
        let mut view = view(Some(services.clone()), Terms::work(ROUTE_CALL, None, 1));
        let about = view.info("token".to_owned()).await.unwrap();
        assert_eq!((about.kind.as_str(), about.set, about.expires), ("token", false, None));
        for (plugin, kind, expires) in [("evil.guest", "token", None), ("acme.psa", "token", Some(7))] {
            let mut tx = services.store.write().await.unwrap();
            let row = ("token", kind, expires, 1);
            tx.plugin_access().set_secret(&services.seal, plugin, row, "the secret").await.unwrap();
            tx.commit().await.unwrap();
            let about = view.info("token".to_owned()).await.unwrap();
            assert_eq!((about.set, about.expires), (plugin == "acme.psa", expires));
        }
        let error = view.info("nothing".to_owned()).await.unwrap_err();
        assert_eq!((error.code.as_str(), error.retryable), ("unknown-secret", false));
    }

    #[tokio::test]
    async fn a_pure_call_and_a_host_that_only_looks_learn_nothing() {
        let error = view(None, Terms::rule(0)).info("token".to_owned()).await.unwrap_err();
        assert_eq!(error.code, "not-in-this-call");
        let error = view(None, Terms::work(ROUTE_CALL, None, 1)).info("token".to_owned()).await.unwrap_err();
        assert_eq!(error.code, "unavailable");
    }
}
