//! What stands in the world, and whose it is: read through the API as the provider's administrator sees it, with what
//! the API does not show (which sites an organisation has) out of the database.

use std::collections::{BTreeMap, BTreeSet};

use keelson_tests::TestHost;
use keelson_tests::client::Client;
use serde_json::Value;
use uuid::Uuid;

use super::calls::Table;

/// A kind of object: its list, and whose its rows are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    list: &'static str,
    id: &'static str,
    /// Whose each is, as the database knows it: (key, organisation, location, site, user), several rows for one that is
    /// several's.
    facts: &'static str,
    /// The property that the facts' key is.
    key: &'static str,
    /// For site administrators the site alone decides.
    site_decides: bool,
    /// Other kinds that a row names, for paths with several ids.
    beside: &'static [(&'static str, &'static str)],
    /// What must hold of a row.
    only: Option<(&'static str, &'static str)>,
}

const NONE: Kind = Kind {
    name: "",
    list: "",
    id: "instanceUid",
    facts: "",
    key: "instanceUid",
    site_decides: false,
    beside: &[],
    only: None,
};

/// A query for facts; the shorter form is of what stands on no site and is no user's.
macro_rules! facts {
    ($key:literal, $organization:literal, $location:literal, $site:literal, $user:literal, $from:literal) => {
        concat!(
            "SELECT ",
            $key,
            ", ",
            $organization,
            ", ",
            $location,
            ", ",
            $site,
            ", ",
            $user,
            " FROM ",
            $from
        )
    };
    ($key:literal, $organization:literal, $location:literal, $from:literal) => {
        facts!($key, $organization, $location, "CAST(NULL AS UUID)", "CAST(NULL AS UUID)", $from)
    };
}

const ORGANIZATIONS: &str =
    facts!("o.uid", "o.uid", "l.uid", "organizations o LEFT JOIN locations l ON l.company_uid = o.uid");
const USERS: &str = facts!(
    "u.uid",
    "u.organization_uid",
    "l.location_uid",
    "s.site_uid",
    "u.uid",
    "users u LEFT JOIN user_locations l ON l.user_uid = u.uid LEFT JOIN user_sites s ON s.user_uid = u.uid"
);
/// Whoever sees a location of its company sees a tenant.
const TENANTS: &str = facts!(
    "t.uid",
    "t.owner_uid",
    "l.uid",
    "t.site_uid",
    "CAST(NULL AS UUID)",
    "cloud_tenants t LEFT JOIN locations l ON l.company_uid = t.company_uid"
);
const SITES: &str =
    facts!("uid", "CAST(NULL AS UUID)", "CAST(NULL AS UUID)", "uid", "CAST(NULL AS UUID)", "sites");
const SERVERS: &str = facts!(
    "s.uid",
    "s.company_uid",
    "a.location_uid",
    "backup_servers s JOIN agents a ON a.uid = s.agent_uid"
);
const JOBS: &str =
    facts!("j.uid", "j.holder_uid", "a.location_uid", "backup_jobs j JOIN agents a ON a.uid = j.agent_uid");
/// What a company has on the provider's servers is at its hosted locations.
const HOSTED: &str = facts!(
    "h.uid",
    "h.company_uid",
    "l.uid",
    "hosted_resources h LEFT JOIN locations l ON l.company_uid = h.company_uid AND l.type = 'Hosted'"
);
const HOSTED_REPOSITORIES: &str = facts!(
    "h.uid",
    "h.company_uid",
    "l.uid",
    "hosted_backup_resources h LEFT JOIN locations l ON l.company_uid = h.company_uid AND l.type = 'Hosted'"
);

