//! The API over HTTPS, as scripts use it.

mod actions;
mod audit;
mod cloud;
mod cloud_resellers;
mod cloud_resources;
mod cloud_scope;
mod cloud_subtenants;
mod cloud_world;
mod credentials;
mod limits;
mod lists;
mod members;
mod resources;
mod troubles;
