//! Requested, granted, used: what an administrator sees of a plugin's reach.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::say;
use crate::clock::{Clock as _, DAY, SystemClock};
use crate::instant::{self, Instant};
use crate::plugins::{Declared, DeclaredDestination, DeclaredSecret};
use crate::store::{BoundDestination, DestinationUse, SecretRow, StoreError, Tx};

/// For how long requests are known.
const MEMORY: i64 = 30 * DAY;

/// Stands for all destinations that are neither asked for nor bound; no label looks like it.
const UNDECLARED: &str = "(undeclared)";

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    plugin: String,
    /// Of the plugin that is there now.
    version: Option<String>,
    destinations: BTreeMap<String, Destination>,
    secrets: BTreeMap<String, Secret>,
}

/// One destination: any of asked for, bound and used.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    requested: Option<DeclaredDestination>,
    bound: Option<Bound>,
    /// Within the last 30 days.
    calls: i64,
    /// Those of them that the host did not let out.
    denied: i64,
    last_used: Option<Instant>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bound {
    origin: String,
    private_network: bool,
    since: Instant,
}

/// One secret: asked for, set, or both.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Secret {
    requested: Option<DeclaredSecret>,
    set: bool,
    /// As it was entered.
    kind: Option<String>,
    set_at: Option<Instant>,
    expires: Option<Instant>,
}

impl Access {
    pub(super) async fn read(
        tx: &mut Tx,
        plugin: &str,
        asked: Option<&Declared>,
    ) -> Result<Self, StoreError> {
        let since = SystemClock.now_ms().saturating_sub(MEMORY);
        let bound = tx.plugin_access().destinations(plugin).await?;
        let set = tx.plugin_access().secrets(plugin).await?;
        let uses = tx.plugin_requests().uses(plugin, since).await?;
        let mut access = Self {
            plugin: plugin.to_owned(),
            version: asked.map(|asked| asked.version.clone()),
            destinations: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        access.add(asked, bound, set, uses);
        Ok(access)
    }

    fn add(
        &mut self,
        asked: Option<&Declared>,
        bound: Vec<BoundDestination>,
        set: Vec<SecretRow>,
        uses: Vec<DestinationUse>,
    ) {
        for requested in asked.into_iter().flat_map(|asked| &asked.destinations) {
            self.destinations.entry(requested.label.clone()).or_default().requested = Some(requested.clone());
        }
        for requested in asked.into_iter().flat_map(|asked| &asked.secrets) {
            self.secrets.entry(requested.label.clone()).or_default().requested = Some(requested.clone());
        }
        for BoundDestination { label, origin, private_network, bound_at } in bound {
            let bound = Bound { origin, private_network, since: Instant(bound_at) };
            self.destinations.entry(label).or_default().bound = Some(bound);
        }
        for used in uses {
            // What else a plugin tried are words of its own, as many as it likes.
            let known = self.destinations.contains_key(&used.destination);
            let label = if known { used.destination } else { UNDECLARED.to_owned() };
            let destination = self.destinations.entry(label).or_default();
            destination.calls += used.calls;
            destination.denied += used.denied;
            let before = destination.last_used.map_or(i64::MIN, |at| at.0);
            destination.last_used = Some(Instant(used.last_used.max(before)));
        }
        for row in set {
            let secret = self.secrets.entry(row.label.clone()).or_default();
            (secret.set, secret.set_at) = (true, Some(Instant(row.set_at)));
            (secret.kind, secret.expires) = (Some(row.kind.clone()), row.expires_at.map(Instant));
        }
    }

    /// Whether nobody knows of the plugin.
    pub(super) fn is_empty(&self) -> bool {
        self.version.is_none() && self.destinations.is_empty() && self.secrets.is_empty()
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return say(&serde_json::to_string_pretty(self)?);
        }
        say(&format!("{} {}", self.plugin, self.version.as_deref().unwrap_or("(not there)")))?;
        self.destinations.iter().try_for_each(|(label, destination)| destination.print(label))?;
        self.secrets.iter().try_for_each(|(label, secret)| secret.print(label))
    }
}

impl Destination {
    fn print(&self, label: &str) -> anyhow::Result<()> {
        let state = match &self.bound {
            Some(Bound { origin, private_network: true, .. }) => {
                format!("bound to {origin} (private network)")
            }
            Some(Bound { origin, .. }) => format!("bound to {origin}"),
            None => "not bound".to_owned(),
        };
        say(&format!("destination {label}: {state}"))?;
        match &self.requested {
            Some(asked) => say(&format!(
                "  wants {} {}: {}",
                asked.methods.join(", "),
                asked.path_prefixes.join(", "),
                asked.reason
            ))?,
            None => say("  the plugin does not ask for it")?,
        }
        if let (None, Some(origin)) =
            (&self.bound, self.requested.as_ref().and_then(|asked| asked.default_origin.as_ref()))
        {
            say(&format!("  its author suggests {origin}"))?;
        }
        let last = self.last_used.map_or_else(|| "never".to_owned(), |at| instant::format(at.0));
        say(&format!("  in 30 days: {} calls, {} denied; last used: {last}", self.calls, self.denied))
    }
}

impl Secret {
    fn print(&self, label: &str) -> anyhow::Result<()> {
        let mut state = match self.set_at {
            Some(at) => format!("set {}", instant::format(at.0)),
            None => "not set".to_owned(),
        };
        if let Some(expires) = self.expires {
            state = format!("{state}, expires {}", instant::format(expires.0));
        }
        say(&format!("secret {label}: {state}"))?;
        match &self.requested {
            Some(asked) => say(&format!(
                "  a {} that goes to {} as {}: {}",
                asked.kind,
                asked.used_by.join(", "),
                asked.placement,
                asked.reason
            )),
            None => say("  the plugin does not ask for it"),
        }
    }
}
