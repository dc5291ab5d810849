//! The walk: each operation by each caller, on what they see and on what they do not.
//!
//! Reads come first, then changes, then removals, organisations last: what one call removes, no later one needs. For
//! one operation and caller the calls that must change nothing come before the one that may.

use std::collections::{BTreeMap, BTreeSet};

use keelson_tests::Client;
use keelson_tests::client::escape;
use keelson_tests::database::unique;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::callers::{Caller, Callers, role_of};
use super::calls::{Operation, Table};
use super::objects::{Kind, Object, World};
use super::sight::Foreign;

/// Ids by the kind of object that they are of.
type Ids = BTreeMap<String, String>;

/// What was called with what, and what is wrong.
pub(super) struct Walk<'w> {
    table: &'w Table,
    world: &'w World,
    callers: &'w Callers,
    findings: Vec<String>,
    /// What was removed.
    gone: BTreeSet<String>,
    /// What earlier calls have changed, or put something beside.
    touched: BTreeSet<String>,
    /// Operations that somebody could be shown an own object for.
    shown: BTreeSet<&'w str>,
}

/// An answer, as far as two can be compared.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    status: StatusCode,
    text: String,
}

impl<'w> Walk<'w> {
    pub(super) fn new(table: &'w Table, world: &'w World, callers: &'w Callers) -> Self {
        let gone = callers.all.iter().flat_map(|caller| caller.removed.iter().cloned()).collect();
        let (findings, touched, shown) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        Self { table, world, callers, findings, gone, touched, shown }
    }

    /// What is wrong; an operation that was never shown an object of its caller's own is wrong too.
    pub(super) fn findings(mut self) -> Vec<String> {
        let unseen = self.table.0.iter().filter(|operation| !self.shown.contains(operation.id.as_str()));
        let unseen: Vec<_> =
            unseen.map(|one| format!("{}: nobody had an object to call it with", one.id)).collect();
        self.findings.extend(unseen);
        self.findings
    }

    /// Everything.
    pub(super) async fn all(&mut self) {
        let mut operations: Vec<_> = self.table.0.iter().collect();
        operations.sort_by_key(|operation| rank(operation));
        for operation in operations {
            for caller in &self.callers.all {
                if operation.roles.contains(&caller.role) {
                    self.foreign(operation, caller).await;
                    self.own(operation, caller).await;
                } else {
                    self.refused(operation, caller).await;
                }
            }
        }
    }

    /// A role that the table does not admit is refused, whatever the object.
    async fn refused(&mut self, operation: &'w Operation, caller: &Caller) {
        let own = self.own_ids(operation, caller, 0);
        let ids = own.unwrap_or_else(|| absent(kinds_in(operation)));
        let answer = call(operation, &caller.client, &ids, caller).await;
        if answer.status != StatusCode::FORBIDDEN {
            self.find(operation, caller, "is not admitted", &answer);
        }
    }

    /// A role that the table admits does it to what is its own.
    async fn own(&mut self, operation: &'w Operation, caller: &Caller) {
        let Some(ids) = self.own_ids(operation, caller, self.shown.len()) else { return };
        let answer = call(operation, &caller.client, &ids, caller).await;
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
        let forbids = forbids(operation, caller);
        let is_wrong = if forbids {
            answer.status != StatusCode::FORBIDDEN
        } else {
            refused.contains(&answer.status) || answer.status.as_u16() >= 500
        };
        if is_wrong {
            self.find(operation, caller, &format!("is admitted, with its own {ids:?}"), &answer);
        }
        self.shown.insert(&operation.id);
        if operation.method != Method::GET && answer.status.is_success() {
            self.touched.extend(ids.values().cloned());
        }
        // Who is let in belongs to another company from then on.
        let leaves = operation.method == Method::DELETE || operation.id == "AcceptUnverifiedAgent";
        if leaves && answer.status.is_success() {
            self.gone.extend(main_kind(operation).and_then(|kind| ids.get(kind).cloned()));
        }
        if operation.method == Method::GET && operation.call.path.is_empty() && answer.status.is_success() {
            self.rows(operation, caller).await;
        }
    }

