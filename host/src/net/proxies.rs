//! Who a request comes from when it comes through a proxy. Anybody can write a forwarding header, so it is believed only
//! as far as proxies of the operator's own wrote it: read from its end, the first hop that is none of them.

use std::net::{IpAddr, SocketAddr};

use http::header::FORWARDED;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::config::{ForwardedHeader, TrustedNetwork};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies of the operator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

impl Proxies {
    /// Those in these networks.
    pub(crate) fn new(networks: &[TrustedNetwork], header: ForwardedHeader) -> Self {
        Self { networks: networks.iter().map(|network| network.network()).collect(), header }
    }

    /// The address of whoever asks, as far as it can be believed.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        for hop in self.hops(headers).iter().rev() {
            let Some(address) = address(hop) else { break };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// In the order in which they were written; several headers are one list.
    fn hops<'h>(&self, headers: &'h HeaderMap) -> Vec<&'h str> {
        let (name, is_rfc7239) = match self.header {
            ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, false),
            ForwardedHeader::Forwarded => (FORWARDED, true),
        };
        // A header that is no text ends the chain where it stands.
        let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        let elements = lines.flat_map(|line| line.split(','));
        elements.map(|element| if is_rfc7239 { for_of(element) } else { element.trim() }).collect()
    }
}

/// The `for` of one element of RFC 7239, without its quotes.
fn for_of(element: &str) -> &str {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let value = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, value)| value);
    value.unwrap_or_default().trim_matches('"')
}

/// With or without a port, in brackets or not.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(header: ForwardedHeader, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Proxies::new(&networks, header).client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn a_stranger_is_who_connects_whatever_its_headers_say() {
        let lie = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")];
        assert_eq!(seen(ForwardedHeader::XForwardedFor, "198.51.100.1", &lie), "198.51.100.1");
        assert_eq!(seen(ForwardedHeader::Forwarded, "198.51.100.1", &lie), "198.51.100.1");
        assert_eq!(
            Proxies::default().client([127, 0, 0, 1].into(), &HeaderMap::new()).to_string(),
            "127.0.0.1"
        );
    }

    #[test]
    fn behind_proxies_it_is_the_rightmost_hop_that_is_none_of_them() {
        let through =
            |list: &str| seen(ForwardedHeader::XForwardedFor, "10.0.0.1", &[("x-forwarded-for", list)]);
        assert_eq!(through("192.0.2.7"), "192.0.2.7");
        assert_eq!(
            through("1.1.1.1, 192.0.2.7, 10.9.9.9"),
            "192.0.2.7",
            "what the client wrote itself counts not"
        );
        assert_eq!(through("10.1.1.1, 10.2.2.2"), "10.1.1.1", "a client inside");
        assert_eq!(through("192.0.2.7:4711"), "192.0.2.7");
        assert_eq!(through("[2001:db9::1]:4711"), "2001:db9::1");
        assert_eq!(through("192.0.2.7, nonsense"), "10.0.0.1", "the chain breaks where it cannot be read");
        let two = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(seen(ForwardedHeader::XForwardedFor, "::ffff:10.0.0.1", &two), "192.0.2.7");
    }

    #[test]
    fn only_the_header_that_the_proxies_write_is_read() {
        let both = [
            ("x-forwarded-for", "192.0.2.7"),
            ("forwarded", "for=203.0.113.9;proto=https, For=\"[2001:db8::5]\""),
        ];
        assert_eq!(seen(ForwardedHeader::XForwardedFor, "10.0.0.1", &both), "192.0.2.7");
        assert_eq!(seen(ForwardedHeader::Forwarded, "10.0.0.1", &both), "203.0.113.9");
        let hidden = [("forwarded", "for=_hidden")];
        assert_eq!(seen(ForwardedHeader::Forwarded, "10.0.0.1", &hidden), "10.0.0.1");
    }
}
