//! How mail leaves: the settings as the API's `SmtpSettings` has them, and which of their secrets survive a change.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

mod address;
mod oauth;

pub use address::ServerAddress;
pub use oauth::{OAuth2ClientSettings, OAuth2Credential, OAuth2ServiceKind};

/// The longest a mail server may be waited for, at each step.
pub const LONGEST_TIMEOUT: Duration = Duration::from_mins(5);

/// A secret on its way; it shows itself nowhere. Null is none.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(|text| Self(text.unwrap_or_default()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "Secret(none)" } else { "Secret(..)" })
    }
}

impl Secret {
    /// The secret, or nothing if it is empty.
    pub fn reveal(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// When the line to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TlsMode {
    /// On connect on port 465, else as `startTlsWhenAvailable`.
    Auto,
    /// Never; a password goes in clear.
    None,
    /// From the first byte.
    SslOnConnect,
    /// After `STARTTLS`, or not at all.
    StartTls,
    /// After `STARTTLS` if the server offers it; without, only what needs no password.
    StartTlsWhenAvailable,
}

/// A name and a password for the mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordCredential {
    /// Who.
    pub user_name: String,
    /// Never sent back.
    #[serde(default, skip_serializing_if = "Secret::is_empty")]
    pub password: Secret,
    /// `PLAIN` or `LOGIN`; absent: what the server offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sasl_mechanism: Option<String>,
}

/// How to reach a mail server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SmtpSettings {
    /// `host` or `host:port`.
    pub server_address: String,
    /// `HH:MM:SS`, for each step.
    pub timeout: String,
    /// When to encrypt.
    pub tls_mode: TlsMode,
    /// Absent: the server asks for none, or there is an OAuth2 credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_credential: Option<PasswordCredential>,
    /// Signs in with a token.
    #[serde(default, rename = "oAuth2Credential", skip_serializing_if = "Option::is_none")]
    pub oauth2_credential: Option<OAuth2Credential>,
    /// SHA-256 of the one certificate that will do, in hexadecimal; absent: any that a known authority vouches for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusively_accepted_certificate_hash: Option<String>,
}

/// What is sealed: everything of the settings that nobody gets to see again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SmtpSecrets {
    password: Secret,
    access_token: Secret,
    refresh_token: Secret,
    client_secret: Secret,
}

/// A property of the settings does not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadSmtp {
    /// Below the settings, dotted.
    pub property: &'static str,
    /// What is wrong, and what would do.
    pub message: String,
}

impl BadSmtp {
    fn new(property: &'static str, message: impl Into<String>) -> Self {
        Self { property, message: message.into() }
    }
}

impl SmtpSettings {
    /// Checks what a schema cannot, and brings the certificate's hash into one spelling.
    pub fn check(&mut self) -> Result<(), BadSmtp> {
        self.address()?;
        self.patience()?;
        if let Some(hash) = &mut self.exclusively_accepted_certificate_hash {
            *hash = canonical_hash(hash)?;
        }
        if let Some(credential) = &self.password_credential {
            credential.check()?;
        }
        let Some(credential) = &self.oauth2_credential else { return Ok(()) };
        if self.password_credential.is_some() {
            return Err(BadSmtp::new(
                "oAuth2Credential",
                "there are a password and an OAuth2 credential; give one of them",
            ));
        }
        credential.check()
    }

    /// Where the server is.
    pub fn address(&self) -> Result<ServerAddress, BadSmtp> {
        ServerAddress::parse(&self.server_address, self.default_port())
            .map_err(|message| BadSmtp::new("serverAddress", message))
    }

    fn default_port(&self) -> u16 {
        if self.tls_mode == TlsMode::SslOnConnect { 465 } else { 25 }
    }

    /// How long each step may take.
    pub fn patience(&self) -> Result<Duration, BadSmtp> {
        let bad = || BadSmtp::new("timeout", "the timeout must be HH:MM:SS, from 00:00:01 to 00:05:00");
        let seconds = seconds(&self.timeout).ok_or_else(bad)?;
        let patience = Duration::from_secs(seconds);
        if patience.is_zero() || patience > LONGEST_TIMEOUT { Err(bad()) } else { Ok(patience) }
    }

    /// The pinned certificate's hash.
    pub fn pin(&self) -> Option<[u8; 32]> {
        let hash = self.exclusively_accepted_certificate_hash.as_deref()?;
        hex::decode(hash).ok()?.try_into().ok()
    }

