//! Backup servers, jobs, agents and what they protect, through the API.

mod agents;
mod fleet;
mod jobs;
mod lists;
mod packages;
mod scopes;
