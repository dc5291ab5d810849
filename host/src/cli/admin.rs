//! Companies, users, API keys.

use anyhow::{Context, bail};
use clap::Subcommand;

use super::{Place, say};
use crate::api::token::password;
use crate::api::token::secret::{Secret, SecretKind};
use crate::clock::{Clock, DAY, SystemClock};
use crate::id::CompanyUid;
use crate::model::{NewApiKey, NewCompany, NewOrganization, NewUser, Role, Tier};
use crate::store::{StoreError, Tx};

/// Shorter passwords are refused.
const SHORTEST_PASSWORD: usize = 8;

/// Companies.
#[derive(Debug, Subcommand)]
pub(super) enum CompanyCommand {
    /// Make a company; prints its id
    Add {
        /// Unique without regard to case
        #[arg(long)]
        name: String,
        /// The name that the company's owner will sign in with
        #[arg(long, default_value = "owner")]
        owner: String,
    },
}

/// Users.
#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make a user; prints a password unless one is given
    Add {
        /// Unique without regard to case
        #[arg(long)]
        name: String,
        /// `PortalAdministrator`, `ReadOnlyUser`, `CompanyOwner`, …
        #[arg(long)]
        role: Role,
        /// Name or id; for the roles of a company
        #[arg(long)]
        company: Option<String>,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
}

/// API keys.
#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make an API key; prints it, this once
    Add {
        /// Whose it is
        #[arg(long)]
        user: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
        /// It may only read
        #[arg(long)]
        read_only: bool,
        /// It expires after so many days
        #[arg(long)]
        days: Option<u32>,
    },
}

impl CompanyCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::Add { name, owner } = self;
        let store = place.store().await?;
        let mut tx = store.write().await?;
        let new = NewCompany {
            organization: NewOrganization::named(&named(&name)?),
            alarm_detect_enabled: true,
            rest_access_enabled: true,
            owner_name: named(&owner)?,
            reseller_uid: None,
            subscription_plan_uid: None,
            services: "{}".to_owned(),
        };
        let made = tx.companies().create(&SystemClock, &new).await;
        let uid = made.map_err(|error| taken(error, "company", &name))?;
        tx.commit().await?;
        say(&uid.to_string())
    }
}

impl UserCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::Add { name, role, company, password_stdin } = self;
        let store = place.store().await?;
        let mut tx = store.write().await?;
        let organization_uid = match (role.tier(), company) {
            (Tier::Provider, None) => tx.installation().ensure(&SystemClock).await?.uid,
            (Tier::Company, Some(company)) => company_named(&mut tx, &company).await?.0,
            (Tier::Provider, Some(_)) => {
                bail!("{} is a role of the provider; leave out --company", role.name())
            }
            (Tier::Company, None) => {
                bail!("{} is a role of a company; say which with --company", role.name())
            }
            (Tier::Reseller, _) => bail!("{} is a role of a reseller", role.name()),
        };
        let (secret, given) = if password_stdin { (from_stdin()?, true) } else { (generated(), false) };
        if secret.chars().count() < SHORTEST_PASSWORD {
            bail!("the password has fewer than {SHORTEST_PASSWORD} characters; choose a longer one");
        }
        let new =
            NewUser { organization_uid, name: named(&name)?, role, password_hash: password::hash(&secret)? };
        let made = tx.users().create(&SystemClock, &new).await;
        made.map_err(|error| taken(error, "user", &name))?;
        tx.commit().await?;
        if given { Ok(()) } else { say(&secret) }
    }
}

impl KeyCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::Add { user, description, read_only, days } = self;
        let store = place.store().await?;
        let mut tx = store.write().await?;
        let found = tx.users().by_name(&user).await?;
        let found =
            found.with_context(|| format!("there is no user '{user}'; make one with keelson user add"))?;
        let key = Secret::generate(SecretKind::ApiKey);
        let expires_at = days.map(|days| SystemClock.now_ms().saturating_add(i64::from(days) * DAY));
        let new = NewApiKey { user_uid: found.uid, hash: key.hash(), description, read_only, expires_at };
        tx.credentials().add_key(&SystemClock, &new).await?;
        tx.commit().await?;
        say(key.reveal())
    }
}

/// A company by its id or its name.
pub(super) async fn company_named(tx: &mut Tx, company: &str) -> anyhow::Result<CompanyUid> {
    if let Ok(uid) = company.parse::<CompanyUid>()
        && tx.companies().get(uid).await?.is_some()
    {
        return Ok(uid);
    }
    let found = tx.companies().by_name(company).await?;
    let found = found
        .with_context(|| format!("there is no company '{company}'; make one with keelson company add"))?;
    Ok(found.uid)
}

fn named(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 128 || name.chars().any(|letter| "<>=%~\0".contains(letter))
    {
        bail!("a name has 1 to 128 characters and none of < > = % ~");
    }
    Ok(name.to_owned())
}

fn taken(error: StoreError, what: &str, name: &str) -> anyhow::Error {
    match error {
        StoreError::Conflict { .. } => {
            anyhow::anyhow!("there is a {what} '{name}' already; choose another name")
        }
        other => other.into(),
    }
}

fn from_stdin() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// 120 bits, in letters that can be read aloud.
fn generated() -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(crate::id::random::<15>())
}
