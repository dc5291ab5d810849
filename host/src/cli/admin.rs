//! Companies, users, API keys.

use anyhow::{Context, bail};
use clap::Subcommand;
use uuid::Uuid;

use super::log::{Made, log};
use super::output::hear;
use super::reseller::reseller_named;
use super::{Place, say};
use crate::api::token::password;
use crate::api::token::secret::{Secret, SecretKind};
use crate::clock::{Clock, DAY, SystemClock};
use crate::id::{CompanyUid, LocationUid, SiteUid};
use crate::model::{LoginScope, NewApiKey, NewCompany, NewOrganization, NewUser, Role, Tier, check_name};
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
        /// Read the owner's password from standard input, and make the owner
        #[arg(long)]
        password_stdin: bool,
        /// Name or id of the reseller whose company it is
        #[arg(long)]
        reseller: Option<String>,
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
        /// Name or id; for the roles of a reseller
        #[arg(long)]
        reseller: Option<String>,
        /// Id; for location administrators and users, who otherwise get the company's first one
        #[arg(long = "location", value_name = "ID")]
        locations: Vec<LocationUid>,
        /// Id; for site administrators, who see nothing without one
        #[arg(long = "site", value_name = "ID")]
        sites: Vec<SiteUid>,
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
        let Self::Add { name, owner, password_stdin, reseller } = self;
        let password_hash = owner_password(password_stdin)?;
        let store = place.store().await?;
        let mut tx = store.write().await?;
        let reseller_uid = match reseller {
            Some(reseller) => Some(reseller_named(&mut tx, &reseller).await?),
            None => None,
        };
        let new = NewCompany {
            organization: NewOrganization::named(&named(&name)?),
            alarm_detect_enabled: true,
            rest_access_enabled: true,
            owner_name: named(&owner)?,
            reseller_uid,
            subscription_plan_uid: None,
        };
        let made = tx.companies().create(&SystemClock, &new).await;
        let uid = made.map_err(|error| taken(error, "company", &name))?;
        let organization = uid.0;
        log(
            &mut tx,
            Made { command: "company add", kind: "Company", uid: Some(uid.0), name: &name, organization },
        )
        .await?;
        if let Some(password_hash) = password_hash {
            let role = Role::CompanyOwner;
            let user = NewUser { organization_uid: uid.0, name: new.owner_name, role, password_hash };
            let made = tx.users().create(&SystemClock, &user).await;
            made.map_err(|error| taken(error, "user", &owner))?;
        }
        tx.commit().await?;
        say(&uid.to_string())
    }
}

impl UserCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::Add { name, role, company, reseller, locations, sites, password_stdin } = self;
        let store = place.store().await?;
        let mut tx = store.write().await?;
        let organization_uid = organization(&mut tx, role, company, reseller).await?;
        let locations = locations_of(&mut tx, role, CompanyUid(organization_uid), locations).await?;
        if role.is_owner() && tx.accounts().has_role(role, organization_uid).await? {
            bail!("the organisation has its {}, and there is only one", role.name());
        }
        if !role.has_sites() && !sites.is_empty() {
            bail!("users of the role {} are not limited to sites; leave out --site", role.name());
        }
        let (secret, given) = if password_stdin { (heard()?, true) } else { (generated(), false) };
        let new =
            NewUser { organization_uid, name: named(&name)?, role, password_hash: password::hash(&secret)? };
        let made = tx.users().create(&SystemClock, &new).await;
        let user = made.map_err(|error| taken(error, "user", &name))?.uid;
        tx.accounts().set_locations(user, &locations).await?;
        tx.accounts().set_sites(user, &sites).await?;
        let (uid, organization) = (Some(user.0), organization_uid);
        log(&mut tx, Made { command: "user add", kind: "User", uid, name: &name, organization }).await?;
        tx.commit().await?;
        if given { Ok(()) } else { say(&secret) }
    }
}

/// Where a user of this role belongs.
async fn organization(
    tx: &mut Tx,
    role: Role,
    company: Option<String>,
    reseller: Option<String>,
) -> anyhow::Result<Uuid> {
    let name = role.name();
    match (role.tier(), company, reseller) {
        (Tier::Provider, None, None) => Ok(tx.installation().ensure(&SystemClock).await?.uid),
        (Tier::Company, Some(company), None) => Ok(company_named(tx, &company).await?.0),
        (Tier::Reseller, None, Some(reseller)) => Ok(reseller_named(tx, &reseller).await?.0),
        (Tier::Provider, ..) => {
            bail!("{name} is a role of the provider; leave out --company and --reseller")
        }
        (Tier::Company, ..) => bail!("{name} is a role of a company; say which with --company alone"),
        (Tier::Reseller, ..) => bail!("{name} is a role of a reseller; say which with --reseller alone"),
    }
}

/// What a user of this role sees of a company.
async fn locations_of(
    tx: &mut Tx,
    role: Role,
    company: CompanyUid,
    given: Vec<LocationUid>,
) -> anyhow::Result<Vec<LocationUid>> {
    if !role.has_locations() {
        if !given.is_empty() {
            bail!("users of the role {} are not limited to locations; leave out --location", role.name());
        }
        return Ok(given);
    }
    for location in &given {
        if tx.accounts().company_of(*location).await? != Some(company) {
            bail!("the company has no location {location}");
        }
    }
    if given.is_empty() {
        let first = tx.accounts().first_location(company).await?;
        return Ok(first.into_iter().collect());
    }
    Ok(given)
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
        let new = NewApiKey {
            user_uid: found.uid,
            hash: key.hash(),
            identifier: key.identifier(),
            description,
            scopes: vec![LoginScope::Rest],
            read_only,
            expires_at,
        };
        tx.logins().add_key(&SystemClock, &new).await?;
        let organization = found.organization_uid;
        log(
            &mut tx,
            Made { command: "apikey add", kind: "UserLogin", uid: None, name: &found.name, organization },
        )
        .await?;
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

pub(super) fn named(name: &str) -> anyhow::Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 128 || name.chars().any(|letter| "<>=%~\0".contains(letter))
    {
        bail!("a name has 1 to 128 characters and none of < > = % ~");
    }
    if let Err(error) = check_name(name) {
        bail!("the name {error}");
    }
    Ok(name.to_owned())
}

pub(super) fn taken(error: StoreError, what: &str, name: &str) -> anyhow::Error {
    match error {
        StoreError::Conflict { .. } => {
            anyhow::anyhow!("there is a {what} '{name}' already; choose another name")
        }
        other => other.into(),
    }
}

fn heard() -> anyhow::Result<String> {
    let secret = hear()?;
    if secret.chars().count() < SHORTEST_PASSWORD {
        bail!("the password has fewer than {SHORTEST_PASSWORD} characters; choose a longer one");
    }
    Ok(secret)
}

/// The hash of the password that an owner is made with; without one there is no owner yet.
pub(super) fn owner_password(from_stdin: bool) -> anyhow::Result<Option<String>> {
    if !from_stdin {
        return Ok(None);
    }
    Ok(Some(password::hash(&heard()?)?))
}

/// 120 bits, in letters that can be read aloud.
fn generated() -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(crate::id::random::<15>())
}
