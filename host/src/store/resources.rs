//! What the API shows, one file an area: each [`super::list::Resource`] is a table of properties over the columns.
//!
//! **To add one**: the schema's name in the contract, `from`, `id`, who sees a row ([`super::list::Reach`]), and a line a
//! property; its name in [`ALL`]. Then `.list(…)` and `.get(…)` in the area's `routes()` serve it.

mod activity;
mod alarms;
mod cloud;
mod hosted;
mod infrastructure;
mod jobs;
mod licenses;
mod logins;
mod misc;
mod organisations;
mod restore_points;
mod settings;
mod usage;
mod workloads;

pub use activity::{ACTIVITY_LOGS, ACTIVITY_ORDER};
pub use alarms::{ALARM_TEMPLATES, ALARMS};
pub use cloud::{
    CLOUD_BACKUPS, CLOUD_GATEWAY_POOLS, CLOUD_GATEWAYS, CLOUD_TENANTS, SITES, TENANT_BACKUP_RESOURCE_USAGES,
    TENANT_BACKUP_RESOURCES, TENANT_REPLICATION_RESOURCE_USAGES, TENANT_REPLICATION_RESOURCES,
    TENANT_TRAFFIC,
};
pub use hosted::{HOSTED_BACKUP_RESOURCES, HOSTED_RESOURCES};
pub use infrastructure::{AGENT_TASKS, AGENTS, ASKED_AT, BACKUP_SERVERS, REPOSITORIES, UNVERIFIED_AGENTS};
pub use jobs::{AGENT_JOBS, COPY_JOBS, FILE_SHARE_JOBS, JOB_SESSIONS, JOBS, REPLICATION_JOBS, VM_JOBS};
pub use licenses::SERVER_LICENSES;
pub use logins::LOGINS;
pub use misc::{CERTIFICATES, CONSOLE_CERTIFICATE, TIME_ZONES};
pub use organisations::{
    COMPANIES, ENTITY_PERMISSIONS, LOCATIONS, ORGANIZATIONS, PROVIDER, RESELLERS, USERS,
};
pub use restore_points::{
    FILE_SHARE_POINTS, LATEST_MANAGED_COMPUTER_POINTS, LATEST_VIRTUAL_MACHINE_POINTS,
    MANAGED_COMPUTER_BACKUPS, MANAGED_COMPUTER_POINTS, RESTORE_POINTS, VIRTUAL_MACHINE_BACKUPS,
    VIRTUAL_MACHINE_POINTS,
};
pub(super) use settings::MFA_POLICY_OF;
pub use settings::{BRANDING, NOTIFICATION, POLICY};
pub use usage::{LOCATION_USAGE, RESELLER_USAGE, on as usage_on};
pub use workloads::{COMPUTERS, FILE_SHARES, MANAGED_COMPUTERS, VB365_OBJECTS, VIRTUAL_MACHINES};

use super::list::Resource;

/// All of them: the prepare test reads each on both databases, the contract test compares each with its schema.
pub static ALL: &[&Resource] = &[
    &ACTIVITY_LOGS,
    &AGENTS,
    &AGENT_JOBS,
    &AGENT_TASKS,
    &ALARMS,
    &ALARM_TEMPLATES,
    &BACKUP_SERVERS,
    &BRANDING,
    &CERTIFICATES,
    &CLOUD_BACKUPS,
    &CLOUD_GATEWAYS,
    &CLOUD_GATEWAY_POOLS,
    &CLOUD_TENANTS,
    &COMPANIES,
    &COMPUTERS,
    &CONSOLE_CERTIFICATE,
    &COPY_JOBS,
    &ENTITY_PERMISSIONS,
    &FILE_SHARES,
    &FILE_SHARE_JOBS,
    &FILE_SHARE_POINTS,
    &HOSTED_BACKUP_RESOURCES,
    &HOSTED_RESOURCES,
    &JOBS,
    &LATEST_MANAGED_COMPUTER_POINTS,
    &LATEST_VIRTUAL_MACHINE_POINTS,
    &LOCATIONS,
    &LOCATION_USAGE,
    &LOGINS,
    &MANAGED_COMPUTERS,
    &MANAGED_COMPUTER_BACKUPS,
    &MANAGED_COMPUTER_POINTS,
    &NOTIFICATION,
    &ORGANIZATIONS,
    &POLICY,
    &PROVIDER,
    &REPLICATION_JOBS,
    &REPOSITORIES,
    &RESELLERS,
    &RESELLER_USAGE,
    &RESTORE_POINTS,
    &SERVER_LICENSES,
    &SITES,
    &TENANT_BACKUP_RESOURCES,
    &TENANT_BACKUP_RESOURCE_USAGES,
    &TENANT_REPLICATION_RESOURCES,
    &TENANT_REPLICATION_RESOURCE_USAGES,
    &TENANT_TRAFFIC,
    &TIME_ZONES,
    &UNVERIFIED_AGENTS,
    &USERS,
    &VB365_OBJECTS,
    &VIRTUAL_MACHINES,
    &VIRTUAL_MACHINE_BACKUPS,
    &VIRTUAL_MACHINE_POINTS,
    &VM_JOBS,
];
