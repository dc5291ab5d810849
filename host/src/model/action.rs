//! Requests that are remembered.

use uuid::Uuid;

use crate::id::UserUid;

/// Whose request, and under which id: the client's `X-Request-id`, or the host's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ActionKey {
    /// Who asked.
    pub user: UserUid,
    /// Unique for that user only.
    pub id: Uuid,
}

/// How a remembered request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionStatus {
    /// Somebody works on it.
    Running,
    /// It did what it was to do.
    Succeed,
    /// It was ended before it did anything.
    Canceled,
    /// It was refused, or went wrong.
    Failed,
}

impl ActionStatus {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeed => "succeed",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }

    /// From how the API spells it; what nobody wrote is a failure.
    pub fn named(name: &str) -> Self {
        let all = [Self::Running, Self::Succeed, Self::Canceled];
        all.into_iter().find(|status| status.name() == name).unwrap_or(Self::Failed)
    }
}

/// A remembered request.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Action {
    /// Who asked.
    pub user_uid: UserUid,
    /// Its id.
    pub id: Uuid,
    /// Its operationId.
    pub operation: String,
    /// The query, without secrets: a JSON object of arrays.
    pub query: String,
    /// The body, without secrets: JSON.
    pub body: Option<String>,
    /// What tells a repeat from another request; sealed.
    pub fingerprint: Vec<u8>,
    /// A word of [`ActionStatus`].
    pub status: String,
    /// Whether its change is in effect.
    pub committed: bool,
    /// What was answered; sealed.
    pub answer: Option<Vec<u8>>,
}

impl Action {
    /// Whose, and under which id.
    pub fn key(&self) -> ActionKey {
        ActionKey { user: self.user_uid, id: self.id }
    }

    /// How it is.
    pub fn status(&self) -> ActionStatus {
        ActionStatus::named(&self.status)
    }
}

/// A request to be remembered.
#[derive(Debug, Clone)]
pub struct NewAction {
    /// Whose, and under which id.
    pub key: ActionKey,
    /// Its operationId.
    pub operation: &'static str,
    /// The query, without secrets: a JSON object of arrays.
    pub query: String,
    /// The body, without secrets: JSON.
    pub body: Option<String>,
    /// What tells a repeat from another request; sealed.
    pub fingerprint: Vec<u8>,
}