/// All kinds that calls name.
pub(super) const KINDS: &[Kind] = &[
    Kind { name: "company", list: "GetCompanies", facts: ORGANIZATIONS, ..NONE },
    Kind { name: "organization", list: "GetOrganizations", facts: ORGANIZATIONS, ..NONE },
    Kind { name: "reseller", list: "GetResellers", facts: ORGANIZATIONS, ..NONE },
    Kind {
        name: "location",
        list: "GetLocations",
        facts: facts!("uid", "company_uid", "uid", "locations"),
        ..NONE
    },
    Kind { name: "user", list: "GetUsers", facts: USERS, ..NONE },
    Kind {
        name: "plainUser",
        list: "GetUsers",
        facts: USERS,
        only: Some(("role", "CompanySubtenant")),
        ..NONE
    },
    Kind {
        name: "login",
        list: "GetLogins",
        id: "id",
        facts: USERS,
        key: "userUid",
        beside: &[("user", "userUid")],
        ..NONE
    },
    Kind { name: "site", list: "GetSites", id: "siteUid", facts: SITES, key: "siteUid", ..NONE },
    Kind {
        name: "tenant",
        list: "GetTenants",
        facts: TENANTS,
        site_decides: true,
        beside: &[("site", "siteUid")],
        ..NONE
    },
    Kind {
        name: "tenantResource",
        list: "GetTenantsBackupResources",
        facts: TENANTS,
        key: "tenantUid",
        site_decides: true,
        beside: &[("tenant", "tenantUid"), ("site", "siteUid")],
        ..NONE
    },
    Kind { name: "backupServer", list: "GetBackupServers", facts: SERVERS, ..NONE },
    Kind {
        name: "hostedServer",
        list: "GetBackupServers",
        facts: SERVERS,
        only: Some(("backupServerRoleType", "Hosted")),
        ..NONE
    },
    Kind {
        name: "repository",
        list: "GetBackupRepositories",
        facts: SERVERS,
        key: "backupServerUid",
        beside: &[("backupServer", "backupServerUid")],
        ..NONE
    },
    Kind { name: "job", list: "GetBackupServerJobs", facts: JOBS, ..NONE },
    Kind { name: "hostedJob", list: "GetBackupServerJobs", facts: JOBS, ..NONE },
    Kind { name: "failedJob", list: "GetBackupServerJobs", facts: JOBS, ..NONE },
    Kind {
        name: "waitingTask",
        list: "GetManagementAgentTasks",
        facts: facts!(
            "c.uid",
            "a.company_uid",
            "a.location_uid",
            "commands c JOIN agents a ON a.uid = c.agent_uid"
        ),
        only: Some(("status", "Scheduled")),
        ..NONE
    },
    Kind {
        name: "siteRepository",
        list: "GetTenantsBackupResources",
        id: "repositoryUid",
        facts: SITES,
        key: "siteUid",
        beside: &[("site", "siteUid")],
        ..NONE
    },
    Kind {
        name: "hostedRepository",
        list: "GetCompaniesHostedVbrBackupResources",
        id: "repositoryUid",
        facts: HOSTED_REPOSITORIES,
        beside: &[("company", "companyUid"), ("hostedResource", "hostedResourceUid")],
        ..NONE
    },
    Kind { name: "vmJob", list: "GetBackupServerBackupVmJobs", facts: JOBS, ..NONE },
    Kind {
        name: "agent",
        list: "GetManagementAgents",
        facts: facts!("uid", "company_uid", "location_uid", "agents"),
        ..NONE
    },
    Kind {
        name: "unverifiedAgent",
        list: "GetUnverifiedAgents",
        facts: facts!("uid", "company_uid", "location_uid", "unverified_agents"),
        ..NONE
    },
    Kind {
        name: "hostedResource",
        list: "GetCompaniesHostedVbrResources",
        facts: HOSTED,
        beside: &[("company", "companyUid")],
        ..NONE
    },
    Kind {
        name: "virtualMachine",
        list: "GetProtectedVirtualMachines",
        facts: facts!(
            "w.uid",
            "w.company_uid",
            "a.location_uid",
            "CAST(NULL AS UUID)",
            "w.account_uid",
            "workloads w JOIN agents a ON a.uid = w.agent_uid"
        ),
        ..NONE
    },
    Kind { name: "alarmTemplate", list: "GetAlarms", ..NONE },
    Kind { name: "plugin", list: "GetAllPlugins", id: "pluginId", ..NONE },
    Kind {
        name: "alarm",
        list: "GetActiveAlarms",
        facts: facts!("uid", "company_uid", "location_uid", "alarms"),
        ..NONE
    },
];

/// An object, and whose it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) whose: Whose,
    pub(super) site_decides: bool,
    pub(super) beside: BTreeMap<&'static str, String>,
    pub(super) role: Option<String>,
}

/// Whose something is, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Whose {
    pub(super) organization: Option<Uuid>,
    pub(super) locations: BTreeSet<Uuid>,
    pub(super) sites: BTreeSet<Uuid>,
    pub(super) users: BTreeSet<Uuid>,
}

/// Key, organisation, location, site, user.
type Fact = (Uuid, Option<Uuid>, Option<Uuid>, Option<Uuid>, Option<Uuid>);

/// Everything, by kind, and the tree of organisations.
#[derive(Debug)]
pub(super) struct World {
    pub(super) objects: BTreeMap<&'static str, Vec<Object>>,
    /// Each company, and its reseller.
    pub(super) companies: BTreeMap<Uuid, Option<Uuid>>,
    /// Whose users are let in.
    pub(super) open: BTreeSet<Uuid>,
    /// Where each organisation has something.
    pub(super) sites: BTreeSet<(Uuid, Uuid)>,
    pub(super) provider: Uuid,
}

