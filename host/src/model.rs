//! Plain data and its invariants; no I/O. What the store reads is the model itself: a second set of row structs would only drift.

mod alarm;
mod inventory;
mod organisation;
mod scope;

pub use alarm::{Activation, Alarm, AlarmStatus, AlarmTemplate, NewTemplate};
pub use inventory::{Agent, BackupServer, Door, JoinToken, RestorePoint, Workload};
pub use organisation::{
    ApiKey, Company, Installation, NewApiKey, NewCompany, NewUser, Token, TokenKind, User,
};
pub use scope::{Role, Scope, Tier};
