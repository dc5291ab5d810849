//! Which role decides over users of which other role. The operations table says who may call an operation at all, the
//! scope which users there are for a caller; this says whom of them they may make, change or take away.

use super::{Role, Tier};

use Role::{
    CompanyAdministrator, CompanyInvoiceAuditor, CompanyOwner, CompanyTenant, LocationAdministrator,
    LocationUser, PortalAdministrator, PortalOperator, ServiceProviderAdministrator,
    ServiceProviderGlobalAdministrator, ServiceProviderInvoiceAuditor, ServiceProviderOperator,
    ServiceProviderUser, SiteAdministrator, SubTenant,
};

impl Role {
    /// Whether users of this role make, change and take away users of `other`. Oneself is another matter: everybody may
    /// change their own profile, and nobody their own role.
    pub fn manages(self, other: Self) -> bool {
        match self {
            PortalAdministrator => true,
            PortalOperator | ServiceProviderGlobalAdministrator => other.tier() != Tier::Provider,
            ServiceProviderAdministrator => {
                other.tier() != Tier::Provider && other != ServiceProviderGlobalAdministrator
            }
            ServiceProviderOperator => {
                other.tier() == Tier::Company
                    || matches!(other, ServiceProviderUser | ServiceProviderInvoiceAuditor)
            }
            // A reseller's users reach wherever the reseller has something: further than a site administrator's own sites.
            SiteAdministrator | CompanyOwner => other.tier() == Tier::Company,
            CompanyAdministrator => other.tier() == Tier::Company && other != CompanyOwner,
            CompanyTenant => other == SubTenant,
            LocationAdministrator => matches!(other, LocationUser | SubTenant),
            _ => false,
        }
    }

    /// Whether users of this role may act in the place of users of `other`: of those whom they manage, only the ones of
    /// a tier below. Among peers it would only blur who did what.
    pub fn acts_for(self, other: Self) -> bool {
        self.manages(other) && other.tier() > self.tier()
    }

    /// Whether an organisation has exactly one user of this role, who goes only with the organisation.
    pub fn is_owner(self) -> bool {
        matches!(self, CompanyOwner | ServiceProviderGlobalAdministrator)
    }

    /// Whether a user of this role sees only the locations given to them.
    pub fn has_locations(self) -> bool {
        matches!(self, LocationAdministrator | LocationUser)
    }

    /// Whether a user of this role sees only the sites given to them.
    pub fn has_sites(self) -> bool {
        self == SiteAdministrator
    }

    /// Whether a user of this role sees only what bills are made of.
    pub fn is_auditor(self) -> bool {
        matches!(self, CompanyInvoiceAuditor | ServiceProviderInvoiceAuditor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_manages_a_tier_above_their_own() {
        for role in Role::ALL {
            for other in Role::ALL {
                assert!(!role.manages(*other) || other.tier() >= role.tier(), "{role:?} {other:?}");
            }
        }
    }

    #[test]
    fn nobody_acts_for_a_peer_or_somebody_above() {
        for role in Role::ALL {
            for other in Role::ALL.iter().filter(|other| role.acts_for(**other)) {
                assert!(other.tier() > role.tier() && role.manages(*other), "{role:?} {other:?}");
            }
        }
        assert!(PortalOperator.acts_for(CompanyOwner) && !CompanyOwner.acts_for(SubTenant));
        assert!(!PortalAdministrator.acts_for(PortalAdministrator));
    }

    #[test]
    fn a_site_administrator_manages_nobody_who_reaches_further_than_a_company() {
        let managed = Role::ALL.iter().filter(|other| SiteAdministrator.manages(**other));
        assert!(managed.clone().count() > 0 && managed.clone().all(|other| other.tier() == Tier::Company));
    }

    #[test]
    fn only_the_owner_of_a_company_decides_over_an_owner_in_it() {
        let managing: Vec<_> = Role::ALL.iter().filter(|role| role.manages(CompanyOwner)).collect();
        assert!(managing.iter().all(|role| role.tier() < Tier::Company || **role == CompanyOwner));
        let powerless = [Role::ReadOnlyUser, ServiceProviderUser, LocationUser, SubTenant];
        assert!(powerless.iter().all(|role| !Role::ALL.iter().any(|other| role.manages(*other))));
    }
}
