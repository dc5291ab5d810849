//! The address of a mail server.

use std::fmt;
use std::net::Ipv6Addr;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// A name in lower case, or an IP address without brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

impl ServerAddress {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`, perhaps behind `smtp://`; what is wrong otherwise.
    pub(super) fn parse(text: &str, default_port: u16) -> Result<Self, String> {
        let text = text.trim();
        // Some clients write it as a URL.
        let text =
            ["smtp://", "smtps://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
        let text = text.trim_end_matches('/');
        let (host, port) = split(text).ok_or_else(|| {
            format!(
                "'{text}' is no mail server's address; give host or host:port, an IPv6 address in brackets"
            )
        })?;
        let port = match port {
            None => default_port,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("'{port}' is no port; give 1 to 65535"))?,
        };
        Ok(Self { host: host.trim_end_matches('.').to_lowercase(), port })
    }
}

fn split(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return match after {
            "" => Some((host, None)),
            _ => Some((host, Some(after.strip_prefix(':')?))),
        };
    }
    let (host, port) = match text.split_once(':') {
        None => (text, None),
        Some((host, port)) => (host, Some(port)),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let fine =
        !host.is_empty() && host.len() <= 253 && !host.starts_with(['.', '-']) && host.chars().all(plain);
    fine.then_some((host, port))
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}
