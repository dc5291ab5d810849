//! Connections that the host opens to an address somebody gave it. A name is resolved once, every address it has is judged,
//! and the connection goes to one that passed: a second answer of the name server changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures_util::future::BoxFuture;
use tokio::net::TcpStream;

/// Name server and wire; a test has its own, to answer like an attacker's name server.
pub(crate) trait Network: Send + Sync + std::fmt::Debug {
    /// All addresses of a name.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>>;

    /// Connects to one of them.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, std::io::Result<TcpStream>>;
}

/// The machine's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine;

impl Network for Machine {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, std::io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, std::io::Result<TcpStream>> {
        Box::pin(TcpStream::connect(address))
    }
}

/// How far an address may be, by who gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The provider's own administrators: their network too, but no metadata service and nobody in particular.
    Private,
    /// Everybody else: only what stands in the public internet.
    Public,
}

/// No connection came about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// The name server has no answer.
    #[error("the name '{host}' has no address")]
    Name {
        /// As given.
        host: String,
        /// Why.
        #[source]
        source: Option<std::io::Error>,
    },
    /// All addresses are out of bounds.
    #[error("'{host}' stands at an address that may not be reached from here; {way_out}")]
    Refused {
        /// As given.
        host: String,
        /// Who could.
        way_out: &'static str,
    },
    /// Nobody answers there.
    #[error("cannot connect to {host}:{port}: {source}")]
    Connect {
        /// As given.
        host: String,
        /// As given.
        port: u16,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Connects to `host`.
pub(crate) async fn connect(host: &str, port: u16, reach: Reach) -> Result<TcpStream, OutboundError> {
    connect_over(&Machine, host, port, reach).await
}

/// The same, over any network.
pub(crate) async fn connect_over(
    network: &dyn Network,
    host: &str,
    port: u16,
    reach: Reach,
) -> Result<TcpStream, OutboundError> {
    let named = |source| OutboundError::Name { host: host.to_owned(), source };
    let found = network.resolve(host, port).await.map_err(|error| named(Some(error)))?;
    if found.is_empty() {
        return Err(named(None));
    }
    let mut failed = None;
    for address in found.into_iter().filter(|address| allowed(address.ip(), reach)) {
        match network.connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => failed = Some(error),
        }
    }
    let host = host.to_owned();
    Err(match failed {
        Some(source) => OutboundError::Connect { host, port, source },
        None => OutboundError::Refused { host, way_out: way_out(reach) },
    })
}

fn way_out(reach: Reach) -> &'static str {
    match reach {
        Reach::Private => "give the address of a server",
        Reach::Public => {
            "give a server in the public internet, or have the provider allow private ones with private-mail-servers"
        }
    }
}

/// Where a cloud's machines find their metadata, beside the link-local addresses: Azure, Alibaba, Oracle.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
/// The same in IPv6, by the first two groups: Amazon, Google.
const METADATA_V6: [[u16; 2]; 2] = [[0xfd00, 0xec2], [0xfd20, 0xce]];

/// Whether an address may be reached.
pub(crate) fn allowed(address: IpAddr, reach: Reach) -> bool {
    match address {
        IpAddr::V4(address) => allowed_v4(address, reach),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => allowed_v4(address, reach),
            None => allowed_v6(address, reach),
        },
    }
}

fn allowed_v4(address: Ipv4Addr, reach: Reach) -> bool {
    let nobody = address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_link_local()
        || METADATA_V4.contains(&address)
        || address.octets()[0] == 0;
    match reach {
        Reach::Private => !nobody,
        Reach::Public => !nobody && !special_v4(address),
    }
}

/// What IANA keeps for other purposes than the public internet.
fn special_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_documentation()
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b))
}

fn allowed_v6(address: Ipv6Addr, reach: Reach) -> bool {
    let [first, second, ..] = address.segments();
    let nobody = address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || METADATA_V6.contains(&[first, second]);
    let global = (first & 0xe000) == 0x2000 && !(first == 0x2001 && (second < 0x200 || second == 0xdb8));
    match reach {
        Reach::Private => !nobody,
        Reach::Public => global && !(first == 0x3fff && second < 0x1000),
    }
}

/// The IPv4 address that an IPv6 one is another way to write, or leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let [first, second, third, .., high, low] = segments;
    let of = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        // Mapped; translated by NAT64; compatible (but not :: and ::1); 6to4.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(of(high, low)),
        [0, 0, 0, 0, 0, 0, ..] if high != 0 => Some(of(high, low)),
        _ if first == 0x2002 => Some(of(second, third)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(address: &str, reach: Reach) -> bool {
        allowed(address.parse().unwrap(), reach)
    }

    #[test]
    fn tenants_reach_only_the_public_internet() {
        for public in
            ["8.8.8.8", "100.128.0.1", "172.32.0.1", "2a00:1450::1", "2606:4700::1", "64:ff9b::808:808"]
        {
            assert!(may(public, Reach::Public), "{public}");
        }
        for inner in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "fec0::1",
            "3fff::1",
        ] {
            assert!(!may(inner, Reach::Public), "{inner}");
        }
    }

    #[test]
    fn the_provider_reaches_its_own_network_but_no_metadata_service() {
        for own in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fc00::1", "8.8.8.8"] {
            assert!(may(own, Reach::Private), "{own}");
        }
        for never in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "168.63.129.16",
            "100.100.100.200",
            "fe80::1",
            "0.0.0.0",
            "224.0.0.1",
        ] {
            assert!(!may(never, Reach::Private), "{never}");
        }
    }

    #[tokio::test]
    async fn a_refused_address_says_who_could_allow_it() {
        let error = connect("127.0.0.1", 1, Reach::Public).await.unwrap_err().to_string();
        assert!(error.contains("private-mail-servers"), "{error}");
    }
}