    /// The list of a kind has just what its caller sees.
    async fn rows(&mut self, operation: &'w Operation, caller: &Caller) {
        for kind in Kind::listed_by(&operation.id) {
            let all: Vec<_> =
                self.world.of(kind.name).iter().filter(|one| !self.gone.contains(&one.id)).collect();
            let expected: BTreeSet<_> = all
                .iter()
                .filter(|one| caller.sight.sees(self.world, one) && self.decides(caller, one))
                .map(|one| one.id.clone())
                .collect();
            let known: BTreeSet<_> = all.iter().map(|one| one.id.clone()).collect();
            let found = kind.ids(&caller.client, &operation.path).await;
            let found: BTreeSet<_> = found.intersection(&known).cloned().collect();
            let (more, less) = (found.difference(&expected).next(), expected.difference(&found).next());
            if let Some(id) = more {
                let text = format!(
                    "{}: {:?} lists the {} {id}, which is not theirs",
                    operation.id, caller.role, kind.name
                );
                self.findings.push(text);
            }
            if let Some(id) = less {
                let text =
                    format!("{}: {:?} does not list their {} {id}", operation.id, caller.role, kind.name);
                self.findings.push(text);
            }
        }
    }

    /// Logins are there only for those who manage their user.
    fn decides(&self, caller: &Caller, object: &Object) -> bool {
        if object.kind != "login" {
            return true;
        }
        let mut users = self.world.of("user").iter();
        let user = users.find(|user| Some(&user.id) == object.beside.get("user"));
        let role = user.and_then(|user| user.role.as_deref()).and_then(role_of);
        role.is_some_and(|role| caller.role.manages(role))
    }

    /// What is foreign answers as what is not there, in the path, the query and the body alike.
    async fn foreign(&mut self, operation: &'w Operation, caller: &Caller) {
        let kinds = kinds_in(operation);
        let Some(main) = main_kind(operation) else {
            return self.foreign_mentions(operation, caller, &kinds).await;
        };
        for (why, object) in self.strangers(main, caller) {
            if operation.id == "GetTenantsBySite" && self.has_tenant_on(caller, &object) {
                continue;
            }
            let mut ids = self.own_ids(operation, caller, 0).unwrap_or_else(|| absent(kinds.clone()));
            ids.extend(object.beside.iter().map(|(kind, id)| ((*kind).to_owned(), id.clone())));
            ids.insert(main.to_owned(), object.id.clone());
            self.as_absent(operation, caller, &ids, main, Some(why)).await;
        }
        self.foreign_mentions(operation, caller, &kinds).await;
    }

    /// Objects that only the query or the body names.
    async fn foreign_mentions(&mut self, operation: &'w Operation, caller: &Caller, kinds: &[String]) {
        let Some(own) = self.own_ids(operation, caller, 0) else { return };
        for kind in kinds.iter().filter(|kind| !is_in_path(operation, kind)) {
            for (why, object) in self.strangers(kind, caller) {
                let mut ids = own.clone();
                ids.insert(kind.clone(), object.id.clone());
                self.as_absent(operation, caller, &ids, kind, Some(why)).await;
            }
        }
    }

    /// Calls with an id and with one that nothing has: the answers differ in nothing but the id.
    async fn as_absent(
        &mut self,
        operation: &'w Operation,
        caller: &Caller,
        ids: &Ids,
        kind: &str,
        why: Option<Foreign>,
    ) {
        let mut nothing = ids.clone();
        nothing.extend(absent(vec![kind.to_owned()]));
        let found = call(operation, &caller.client, ids, caller).await;
        let wanted = call(operation, &caller.client, &nothing, caller).await;
        let what = format!("is admitted, with a {kind} that is foreign ({why:?})");
        if found != wanted {
            let text = format!("{what}, where an absent one answers {} {}", wanted.status, wanted.text);
            self.find(operation, caller, &text, &found);
        } else if operation.call.is_refused && found.status == StatusCode::BAD_REQUEST {
            // Before anything is looked up.
        } else if (is_in_path(operation, kind) && found.status != StatusCode::NOT_FOUND)
            || (operation.method != Method::GET && !found.status.is_client_error())
        {
            self.find(operation, caller, &what, &found);
        }
    }

    /// Whoever has a tenant on a site knows of the site, and lists their own tenants of it.
    fn has_tenant_on(&self, caller: &Caller, site: &Object) -> bool {
        let mut own = self.world.of("tenant").iter().filter(|tenant| caller.sight.sees(self.world, tenant));
        own.any(|tenant| tenant.beside.get("site") == Some(&site.id))
    }

    /// One object of each way to be foreign.
    fn strangers(&self, kind: &str, caller: &Caller) -> BTreeMap<Foreign, Object> {
        let mut found = BTreeMap::new();
        if kind == "action" {
            let other = self.callers.all.iter().find(|other| other.uid != caller.uid);
            let id = other.and_then(|other| other.actions.first()).cloned().unwrap_or_default();
            return BTreeMap::from([(Foreign::User, Object { kind: "action", id, ..Object::default() })]);
        }
        for object in self.world.of(kind) {
            if !caller.sight.sees(self.world, object) && !self.gone.contains(&object.id) {
                found.entry(caller.sight.foreign(self.world, object)).or_insert_with(|| object.clone());
            }
        }
        found
    }

