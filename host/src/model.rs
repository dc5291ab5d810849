//! Plain data and its invariants; no I/O. What the store reads is the model itself: a second set of row structs would only drift.

mod alarm;
mod inventory;
mod organisation;
mod scope;

pub use alarm::{AlarmStatus, AlarmTemplate, NewTemplate};
pub use inventory::{Agent, Door, JoinToken};
pub use organisation::{
    ApiKey, Company, Installation, NewApiKey, NewCompany, NewOrganization, NewReseller, NewUser,
    OrganizationKind, Reseller, Token, TokenKind, User,
};
pub use scope::{Role, Scope, Tier};