    /// Takes the secrets out; what is left may be shown.
    pub fn take_secrets(&mut self) -> SmtpSecrets {
        let mut secrets = SmtpSecrets::default();
        if let Some(credential) = &mut self.password_credential {
            secrets.password = std::mem::take(&mut credential.password);
        }
        if let Some(credential) = &mut self.oauth2_credential {
            secrets.access_token = std::mem::take(&mut credential.access_token);
            secrets.refresh_token = std::mem::take(&mut credential.refresh_token);
            secrets.client_secret = credential.client_settings.client_secret.take().unwrap_or_default();
        }
        secrets
    }

    /// Puts stored secrets where none is given. Only for the settings they were stored with, or for such as
    /// [`SmtpSettings::keeps_secrets_of`] says are as safe.
    pub fn put_secrets(&mut self, secrets: &SmtpSecrets) {
        let fill = |place: &mut Secret, stored: &Secret| {
            if place.is_empty() {
                *place = stored.clone();
            }
        };
        if let Some(credential) = &mut self.password_credential {
            fill(&mut credential.password, &secrets.password);
        }
        if let Some(credential) = &mut self.oauth2_credential {
            fill(&mut credential.access_token, &secrets.access_token);
            fill(&mut credential.refresh_token, &secrets.refresh_token);
            fill(credential.client_settings.client_secret.get_or_insert_default(), &secrets.client_secret);
        }
    }

    /// Whether these settings lead stored secrets of `old` nowhere new: the same server, the same user there, and the same
    /// client at the same identity provider. If not, the secrets must be given again.
    pub fn goes_where(&self, old: &Self) -> bool {
        let server = |settings: &Self| settings.address().ok();
        let user = |settings: &Self| settings.password_credential.as_ref().map(|of| of.user_name.clone());
        let oauth = |settings: &Self| settings.oauth2_credential.as_ref().map(OAuth2Credential::identity);
        server(self).is_some()
            && server(self) == server(old)
            && user(self) == user(old)
            && oauth(self) == oauth(old)
    }

    /// Whether stored secrets of `old` may stay: these settings lead them nowhere new, and over a line that is no weaker. What
    /// was safe from whoever sits between must not become readable by a change that needs no password.
    pub fn keeps_secrets_of(&self, old: &Self) -> bool {
        let same_pin = old.pin().is_none() || self.pin() == old.pin();
        self.goes_where(old) && self.strength() >= old.strength() && same_pin
    }

    /// How far the line is safe: not at all, from whoever only listens, from whoever interferes.
    fn strength(&self) -> u8 {
        match self.tls_mode {
            TlsMode::None => 0,
            TlsMode::Auto if self.address().is_ok_and(|address| address.port == 465) => 2,
            TlsMode::Auto | TlsMode::StartTlsWhenAvailable => 1,
            TlsMode::SslOnConnect | TlsMode::StartTls => 2,
        }
    }

    /// Whether these settings are as safe for the secrets of `old` as those were: nothing about the line changed.
    pub fn same_line(&self, old: &Self) -> bool {
        self.goes_where(old) && self.tls_mode == old.tls_mode && self.pin() == old.pin()
    }
}

impl PasswordCredential {
    fn check(&self) -> Result<(), BadSmtp> {
        if self.user_name.trim().is_empty() {
            return Err(BadSmtp::new("passwordCredential.userName", "the user name is empty"));
        }
        match self.sasl_mechanism.as_deref() {
            None | Some("") => Ok(()),
            Some(name) if ["PLAIN", "LOGIN"].iter().any(|known| known.eq_ignore_ascii_case(name)) => Ok(()),
            Some(name) => Err(BadSmtp::new(
                "passwordCredential.saslMechanism",
                format!(
                    "'{name}' is not supported; give PLAIN or LOGIN, or leave it out to use what the server offers"
                ),
            )),
        }
    }
}

fn seconds(text: &str) -> Option<u64> {
    // Some clients write a fraction; it is of no account here.
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = clock.split(':').map(|part| {
        Some(part).filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let mut next = || parts.next()??.parse::<u64>().ok();
    let (hours, minutes, seconds) = (next()?, next()?, next()?);
    let whole = parts.next().is_none() && minutes < 60 && seconds < 60;
    whole.then(|| hours * 3600 + minutes * 60 + seconds)
}

fn canonical_hash(hash: &str) -> Result<String, BadSmtp> {
    let plain: String =
        hash.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    if hex::decode(&plain).is_ok_and(|bytes| bytes.len() == 32) {
        return Ok(plain);
    }
    Err(BadSmtp::new(
        "exclusivelyAcceptedCertificateHash",
        "the certificate's hash must be its SHA-256: 64 hexadecimal digits",
    ))
}

#[cfg(test)]
mod tests;
