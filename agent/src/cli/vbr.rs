//! `enroll --driver vbr`: a look at the server, its certificate pinned, a first login.

use std::io::{self, Write as _};

use anyhow::Context as _;

use super::arguments::DriverArguments;
use crate::clock::SharedClock;
use crate::driver::DriverSettings;
use crate::driver::vbr::{Access, Pace, VbrError, acquaint, look};

/// Nothing is stored, and no join token used, before the server has let the account in.
pub(super) async fn settings(
    arguments: DriverArguments,
    clock: &SharedClock,
) -> anyhow::Result<DriverSettings> {
    let user = arguments.vbr_user.context("--driver vbr needs --vbr-user")?;
    let file = arguments.vbr_password_file.context("--driver vbr needs --vbr-password-file")?;
    let password_file = std::path::absolute(file).context("cannot locate the password file")?;
    let address = arguments.vbr_address;
    let certificate = look(&address).await?;
    say(&format!(
        "{address} shows the certificate of '{}', SHA-256 of its key {}",
        certificate.subject, certificate.pin
    ))?;
    match arguments.vbr_fingerprint {
        Some(pinned) if pinned != certificate.pin => {
            let address = address.to_string();
            return Err(VbrError::Certificate { address, pinned, seen: certificate.pin }.into());
        }
        Some(_) => say("it is the one that was named, and pinned")?,
        None if address.is_local() => say("it is pinned")?,
        None => say("it is pinned unseen: compare it on the server, or give it with --vbr-fingerprint")?,
    }
    let access = Access { address, user, password_file, fingerprint: certificate.pin };
    let found = acquaint(&access, Pace::USUAL, clock).await?;
    say(&format!("found the backup server {}, Veeam Backup & Replication {}", found.name, found.version))?;
    Ok(DriverSettings::Vbr(access))
}

fn say(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("cannot write to standard output")
}
