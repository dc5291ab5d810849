//! Changing something: the one way a handler gets a transaction that may write, so that no change goes by without its row
//! in the activity log, written in the same transaction.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::ask::Ask;
use crate::api::body;
use crate::api::contract;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Operation;
use crate::api::patch::{JsonPatch, Patched};
use crate::store::list::{Condition, Resource};
use crate::store::{NewAuditRow, Tx};

/// A request that changes something.
#[derive(Debug)]
pub(crate) struct Change {
    /// What is asked.
    pub(crate) ask: Ask,
    notes: Vec<NewAuditRow>,
    /// A patch left everything as it was, so that there is nothing to note.
    idle: bool,
}

impl FromRequestParts<ApiState> for Change {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        Ok(Self { ask: Ask::from_request_parts(parts, state).await?, notes: Vec::new(), idle: false })
    }
}

/// What a change was done to.
#[derive(Debug, Clone)]
pub(crate) struct Object<'o> {
    /// Its kind: the contract's schema.
    pub(crate) kind: &'o str,
    /// Its id.
    pub(crate) uid: Uuid,
    /// Its name.
    pub(crate) name: &'o str,
    /// Whose it is.
    pub(crate) organization: Option<Uuid>,
}

impl Change {
    /// A transaction that may write.
    pub(crate) async fn begin(&self) -> Result<Tx, ApiError> {
        Ok(self.ask.state.store().write().await?)
    }

    /// Remembers what was done, for the activity log. `before` and `after` must not hold secrets.
    pub(crate) fn note(&mut self, object: &Object<'_>, before: Option<&Json>, after: Option<&Json>) {
        let (ask, caller) = (&self.ask, &self.ask.caller);
        let verb = match (before, after) {
            (None, Some(_)) => "created",
            (Some(_), None) => "deleted",
            _ => "changed",
        };
        self.notes.push(NewAuditRow {
            at: ask.state.clock().now_ms(),
            user_uid: Some(caller.uid.0),
            user_name: caller.name.clone(),
            actor_uid: caller.actor.map(|actor| actor.0),
            address: ask.address.to_string(),
            operation: ask.operation.id.to_owned(),
            outcome: "Succeeded",
            organization_uid: object.organization,
            object_type: object.kind.to_owned(),
            object_uid: Some(object.uid),
            object_name: object.name.to_owned(),
            message: format!("{} {verb} {} \"{}\"", caller.name, object.kind, object.name),
            before: before.map(Json::to_string),
            after: after.map(Json::to_string),
        });
    }

    /// Writes what was noted, and makes all of it durable.
    pub(crate) async fn commit(&mut self, mut tx: Tx) -> Result<(), ApiError> {
        debug_assert!(
            self.idle || !self.notes.is_empty(),
            "{} changes something and notes nothing",
            self.ask.operation.id
        );
        for note in self.notes.drain(..) {
            tx.audit().add(&note).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The object as it is now, cut as the request wants it.
    pub(crate) async fn reply(&self, resource: &'static Resource, uid: Uuid) -> Result<Rendered, ApiError> {
        let mut tx = self.ask.state.store().read().await?;
        self.ask.find(&mut tx, resource, &Condition::All(Vec::new()), uid).await
    }

    /// The object of the path as a patch leaves it; nothing is written yet. `extra` are dotted names of what can only be
    /// written: passwords.
    pub(crate) async fn patched(
        &self,
        tx: &mut Tx,
        resource: &'static Resource,
        uid: Uuid,
        steps: &[JsonPatch],
        extra: &[&str],
    ) -> Result<Patched, ApiError> {
        let all = Condition::All(Vec::new());
        let found = tx.document(resource, &self.ask.caller.scope, &all, uid).await?;
        let before = found.ok_or_else(|| ApiError::absent(resource.name, uid))?.value();
        Patched::new(resource, before, steps, extra)
    }

    /// Writes what a patch changed, and notes it, if it changed anything. `name` and `organization` are for the activity log.
    pub(crate) async fn write(
        &mut self,
        tx: &mut Tx,
        uid: Uuid,
        patched: &Patched,
        name: &str,
        organization: Option<Uuid>,
    ) -> Result<(), ApiError> {
        tx.assign(patched.resource, uid, &patched.assignments()?).await?;
        let object = Object { kind: patched.resource.name, uid, name, organization };
        let (before, after) = patched.difference();
        if after.as_object().is_none_or(serde_json::Map::is_empty) {
            self.idle = true;
            return Ok(());
        }
        self.note(&object, Some(&before), Some(&after));
        Ok(())
    }
}

/// A body that fits its operation's schema in the contract.
#[derive(Debug)]
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiError> {
        let operation = request.extensions().get::<&'static Operation>().copied();
        let mut body = body::json(request, state).await?;
        if let Some(operation) = operation {
            contract::check_body(operation.id, &mut body)?;
        }
        body::read(body).map(Self)
    }
}
