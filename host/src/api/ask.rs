//! What a request asks, as handlers take it: who, which operation, the ids of the path, the parameters of the query.

use std::net::IpAddr;

use axum::extract::{FromRef as _, FromRequestParts, RawPathParams};
use http::request::Parts;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::context::Caller;
use crate::api::envelope::{self, Rendered};
use crate::api::error::ApiError;
use crate::api::operations::Operation;
use crate::api::peer::Peer;
use crate::api::query::{self, ListRequest, Offer, Pairs, Shape, brief};
use crate::api::versions::{self, ClientVersion};
use crate::store::list::{Comparison, Condition, Resource, Value};
use crate::store::{StoreError, Tx};

/// A request of an admitted caller.
#[derive(Debug)]
pub(crate) struct Ask {
    /// What handlers need.
    pub(crate) state: ApiState,
    /// Who asks.
    pub(crate) caller: Caller,
    /// For what.
    pub(crate) operation: &'static Operation,
    /// From where.
    pub(crate) address: IpAddr,
    /// Whether only the head of the answer is wanted.
    pub(crate) head: bool,
    /// In which version of the API.
    version: ClientVersion,
    path: Vec<(String, String)>,
    pairs: Pairs,
}

impl FromRequestParts<ApiState> for Ask {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let unreadable = |_| ApiError::bad_request("the path is not valid UTF-8 after percent-decoding");
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(unreadable)?;
        let unguarded = || ApiError::internal("a handler ran without its guard");
        let Ok(Peer(address)) = Peer::from_request_parts(parts, state).await;
        let Ok(version) = ClientVersion::from_request_parts(parts, state).await;
        let operation: &'static Operation = parts.extensions.get().copied().ok_or_else(unguarded)?;
        let pairs = Pairs::parse(parts.uri.query())?;
        query::check(operation.id, &pairs)?;
        Ok(Self {
            state: ApiState::from_ref(state),
            caller: parts.extensions.get().cloned().ok_or_else(unguarded)?,
            operation,
            address,
            head: parts.method == http::Method::HEAD,
            version,
            path: path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            pairs,
        })
    }
}

impl Ask {
    /// In which version of the API the client speaks.
    pub(crate) fn version(&self) -> ClientVersion {
        self.version
    }

    /// The id of this name in the path.
    pub(crate) fn uid(&self, name: &str) -> Result<Uuid, ApiError> {
        let text = self.path.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let text = text.ok_or_else(|| ApiError::internal(format!("no {name} in the route's path")))?;
        Uuid::try_parse(text)
            .map_err(|_| ApiError::parameter(name, format!("{name} must be a UUID, not \"{}\"", brief(text))))
    }

    /// The last id of the path, with its name: the object that the operation is about.
    pub(crate) fn object(&self) -> Result<(&str, Uuid), ApiError> {
        let last = self.path.last().map(|(name, _)| name.as_str());
        let name = last.ok_or_else(|| ApiError::internal("no id in the route's path"))?;
        Ok((name, self.uid(name)?))
    }

    /// The whole number of this name in the path.
    pub(crate) fn number(&self, name: &str) -> Result<i64, ApiError> {
        let text = self.path.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let text = text.ok_or_else(|| ApiError::internal(format!("no {name} in the route's path")))?;
        whole(name, text)
    }

    /// A word of the path that is no id.
    pub(crate) fn word(&self, name: &str) -> Result<&str, ApiError> {
        let text = self.path.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        text.ok_or_else(|| ApiError::internal(format!("no {name} in the route's path")))
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        self.pairs.one(name).map(|text| text.map(str::trim).filter(|text| !text.is_empty()))
    }

    /// All words of a parameter of the query that may come several times, or hold several: `a=x&a=y`, `a=x,y`, `a=["x","y"]`.
    pub(crate) fn words(&self, name: &'static str) -> Vec<&str> {
        let values = self.pairs.all(name);
        values
            .flat_map(|text| text.split(|c: char| "[],\"' ".contains(c)))
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// All values of a parameter of the query that may be repeated.
    pub(crate) fn parameters(&self, name: &'static str) -> Vec<&str> {
        self.pairs.all(name).map(str::trim).filter(|text| !text.is_empty()).collect()
    }

    /// A parameter of the query that is a whole number.
    pub(crate) fn number_parameter(&self, name: &'static str) -> Result<Option<i64>, ApiError> {
        self.parameter(name)?.map(|text| whole(name, text)).transpose()
    }

    /// A parameter of the query that is an id.
    pub(crate) fn uid_parameter(&self, name: &'static str) -> Result<Option<Uuid>, ApiError> {
        let read = |text: &str| {
            Uuid::try_parse(text).map_err(|_| {
                ApiError::parameter(name, format!("{name} must be a UUID, not \"{}\"", brief(text)))
            })
        };
        self.parameter(name)?.map(read).transpose()
    }

    /// A parameter of the query that is true or false.
    pub(crate) fn flag_parameter(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        let read = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => {
                let message = format!("{name} must be true or false, not \"{}\"", brief(text));
                Err(ApiError::parameter(name, message))
            }
        };
        self.parameter(name)?.map(read).transpose()
    }

