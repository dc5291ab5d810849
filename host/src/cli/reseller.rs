//! Resellers.

use anyhow::Context as _;
use clap::Subcommand;

use super::admin::{named, owner_password, taken};
use super::{Place, say};
use crate::clock::SystemClock;
use crate::id::ResellerUid;
use crate::model::{NewOrganization, NewReseller, NewUser, OrganizationKind, Role};
use crate::store::Tx;

/// Resellers.
#[derive(Debug, Subcommand)]
pub(super) enum ResellerCommand {
    /// Make a reseller; prints its id
    Add {
        /// Unique without regard to case
        #[arg(long)]
        name: String,
        /// The name that the reseller's owner will sign in with
        #[arg(long, default_value = "owner")]
        owner: String,
        /// Read the owner's password from standard input, and make the owner
        #[arg(long)]
        password_stdin: bool,
    },
}

impl ResellerCommand {
    pub(super) async fn run(self, place: &Place) -> anyhow::Result<()> {
        let Self::Add { name, owner, password_stdin } = self;
        let password_hash = owner_password(password_stdin)?;
        let store = place.store().await?;
        let mut tx = store.write().await?;
        let new = NewReseller {
            organization: NewOrganization::named(&named(&name)?),
            rest_access_enabled: true,
            owner_name: named(&owner)?,
            pro_partner_id: None,
            description: None,
            claims: crate::api::all_claims(),
        };
        let made = tx.resellers().create(&SystemClock, &new).await;
        let uid = made.map_err(|error| taken(error, "reseller", &name))?;
        if let Some(password_hash) = password_hash {
            let role = Role::ServiceProviderGlobalAdministrator;
            let user = NewUser { organization_uid: uid.0, name: new.owner_name, role, password_hash };
            let made = tx.users().create(&SystemClock, &user).await;
            made.map_err(|error| taken(error, "user", &owner))?;
        }
        tx.commit().await?;
        say(&uid.to_string())
    }
}

/// A reseller by its id or its name.
pub(super) async fn reseller_named(tx: &mut Tx, reseller: &str) -> anyhow::Result<ResellerUid> {
    if let Ok(uid) = reseller.parse::<ResellerUid>()
        && tx.resellers().get(uid).await?.is_some()
    {
        return Ok(uid);
    }
    let found = tx.organizations().named(OrganizationKind::Reseller, reseller).await?;
    let found = found
        .with_context(|| format!("there is no reseller '{reseller}'; make one with keelson reseller add"))?;
    Ok(ResellerUid(found))
}
