//! Users of the provider, of resellers and of companies, and what they sign in with.

use uuid::Uuid;

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet, names};

const OF_COMPANY: [&str; 6] = [
    "CompanyOwner",
    "LocationUser",
    "SubTenant",
    "CompanyAdministrator",
    "LocationAdministrator",
    "CompanyInvoiceAuditor",
];
const OF_RESELLER: [&str; 3] =
    ["ServiceProviderGlobalAdministrator", "ServiceProviderAdministrator", "ServiceProviderOperator"];
const OF_PROVIDER: [&str; 4] = ["PortalAdministrator", "PortalOperator", "ReadOnlyUser", "SiteAdministrator"];

/// Of a password that nobody has.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$c2VlZGVkLWZsZWV0LXNhbHQ$q1iHq0R0c0b1m7bq0m1vWf0l8X9y8Y1bq3m9k2Q3m1M";

/// A user: their number, organisation, company and role.
type Somebody = (i64, Uuid, Option<Uuid>, &'static str, String);

impl Fleet {
    /// The `k`-th user of a company: the owner, a location user, a subtenant, …
    pub(super) fn user_of_company(self, company: i64, k: i64) -> Uuid {
        Thing::User.at(company * self.scale.users_of_company + k)
    }

    /// The users of the provider come last.
    pub(super) fn user_of_provider(self, k: i64) -> Uuid {
        Thing::User.at(self.scale.companies * self.scale.users_of_company + self.scale.resellers * 3 + k)
    }

    fn people(self) -> impl Iterator<Item = Somebody> + Send {
        let each = self.scale.users_of_company;
        let of_companies = self.scale.companies * each;
        let companies = (0..of_companies).map(move |n| {
            let company = Thing::Company.at(n / each);
            (
                n,
                company,
                Some(company),
                one_of(&OF_COMPANY, n % each),
                format!("company-{}-{}", n / each, n % each),
            )
        });
        let resellers = (0..self.scale.resellers * 3).map(move |n| {
            let name = format!("reseller-{}-{}", n / 3, n % 3);
            (of_companies + n, Thing::Reseller.at(n / 3), None, one_of(&OF_RESELLER, n % 3), name)
        });
        let first = of_companies + self.scale.resellers * 3;
        let own = (0..4)
            .map(move |n| (first + n, self.provider, None, one_of(&OF_PROVIDER, n), format!("Operator-{n}")));
        companies.chain(resellers).chain(own)
    }
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![
        users(fleet),
        user_locations(fleet),
        user_sites(fleet),
        user_logins(fleet),
        user_backup_resources(fleet),
    ]
}

fn users(fleet: Fleet) -> Table {
    rows!("users", fleet.people(), |(n, organization, company, role, name)| (person = names::person(n)) {
        uid: Thing::User.at(n),
        company_uid: company,
        organization_uid: organization,
        name_folded: name.to_lowercase(),
        email: Some(format!("{name}@customer.test")),
        name: name,
        role: role,
        password_hash: HASH,
        enabled: n % 14 != 13,
        created_at: fleet.made(n, fleet.scale.companies * fleet.scale.users_of_company),
        title: one_of(&["Mr", "Mrs", "Miss", "Ms", "Unknown"], n),
        first_name: Some(person.0),
        last_name: Some(person.1),
        phone: (n % 2 == 0).then(|| format!("+48 22 {n:07}")),
        address: (n % 3 == 0).then_some("Hinterhof, 2. Stock"),
        mfa_policy_status: if n % 4 == 0 { "Enabled" } else { "Disabled" },
    })
}

/// Location users see their company's first location and its branch.
fn user_locations(fleet: Fleet) -> Table {
    let pairs = (0..fleet.scale.companies).flat_map(move |company| {
        let user = fleet.user_of_company(company, 1);
        let branch = (company % 2 == 0).then(|| (user, Fleet::location(company, 2)));
        std::iter::once((user, Fleet::location(company, 0))).chain(branch)
    });
    rows!("user_locations", pairs, |(user, location)| () {
        user_uid: user,
        location_uid: location,
    })
}

fn user_sites(fleet: Fleet) -> Table {
    rows!("user_sites", 0..fleet.scale.sites.min(2), |site| () {
        user_uid: fleet.user_of_provider(3),
        site_uid: Thing::Site.at(site),
    })
}

/// The ids stand beside those that the host gives. One API key for each user who owns a company, every third with a second factor too.
fn user_logins(fleet: Fleet) -> Table {
    let keys = (0..fleet.scale.companies).map(|company| (company, "AK"));
    let seconds =
        (0..fleet.scale.companies).filter(|company| company % 3 == 0).map(|company| (company, "TOTP"));
    rows!("user_logins", keys.chain(seconds).zip(1_000_000..), |((company, provider), id)| (is_key = provider == "AK") {
        id: id,
        uid: Thing::Login.at(id),
        user_uid: fleet.user_of_company(company, 0),
        provider: provider,
        identifier: if is_key { format!("kak_{company:06}") } else { "Téléphone".to_owned() },
        hash: is_key.then(|| Thing::Login.at(id).as_bytes().repeat(2)),
        secret: (!is_key).then(|| Thing::Login.at(id).as_bytes().to_vec()),
        description: "Für den Bericht",
        description_folded: "für den bericht",
        scopes: r#"["rest"]"#,
        read_only: company % 2 == 0,
        enabled: company % 11 != 10,
        created_at: fleet.made(company, fleet.scale.companies),
        expires_at: (company % 2 == 0).then_some(fleet.now + 90 * DAY),
        last_used_at: (company % 3 == 0).then(|| fleet.now - chance(company, 5, DAY)),
    })
}

/// What subtenants may use of their company's share of a repository.
fn user_backup_resources(fleet: Fleet) -> Table {
    rows!("user_backup_resources", (0..fleet.scale.companies).filter(|company| company % 2 == 0), |company| () {
        user_uid: fleet.user_of_company(company, 2),
        resource_uid: Thing::BackupResource.at(company / 2),
        site_uid: Thing::Site.at(company / 2 % fleet.scale.sites),
        name: format!("Anteil {company}"),
        description: (company % 4 == 0).then_some("For the workshop"),
        storage_quota: (company % 4 == 0).then_some(100 * super::GIB),
        vcd_user_id: (company % 8 == 0).then_some("urn:vcloud:user:1"),
        created_at: fleet.made(company, fleet.scale.companies),
    })
}
