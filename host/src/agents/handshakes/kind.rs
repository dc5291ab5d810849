//! The kinds of handshakes that fail, and what to do about each.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $advice:literal,)+) => {
        /// Why a handshake failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HandshakeKind { $($(#[$doc])* $name,)+ }

        impl HandshakeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As the API spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// What to do; `{at}` stands for the host's name and port.
            fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }
        }
    };
}

kinds! {
    /// TLS stood without a client certificate, and nobody enrolled.
    NoClientCertificate
        "something completes TLS without an agent's certificate and does not enrol: a TLS-inspecting firewall between an agent \
         and this host (exempt {at} from inspection), a load balancer that ends TLS (pass {at} through as TCP), or a scanner",
    /// A client certificate that this host's CA did not sign; or the other end did not take the host's.
    UnknownCertificateAuthority
        "the client's certificate was signed by another CA than this host's: an agent of another or a reinstalled host (enrol it \
         again with keelson-agent enroll --force), or a proxy that shows a certificate of its own (pass {at} through as TCP)",
    /// A certificate that is over, or not valid yet.
    ExpiredCertificate
        "the certificate is over or not valid yet at this time: set the clocks of both machines, and enrol the agent again with \
         keelson-agent enroll --force if it was off for longer than its certificate lived",
    /// Our certificate, which its agent may not use any more.
    RevokedCertificate
        "this agent was removed here, or its certificate was replaced: uninstall it, or enrol it again with keelson-agent enroll \
         --force and a new token; if nobody removed it, two machines may run copies of one agent",
    /// No `h2` among the protocols that were offered.
    WrongAlpn
        "something speaks TLS but not the agents' protocol (ALPN h2): a browser, a health check or a proxy that speaks HTTP/1.1; \
         point it elsewhere, and pass {at} through as TCP",
    /// An HTTP request in clear text.
    PlainHttp
        "something speaks plain HTTP to the agent port: a load balancer, a health check or a browser; point it at {at} as TCP \
         pass-through, without HTTP in it",
    /// An offer of no more than TLS 1.2.
    OldTls
        "the other end offers no TLS 1.3: a proxy or scanner with old TLS sits there; agents speak TLS 1.3, so pass {at} through \
         as TCP",
    /// Nothing, or half a handshake, in the time there is.
    Timeout
        "the connection was opened and the handshake did not come in time: packets are lost or cut by a firewall (check the MTU of \
         tunnels), or something only tries whether {at} is open",
    /// Something else than TLS.
    NotTls
        "something speaks another protocol than TLS to {at}: a monitoring system, a wrong port, or a load balancer that sends the \
         PROXY protocol (switch that off)",
    /// Closed before it was over.
    Closed
        "the connection was closed in the middle of the handshake: a load balancer's or a monitoring system's TCP check does so, \
         and does no harm; else a firewall between the agent and {at} cuts it off",
    /// Anything else.
    Other
        "the detail says what TLS found; the host's log has the same line with its time",
}

/// When the other end gave up over the host's certificate.
const NOT_TRUSTED: &str = "the other end does not trust the certificate that it was shown at {at}: an agent of another host (enrol it \
    again), a TLS-inspecting firewall that checks this host's certificate with public CAs (exempt {at} from inspection), or a browser";

impl HandshakeKind {
    /// What to do, in words, at `at`.
    pub fn recommendation(self, refused_by_peer: bool, at: &str) -> String {
        let told = refused_by_peer && self == Self::UnknownCertificateAuthority;
        if told { NOT_TRUSTED } else { self.advice() }.replace("{at}", at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_advice_without_a_gap() {
        for kind in HandshakeKind::ALL {
            for told in [false, true] {
                let advice = kind.recommendation(told, "console.example:6180");
                assert!(!advice.is_empty() && !advice.contains(['{', '\n']), "{advice}");
            }
        }
        let plain = HandshakeKind::PlainHttp.recommendation(false, "console.example:6180");
        assert!(plain.contains("console.example:6180"));
    }
}
