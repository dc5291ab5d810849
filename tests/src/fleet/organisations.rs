//! The provider, its resellers, their companies, and their locations and sites.

use uuid::Uuid;

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet, GIB, names};

impl Fleet {
    /// The reseller that a company buys from: one company in three has one.
    pub(super) fn reseller_of(self, company: i64) -> Option<Uuid> {
        (company % 3 == 0).then(|| Thing::Reseller.at(company / 3 % self.scale.resellers))
    }

    /// A company's locations: by default, hosted, and with every second one a branch.
    pub(super) fn location(company: i64, which: i64) -> Uuid {
        let which = if which == 2 && company % 2 == 1 { 0 } else { which };
        Thing::Location.at(company * 3 + which)
    }

    /// The provider's own.
    pub(super) fn provider_location(self) -> Uuid {
        Thing::Location.at(self.scale.companies * 3)
    }

    /// When the `n`-th of so many things was made: long ago for the first, today for the last.
    pub(super) fn made(self, n: i64, of: i64) -> i64 {
        self.now - 60 * DAY + n * (59 * DAY) / of.max(1)
    }
}

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![
        organizations(fleet),
        resellers(fleet),
        companies(fleet),
        locations(fleet),
        organization_sites(fleet),
    ]
}

/// Id, kind, name, and a number for the rest.
fn everybody(fleet: Fleet) -> impl Iterator<Item = (Uuid, &'static str, String, i64)> + Send {
    let resellers = (0..fleet.scale.resellers).map(|n| {
        (
            Thing::Reseller.at(n),
            "Reseller",
            format!("{} Cloud Résellers", names::place(n).0) + &n.to_string(),
            n,
        )
    });
    let companies =
        (0..fleet.scale.companies).map(|n| (Thing::Company.at(n), "Company", names::company(n), n));
    resellers.chain(companies)
}

fn organizations(fleet: Fleet) -> Table {
    rows!("organizations", everybody(fleet), |(uid, kind, name, n)| (
        place = names::place(n),
        sometimes = n % 4 != 3,
    ) {
        uid: uid,
        type: kind,
        name_folded: name.to_lowercase(),
        legal_name: sometimes.then(|| format!("{name} Ltd.")),
        alias: sometimes.then(|| format!("No. {n}")),
        name: name,
        city: sometimes.then_some(place.0),
        company_id: sometimes.then(|| format!("HR-{:06}", n * 37)),
        country: sometimes.then_some(place.2),
        country_name: sometimes.then_some(place.1),
        domain: sometimes.then(|| format!("customer-{n}.test")),
        email: Some(format!("office@customer-{n}.test")),
        location_admin0_code: sometimes.then_some("CH"),
        location_admin1_code: sometimes.then_some("CH-ZH"),
        location_admin2_code: sometimes.then_some("112"),
        notes: (n % 5 == 0).then_some("Calls back on Mondays.\nKey under the „Fußmatte“."),
        phone: sometimes.then(|| format!("+41 44 {n:07}")),
        region_name: sometimes.then_some("Zürich"),
        state: (n % 7 == 0).then_some(n % 50 + 1),
        street: sometimes.then(|| format!("Straße {n}")),
        tax_id: sometimes.then(|| format!("CHE-{n:09}")),
        veeam_tenant_id: (n % 6 == 0).then(|| format!("tenant-{n}")),
        website: sometimes.then(|| format!("https://customer-{n}.test/")),
        zip_code: sometimes.then_some(place.3),
        created_at: fleet.made(n, fleet.scale.companies),
    })
}

