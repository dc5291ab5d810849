//! The pin of the host's CA, and who signed what was seen when it does not fit.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use x509_parser::parse_x509_certificate;

/// SHA-256 of a certificate's `SubjectPublicKeyInfo`: it survives a renewal of the CA's certificate.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pin([u8; 32]);

/// Why a text is no pin.
#[derive(Debug, thiserror::Error)]
#[error("a pin is the SHA-256 of a public key: 64 hexadecimal digits")]
pub struct PinError;

impl Pin {
    /// The pin of a certificate's key; `None` when the certificate cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = parse_x509_certificate(certificate).ok()?;
        Some(Self(Sha256::digest(parsed.public_key().raw).into()))
    }

    fn short(self) -> String {
        self.to_string().chars().take(16).collect()
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| PinError)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Pin {
    type Error = PinError;

    fn try_from(text: String) -> Result<Self, PinError> {
        text.parse()
    }
}

impl From<Pin> for String {
    fn from(pin: Pin) -> Self {
        pin.to_string()
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pin({self})")
    }
}

/// One certificate of a chain that was not the host's.
#[derive(Clone, Debug)]
pub struct SeenCertificate {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The pin of its key, when it could be read.
    pub pin: Option<Pin>,
}

impl SeenCertificate {
    fn read(certificate: &CertificateDer<'_>) -> Self {
        parse_x509_certificate(certificate).map_or_else(
            |_| Self { subject: "unreadable".to_owned(), issuer: "unreadable".to_owned(), pin: None },
            |(_, parsed)| Self {
                subject: parsed.subject().to_string(),
                issuer: parsed.issuer().to_string(),
                pin: Pin::of(certificate),
            },
        )
    }
}

/// The certificates seen do not lead to the pinned CA: most often a TLS-inspecting firewall sits between.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the certificate does not lead to Keelson CA {}", .expected.short())]
pub struct PinMismatch {
    /// What was presented, the leaf first.
    pub chain: Vec<SeenCertificate>,
    /// What should have been in it.
    pub expected: Pin,
}

impl PinMismatch {
    pub(super) fn new(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>], expected: Pin) -> Self {
        let chain = std::iter::once(leaf).chain(others).map(SeenCertificate::read).collect();
        Self { chain, expected }
    }

    /// Who signed the leaf.
    pub fn signer(&self) -> &str {
        self.chain.first().map_or("nobody", |leaf| leaf.issuer.as_str())
    }

    /// The pin of the signer's key, when its certificate was sent along.
    pub fn signer_pin(&self) -> Option<Pin> {
        self.chain.iter().find(|seen| seen.subject == self.signer()).and_then(|seen| seen.pin)
    }

    /// The whole story for a person: what was seen, what it means, what to do.
    pub fn describe(&self, address: &str) -> String {
        let subject = self.chain.first().map_or("nobody", |leaf| leaf.subject.as_str());
        let pin = self
            .signer_pin()
            .map_or_else(|| "pin not known".to_owned(), |pin| format!("pin {}", pin.short()));
        format!(
            "certificate for '{subject}' at {address} was signed by '{}' ({pin}), expected Keelson CA {}; a \
             TLS-inspecting firewall probably sits between; exempt {address} from inspection",
            self.signer(),
            self.expected.short(),
        )
    }

    /// The same for a program, on one line.
    pub fn to_json(&self, address: &str) -> serde_json::Value {
        let leaf = self.chain.first();
        serde_json::json!({
            "event": "tls-pin-mismatch",
            "address": address,
            "subject": leaf.map(|leaf| leaf.subject.as_str()),
            "issuer": leaf.map(|leaf| leaf.issuer.as_str()),
            "seenPins": self.chain.iter().filter_map(|seen| seen.pin).map(|pin| pin.to_string()).collect::<Vec<_>>(),
            "expectedPin": self.expected.to_string(),
            "advice": format!("exempt {address} from inspection"),
        })
    }
}
