//! Mail: what the host tells people.
//!
//! **Cast.** Whoever changes something queues a mail in the transaction of the change (`tx.mails().queue`); its words come
//! from `texts.rs`. The [`Mailer`]'s *rounds* (`rounds.rs`) take what is due, one organisation's mails after each other and
//! several organisations at once, so that a mail server that hangs holds up only its own; `deliver.rs` brings one mail to the
//! server: `line.rs` is the connection and its TLS, `sign_in.rs` and `oauth.rs` who we are to the server, `message.rs` the
//! mail itself. [`Mailer::test`] tries settings that nobody has stored.
//!
//! **Rows.** Reads and writes `mails`; reads `notification_settings` of the mail's organisation, else of its reseller, else of
//! the provider, and for new passwords only of those above the organisation; writes there the tokens that an identity provider renewed. The words of a mail are sealed, since they may
//! hold a password or a link that is as good as one, and are deleted as soon as the mail is out or given up.
//!
//! **Crash.** A mail is taken with a lease; whoever took it and died lets go of it when the lease is over. A mail that the
//! server accepted right before the crash is then sent once more, under the same `Message-ID`: SMTP has no way to ask whether
//! a message arrived, so between losing a mail and sending it twice the host chooses the second, and only that window is open
//! (a restart in order waits for what is under way). Mail servers and clients drop the second of two with one id.
//!
//! **A failure** that may pass (no connection, no sign-in, a 4xx answer) is tried again, later each time; one that will not
//! (a 5xx answer to the mail) ends it. The reason stays with the row either way.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::clock::SharedClock;
use crate::config::Config;
use crate::net::{Authorities, Reach};
use crate::seal::Seal;
use crate::store::{SmtpOwner, Store};

mod deliver;
mod error;
mod line;
mod message;
mod oauth;
mod rounds;
mod sign_in;
mod test;
pub mod texts;

pub use error::MailError;
pub use message::{check_address, check_recipients};
pub use oauth::TokenEndpoints;
pub use test::{ServerCertificate, TestResult, Tested};

/// How long to wait before a second attempt.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// What a mailer is told at the start.
#[derive(Debug, Clone)]
pub struct MailOptions {
    /// The name under which the host presents itself to mail servers; part of each `Message-ID`.
    pub name: String,
    /// Authorities beside the public ones.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether mail servers of resellers and companies may stand in private networks.
    pub private_servers: bool,
    /// Where tokens come from.
    pub tokens: TokenEndpoints,
    /// How long to wait before the second attempt; each further wait is twice as long.
    pub first_wait: Duration,
}

impl MailOptions {
    /// As the host's settings say.
    pub fn of(config: &Config) -> Result<Self, MailError> {
        let mut options =
            Self { private_servers: config.private_mail_servers, ..Self::named(config.advertise()) };
        if let Some(file) = &config.mail_ca {
            let unusable = |why: String| {
                MailError::Settings(format!("mail-ca names {}, which does not do: {why}", file.display()))
            };
            let certificates =
                CertificateDer::pem_file_iter(file).map_err(|error| unusable(error.to_string()))?;
            options.authorities =
                certificates.collect::<Result<_, _>>().map_err(|error| unusable(error.to_string()))?;
            if options.authorities.is_empty() {
                return Err(unusable("it holds no certificate in PEM".to_owned()));
            }
        }
        Ok(options)
    }

    /// With nothing set but the name.
    pub fn named(name: String) -> Self {
        Self {
            name,
            authorities: Vec::new(),
            private_servers: false,
            tokens: TokenEndpoints::default(),
            first_wait: FIRST_WAIT,
        }
    }
}

/// Sends mail. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    seal: Seal,
    clock: SharedClock,
    options: MailOptions,
    authorities: Authorities,
}

impl Mailer {
    /// A mailer that sends nothing until it is run.
    pub fn new(store: Store, seal: Seal, clock: SharedClock, options: MailOptions) -> Self {
        let authorities = Authorities::with(&options.authorities);
        Self(Arc::new(Inner { store, seal, clock, options, authorities }))
    }

    /// With which the words of a mail and the secrets of settings are sealed.
    pub fn seal(&self) -> &Seal {
        &self.0.seal
    }

    fn reach(&self, owner: SmtpOwner) -> Reach {
        match owner {
            SmtpOwner::Provider => Reach::Private,
            SmtpOwner::Tenant if self.0.options.private_servers => Reach::Private,
            SmtpOwner::Tenant => Reach::Public,
        }
    }
}
