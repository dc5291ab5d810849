//! One user of every role, in one place of the tree: a company below a reseller, on a site. What is elsewhere is foreign
//! to them.

use keelson::model::{Role, Tier};
use keelson_tests::database::unique;
use keelson_tests::{Client, TestHost};
use reqwest::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::objects::World;
use super::sight::Sight;

/// Somebody who calls.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) role: Role,
    pub(super) client: Client,
    pub(super) uid: Uuid,
    pub(super) name: String,
    /// The ids of their own logins, but for the one they call with: spent one by one.
    pub(super) logins: Vec<String>,
    /// What they did under an id: spent one by one.
    pub(super) actions: Vec<String>,
    pub(super) sight: Sight,
    /// Their logins from before.
    pub(super) removed: Vec<String>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Callers {
    pub(super) all: Vec<Caller>,
    /// Where those of a company are.
    pub(super) company: Uuid,
    /// Where those of a reseller are.
    pub(super) reseller: Uuid,
}

/// The company that has most, below a reseller: its callers can be shown most.
fn home(world: &World) -> (Uuid, Uuid) {
    let kinds =
        ["tenant", "tenantResource", "backupServer", "job", "vmJob", "agent", "virtualMachine", "repository"];
    let has = |company: &Uuid| {
        let one =
            |kind: &&str| world.of(kind).iter().any(|object| object.whose.organization == Some(*company));
        let kinds = kinds.iter().filter(|kind| one(kind)).count();
        let locations =
            world.of("location").iter().filter(|object| object.whose.organization == Some(*company)).count();
        (kinds, locations.min(3), world.sites.iter().any(|(organization, _)| organization == company))
    };
    let below = world.companies.iter().filter_map(|(company, reseller)| Some((*company, (*reseller)?)));
    let below =
        below.filter(|(company, reseller)| [company, reseller].iter().all(|one| world.open.contains(*one)));
    below.max_by_key(|(company, _)| has(company)).expect("a company below a reseller")
}

impl Callers {
    /// Makes them, through the API as an administrator would.
    pub(super) async fn make(host: &TestHost, world: &World) -> Self {
        let (company, reseller) = home(world);
        let admin = host.administrator();
        grant_all(&admin, reseller).await;
        grant_all(&admin, company).await;
        let mut all = Vec::new();
        for role in Role::ALL.iter().copied() {
            all.push(Self::one(host, &admin, world, role, (company, reseller)).await);
        }
        Self { all, company, reseller }
    }

    async fn one(
        host: &TestHost,
        admin: &Client,
        world: &World,
        role: Role,
        (company, reseller): (Uuid, Uuid),
    ) -> Caller {
        let organization = match role.tier() {
            Tier::Provider => world.provider,
            Tier::Reseller => reseller,
            Tier::Company => company,
        };
        let owner = role.is_owner().then(|| owner(world, role, organization));
        let (uid, name, removed) = match owner {
            Some(uid) => take(admin, uid).await,
            None => add(admin, role, organization).await,
        };
        let sight = Sight::of(world, role, organization, uid);
        let assigned = json!({"siteUids": sight.sites(), "locationUids": sight.locations()});
        if assigned != json!({"siteUids": [], "locationUids": []}) {
            let (status, answer) =
                admin.json(Method::PUT, &format!("/users/{uid}/assignments"), &assigned).await;
            assert_eq!(status, StatusCode::OK, "{role:?}: {answer}");
        }
        for _ in 0..3 {
            host.command(&["apikey", "add", "--user", &name]);
        }
        let key = host.command(&["apikey", "add", "--user", &name]);
        let client = host.client.with(&key);
        let mut logins = logins(&client, uid).await;
        // The last is the key that the caller calls with.
        logins.pop();
        let actions = act(&client, uid, &logins[0]).await;
        Caller { role, client, uid, name, logins, actions, sight, removed }
    }
}

const PASSWORD: &str = "Long-enough-4-all";

/// The owner that an organisation has: there is only one.
fn owner(world: &World, role: Role, organization: Uuid) -> Uuid {
    let mut users = world.of("user").iter().filter(|user| user.whose.organization == Some(organization));
    let owner = users.find(|user| user.role.as_deref() == Some(word(role)));
    owner.expect("an owner").id.parse().expect("an id")
}

