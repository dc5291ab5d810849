//! What is wrong with an agent, from its folder to its host: one finding a check, each with what to change.
//!
//! It looks and changes nothing: an agent may be at work in the same folder, with a session of its own that a second one
//! would end. So it asks the host by the call `Status`, and loads the identity without finishing a renewal.
//!
//! - `finding`: what a check found, and how it is printed;
//! - `folder`: data folder, settings, key and certificate, disk;
//! - `host`: names, TCP, TLS, whether the agent is admitted, clock and version;
//! - here: the driver, and the order of all.

mod finding;
mod folder;
mod host;

use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::SharedClock;
use crate::config::{DataFolder, Settings};
use crate::error::chain;

pub use finding::{Finding, Level, to_json, to_text};

/// A backup engine that takes longer for its state is slow, not broken.
const COLLECT: Duration = Duration::from_mins(1);

/// Examines the agent of a data folder.
pub async fn examine(data: &Path, clock: &SharedClock) -> Vec<Finding> {
    let folder = DataFolder::at(data);
    let mut findings = folder::files(&folder);
    findings.extend(folder::disk(&folder));
    let settings = match Settings::load(&folder) {
        Ok(settings) => settings,
        Err(error) => {
            findings.push(Finding::fail("settings", chain(&error), "enrol, or mend agent.toml"));
            return findings;
        }
    };
    let addresses: Vec<_> = settings.addresses.iter().map(ToString::to_string).collect();
    let who = format!("agent {} of the host at {}", settings.agent_uid, addresses.join(", "));
    findings.push(Finding::ok("settings", who));
    let (found, identity) = folder::certificate(&folder, &settings, &**clock);
    findings.push(found);
    if let Some(identity) = identity {
        findings.extend(host::examine(&settings, &identity, &**clock).await);
    }
    findings.push(driver(&settings, &folder, clock).await);
    findings
}

async fn driver(settings: &Settings, folder: &DataFolder, clock: &SharedClock) -> Finding {
    let driver = settings.driver(folder, clock);
    let kind = driver.kind();
    match timeout(COLLECT, driver.collect()).await {
        Ok(Ok(state)) => {
            let (workloads, points) = (state.workloads.len(), state.restore_points.len());
            let server = &state.server.name;
            Finding::ok(
                "driver",
                format!("{kind} reads {server}: {workloads} workloads, {points} restore points"),
            )
        }
        Ok(Err(error)) => Finding::fail(
            "driver",
            format!("{kind}: {}", chain(&error)),
            "mend what it says; the agent tries again by itself",
        ),
        Err(_) => Finding::warn(
            "driver",
            format!("{kind} has not answered within {} s", COLLECT.as_secs()),
            "a large repository takes long; else look whether it hangs",
        ),
    }
}

#[cfg(test)]
mod tests;