    /// Ids that belong to the caller and to each other; another set for each `turn`, as far as there are.
    fn own_ids(&self, operation: &Operation, caller: &Caller, turn: usize) -> Option<Ids> {
        let mut ids = Ids::new();
        let kinds = kinds_in(operation);
        if let Some(main) = main_kind(operation) {
            let object = self.own_object(operation, caller, main, turn)?;
            ids.extend(object.beside.iter().map(|(kind, id)| ((*kind).to_owned(), id.clone())));
            ids.insert(main.to_owned(), object.id);
        }
        for kind in &kinds {
            if !ids.contains_key(kind) {
                let beside = self.own_beside(operation, caller, kind, &ids);
                let object = beside.or_else(|| self.own_object(operation, caller, kind, turn))?;
                ids.insert(kind.clone(), object.id);
            }
        }
        Some(ids)
    }

    /// One that names what was chosen already: a repository of the tenant's own site.
    fn own_beside(&self, operation: &Operation, caller: &Caller, kind: &str, ids: &Ids) -> Option<Object> {
        let fits = |object: &&Object| {
            let mut known =
                object.beside.iter().filter_map(|(kind, id)| Some((ids.get(*kind)?, id))).peekable();
            known.peek().is_some() && known.all(|(chosen, named)| chosen == named)
        };
        let own = |object: &&Object| caller.sight.sees(self.world, object) && !self.gone.contains(&object.id);
        self.world
            .of(kind)
            .iter()
            .filter(own)
            .find(fits)
            .filter(|_| operation.method != Method::DELETE)
            .cloned()
    }

    fn own_object(&self, operation: &Operation, caller: &Caller, kind: &str, turn: usize) -> Option<Object> {
        let removes = operation.method == Method::DELETE;
        if kind == "login" {
            let mut left = caller.logins.iter().filter(|id| !self.gone.contains(*id));
            let beside = BTreeMap::from([("user", caller.uid.to_string())]);
            return left.next().map(|id| Object {
                kind: "login",
                id: id.clone(),
                beside,
                ..Object::default()
            });
        }
        if kind == "action" {
            let mut left = caller.actions.iter().filter(|id| !self.gone.contains(*id));
            return left.next().map(|id| Object { kind: "action", id: id.clone(), ..Object::default() });
        }
        if kind == "user" && !(removes && operation.id == "DeleteUser") {
            return Some(Object { kind: "user", id: caller.uid.to_string(), ..Object::default() });
        }
        let homes =
            [self.callers.company, self.callers.reseller, self.world.provider].map(|uid| uid.to_string());
        let mut own: Vec<_> = self
            .world
            .of(kind)
            .iter()
            .filter(|object| caller.sight.sees(self.world, object) && !self.gone.contains(&object.id))
            .filter(|object| !object.beside.values().any(|id| self.gone.contains(id)))
            .filter(|object| {
                !DECIDES.contains(&operation.id.as_str()) || caller.sight.covers(self.world, object)
            })
            .filter(|object| !removes || !homes.contains(&object.id))
            .collect();
        // Where a call before put something, others may have come to decide too: the world was read before.
        let untouched = |object: &&Object| !self.touched.contains(&object.id);
        if DECIDES.contains(&operation.id.as_str()) && own.iter().any(untouched) {
            own.retain(untouched);
        }
        // Everybody manages the least of users, if they manage any.
        own.sort_by_key(|object| object.role.as_deref() != Some("CompanySubtenant"));
        if kind == "user" {
            own.truncate(
                own.iter().filter(|one| one.role.as_deref() == Some("CompanySubtenant")).count().max(1),
            );
        }
        if own.is_empty() { None } else { Some(own[turn % own.len()].clone()) }
    }

    fn find(&mut self, operation: &Operation, caller: &Caller, what: &str, answer: &Answer) {
        let Operation { id, method, path, .. } = operation;
        let text: String = answer.text.chars().take(300).collect();
        self.findings
            .push(format!("{id} ({method} {path}): {:?} {what}: {} {text}", caller.role, answer.status));
    }
}

/// What only those do to a user, or let a user into, who see all that the user sees.
const DECIDES: [&str; 3] = ["CreateUser", "DeleteUser", "SetUserAssignments"];

/// What is refused to an admitted role with its own object, for what the call wants: users whose role theirs does not
/// manage.
fn forbids(operation: &Operation, caller: &Caller) -> bool {
    match operation.id.as_str() {
        "CreateUser" => {
            let word = operation.call.body.as_ref().and_then(|body| body["role"].as_str());
            !word.and_then(role_of).is_some_and(|role| caller.role.manages(role))
        }
        _ => false,
    }
}