/// Makes a user.
async fn add(admin: &Client, role: Role, organization: Uuid) -> (Uuid, String, Vec<String>) {
    let name = format!("matrix-{}", role.short());
    let body = json!({
        "organizationUid": organization, "role": word(role), "profile": {"firstName": "Matrix"},
        "credentials": {"userName": name, "password": PASSWORD},
    });
    let (status, user) = admin.json(Method::POST, "/users", &body).await;
    assert_eq!(status, StatusCode::OK, "{role:?}: {user}");
    (user["data"]["instanceUid"].as_str().unwrap().parse().unwrap(), name, Vec::new())
}

/// Makes a user who is there into one who signs in with a known password and nothing else.
async fn take(admin: &Client, uid: Uuid) -> (Uuid, String, Vec<String>) {
    let removed = logins(admin, uid).await;
    for login in &removed {
        let path = format!("/api/v3/users/{uid}/logins/{login}");
        let (status, answer) = Client::send(admin.request(Method::DELETE, &path)).await;
        assert!(status.is_success(), "{status} {answer}");
    }
    let path = format!("/users/{uid}");
    let values = [
        ("status", "Enabled"),
        ("mfaPolicyStatus", "Disabled"),
        ("credentials/password", PASSWORD),
        // Those of the planted ones are longer than the contract lets a patched one be.
        ("profile/email", "owner@example.test"),
    ];
    let steps =
        values.map(|(path, value)| json!({"op": "replace", "path": format!("/{path}"), "value": value}));
    let (status, user) = admin.json(Method::PATCH, &path, &json!(steps)).await;
    assert_eq!(status, StatusCode::OK, "{user}");
    (uid, user["data"]["credentials"]["userName"].as_str().unwrap().to_owned(), removed)
}

/// The ids of a user's logins, in the order in which they were made.
async fn logins(client: &Client, user: Uuid) -> Vec<String> {
    let logins = client.data(&format!("/users/{user}/logins")).await;
    let mut ids: Vec<_> =
        logins.as_array().unwrap().iter().filter_map(|login| login["id"].as_i64()).collect();
    ids.sort_unstable();
    ids.iter().map(ToString::to_string).collect()
}

/// Changes a login twice, under ids: everybody may change their own.
async fn act(client: &Client, user: Uuid, login: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..2 {
        let id = Uuid::parse_str(&unique()).unwrap().to_string();
        let steps = json!([{"op": "replace", "path": "/description", "value": format!("Key {number}")}]);
        let request = client.request(Method::PATCH, &format!("/api/v3/users/{user}/logins/{login}"));
        let (status, answer) = Client::send(request.header("X-Request-id", &id).json(&steps)).await;
        assert!(status.is_success(), "{status} {answer}");
        ids.push(id);
    }
    ids
}

/// Lets an organisation's users do with jobs whatever can be granted.
async fn grant_all(admin: &Client, organization: Uuid) {
    let claims = ["Remote", "Hosted"]
        .map(|side| ["StartStop", "EnableDisable"].map(|right| format!("{side}VbrJob{right}")));
    let steps = json!([{"op": "replace", "path": "/claims", "value": claims.concat()}]);
    let path = format!("/permissions/{organization}");
    let (status, answer) = admin.json(Method::PATCH, &path, &steps).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
}

/// The role that a word of the contract means.
pub(super) fn role_of(text: &str) -> Option<Role> {
    Role::ALL.iter().copied().find(|role| word(*role) == text)
}

/// As the contract spells a role.
fn word(role: Role) -> &'static str {
    match role {
        Role::ReadOnlyUser => "PortalReadonlyOperator",
        Role::ServiceProviderGlobalAdministrator => "ResellerOwner",
        Role::ServiceProviderAdministrator => "ResellerAdministrator",
        Role::ServiceProviderOperator => "ResellerOperator",
        Role::ServiceProviderUser => "ResellerUser",
        Role::ServiceProviderInvoiceAuditor => "ResellerInvoiceAuditor",
        Role::LocationAdministrator => "CompanyLocationAdministrator",
        Role::LocationUser => "CompanyLocationUser",
        Role::SubTenant => "CompanySubtenant",
        other => other.name(),
    }
}
