//! Whom requests come from, and how many each may send.

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderMap;

use crate::api::error::ApiError;
use crate::config::Config;
use crate::id::UserUid;
use crate::net::{Budget, Proxies, Rate, source};

/// The budgets of all who ask.
#[derive(Debug)]
pub(crate) struct Traffic {
    proxies: Proxies,
    addresses: Budget<IpAddr>,
    users: Budget<UserUid>,
}

impl Traffic {
    /// As the settings say.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            proxies: Proxies::new(&config.trusted_proxies, config.forwarded_header),
            addresses: Budget::new(Rate::per_second(config.address_requests_per_second)),
            users: Budget::new(Rate::per_second(config.user_requests_per_second)),
        }
    }

    /// Whom a request comes from.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.proxies.client(peer, headers)
    }

    /// One request of this address.
    pub(crate) fn spend_of_address(&self, address: IpAddr) -> Result<(), ApiError> {
        self.addresses.spend(&source(address)).map_err(|wait| too_many("this address", wait))
    }

    /// One request of this user.
    pub(crate) fn spend_of_user(&self, user: UserUid) -> Result<(), ApiError> {
        self.users.spend(&user).map_err(|wait| too_many("this user", wait))
    }
}

fn too_many(who: &str, wait: Duration) -> ApiError {
    // Whole seconds, upwards: whoever comes back sooner has waited for nothing.
    let wait = Duration::from_secs(wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
    ApiError::too_many_requests(
        format!("too many requests from {who}; wait as long as retryAfter says"),
        wait,
    )
}
