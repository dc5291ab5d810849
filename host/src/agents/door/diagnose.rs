//! From the error that a handshake ended with to the kind of failure that people can do something about.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use crate::agents::handshakes::{Failure, HandshakeKind};

/// How a request begins that is HTTP in clear; an injected answer begins with `HTTP/`.
const HTTP: [&[u8]; 11] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
    b"PRI * ",
    b"HTTP/",
];
/// How a load balancer begins that tells whom it speaks for.
const PROXY: [&[u8]; 2] = [b"PROXY ", b"\r\n\r\n\0\r\nQUIT\n"];
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;

/// What went wrong, by the error and by how the connection began.
pub(super) fn diagnose(error: &io::Error, first: &[u8]) -> Failure {
    if let Some(failure) = by_first_bytes(first) {
        return failure;
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(tls) => by_tls(tls),
        None => by_kind(error, first),
    }
}

/// Whoever begins otherwise than with a handshake speaks something else, whatever TLS then says of it.
fn by_first_bytes(first: &[u8]) -> Option<Failure> {
    let is = |all: &[&[u8]]| all.iter().any(|word| first.starts_with(word));
    if is(&HTTP) {
        return Some(Failure::new(HandshakeKind::PlainHttp, format!("it began with {}", shown(first))));
    }
    if is(&PROXY) {
        return Some(Failure::new(HandshakeKind::NotTls, "it began with the PROXY protocol"));
    }
    let foreign = first.len() >= 5 && first.first() != Some(&HANDSHAKE);
    foreign.then(|| Failure::new(HandshakeKind::NotTls, format!("it began with {}", shown(first))))
}

fn shown(first: &[u8]) -> String {
    format!("\"{}\"", first.escape_ascii())
}

fn by_tls(error: &Error) -> Failure {
    let kind = match error {
        Error::InvalidCertificate(problem) => of_certificate(problem),
        Error::NoApplicationProtocol => HandshakeKind::WrongAlpn,
        Error::PeerIncompatible(
            PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired,
        ) => HandshakeKind::OldTls,
        Error::AlertReceived(alert) => return of_alert(*alert),
        _ => HandshakeKind::Other,
    };
    Failure::new(kind, error.to_string())
}

fn of_certificate(problem: &CertificateError) -> HandshakeKind {
    match problem {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => HandshakeKind::ExpiredCertificate,
        CertificateError::Revoked => HandshakeKind::RevokedCertificate,
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            HandshakeKind::UnknownCertificateAuthority
        }
        _ => HandshakeKind::Other,
    }
}

/// The other end gave up, and said over what.
fn of_alert(alert: AlertDescription) -> Failure {
    let kind = match alert {
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::DecryptError => HandshakeKind::UnknownCertificateAuthority,
        AlertDescription::CertificateExpired => HandshakeKind::ExpiredCertificate,
        AlertDescription::ProtocolVersion => HandshakeKind::OldTls,
        AlertDescription::NoApplicationProtocol => HandshakeKind::WrongAlpn,
        AlertDescription::UserCanceled | AlertDescription::CloseNotify => HandshakeKind::Closed,
        _ => HandshakeKind::Other,
    };
    let detail = format!("the other end refused the handshake: {alert:?}");
    Failure { kind, detail, refused_by_peer: true }
}

fn by_kind(error: &io::Error, first: &[u8]) -> Failure {
    let so_far = if first.is_empty() { "nothing came" } else { "the handshake stopped half-way" };
    match error.kind() {
        io::ErrorKind::TimedOut => Failure::new(HandshakeKind::Timeout, format!("{so_far} in time")),
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => {
            Failure::new(HandshakeKind::Closed, format!("{so_far} before the connection was closed"))
        }
        _ => Failure::new(HandshakeKind::Other, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(error: Error) -> Failure {
        diagnose(&io::Error::new(io::ErrorKind::InvalidData, error), &[HANDSHAKE, 3, 1, 0, 200])
    }

    #[test]
    fn what_is_no_tls_is_known_by_its_first_bytes() {
        let error = io::Error::from(io::ErrorKind::InvalidData);
        for (first, kind) in [
            (&b"GET / HTTP/1.1\r\n"[..], HandshakeKind::PlainHttp),
            (b"PRI * HTTP/2.0\r\n", HandshakeKind::PlainHttp),
            (b"HTTP/1.1 403 Forbidden", HandshakeKind::PlainHttp),
            (b"PROXY TCP4 10.0.0.1", HandshakeKind::NotTls),
            (b"SSH-2.0-OpenSSH_9.2", HandshakeKind::NotTls),
        ] {
            assert_eq!(diagnose(&error, first).kind, kind, "{}", shown(first));
        }
        assert_eq!(diagnose(&error, b"GET / HTTP/1.1\r\n").detail, r#"it began with "GET / HTTP/1.1\r\n""#);
    }

    #[test]
    fn the_errors_of_tls_have_the_kind_that_people_can_act_on() {
        let certificate = |problem| tls(Error::InvalidCertificate(problem)).kind;
        assert_eq!(certificate(CertificateError::UnknownIssuer), HandshakeKind::UnknownCertificateAuthority);
        assert_eq!(certificate(CertificateError::NotValidYet), HandshakeKind::ExpiredCertificate);
        assert_eq!(certificate(CertificateError::Revoked), HandshakeKind::RevokedCertificate);
        assert_eq!(certificate(CertificateError::BadEncoding), HandshakeKind::Other);
        assert_eq!(tls(Error::NoApplicationProtocol).kind, HandshakeKind::WrongAlpn);
        let alert = tls(Error::AlertReceived(AlertDescription::CertificateUnknown));
        assert_eq!((alert.kind, alert.refused_by_peer), (HandshakeKind::UnknownCertificateAuthority, true));
    }

    #[test]
    fn silence_and_a_closed_connection_are_told_apart() {
        let late = diagnose(&io::ErrorKind::TimedOut.into(), b"");
        assert_eq!((late.kind, late.detail.as_str()), (HandshakeKind::Timeout, "nothing came in time"));
        let closed = diagnose(&io::ErrorKind::UnexpectedEof.into(), &[HANDSHAKE, 3]);
        assert_eq!(closed.kind, HandshakeKind::Closed);
        assert_eq!(diagnose(&io::Error::other("crowded"), b"").kind, HandshakeKind::Other);
    }
}
