//! The settings about proxies in front of the host.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The header that the trusted proxies write. Only this one is read: a client could send the other through them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy`
    #[default]
    XForwardedFor,
    /// RFC 7239: `Forwarded: for=client, for=proxy`
    Forwarded,
}

/// A network whose forwarding headers are believed: `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrustedNetwork(IpNet);

impl TrustedNetwork {
    /// The network.
    pub(crate) fn network(self) -> IpNet {
        self.0
    }
}

impl FromStr for TrustedNetwork {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let network = network.map_err(|_| {
            format!("\"{text}\" is no network; write an address, or one like 10.0.0.0/8 or 2001:db8::/32")
        })?;
        Ok(Self(network))
    }
}

impl TryFrom<String> for TrustedNetwork {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TrustedNetwork> for String {
    fn from(network: TrustedNetwork) -> Self {
        network.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_as_cidr_or_as_one_address() {
        assert!("10.0.0.0/8".parse::<TrustedNetwork>().is_ok() && "::1".parse::<TrustedNetwork>().is_ok());
        assert!("10.0.0.0/33".parse::<TrustedNetwork>().unwrap_err().contains("10.0.0.0/33"));
    }
}
