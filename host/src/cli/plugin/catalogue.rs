//! Plugins of the libraries: looking for them and installing them.

use std::path::Path;

use anyhow::Context as _;
use semver::Version;

use super::super::{Place, say};
use super::manage::actor;
use crate::plugins::{self, Ask, Installed, Listed, Offered, OfferedPlugin, Plugins};

pub(super) async fn install(
    place: &Place,
    plugins: &Plugins,
    what: &str,
    approve: bool,
) -> anyhow::Result<String> {
    let (bytes, vouched) = if Path::new(what).extension().is_some_and(|extension| extension == "kpkg") {
        (plugins::read_package(Path::new(what)).map_err(anyhow::Error::msg)?, None)
    } else {
        let (id, version) = what.split_once('@').map_or((what, None), |(id, version)| (id, Some(version)));
        let version = version
            .map(|text| Version::parse(text).with_context(|| format!("`{text}` is no version like 1.2.3")))
            .transpose()?;
        let found = plugins.find(id, version.as_ref()).await?;
        say(&format!("{id} from the library {}", found.library))?;
        if let Some(advisory) = &found.advisory {
            say(&format!("  the library says of it: {advisory}"))?;
        }
        (found.bytes, Some(found.vouched))
    };
    let (id, outcome) = plugins.install(bytes, vouched, &actor(place, "plugin install").await?).await?;
    match outcome {
        Installed::New { asks } => {
            say(&format!("{id} is installed"))?;
            asks_for(&asks)?;
            say(&format!(
                "  next: keelson plugin enable {id}{}",
                if asks.is_empty() { "" } else { " --approve" }
            ))?;
        }
        Installed::Already => say(&format!("{id} has this version already"))?,
        Installed::Upgraded { from } => say(&format!("{id} is upgraded from {from}"))?,
        Installed::Waiting { .. } if approve => {
            let version = plugins.approve(&id, &actor(place, "plugin approve").await?).await?;
            say(&format!("{id} is upgraded to {version}"))?;
        }
        Installed::Waiting { lacking } => {
            say(&format!("{id} waits: the new version asks for more, the older one goes on"))?;
            asks_for(&lacking)?;
            say(&format!("  next: keelson plugin approve {id}"))?;
        }
    }
    Ok(id)
}

fn asks_for(asks: &[Ask]) -> anyhow::Result<()> {
    asks.iter().try_for_each(|ask| say(&format!("  it asks for {}: {}", ask.capability, ask.reason)))
}

pub(super) async fn search(plugins: &Plugins, word: &str, json: bool) -> anyhow::Result<()> {
    let word = word.to_lowercase();
    let fits = |plugin: &Listed| {
        [&plugin.id, &plugin.name, &plugin.summary]
            .into_iter()
            .any(|text| text.to_lowercase().contains(&word))
    };
    let Offered { plugins, complaints } = plugins.offered().await?;
    let found: Vec<_> = plugins.into_iter().filter(|offered| fits(&offered.plugin)).collect();
    if json {
        let found: Vec<_> = found
            .iter()
            .map(|offered| serde_json::json!({ "library": offered.library.name, "plugin": offered.plugin }))
            .collect();
        return say(&serde_json::to_string_pretty(
            &serde_json::json!({ "found": found, "complaints": complaints }),
        )?);
    }
    complaints.iter().try_for_each(|complaint| say(complaint))?;
    for OfferedPlugin { library, plugin } in &found {
        let version =
            plugin.choose(None).map_or_else(|_| "-".to_owned(), |listed| listed.version.to_string());
        say(&format!(
            "{} {version} ({}, by {}) {}",
            plugin.id, library.name, plugin.publisher, plugin.summary
        ))?;
    }
    if found.is_empty() {
        say("nothing found")?;
    }
    Ok(())
}
