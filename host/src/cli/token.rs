//! Management agents: join tokens, and who did not come through.

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use sha2::{Digest, Sha256};

use super::admin::company_named;
use super::log::{Made, log};
use super::{Place, say};
use crate::api::failed_handshakes;
use crate::app::RunFile;
use crate::clock::{Clock, DAY, HOUR, MINUTE, SystemClock};
use crate::id::{self, CompanyUid, LocationUid};
use crate::model::Door;
use crate::pki::Pki;
use crate::store::{NewJoinToken, Tx};

/// The provider's cap on a token's life, whatever is asked for.
const LONGEST_LIFE: i64 = 30 * DAY;

/// Management agents.
#[derive(Debug, Subcommand)]
pub(super) enum AgentCommand {
    /// Make a join token; prints it
    Token {
        /// Name or id
        #[arg(long, required_unless_present = "provider")]
        company: Option<String>,
        /// For a server of the provider's own instead: a Cloud Connect server, or one that works for several companies
        #[arg(long, conflicts_with = "company")]
        provider: bool,
        /// How long it is good for: 30m, 24h, 7d; at most 30d
        #[arg(long, default_value = "24h", value_parser = lifetime)]
        ttl: i64,
        /// How many agents it enrols
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        uses: u32,
        /// `remote` for a tenant's network, `hosted` for the provider's own
        #[arg(long, default_value = "remote")]
        door: Door,
    },
    /// Show the TLS handshakes that failed at the agents' ports since the host started
    Handshakes {
        /// One line of JSON instead
        #[arg(long)]
        json: bool,
    },
}

impl AgentCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let (company, ttl, uses, door) = match self {
            Self::Token { company, provider: _, ttl, uses, door } => (company, ttl, uses, door),
            Self::Handshakes { json } => return handshakes(place, json),
        };
        let store = place.store().await?;
        let pki = Pki::open(&place.data, &SystemClock)?;
        let mut tx = store.write().await?;
        let (company_uid, location_uid) = whose(&mut tx, company.as_deref()).await?;
        let secret = URL_SAFE_NO_PAD.encode(id::random::<32>());
        let new = NewJoinToken {
            company_uid,
            location_uid,
            account_uid: None,
            hash: Sha256::digest(secret.as_bytes()).into(),
            door,
            uses,
            expires_at: SystemClock.now_ms().saturating_add(ttl),
        };
        let uid = tx.join_tokens().create(&SystemClock, &new).await?;
        let (uid, organization) = (Some(uid.0), company_uid.0);
        let name = company.as_deref().unwrap_or("provider");
        log(&mut tx, Made { command: "agent token", kind: "JoinToken", uid, name, organization }).await?;
        tx.commit().await?;
        let content = serde_json::json!({ "a": [address(place, door)], "t": secret, "p": pki.pin() });
        say(&format!("kj1.{}", URL_SAFE_NO_PAD.encode(content.to_string())))
    }
}

/// A company, or the provider, with the place where agents of theirs stand at first.
async fn whose(tx: &mut Tx, company: Option<&str>) -> anyhow::Result<(CompanyUid, LocationUid)> {
    let uid = match company {
        Some(company) => company_named(tx, company).await?,
        None => CompanyUid(tx.installation().ensure(&SystemClock).await?.uid),
    };
    let location = tx.companies().default_location(uid).await?;
    Ok((uid, location.context("the organisation has no location")?))
}

/// Only the process that the agents come to has seen them.
fn handshakes(place: &Place, json: bool) -> anyhow::Result<()> {
    let running = place
        .running
        .as_ref()
        .context("no host runs on this folder: start it, and have the agent try again")?;
    let failures = failed_handshakes(&running.agents);
    if json {
        return say(&serde_json::to_string(&failures)?);
    }
    failures.iter().try_for_each(|failure| say(&failure.line()))
}

/// Where agents find this door: the name and the port that the running host has, else those it is set to.
fn address(place: &Place, door: Door) -> String {
    let (host, remote, hosted) = match RunFile::read(&place.data) {
        Some(run) => (run.advertise, run.agents_remote, run.agents_hosted),
        None => (place.config.advertise(), place.config.agents_remote, place.config.agents_hosted),
    };
    let port = match door {
        Door::Remote => remote.port(),
        Door::Hosted => hosted.port(),
    };
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn lifetime(text: &str) -> Result<i64, String> {
    parse_lifetime(text).map_err(|error| error.to_string())
}

fn parse_lifetime(text: &str) -> anyhow::Result<i64> {
    let unit = match text.chars().last() {
        Some('m') => MINUTE,
        Some('h') => HOUR,
        Some('d') => DAY,
        _ => bail!("'{text}' has no unit; write 30m, 24h or 7d"),
    };
    let number = text.get(..text.len() - 1).unwrap_or_default();
    let number: u32 = number.parse().with_context(|| format!("'{number}' is no whole number"))?;
    let life = i64::from(number).saturating_mul(unit);
    if life == 0 || life > LONGEST_LIFE {
        bail!("a join token is good for 1m to 30d, not {text}");
    }
    Ok(life)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_a_unit_and_a_cap() {
        assert_eq!(parse_lifetime("24h").unwrap(), 24 * HOUR);
        for bad in ["24", "31d", "0h", "-1h", "h", "1.5h", "1é"] {
            assert!(parse_lifetime(bad).is_err(), "{bad}");
        }
    }
}
