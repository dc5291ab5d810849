//! The first acquaintance with a backup server, before anything is stored.

use std::sync::Arc;

use super::call::Call;
use super::client::Client;
use super::error::VbrError;
use super::model::ServerInfoModel;
use super::{Access, Pace, token};
use crate::clock::SharedClock;

/// Who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The server's name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Logs in, asks who is there and logs out.
pub async fn acquaint(access: &Access, pace: Pace, clock: &SharedClock) -> Result<Found, VbrError> {
    token::check(&access.user, &access.password_file)?;
    let client = Client::new(access, pace, Arc::clone(clock))?;
    let info: ServerInfoModel = client.json(&Call::get("/api/v1/serverInfo")).await?;
    client.log_out().await;
    Ok(Found { name: info.name, version: info.build_version })
}
