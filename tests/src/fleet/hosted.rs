//! What companies have on the provider's own backup servers, and the steps of their onboarding that somebody let pass.

use super::numbers::Thing;
use super::table::{Table, rows};
use super::{Fleet, names};

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![servers(fleet), repositories(fleet), overrides(fleet)]
}

/// Every fourth company has a share of a hosted server.
fn with_a_share(fleet: Fleet) -> impl Iterator<Item = i64> + Send {
    (0..fleet.scale.companies).filter(|company| company % 4 == 1)
}

impl Fleet {
    /// The last server is all of one company's, the others are shared.
    fn hosted_agent(self, company: i64) -> i64 {
        let shared = self.scale.sites - 1;
        let which = if company == 1 { shared } else { company / 4 % shared };
        self.scale.servers + self.scale.sites + which
    }
}

fn servers(fleet: Fleet) -> Table {
    rows!("hosted_resources", with_a_share(fleet), |company| (name = format!("Gehostet für {}", names::company(company))) {
        uid: Thing::HostedServer.at(company),
        company_uid: Thing::Company.at(company),
        server_uid: Thing::Server.at(fleet.hosted_agent(company)),
        name_folded: name.to_lowercase(),
        name: name,
        whole_server: company == 1,
        created_at: fleet.made(company, fleet.scale.companies),
    })
}

fn repositories(fleet: Fleet) -> Table {
    rows!("hosted_backup_resources", with_a_share(fleet), |company| () {
        uid: Thing::HostedRepository.at(company),
        resource_uid: Thing::HostedServer.at(company),
        company_uid: Thing::Company.at(company),
        repository_uid: Thing::Repository.at(fleet.hosted_agent(company) * 2),
        storage_quota: (company % 8 == 1).then_some(500_i64),
        created_at: fleet.made(company, fleet.scale.companies),
    })
}

fn overrides(fleet: Fleet) -> Table {
    rows!("onboarding_overrides", (0..fleet.scale.companies).filter(|company| company % 10 == 3), |company| () {
        company_uid: Thing::Company.at(company),
        step: "cloudConnect",
        reason: "Keeps its backups at home",
        user_uid: fleet.user_of_provider(0),
        user_name: "Operator-0",
        created_at: fleet.made(company, fleet.scale.companies),
    })
}
