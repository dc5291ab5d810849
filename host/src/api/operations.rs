//! Which operation admits which role: data, not code. `operations.tsv` has the operations of VSPC REST v3,
//! `operations-keelson.tsv` in the same columns what we add. A handler is mounted by its operation's id alone; method,
//! path and admitted roles come from the row, so a route without a row cannot exist.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{Method, StatusCode};

use crate::api::ask::{self, Ask, Under};
use crate::api::context::Caller;
use crate::api::denials::Denial;
use crate::api::error::ApiError;
use crate::api::{ApiState, actions, context};
use crate::model::Role;
use crate::store::list::Resource;

const OF_VSPC: &str = include_str!("operations.tsv");
const OF_KEELSON: &str = include_str!("operations-keelson.tsv");

static TABLE: LazyLock<Vec<Operation>> =
    LazyLock::new(|| rows(OF_VSPC, false).chain(rows(OF_KEELSON, true)).collect());

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// Under which heading the documentation has it.
    pub(crate) tag: &'static str,
    /// Its method.
    pub(crate) method: Method,
    /// Below `/api/v3`, without a trailing slash.
    pub(crate) path: &'static str,
    /// Its operationId.
    pub(crate) id: &'static str,
    /// What the query can ask.
    pub(crate) query: QueryKind,
    /// Who may.
    pub(crate) roles: Vec<Role>,
    /// Whether it is an addition of ours.
    pub(crate) keelson: bool,
}

/// What the query of an operation can ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryKind {
    /// `filter`, `sort`, `limit`, `offset` and `select`.
    List,
    /// `select` only.
    Select,
    /// Neither.
    None,
}

impl Operation {
    /// Whether a user of this role may.
    pub(crate) fn admits(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether it changes nothing.
    pub(crate) fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether its answer may hold what lets somebody in: a key, a token. Beside changes that is one read.
    pub(crate) fn may_let_in(&self) -> bool {
        !self.is_read() || self.id == "DownloadLinuxManagementPackage"
    }
}

/// All rows.
#[cfg(test)]
pub(crate) fn all() -> &'static [Operation] {
    &TABLE
}

/// The row of an operationId.
pub(crate) fn find(id: &str) -> Option<&'static Operation> {
    TABLE.iter().find(|operation| operation.id == id)
}

fn rows(text: &'static str, keelson: bool) -> impl Iterator<Item = Operation> {
    text.lines().skip(1).filter_map(move |line| row(line, keelson))
}

fn row(line: &'static str, keelson: bool) -> Option<Operation> {
    let mut cells = line.split('\t');
    let (tag, method, path, id) = (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let query = match cells.next()? {
        "std" => QueryKind::List,
        "select" => QueryKind::Select,
        _ => QueryKind::None,
    };
    let words: Vec<_> = cells.nth(3)?.split_whitespace().collect();
    let everybody = words == ["all"];
    let roles = Role::ALL.iter().copied().filter(|role| everybody || words.contains(&role.short())).collect();
    let (method, path) = (method.parse().ok()?, path.trim_end_matches('/'));
    Some(Operation { tag, method, path, id, query, roles, keelson })
}

/// The routes of an area, by operationId.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    router: Router<ApiState>,
    mounted: Vec<&'static str>,
    unknown: Vec<&'static str>,
}

impl Routes {
    /// Mounts a handler that only admitted callers reach.
    pub(crate) fn add<T, H>(self, id: &'static str, handler: H) -> Self
    where
        T: 'static,
        H: Handler<T, ApiState>,
    {
        self.mount(id, |operation| Guarded { operation, handler })
    }

    /// Mounts the list of a resource.
    pub(crate) fn list(self, id: &'static str, resource: &'static Resource) -> Self {
        self.list_under(id, resource, &[])
    }

    /// Mounts the list of a resource below one object, named in the path by the rows' own property.
    pub(crate) fn list_of(
        self,
        id: &'static str,
        resource: &'static Resource,
        parameter: &'static str,
        parent: &'static Resource,
    ) -> Self {
        self.list_under(id, resource, &[ask::under(parameter, parent)])
    }

    /// Mounts the list of a resource below objects that the caller must see.
    pub(crate) fn list_under(self, id: &'static str, resource: &'static Resource, above: &[Under]) -> Self {
        let above = above.to_vec();
        self.add(id, async move |ask: Ask| ask::list(ask, resource, &above).await)
    }

    /// Mounts one object of a resource, by the last id of the path.
    pub(crate) fn get(self, id: &'static str, resource: &'static Resource) -> Self {
        self.add(id, async move |ask: Ask| ask.read(resource).await)
    }

    /// Mounts a handler that anybody reaches: the one that hands out tokens.
    pub(crate) fn open<T, H>(self, id: &'static str, handler: H) -> Self
    where
        T: 'static,
        H: Handler<T, ApiState>,
    {
        self.mount(id, |_| handler)
    }

    fn mount<T, H>(mut self, id: &'static str, handler: impl FnOnce(&'static Operation) -> H) -> Self
    where
        T: 'static,
        H: Handler<T, ApiState>,
    {
        let row = find(id).and_then(|row| Some((row, MethodFilter::try_from(row.method.clone()).ok()?)));
        match row {
            Some((operation, method)) => {
                // What is left of a path, with its slashes, is what a plugin's own operations begin with.
                let path = operation.path.replace("{rest}", "{*rest}");
                self.router = self.router.route(&path, on(method, handler(operation)));
                self.mounted.push(id);
            }
            None => self.unknown.push(id),
        }
        self
    }

    /// Adds those of another area.
    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.mounted.extend(other.mounted);
        self.unknown.extend(other.unknown);
        self
    }