    /// A parameter of the query that is a moment: unix milliseconds.
    pub(crate) fn instant_parameter(&self, name: &'static str) -> Result<Option<i64>, ApiError> {
        let read = |text: &str| {
            crate::instant::parse(text).ok_or_else(|| {
                let wanted = "an RFC 3339 date such as 2026-01-31T12:00:00Z";
                ApiError::parameter(name, format!("{name} must be {wanted}, not \"{}\"", brief(text)))
            })
        };
        self.parameter(name)?.map(read).transpose()
    }

    /// The parameters of a list.
    pub(crate) fn list(&self, resource: &Resource) -> Result<ListRequest, ApiError> {
        ListRequest::from_pairs(&self.pairs, resource, Offer { schema: resource.name })
    }

    /// How the answer is cut.
    pub(crate) fn shape(&self, schema: &'static str) -> Result<Shape, ApiError> {
        Shape::from_pairs(&self.pairs, Offer { schema })
    }

    /// One object of a resource by the last id of the path; the other ids of the path must be its properties.
    pub(crate) async fn read(&self, resource: &'static Resource) -> Result<Rendered, ApiError> {
        let (name, uid) = self.object()?;
        let mut of = Vec::new();
        for (parent, _) in self.path.iter().filter(|(key, _)| key != name) {
            of.push(self.belongs(resource, parent, parent)?);
        }
        let mut tx = self.state.store().read().await?;
        self.find(&mut tx, resource, &Condition::All(of), uid).await
    }

    /// One object of a resource, cut as the request wants it.
    pub(crate) async fn find(
        &self,
        tx: &mut Tx,
        resource: &'static Resource,
        of: &Condition,
        uid: Uuid,
    ) -> Result<Rendered, ApiError> {
        let shape = self.shape(resource.name)?;
        let shown = versions::for_client(shape.shown(resource), resource, self.version);
        let found = tx.find(resource, &self.caller.scope, of, uid, &shown).await?;
        found
            .map(|found| envelope::rendered(&found, None))
            .ok_or_else(|| ApiError::absent(resource.name, uid))
    }

    /// A page of a resource: the rows of which `of` holds.
    pub(crate) async fn page(
        &self,
        tx: &mut Tx,
        resource: &'static Resource,
        of: &Condition,
    ) -> Result<Rendered, ApiError> {
        self.page_of(tx, resource, of, self.list(resource)?).await
    }

    /// The same, when the operation changes what was asked.
    pub(crate) async fn page_of(
        &self,
        tx: &mut Tx,
        resource: &'static Resource,
        of: &Condition,
        request: ListRequest,
    ) -> Result<Rendered, ApiError> {
        let shown = versions::for_client(request.shape.shown(resource), resource, self.version);
        let page = tx.list(resource, &self.caller.scope, of, &request.query, &shown).await;
        let page = page.map_err(|error| too_slow(error, resource))?;
        Ok(envelope::rendered_page(&page, request.query.offset))
    }

    /// That the id `parameter` of the path is the resource's `property`.
    pub(crate) fn belongs(
        &self,
        resource: &Resource,
        parameter: &str,
        property: &str,
    ) -> Result<Condition, ApiError> {
        let known = resource.property(property);
        let property = *known.ok_or_else(|| ApiError::internal(format!("no property {property}")))?;
        let value = Value::Uuid(self.uid(parameter)?);
        let collation = crate::store::list::Collation::Ordinal;
        Ok(Condition::Compare { property, comparison: Comparison::Equals, value, collation })
    }

    /// Refuses an id of what the caller does not see, in the same words as one that does not exist.
    pub(crate) async fn must_see(&self, tx: &mut Tx, resource: &Resource, uid: Uuid) -> Result<(), ApiError> {
        if tx.sees(resource, &self.caller.scope, uid).await? {
            return Ok(());
        }
        Err(ApiError::absent(resource.name, uid))
    }
}

/// A search that took too long is told what would have been quick.
fn too_slow(error: StoreError, resource: &Resource) -> ApiError {
    let indexed = resource.properties.iter().filter(|property| property.indexed);
    let indexed: Vec<_> = indexed.map(|property| property.name).collect();
    if !matches!(error, StoreError::Slow { .. }) || indexed.is_empty() {
        return error.into();
    }
    ApiError::timed_out(format!(
        "the search took too long and was stopped; filter or sort by what {} has an index of: {}",
        resource.name,
        indexed.join(", ")
    ))
}

fn whole(name: &str, text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::parameter(name, format!("{name} must be a whole number, not \"{}\"", brief(text)))
    })
}

/// What a list stands under: an id in the path, the object it names, and the property of the rows that holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Under {
    parameter: &'static str,
    property: &'static str,
    parent: &'static Resource,
}

/// Rows whose property has the name of the path's parameter.
pub(crate) fn under(parameter: &'static str, parent: &'static Resource) -> Under {
    Under { parameter, property: parameter, parent }
}

impl Under {
    /// The rows' property has another name.
    pub(crate) fn as_property(self, property: &'static str) -> Self {
        Self { property, ..self }
    }
}

/// A page of a resource, under objects that the caller must see.
pub(crate) async fn list(
    ask: Ask,
    resource: &'static Resource,
    above: &[Under],
) -> Result<Rendered, ApiError> {
    let mut tx = ask.state.store().read().await?;
    let mut of = Vec::new();
    for Under { parameter, property, parent } in above {
        ask.must_see(&mut tx, parent, ask.uid(parameter)?).await?;
        of.push(ask.belongs(resource, parameter, property)?);
    }
    ask.page(&mut tx, resource, &Condition::All(of)).await
}
