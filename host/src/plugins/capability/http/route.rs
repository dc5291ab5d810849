//! Adds to a request what administrators bound and entered, as it is at this moment: a change needs no restart.

use std::time::Duration;

use super::HttpDesk;
use super::check::Checked;
use crate::net::Reach;
use crate::net::exchange::Origin;
use crate::plugins::capability::refusal::Refusal;
use crate::plugins::manifest::SecretSlot;
use crate::plugins::secret::SecretValue;
use crate::plugins::services::Services;
use crate::store::{BoundDestination, SecretRow, StoreError};

/// A request that knows where it goes.
#[derive(Debug)]
pub(super) struct Routed<'r> {
    pub(super) request: &'r mut Checked,
    pub(super) origin: Origin,
    pub(super) reach: Reach,
    /// In the order in which they are put in.
    pub(super) secrets: Vec<OpenSecret<'r>>,
}

/// A secret that is needed now.
#[derive(Debug)]
pub(super) struct OpenSecret<'r> {
    pub(super) slot: &'r SecretSlot,
    pub(super) value: SecretValue,
    /// Another one since then is another secret.
    pub(super) set_at: i64,
}

impl HttpDesk {
    pub(super) async fn route<'r>(&'r self, request: &'r mut Checked) -> Result<Routed<'r>, Refusal> {
        let services = self.services()?;
        let (bound, rows) = self.read(services, request).await.map_err(|error| Refusal::no_store(&error))?;
        let label = &request.destination;
        let bound = bound.ok_or_else(|| {
            Refusal::new(
                "not-bound",
                format!(
                    "no administrator said where `{label}` is: keelson plugin bind {} {label} ORIGIN",
                    self.plugin
                ),
            )
        })?;
        let unusable = || {
            Refusal::new(
                "not-bound",
                format!("`{label}` is bound to something that is no origin; bind it again"),
            )
        };
        let origin = Origin::parse(&bound.origin).ok_or_else(unusable)?;
        if !origin.secure && !bound.private_network {
            return Err(Refusal::new(
                "refused-address",
                format!("`{label}` is bound to an origin without TLS, which is for private networks only"),
            ));
        }
        let secrets = request
            .secrets
            .iter()
            .zip(rows)
            .map(|(label, row)| self.open(services, label, row))
            .collect::<Result<_, _>>()?;
        let reach = if bound.private_network { Reach::Private } else { Reach::Public };
        Ok(Routed { request, origin, reach, secrets })
    }

    async fn read(
        &self,
        services: &Services,
        request: &Checked,
    ) -> Result<(Option<BoundDestination>, Vec<Option<SecretRow>>), StoreError> {
        let mut tx = services.store.read().await?;
        let bound = tx.plugin_access().destination(&self.plugin, &request.destination).await?;
        let mut rows = Vec::new();
        for label in &request.secrets {
            rows.push(tx.plugin_access().secret(&self.plugin, label).await?);
        }
        tx.commit().await?;
        Ok((bound, rows))
    }

    fn open(
        &self,
        services: &Services,
        label: &str,
        row: Option<SecretRow>,
    ) -> Result<OpenSecret<'_>, Refusal> {
        let slot = self.secret(label)?;
        let again = |why: &str| {
            let set = format!("keelson plugin secret set {} {label}", self.plugin);
            Refusal::new("no-secret", format!("the secret `{label}` {why}: {set}"))
        };
        let row = row.ok_or_else(|| again("was not entered by an administrator"))?;
        let kind = slot.kind.name();
        let text = row.open(&services.seal).map_err(|error| {
            tracing::warn!(plugin = %self.plugin, label, %error, "plugins: a secret does not open");
            again("does not open with this host's key; enter it again")
        })?;
        let value =
            Some(&row).filter(|row| row.kind == kind).and_then(|_| SecretValue::parse(&slot.kind, &text));
        let value = value.ok_or_else(|| {
            again(&format!("was entered as {}, and plugin.toml says {kind}; enter it again", row.kind))
        })?;
        Ok(OpenSecret { slot, value, set_at: row.set_at })
    }
}

/// In whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
