//! `host:port`, as join tokens and settings carry it.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::ServerName;

/// Where a host listens for agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not HOST:PORT, such as console.example:6180 or [2001:db8::1]:6180")]
pub struct AddressError(String);

impl Address {
    /// Name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name that the host's certificate must carry.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, AddressError> {
        ServerName::try_from(self.host.clone()).map_err(|_| AddressError(self.to_string()))
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let bad = || AddressError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let host =
            host.strip_prefix('[').map_or(Some(host), |inner| inner.strip_suffix(']')).ok_or_else(bad)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(bad)?;
        let address = Self { host: host.to_owned(), port };
        address.server_name().map_err(|_| bad())?;
        Ok(address)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_both_kinds_of_ip_address_are_taken_and_nothing_else() {
        for good in ["console.example:6180", "127.0.0.1:1", "[2001:db8::1]:6180", "localhost:6180"] {
            assert_eq!(good.parse::<Address>().unwrap().to_string(), good);
        }
        for bad in ["", "host", "host:", "host:0", "host:70000", ":6180", "[::1:6180", "a b:1"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
    }
}
