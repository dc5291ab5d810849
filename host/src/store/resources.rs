//! What the API shows, one file an area: each [`super::list::Resource`] is a table of properties over the columns.
//!
//! **To add one**: the schema's name in the contract, `from`, `id`, who sees a row ([`super::list::Reach`]), and a line a
//! property; its name in [`ALL`]. Then `.list(…)` and `.get(…)` in the area's `routes()` serve it.

mod alarms;
mod infrastructure;
mod organisations;
mod workloads;

pub use alarms::{ALARM_TEMPLATES, ALARMS};
pub use infrastructure::{AGENTS, BACKUP_SERVERS};
pub use organisations::{COMPANIES, LOCATIONS, ORGANIZATIONS, RESELLERS, USERS};
pub use workloads::{COMPUTERS, RESTORE_POINTS};

use super::list::Resource;

/// All of them: the prepare test reads each on both databases, the contract test compares each with its schema.
pub static ALL: &[&Resource] = &[
    &AGENTS,
    &ALARMS,
    &ALARM_TEMPLATES,
    &BACKUP_SERVERS,
    &COMPANIES,
    &COMPUTERS,
    &LOCATIONS,
    &ORGANIZATIONS,
    &RESELLERS,
    &RESTORE_POINTS,
    &USERS,
];
