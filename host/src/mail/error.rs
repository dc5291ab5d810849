//! Why a mail is not out.

use lettre::transport::smtp::Error as SmtpError;

use crate::error::chain;
use crate::net::OutboundError;
use crate::store::StoreError;

/// The most of a server's answer that is kept.
const LONGEST_ANSWER: usize = 400;

/// A mail, or a test of settings, failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// Nobody entered a mail server.
    #[error(
        "no mail server is configured for the organisation, its reseller or the provider; set `smtp` in the notification settings"
    )]
    NotConfigured,
    /// Nobody entered a sender.
    #[error("there is no sender's address; set `defaultFrom` in the notification settings")]
    NoSender,
    /// The stored settings do not do.
    #[error("the SMTP settings do not do: {0}")]
    Settings(String),
    /// A sender or a recipient is no address, or the mail cannot be put together.
    #[error("{0}")]
    Message(String),
    /// The server cannot be reached.
    #[error("{0}")]
    Connect(String),
    /// The server is silent.
    #[error(
        "the mail server gave no answer for {seconds} s while {during}; check the port and the TLS mode, or allow it more time"
    )]
    Silent {
        /// "it was connected to", …
        during: &'static str,
        /// As set.
        seconds: u64,
    },
    /// It does not speak SMTP as it should.
    #[error("the mail server breaks the protocol: {0}")]
    Protocol(String),
    /// No TLS came about.
    #[error("TLS with the mail server failed: {0}")]
    Tls(String),
    /// The settings demand TLS and the server has none.
    #[error("the mail server offers no STARTTLS; choose another port or TLS mode")]
    NoStartTls,
    /// The password would go in clear, and nobody said that it may.
    #[error(
        "the line to the mail server is not encrypted, so the credential stays here; to send it in clear set tlsMode to none"
    )]
    Clear,
    /// The credential is not there (any more).
    #[error(
        "the {0} for the mail server is missing: it is cleared when the server, the user or the client changes; enter it again"
    )]
    NoSecret(&'static str),
    /// The server does not accept the credential.
    #[error("the mail server refuses the sign-in: {0}")]
    SignIn(String),
    /// The identity provider gives no token.
    #[error("{0}")]
    Token(String),
    /// A 4xx answer: another time it may do.
    #[error("the mail server puts it off: {0}")]
    Later(String),
    /// A 5xx answer.
    #[error("the mail server refuses it: {0}")]
    Refused(String),
    /// A secret does not open.
    #[error(transparent)]
    Seal(#[from] crate::seal::SealError),
    /// The database.
    #[error("the database failed")]
    Store(#[from] StoreError),
}

impl MailError {
    /// Whether another attempt would end the same way.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Message(_))
    }

    /// Whether the server is there but does not know us.
    pub(super) fn is_sign_in(&self) -> bool {
        matches!(self, Self::SignIn(_) | Self::Token(_) | Self::NoSecret(_))
    }

    /// A failure while a mail was handed over.
    pub(super) fn handing_over(error: &SmtpError) -> Self {
        let text = answer(error);
        match error.status().map(u16::from) {
            // It wants a sign-in, or another one: that is about the settings, not about this mail.
            Some(530 | 534 | 535 | 538) => Self::SignIn(text),
            Some(code) if code >= 500 => Self::Refused(text),
            Some(_) => Self::Later(text),
            // For example an address that the server's dialect cannot say.
            None if error.is_client() => Self::Message(text),
            None => Self::Protocol(text),
        }
    }

    /// A failure while signing in.
    pub(super) fn signing_in(error: &SmtpError) -> Self {
        let text = answer(error);
        match error.status().map(u16::from) {
            Some(code) if code >= 500 => Self::SignIn(text),
            Some(_) => Self::Later(text),
            None if error.is_client() => Self::SignIn(text),
            None => Self::Protocol(text),
        }
    }
}

impl From<OutboundError> for MailError {
    fn from(error: OutboundError) -> Self {
        Self::Connect(error.to_string())
    }
}

/// What a server said, fit for a row and a log.
pub(super) fn answer(error: &SmtpError) -> String {
    tidy(&chain(error))
}

/// Without control characters, and not too long.
pub(super) fn tidy(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LONGEST_ANSWER).collect::<String>().trim().to_owned()
}
