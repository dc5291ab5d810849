//! Looks at a request without asking anybody: what the manifest declares, and what a request may be made of.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::sync::OwnedSemaphorePermit;

use super::placement::Parts;
use super::target::{HOLE, Target};
use super::{Asker, HttpDesk, PATIENCE, headers};
use crate::plugins::abi::http::Request;
use crate::plugins::capability::refusal::Refusal;
use crate::plugins::manifest::{Destination, Placement};
use crate::plugins::text::nearest;

/// The largest body of a request. The engine takes 4 MiB of one call in all, and stops what is more.
const MAX_BODY: usize = 3 << 20;

/// A request that may leave, if somebody bound its destination.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) destination: String,
    pub(super) method: Method,
    pub(super) parts: Parts,
    /// Labels that are declared for the destination.
    pub(super) secrets: Vec<String>,
    pub(super) time: Duration,
    /// Its place among those of the plugin.
    _turn: OwnedSemaphorePermit,
}

impl HttpDesk {
    pub(super) fn check(&self, asker: &Asker, request: Request) -> Result<Checked, Refusal> {
        let destination = self.destination(&request.destination)?;
        let method = method(destination, &request.method)?;
        let target = Target::parse(&request.path)?;
        if !target.is_under(&destination.path_prefixes) {
            return Err(Refusal::new(
                "not-granted",
                format!(
                    "plugin.toml lets `{}` be asked for paths that begin with {}",
                    destination.label,
                    destination.path_prefixes.join(", ")
                ),
            ));
        }
        let headers = headers::request(&request.headers, &asker.call)?;
        if let Some(body) = request.body.as_ref().filter(|body| body.len() > MAX_BODY) {
            return Err(Refusal::bad_request(format!(
                "the body has {} bytes; {MAX_BODY} at most",
                body.len()
            )));
        }
        self.check_secrets(destination, &request.secrets, &target)?;
        let turn = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| {
            Refusal::later(
                "busy",
                format!("{} requests of the plugin are under way; wait for one", super::AT_ONCE),
            )
        })?;
        let wanted = Duration::from_millis(u64::from(request.timeout_ms));
        Ok(Checked {
            destination: request.destination,
            method,
            parts: Parts { target, headers, body: request.body },
            secrets: request.secrets,
            time: if wanted.is_zero() { PATIENCE } else { wanted.min(PATIENCE) },
            _turn: turn,
        })
    }

    fn destination(&self, label: &str) -> Result<&Destination, Refusal> {
        let found = self.destinations.iter().find(|destination| destination.label == label);
        found.ok_or_else(|| {
            let known: Vec<_> = self.destinations.iter().map(|known| known.label.as_str()).collect();
            let label = label.chars().take(64).collect::<String>();
            Refusal::new(
                "unknown-destination",
                format!(
                    "plugin.toml has no [[http]] `{}`{}",
                    label.escape_default(),
                    nearest(&label, &known)
                ),
            )
        })
    }

    fn check_secrets(
        &self,
        destination: &Destination,
        labels: &[String],
        target: &Target,
    ) -> Result<(), Refusal> {
        let mut in_path = false;
        for (at, label) in labels.iter().enumerate() {
            let slot = self.secret(label)?;
            if !slot.used_by.contains(&destination.label) {
                return Err(Refusal::new(
                    "not-granted",
                    format!(
                        "plugin.toml lets the secret `{label}` go to {}, not to `{}`",
                        slot.used_by.join(", "),
                        destination.label
                    ),
                ));
            }
            if labels.iter().take(at).any(|before| before == label) {
                return Err(Refusal::bad_request(format!("the secret `{label}` is named twice")));
            }
            in_path |= slot.placement == Placement::PathSegment;
        }
        if target.has_hole() && !in_path {
            return Err(Refusal::bad_request(format!(
                "the path has `{HOLE}`, but no secret that is named stands in the path"
            )));
        }
        Ok(())
    }
}

fn method(destination: &Destination, given: &str) -> Result<Method, Refusal> {
    let refused = || {
        Refusal::new(
            "not-granted",
            format!(
                "plugin.toml lets `{}` be asked with {}; methods are in capitals",
                destination.label,
                destination.methods.join(", ")
            ),
        )
    };
    if !destination.methods.iter().any(|method| method == given) {
        return Err(refused());
    }
    Method::from_bytes(given.as_bytes()).map_err(|_| refused())
}
