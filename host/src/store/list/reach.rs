//! The caller's scope as SQL. A resource says which columns decide who sees a row ([`super::Reach`]); here each kind of
//! scope asks those columns. What a resource does not say, a caller does not see.

use super::compile::Compiler;
use super::{Resource, Value};
use crate::model::Scope;

const SITES_OF_USER: &str = "SELECT site_uid FROM user_sites WHERE user_uid = ";
const SITES_OF_ORGANIZATION: &str = "SELECT site_uid FROM organization_sites WHERE organization_uid = ";
const LOCATIONS_OF_USER: &str = "SELECT location_uid FROM user_locations WHERE user_uid = ";

impl Compiler {
    /// Writes the predicate that limits `resource` to what `scope` sees.
    pub(super) fn scope(&mut self, resource: &Resource, scope: Scope) {
        let reach = resource.reach;
        let predicate = match scope {
            _ if reach.open => None,
            Scope::Provider => None,
            Scope::Reseller(reseller) => Some(match (reach.organization, reach.site) {
                (Some(column), _) => {
                    let own = self.place(Value::Uuid(reseller.0));
                    format!(
                        "({column} = {own} OR {column} IN (SELECT uid FROM companies WHERE reseller_uid = {own}))"
                    )
                }
                (None, Some(site)) => {
                    let own = self.place(Value::Uuid(reseller.0));
                    fill(site, SITES_OF_ORGANIZATION, &own)
                }
                (None, None) => NOTHING.to_owned(),
            }),
            Scope::Site(user) => Some(self.of_sites(resource, user.0)),
            Scope::Company(company) => Some(match reach.organization {
                Some(column) => format!("{column} = {}", self.place(Value::Uuid(company.0))),
                None => NOTHING.to_owned(),
            }),
            Scope::Location(company, user) => Some(match (reach.organization, reach.location) {
                (Some(column), Some(location)) => {
                    let company = self.place(Value::Uuid(company.0));
                    let user = self.place(Value::Uuid(user.0));
                    format!("{column} = {company} AND {}", fill(location, LOCATIONS_OF_USER, &user))
                }
                _ => NOTHING.to_owned(),
            }),
            Scope::Subtenant(company, user) => Some(match (reach.organization, reach.user) {
                (Some(column), Some(owner)) => {
                    let company = self.place(Value::Uuid(company.0));
                    let user = self.place(Value::Uuid(user.0));
                    format!("{column} = {company} AND {}", owner.replace("{}", &user))
                }
                _ => NOTHING.to_owned(),
            }),
        };
        self.push(predicate.as_deref().unwrap_or("1 = 1"));
    }

    fn of_sites(&mut self, resource: &Resource, user: uuid::Uuid) -> String {
        let reach = resource.reach;
        // A value that no predicate asks for would be one parameter too many for PostgreSQL.
        if reach.site.is_none() && (reach.organization.is_none() || reach.site_decides) {
            return NOTHING.to_owned();
        }
        let user = self.place(Value::Uuid(user));
        let by_site = reach.site.map(|site| fill(site, SITES_OF_USER, &user));
        let organization = reach.organization.filter(|_| !reach.site_decides);
        let by_organization = organization.map(|column| {
            format!(
                "{column} IN (SELECT os.organization_uid FROM organization_sites os \
                 JOIN user_sites us ON us.site_uid = os.site_uid WHERE us.user_uid = {user})"
            )
        });
        let parts: Vec<_> = by_site.into_iter().chain(by_organization).collect();
        format!("({})", parts.join(" OR "))
    }
}

const NOTHING: &str = "1 = 0";

fn fill(predicate: &str, select: &str, place: &str) -> String {
    predicate.replace("{}", &format!("{select}{place}"))
}
