//! The join token: what a provider hands to whoever installs an agent.
//!
//! `kj1.` and base64url (no padding) of `{"a":[addresses],"t":"secret","p":"hex pin of the host's CA"}`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::tls::{Address, AddressError, Pin, PinError};

const PREFIX: &str = "kj1.";

/// A text that must not reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one call that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A parsed join token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinToken {
    /// Where the host listens for agents, in the order in which to try.
    pub addresses: Vec<Address>,
    /// Traded for a certificate.
    pub secret: Secret,
    /// The host's CA.
    pub pin: Pin,
}

#[derive(Deserialize)]
struct Wire {
    a: Vec<String>,
    t: String,
    p: String,
}

/// Why a text is no join token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Nothing was given.
    #[error("the join token is empty; make one on the host with `keelson agent token --company NAME`")]
    Empty,
    /// It is some other text.
    #[error(
        "this is not a join token: one starts with `kj1.` (make one with `keelson agent token --company NAME`)"
    )]
    Prefix,
    /// Cut short or altered.
    #[error("the join token is damaged: its text is not base64url; copy it again, whole and on one line")]
    Base64(#[source] base64::DecodeError),
    /// Cut short or altered. What serde found is left out: it may quote the secret.
    #[error("the join token is damaged: its content cannot be read; copy it again, whole and on one line")]
    Content,
    /// It has no secret.
    #[error("the join token carries no secret; make a new one on the host")]
    Secret,
    /// It names no host.
    #[error("the join token names no address; make a new one on the host, with `--advertise` set there")]
    NoAddress,
    /// An address has no port, for instance.
    #[error("the join token names an address that cannot be used")]
    Address(#[source] AddressError),
    /// The pin is not a SHA-256.
    #[error("the join token's pin cannot be used; make a new token on the host")]
    Pin(#[source] PinError),
}

impl JoinToken {
    /// Reads the text that `keelson agent token` printed.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        let body = text.strip_prefix(PREFIX).ok_or(TokenError::Prefix)?;
        let json = URL_SAFE_NO_PAD.decode(body).map_err(TokenError::Base64)?;
        let wire: Wire = serde_json::from_slice(&json).map_err(|_| TokenError::Content)?;
        if wire.t.is_empty() {
            return Err(TokenError::Secret);
        }
        if wire.a.is_empty() {
            return Err(TokenError::NoAddress);
        }
        let addresses =
            wire.a.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(TokenError::Address)?;
        let pin = wire.p.parse().map_err(TokenError::Pin)?;
        Ok(Self { addresses, secret: Secret(wire.t), pin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(json: &str) -> String {
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json))
    }

    fn good() -> String {
        format!(r#"{{"a":["console.example:6180","[::1]:6180"],"t":"s3cret","p":"{}"}}"#, "ab".repeat(32))
    }

    #[test]
    fn a_token_gives_addresses_secret_and_pin_and_hides_the_secret() {
        let token = JoinToken::parse(&format!(" {}\n", encode(&good()))).unwrap();
        assert_eq!(token.addresses[1].to_string(), "[::1]:6180");
        assert_eq!(token.secret.reveal(), "s3cret");
        assert_eq!(token.pin.to_string(), "ab".repeat(32));
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn a_bad_token_says_what_is_wrong_with_it() {
        let message = |text: &str| JoinToken::parse(text).unwrap_err().to_string();
        let cut = encode(&good());
        assert!(message("").contains("empty"));
        assert!(message("hello").contains("kj1."));
        assert!(message("kj1.*").contains("base64url"));
        assert!(message(&cut[..cut.len() - 8]).contains("copy it again"));
        assert!(message(&encode(&good().replace("s3cret", ""))).contains("no secret"));
        assert!(message(&encode(r#"{"a":[],"t":"x","p":""}"#)).contains("no address"));
        assert!(message(&encode(&good().replace(":6180\",", "\","))).contains("address"));
        assert!(message(&encode(&good().replace("ab", "a"))).contains("pin"));
    }
}