fn resellers(fleet: Fleet) -> Table {
    rows!("resellers", 0..fleet.scale.resellers, |n| () {
        uid: Thing::Reseller.at(n),
        status: if n % 6 == 5 { "Disabled" } else { "Active" },
        rest_access_enabled: n % 5 != 4,
        owner_name: format!("reseller-{n}-0"),
        pro_partner_id: (n % 2 == 0).then(|| format!("PP-{n:05}")),
        description: (n % 2 == 0).then_some("Sells in the east"),
        file_level_restore: n % 2 == 0,
        cloud_connect: true,
        cloud_quota: true,
        data_transfer_out_quota: (n % 2 == 0).then_some(1024 * GIB),
        insider_protection_quota: (n % 2 == 0).then_some(7_i64),
        wan_acceleration: n % 2 == 0,
        max_concurrent_task: (n % 2 == 0).then_some(4_i64),
        throttling_unit: (n % 2 == 0).then_some("MbitPerSec"),
        throttling_value: (n % 2 == 0).then_some(100_i64),
        hosted_backup_resources: true,
        hosted_vb365: n % 2 == 0,
        hosted_public_cloud: n % 3 == 0,
        server_agents_quota: (n % 2 == 0).then_some(100_i64),
        workstation_agents_quota: (n % 2 == 0).then_some(500_i64),
        remote_backup_servers: true,
        remote_vb365: n % 2 == 0,
        remote_public_cloud: n % 3 == 0,
    })
}

fn companies(fleet: Fleet) -> Table {
    const STATUS: [&str; 8] =
        ["Active", "Active", "Active", "Active", "Active", "Disabled", "Active", "Expired"];
    rows!("companies", 0..fleet.scale.companies, |n| (name = names::company(n)) {
        uid: Thing::Company.at(n),
        name_folded: name.to_lowercase(),
        name: name,
        status: one_of(&STATUS, n),
        alarm_detect_enabled: n % 9 != 8,
        rest_access_enabled: n % 3 != 1,
        owner_name: format!("company-{n}-0"),
        details: "{}",
        created_at: fleet.made(n, fleet.scale.companies),
        reseller_uid: fleet.reseller_of(n),
        subscription_plan_uid: (n % 4 == 0).then(|| Thing::Foreign.at(n % 3)),
        hosted_services: n % 5 != 4,
        hosted_public_cloud: n % 3 == 0,
        remote_services: true,
        remote_backup_resources: true,
        remote_public_cloud: n % 4 == 0,
        agents_managed: n % 2 == 0,
        agents_hard_quota: n % 2 == 0,
        server_agents_quota: (n % 4 == 0).then_some(20_i64),
        workstation_agents_quota: (n % 4 == 0).then_some(200_i64),
        servers_managed: n % 2 == 0,
        servers_quota: (n % 4 == 0).then_some(5_i64),
        vb365_managed: n % 3 == 0,
        vb365_quota: (n % 6 == 0).then_some(2_i64),
    })
}

fn locations(fleet: Fleet) -> Table {
    let of_companies = (0..fleet.scale.companies * 3)
        .filter(|n| n % 3 != 2 || n / 3 % 2 == 0)
        .map(|n| (n, Thing::Company.at(n / 3), n % 3));
    let own = std::iter::once((fleet.scale.companies * 3, fleet.provider, 0));
    rows!("locations", of_companies.chain(own), |(n, owner, which)| (
        name = one_of(&["Remote", "Hosted", "Außenstelle 東"], which),
    ) {
        uid: Thing::Location.at(n),
        company_uid: owner,
        name: name,
        name_folded: name.to_lowercase(),
        type: one_of(&["Default", "Hosted", "Custom"], which),
        quota_gb: if which == 2 { 500 + chance(n, 1, 20) * 100 } else { 0_i64 },
    })
}

/// A reseller may use one site or two; a company has something on one.
fn organization_sites(fleet: Fleet) -> Table {
    let sites = fleet.scale.sites;
    let resellers = (0..fleet.scale.resellers)
        .flat_map(move |n| [(Thing::Reseller.at(n), n % sites), (Thing::Reseller.at(n), (n + 1) % sites)]);
    let companies =
        (0..fleet.scale.companies).filter(|n| n % 2 == 0).map(move |n| (Thing::Company.at(n), n / 2 % sites));
    rows!("organization_sites", resellers.chain(companies), |(organization, site)| () {
        organization_uid: organization,
        site_uid: Thing::Site.at(site),
    })
}
