//! What the demo asks of the running host, over TLS that trusts the host's own CA only.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// A caller of one host.
pub(super) struct Client {
    agent: Agent,
    url: String,
    health: String,
    ca_file: PathBuf,
}

impl Client {
    /// For the host with these ports on this machine.
    pub(super) fn new(ca_file: &Path, api: u16, health: u16) -> anyhow::Result<Self> {
        let pem = fs::read(ca_file).with_context(|| format!("failed to read {}", ca_file.display()))?;
        let certificate = Certificate::from_pem(&pem)
            .with_context(|| format!("{} is no certificate", ca_file.display()))?;
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::from([certificate]))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(10)));
        Ok(Self {
            agent: config.build().new_agent(),
            url: format!("https://localhost:{api}"),
            health: format!("http://127.0.0.1:{health}"),
            ca_file: ca_file.to_path_buf(),
        })
    }

    /// Where page and API are.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Where the health listener is.
    pub(super) fn health(&self) -> &str {
        &self.health
    }

    /// The certificate that a caller has to trust.
    pub(super) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Whether the host says that it is ready.
    pub(super) fn is_ready(&self) -> bool {
        let answer = self.agent.get(format!("{}/readyz", self.health)).call();
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// All alarms that are active, at most one page of 500.
    pub(super) fn active_alarms(&self, api_key: &str) -> anyhow::Result<Vec<Value>> {
        let address = format!("{}/api/v3/alarms/active?limit=500", self.url);
        let mut answer =
            self.agent.get(&address).header("Authorization", format!("Bearer {api_key}")).call()?;
        let status = answer.status();
        let body = answer.body_mut().read_to_string()?;
        if !status.is_success() {
            bail!("answered {status}: {body}");
        }
        list(&body).with_context(|| format!("not a list: {body}"))
    }
}

fn list(body: &str) -> Option<Vec<Value>> {
    match serde_json::from_str::<Value>(body).ok()?.get_mut("data")?.take() {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_items_and_anything_else_gives_none() {
        assert_eq!(list(r#"{"meta":{},"data":[{"a":1}]}"#).unwrap().len(), 1);
        assert!(list(r#"{"errors":[]}"#).is_none());
        assert!(list("<html>").is_none());
    }
}