impl World {
    /// Reads it.
    pub(super) async fn read(host: &TestHost, table: &Table) -> Self {
        let admin = host.administrator();
        let database = host.database_url();
        let mut objects = BTreeMap::new();
        for kind in KINDS {
            let Some(operation) = table.0.iter().find(|operation| operation.id == kind.list) else {
                continue;
            };
            let rows = everything(&admin, &operation.path).await;
            let whose = kind.whose(&database).await;
            objects.insert(kind.name, rows.iter().filter_map(|row| kind.object(row, &whose)).collect());
        }
        let companies = everything(&admin, "/organizations/companies").await;
        let resellers = everything(&admin, "/organizations/resellers").await;
        let is_open = |row: &&Value| row["status"] == "Active" && row["isRestAccessEnabled"] == true;
        let open =
            companies.iter().chain(&resellers).filter(is_open).filter_map(|row| uid(&row["instanceUid"]));
        let open = open.collect();
        let companies =
            companies.iter().map(|row| (uid(&row["instanceUid"]).unwrap(), uid(&row["resellerUid"])));
        let me = admin.data("/users/me").await;
        let provider = uid(&me["organizationUid"]).unwrap();
        Self { objects, companies: companies.collect(), open, sites: pairs(&database).await, provider }
    }

    /// The objects of a kind.
    pub(super) fn of(&self, kind: &str) -> &[Object] {
        self.objects.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// The reseller above a company.
    pub(super) fn reseller_of(&self, company: Uuid) -> Option<Uuid> {
        self.companies.get(&company).copied().flatten()
    }
}

impl Kind {
    /// The kind of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// The kinds that an operation lists.
    pub(super) fn listed_by(operation: &str) -> impl Iterator<Item = &'static Self> {
        // A repository that many rows name is no row.
        KINDS.iter().filter(move |kind| kind.list == operation && kind.id != "repositoryUid")
    }

    /// The ids that somebody's list of this kind has.
    pub(super) async fn ids(&self, client: &Client, path: &str) -> BTreeSet<String> {
        let nobody = BTreeMap::new();
        everything(client, path).await.iter().filter_map(|row| Some(self.object(row, &nobody)?.id)).collect()
    }

    /// Whose each of them is.
    async fn whose(&self, database: &str) -> BTreeMap<Uuid, Whose> {
        let mut all: BTreeMap<Uuid, Whose> = BTreeMap::new();
        if self.facts.is_empty() {
            return all;
        }
        for (key, organization, location, site, user) in rows::<Fact>(database, self.facts).await {
            let one = all.entry(key).or_default();
            one.organization = organization;
            one.locations.extend(location);
            one.sites.extend(site);
            one.users.extend(user);
        }
        all
    }

    fn object(&self, row: &Value, whose: &BTreeMap<Uuid, Whose>) -> Option<Object> {
        if let Some((property, value)) = self.only
            && row[property] != value
        {
            return None;
        }
        let beside = self.beside.iter().map(|(kind, property)| Some((*kind, word(&row[*property])?)));
        let key = uid(&row[self.key]);
        Some(Object {
            kind: self.name,
            id: word(&row[self.id])?,
            whose: key.and_then(|key| whose.get(&key)).cloned().unwrap_or_default(),
            site_decides: self.site_decides,
            beside: beside.collect::<Option<_>>()?,
            role: row["role"].as_str().map(str::to_owned),
        })
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn uid(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

async fn everything(client: &Client, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    loop {
        let (status, body) = client.get(&format!("{path}?limit=500&offset={}", rows.len())).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        let page = body["data"].as_array().unwrap();
        rows.extend(page.iter().cloned());
        let total = body["meta"]["pagingInfo"]["total"].as_u64().unwrap_or(0);
        if page.is_empty() || rows.len() as u64 >= total {
            return rows;
        }
    }
}

/// (organisation, site): where an organisation has something.
async fn pairs(database: &str) -> BTreeSet<(Uuid, Uuid)> {
    rows::<(Uuid, Uuid)>(database, "SELECT organization_uid, site_uid FROM organization_sites")
        .await
        .into_iter()
        .collect()
}

async fn rows<R>(database: &str, query: &'static str) -> Vec<R>
where
    R: Send + Unpin,
    R: for<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow>,
    R: for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow>,
{
    use sqlx::Connection as _;
    if database.starts_with("sqlite:") {
        let mut connection = sqlx::SqliteConnection::connect(database).await.unwrap();
        sqlx::query_as(query).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = sqlx::PgConnection::connect(database).await.unwrap();
        sqlx::query_as(query).fetch_all(&mut connection).await.unwrap()
    }
}
