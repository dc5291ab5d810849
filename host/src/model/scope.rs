//! Who may see what.

use crate::id::{CompanyUid, ResellerUid, UserUid};

/// Whose rows a caller sees. Every read of a tenant's rows takes one, and the list engine turns it into SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything: the provider's own users, and the host itself.
    Provider,
    /// The sites given to one site administrator, and the organisations that have something there.
    Site(UserUid),
    /// One reseller and its companies.
    Reseller(ResellerUid),
    /// One company.
    Company(CompanyUid),
    /// The locations of one company that are given to one user.
    Location(CompanyUid, UserUid),
    /// What one subtenant of a company backed up.
    Subtenant(CompanyUid, UserUid),
}

impl Scope {
    /// The company it is limited to.
    pub fn company(self) -> Option<CompanyUid> {
        match self {
            Self::Provider | Self::Site(_) | Self::Reseller(_) => None,
            Self::Company(uid) | Self::Location(uid, _) | Self::Subtenant(uid, _) => Some(uid),
        }
    }

    /// The reseller it is limited to.
    pub fn reseller(self) -> Option<ResellerUid> {
        match self {
            Self::Reseller(uid) => Some(uid),
            _ => None,
        }
    }
}

/// To whom a user belongs, from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// The provider.
    Provider,
    /// A reseller of the provider.
    Reseller,
    /// A company.
    Company,
}

macro_rules! roles {
    ($($name:ident $short:literal $tier:ident,)+) => {
        /// The roles of the API. Which operation admits which is data: `api/operations.tsv`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are the API's own")]
        pub enum Role { $($name,)+ }

        impl Role {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As the API spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// As the operations table spells it.
            pub fn short(self) -> &'static str {
                match self { $(Self::$name => $short,)+ }
            }

            /// To whom a user of this role belongs.
            pub fn tier(self) -> Tier {
                match self { $(Self::$name => Tier::$tier,)+ }
            }
        }
    };
}

roles! {
    PortalAdministrator "PA" Provider,
    SiteAdministrator "SA" Provider,
    PortalOperator "PO" Provider,
    ReadOnlyUser "RO" Provider,
    ServiceProviderGlobalAdministrator "RGA" Reseller,
    ServiceProviderAdministrator "RA" Reseller,
    ServiceProviderOperator "ROp" Reseller,
    ServiceProviderUser "RU" Reseller,
    ServiceProviderInvoiceAuditor "RIA" Reseller,
    CompanyOwner "CO" Company,
    CompanyAdministrator "CA" Company,
    CompanyTenant "CT" Company,
    LocationAdministrator "LA" Company,
    LocationUser "LU" Company,
    SubTenant "ST" Company,
    CompanyInvoiceAuditor "CIA" Company,
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|role| role.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|role| role.name()).collect();
            format!("'{text}' is no role; the roles are {}", names.join(", "))
        })
    }
}