/// Reads, changes, removals; those of whole organisations last.
fn rank(operation: &Operation) -> (u8, bool, String) {
    let step = match operation.method {
        Method::GET => 0,
        // It takes nothing away, and whoever removes an agent removes the jobs of its server.
        _ if operation.id == "UnassignBackupServerJob" => 1,
        Method::DELETE => 2,
        // They take away what other changes need.
        _ if ["PatchEntityPermissions", "AcceptUnverifiedAgent"].contains(&operation.id.as_str()) => 2,
        _ => 1,
    };
    let whole = ["DeleteCompany", "DeleteReseller", "DeleteTenant"].contains(&operation.id.as_str());
    (step, whole, operation.id.clone())
}

/// The kinds of objects that an operation's call names.
fn kinds_in(operation: &Operation) -> Vec<String> {
    let call = &operation.call;
    let texts = call.path.values().chain(call.query.values()).chain(&call.body).chain(&call.form);
    let mut kinds = BTreeSet::new();
    for text in texts.map(Value::to_string) {
        for (at, _) in text.match_indices("{{") {
            kinds.extend(text[at + 2..].split_once("}}").map(|(kind, _)| kind.to_owned()));
        }
    }
    for word in ["unique", "userName", "password", "mailPort"] {
        kinds.remove(word);
    }
    kinds.into_iter().collect()
}

fn is_in_path(operation: &Operation, kind: &str) -> bool {
    operation.call.path.values().any(|value| value.as_str() == Some(&format!("{{{{{kind}}}}}")))
}

/// The object that an operation is about: the last of the path whose rows name the others.
fn main_kind(operation: &Operation) -> Option<&'static str> {
    let names = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let places = names.filter_map(|name| operation.call.path.get(name)?.as_str());
    let mut kinds = places.filter_map(|place| match place.trim_matches(['{', '}']) {
        "action" => Some("action"),
        name => Kind::named(name).map(|kind| kind.name),
    });
    kinds.next_back()
}

/// Ids that nothing has.
fn absent(kinds: Vec<String>) -> Ids {
    let id = |kind: &str| match kind {
        "login" => "999999999".to_owned(),
        _ => Uuid::parse_str(&unique()).unwrap().to_string(),
    };
    kinds
        .into_iter()
        .map(|kind| {
            let id = id(&kind);
            (kind, id)
        })
        .collect()
}

async fn call(operation: &Operation, client: &Client, ids: &Ids, caller: &Caller) -> Answer {
    let fill = |value: &Value| filled(value, ids, caller);
    let mut path = operation.path.clone();
    for (name, value) in &operation.call.path {
        path = path.replace(&format!("{{{name}}}"), fill(value).as_str().unwrap_or_default());
    }
    let pairs: Vec<_> =
        operation.call.query.iter().flat_map(|(name, value)| pairs(name, &fill(value))).collect();
    let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
    let mut request = client.request(operation.method.clone(), &format!("/api/v3{path}{query}"));
    if let Some(body) = &operation.call.body {
        request = request.json(&fill(body));
    }
    if let Some(form) = operation.call.form.as_ref().map(fill) {
        let fields = form.as_object().unwrap().iter();
        let fields: Vec<_> =
            fields.map(|(name, value)| format!("{name}={}", escape(value.as_str().unwrap()))).collect();
        request = request.header("content-type", "application/x-www-form-urlencoded").body(fields.join("&"));
    }
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = String::from_utf8_lossy(&response.bytes().await.expect("a body")).into_owned();
    Answer { status, text: without(text, ids) }
}

/// Ids leave a message as a word, so that two messages can be compared.
fn without(text: String, ids: &Ids) -> String {
    ids.values().filter(|id| id.len() > 8).fold(text, |text, id| text.replace(id.as_str(), "ID"))
}

fn pairs(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(|item| pairs(name, item)).collect(),
        Value::String(text) => vec![format!("{name}={}", escape(text))],
        other => vec![format!("{name}={other}")],
    }
}

fn filled(value: &Value, ids: &Ids, caller: &Caller) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), filled(value, ids, caller))).collect()
        }
        Value::Array(items) => items.iter().map(|item| filled(item, ids, caller)).collect(),
        Value::String(text) => {
            let text = ids
                .iter()
                .fold(text.clone(), |text, (kind, id)| text.replace(&format!("{{{{{kind}}}}}"), id));
            let text = text.replace("{{unique}}", &unique()).replace("{{mailPort}}", "1");
            let text = text.replace("{{userName}}", &caller.name);
            Value::String(text.replace("{{password}}", "Long-enough-4-all"))
        }
        other => other.clone(),
    }
}
