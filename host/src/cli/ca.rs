//! The host's certificate authority.

use clap::Subcommand;

use super::log::{Made, log};
use super::{Place, say};
use crate::clock::SystemClock;
use crate::instant;
use crate::pki::Pki;

/// The certificate authority that agents know the host by.
#[derive(Debug, Subcommand)]
pub(super) enum CaCommand {
    /// Show its pin, and until when a former one is known
    Show,
    /// Put another one in its place, from the next start of the host on. Agents learn it with their next certificate; those that
    /// were enrolled under the former one are known for another 180 days
    Rotate,
}

impl CaCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let pki = Pki::open(&place.data, &SystemClock)?;
        match self {
            Self::Show => show(&pki),
            Self::Rotate => {
                pki.rotate(&SystemClock)?;
                let now = Pki::open(&place.data, &SystemClock)?;
                let store = place.store().await?;
                let mut tx = store.write().await?;
                let provider = tx.installation().ensure(&SystemClock).await?.uid;
                let name = now.pin();
                let made = Made {
                    command: "ca rotate",
                    kind: "Certificate",
                    uid: None,
                    name: &name,
                    organization: provider,
                };
                log(&mut tx, made).await?;
                tx.commit().await?;
                show(&now)?;
                say(
                    "it counts from the next start of the host on; join tokens that were made before know the former one",
                )
            }
        }
    }
}

fn show(pki: &Pki) -> anyhow::Result<()> {
    say(&format!("pin     {}", pki.pin()))?;
    say(&format!("file    {}", pki.ca_file().display()))?;
    match pki.former_until() {
        Some(until) => say(&format!("former  known until {}", instant::format(until))),
        None => say("former  none"),
    }
}
