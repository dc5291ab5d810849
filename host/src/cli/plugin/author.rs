//! What an author does with packages: keys, packing, signing, looking.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Subcommand;

use super::super::say;
use crate::clock::{Clock as _, DAY, SystemClock};
use crate::plugins::{self, Inspection, Packed, SecretKey};

/// Of an author's.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuthorCommand {
    /// Take a folder or a package through everything the host does at a load
    Check {
        /// A folder with plugin.toml and plugin.wasm, or a .kpkg
        place: PathBuf,
    },
    /// Make a key to sign packages with; prints its public half
    Key {
        /// Where the secret half goes; never over a file that is there
        file: PathBuf,
        /// Make none: print the public half of the key that is there
        #[arg(long)]
        of: bool,
    },
    /// Check a folder and make one .kpkg of it
    Pack {
        /// With plugin.toml and plugin.wasm
        folder: PathBuf,
        /// Sign it with this key at once
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// Where the package goes, if not here
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        out: PathBuf,
    },
    /// Sign a .kpkg; a signature that it has is replaced
    Sign {
        /// The package
        package: PathBuf,
        /// The publisher's key
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The key that signed until now, when it is replaced by another
        #[arg(long, value_name = "FILE")]
        former: Option<PathBuf>,
    },
    /// Make the signed index of a library: a folder of signed packages
    Index {
        /// With the .kpkg files
        folder: PathBuf,
        /// The key of the library
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Whose the packages are
        #[arg(long, value_name = "NAME")]
        publisher: String,
        /// How long the index is believed
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// Take a version back, for good: `vendor.name@1.2.3`
        #[arg(long, value_name = "PLUGIN@VERSION", requires = "advisory")]
        withdraw: Option<String>,
        /// Why, for those who have it
        #[arg(long, value_name = "TEXT", requires = "withdraw")]
        advisory: Option<String>,
    },
    /// Say what is in a package and who signed it
    Inspect {
        /// A .kpkg or a folder
        place: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

impl AuthorCommand {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Check { place } => {
                let report = plugins::check(&place, Arc::new(SystemClock)).await?;
                say(&serde_json::to_string_pretty(&report)?)
            }
            Self::Key { file, of: true } => say(&read_key(&file)?.public().to_string()),
            Self::Key { file, of: false } => make_key(&file),
            Self::Pack { folder, key, out } => {
                plugins::check(&folder, Arc::new(SystemClock)).await?;
                let packed = match key {
                    Some(key) => plugins::sign(&folder, &read_key(&key)?, None)?,
                    None => plugins::pack(&folder)?,
                };
                write(&out.join(&packed.file_name), &packed)
            }
            Self::Sign { package, key, former } => {
                if package.is_dir() {
                    bail!(
                        "{} is a folder; make a package of it with `keelson plugin pack --key`",
                        package.display()
                    );
                }
                let former = former.as_deref().map(read_key).transpose()?;
                let packed = plugins::sign(&package, &read_key(&key)?, former.as_ref())?;
                write(&package, &packed)
            }
            Self::Index { folder, key, publisher, days, withdraw, advisory } => {
                let life = (SystemClock.now_ms(), i64::from(days) * DAY);
                let withdrawn = withdraw.zip(advisory);
                let index = plugins::make_index(&folder, &read_key(&key)?, &publisher, life, withdrawn)?;
                say(&format!(
                    "{} plugins, serial {}, until {}",
                    index.plugins.len(),
                    index.serial,
                    index.expires
                ))
            }
            Self::Inspect { place, json } => {
                let found = plugins::inspect(&place)?;
                if json { say(&serde_json::to_string_pretty(&found)?) } else { show(&found) }
            }
        }
    }
}

fn make_key(file: &Path) -> anyhow::Result<()> {
    let key = SecretKey::generate();
    let pem = key.to_pem().map_err(anyhow::Error::msg)?;
    let cannot = || format!("cannot make {}", file.display());
    let mut options = std::fs::OpenOptions::new();
    let mut made = options.write(true).create_new(true).mode(0o600).open(file).with_context(cannot)?;
    made.write_all(pem.as_bytes()).and_then(|()| made.sync_all()).with_context(cannot)?;
    say(&key.public().to_string())
}

fn read_key(file: &Path) -> anyhow::Result<SecretKey> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read the key {}", file.display()))?;
    SecretKey::from_pem(&text)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("{} is not a key to sign with", file.display()))
}

/// In one step: a package that is there is whole, the old one or the new one.
fn write(file: &Path, packed: &Packed) -> anyhow::Result<()> {
    let draft = file.with_added_extension("new");
    std::fs::write(&draft, &packed.bytes)
        .and_then(|()| std::fs::rename(&draft, file))
        .with_context(|| format!("cannot write {}", file.display()))?;
    say(&file.display().to_string())
}

fn show(found: &Inspection) -> anyhow::Result<()> {
    say(&format!("{} {} ({})", found.id, found.version, found.name))?;
    say(&format!("contract {}", found.contract))?;
    match &found.key {
        None => say("not signed")?,
        Some(key) => say(&format!("signed by {key}"))?,
    }
    for former in found.signers.iter().filter(|signer| Some(*signer) != found.key.as_ref()) {
        say(&format!("and by {former}, whose place it takes"))?;
    }
    for file in &found.files {
        say(&format!("{} {:>9} {}", file.sha256, file.size, file.name))?;
    }
    Ok(())
}