    /// All of them, for the server.
    pub(crate) fn into_router(self) -> Router<ApiState> {
        let (mounted, unknown) = (self.mounted.len(), self.unknown);
        tracing::debug!(mounted, ?unknown, "the API is mounted");
        self.router
    }

    /// The ids of what is mounted.
    pub(crate) fn mounted(&self) -> &[&'static str] {
        &self.mounted
    }
}

/// A handler behind the question whether its caller may.
#[derive(Debug, Clone)]
struct Guarded<H> {
    operation: &'static Operation,
    handler: H,
}

impl<T, H> Handler<T, ApiState> for Guarded<H>
where
    T: 'static,
    H: Handler<T, ApiState>,
{
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, state: ApiState) -> Self::Future {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match admit(&state, &parts, self.operation).await {
                Ok(caller) => {
                    parts.extensions.insert(caller.clone());
                    parts.extensions.insert(self.operation);
                    let denial = Denial::of(&caller, self.operation, &parts);
                    let request = Request::from_parts(parts, body);
                    let (handler, inner, operation) = (self.handler, state.clone(), self.operation);
                    let act = move |request| async move {
                        let response = handler.call(request, inner.clone()).await;
                        note_refusal(&inner, denial, operation, response.status());
                        response
                    };
                    actions::perform(&state, &caller, operation, request, act).await
                }
                Err(error) => error.into_response(),
            }
        })
    }
}

/// What a handler refused stands in the activity log; so does a change of what is not in the caller's scope. A read of what
/// is not there tells nobody anything.
fn note_refusal(state: &ApiState, denial: Denial, operation: &Operation, status: StatusCode) {
    match status.as_u16() {
        401 | 403 => state.deny(denial.because("it was refused")),
        404 if !operation.is_read() => state.deny(denial.because("there is no such object in their scope")),
        _ => {}
    }
}

async fn admit(state: &ApiState, parts: &Parts, operation: &Operation) -> Result<Caller, ApiError> {
    let caller = context::admit(state, parts, operation).await?;
    state.traffic().spend_of_user(caller.uid)?;
    Ok(caller)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_both_tables_is_understood() {
        let lines = OF_VSPC.lines().count() + OF_KEELSON.lines().count() - 2;
        assert_eq!(all().len(), lines);
        let known: BTreeSet<_> = Role::ALL.iter().map(|role| role.short()).chain(["all"]).collect();
        let lines = OF_VSPC.lines().skip(1).chain(OF_KEELSON.lines().skip(1));
        for word in lines.flat_map(|line| line.rsplit('\t').next().unwrap().split_whitespace()) {
            assert!(known.contains(word), "{word}");
        }
    }

    #[test]
    fn ids_are_unique_and_every_operation_admits_somebody() {
        let ids: BTreeSet<_> = all().iter().map(|operation| operation.id).collect();
        assert_eq!(ids.len(), all().len());
        assert!(all().iter().all(|operation| !operation.roles.is_empty()));
    }

    #[test]
    fn every_route_has_a_row() {
        let routes = crate::api::routes();
        assert_eq!(routes.unknown, Vec::<&str>::new());
        assert!(routes.mounted().contains(&"GetCompanies"));
    }

    #[test]
    fn the_table_decides_who_may() {
        let create = find("CreateCompany").unwrap();
        assert!(create.admits(Role::PortalAdministrator) && !create.admits(Role::CompanyOwner));
        assert_eq!((create.path, create.query), ("/organizations/companies", QueryKind::Select));
        assert_eq!(find("GetAllPlugins").unwrap().path, "/plugins");
    }
}
