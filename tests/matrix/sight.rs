//! Who sees what, said from the objects' facts alone and in other words than the host's: what the host answers is held
//! against it.

use std::collections::BTreeSet;

use keelson::model::Role;
use uuid::Uuid;

use super::objects::{Object, World};

/// How far somebody sees.
#[derive(Debug, Clone)]
pub(super) enum Sight {
    /// Everything.
    Everything,
    /// What stands on these sites, and what belongs to an organisation that has something there.
    Sites(BTreeSet<Uuid>),
    /// A reseller and its companies.
    Reseller(Uuid),
    /// A company.
    Company(Uuid),
    /// Some locations of a company, and the company itself.
    Locations(Uuid, BTreeSet<Uuid>),
    /// What one user of a company has, and the company itself.
    Own(Uuid, Uuid),
}

/// Why somebody does not see an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Foreign {
    /// It is another company's, of the same reseller or of none.
    Company,
    /// It is another reseller's, or one of its companies'.
    Reseller,
    /// It stands on another site.
    Site,
    /// It is at another location of the same company.
    Location,
    /// It is another user's of the same company.
    User,
}

impl Sight {
    /// How far a user sees who was just made: site administrators get one of the sites that the company under test is
    /// on, location users one of its locations.
    pub(super) fn of(world: &World, role: Role, organization: Uuid, user: Uuid) -> Self {
        match role {
            Role::PortalAdministrator | Role::PortalOperator | Role::ReadOnlyUser => Self::Everything,
            Role::SiteAdministrator => {
                let first = world.of("site").iter().flat_map(|site| site.whose.sites.iter().copied()).min();
                Self::Sites(first.into_iter().collect())
            }
            Role::ServiceProviderGlobalAdministrator
            | Role::ServiceProviderAdministrator
            | Role::ServiceProviderOperator
            | Role::ServiceProviderUser
            | Role::ServiceProviderInvoiceAuditor => Self::Reseller(organization),
            Role::CompanyOwner
            | Role::CompanyAdministrator
            | Role::CompanyTenant
            | Role::CompanyInvoiceAuditor => Self::Company(organization),
            Role::LocationAdministrator | Role::LocationUser => {
                let busy = |location: &Uuid| {
                    world.of("agent").iter().filter(|agent| agent.whose.locations.contains(location)).count()
                };
                let own = world
                    .of("location")
                    .iter()
                    .filter(|object| object.whose.organization == Some(organization));
                let busiest = own.flat_map(|object| object.whose.locations.iter().copied()).max_by_key(busy);
                Self::Locations(organization, busiest.into_iter().collect())
            }
            Role::SubTenant => Self::Own(organization, user),
        }
    }

    /// The sites that a user of this sight is given.
    pub(super) fn sites(&self) -> Vec<Uuid> {
        if let Self::Sites(sites) = self { sites.iter().copied().collect() } else { Vec::new() }
    }

    /// The locations that a user of this sight is given.
    pub(super) fn locations(&self) -> Vec<Uuid> {
        if let Self::Locations(_, locations) = self {
            locations.iter().copied().collect()
        } else {
            Vec::new()
        }
    }

    /// Whether they see an object.
    pub(super) fn sees(&self, world: &World, object: &Object) -> bool {
        let whose = &object.whose;
        let is = |own: &Uuid| whose.organization == Some(*own);
        match self {
            _ if ["alarmTemplate", "plugin"].contains(&object.kind) => true,
            Self::Everything => true,
            Self::Sites(sites) => {
                let has = |own| sites.iter().any(|site| world.sites.contains(&(own, *site)));
                let organization = whose.organization.filter(|_| !object.site_decides);
                !whose.sites.is_disjoint(sites) || organization.is_some_and(has)
            }
            Self::Reseller(reseller) if ["site", "siteRepository"].contains(&object.kind) => {
                whose.sites.iter().any(|site| world.sites.contains(&(*reseller, *site)))
            }
            Self::Reseller(reseller) => {
                is(reseller) || whose.organization.and_then(|own| world.reseller_of(own)) == Some(*reseller)
            }
            Self::Company(company) => is(company),
            Self::Locations(company, locations) => is(company) && !whose.locations.is_disjoint(locations),
            // A user belongs to the organisation as it is to them.
            Self::Own(company, user) => {
                is(company) && (object.kind == "organization" || whose.users.contains(user))
            }
        }
    }

    /// Whether a user, or whoever is let into an organisation, sees nothing that they do not see themselves: only then do
    /// they decide over such a user.
    pub(super) fn covers(&self, world: &World, object: &Object) -> bool {
        let whose = &object.whose;
        match self {
            Self::Sites(sites) => {
                let mut of = world.sites.iter().filter(|(own, _)| Some(*own) == whose.organization);
                of.all(|(_, site)| sites.contains(site))
            }
            Self::Locations(_, locations) if ["user", "plainUser"].contains(&object.kind) => {
                whose.locations.is_subset(locations)
            }
            _ => true,
        }
    }

    /// In which way an object that they do not see is foreign to them.
    pub(super) fn foreign(&self, world: &World, object: &Object) -> Foreign {
        let reseller =
            |organization: Option<Uuid>| organization.map(|own| world.reseller_of(own).unwrap_or(own));
        match self {
            Self::Everything | Self::Sites(_) => Foreign::Site,
            Self::Company(own) if reseller(object.whose.organization) == reseller(Some(*own)) => {
                Foreign::Company
            }
            Self::Reseller(_) | Self::Company(_) => Foreign::Reseller,
            Self::Locations(own, _) if object.whose.organization == Some(*own) => Foreign::Location,
            Self::Own(own, _) if object.whose.organization == Some(*own) => Foreign::User,
            Self::Locations(own, _) | Self::Own(own, _) => {
                if reseller(object.whose.organization) == reseller(Some(*own)) {
                    Foreign::Company
                } else {
                    Foreign::Reseller
                }
            }
        }
    }
}
