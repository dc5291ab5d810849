//! Where the backup server's REST API listens.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// `https://host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct VbrAddress {
    host: String,
    port: u16,
    base: String,
}

/// Why a text is no address of a backup server.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no address of a backup server; write it like https://localhost:9419, without a name or password in it"
)]
pub struct VbrAddressError(String);

/// Where Veeam Backup & Replication listens unless told otherwise.
const USUAL_PORT: u16 = 9419;

impl VbrAddress {
    /// Name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is this very machine.
    pub fn is_local(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }
}

impl FromStr for VbrAddress {
    type Err = VbrAddressError;

    fn from_str(text: &str) -> Result<Self, VbrAddressError> {
        // A password that was put into it must not be shown by the message either.
        let shown = if text.contains('@') { "…" } else { text };
        let bad = || VbrAddressError(shown.to_owned());
        let url = Url::parse(text).map_err(|_| bad())?;
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if url.scheme() != "https" || !plain {
            return Err(bad());
        }
        let shown = url.host_str().ok_or_else(bad)?;
        let host = shown.trim_start_matches('[').trim_end_matches(']').to_owned();
        // 443 written out is the scheme's own, and does not show in the URL any more.
        let port =
            url.port().unwrap_or(if text.trim_end_matches('/').ends_with(":443") { 443 } else { USUAL_PORT });
        Ok(Self { base: format!("https://{shown}:{port}"), host, port })
    }
}

impl TryFrom<String> for VbrAddress {
    type Error = VbrAddressError;

    fn try_from(text: String) -> Result<Self, VbrAddressError> {
        text.parse()
    }
}

impl From<VbrAddress> for String {
    fn from(address: VbrAddress) -> Self {
        address.base
    }
}

impl fmt::Display for VbrAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_with_or_without_a_port_and_nothing_more() {
        let good = |text: &str| text.parse::<VbrAddress>().unwrap().to_string();
        assert_eq!(good("https://localhost"), "https://localhost:9419");
        assert_eq!(good("https://vbr.example:443/"), "https://vbr.example:443");
        assert_eq!(good("https://[::1]:9420"), "https://[::1]:9420");
        assert!("https://[::1]".parse::<VbrAddress>().unwrap().is_local());
        assert!(!"https://10.0.0.1".parse::<VbrAddress>().unwrap().is_local());
        for bad in ["", "localhost:9419", "http://localhost", "https://a/api", "https://a?b", "https://"] {
            assert!(bad.parse::<VbrAddress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_shown() {
        let error = "https://me:geheim@localhost:9419".parse::<VbrAddress>().unwrap_err();
        assert!(!error.to_string().contains("geheim"));
    }
}
