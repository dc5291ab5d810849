//! The API over HTTPS, as scripts use it.

mod credentials;
mod lists;
mod resources;
mod troubles;
