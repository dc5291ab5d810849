//! Tries settings before anybody relies on them: connects, encrypts, signs in, and sends nothing.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::tidy;
use super::line::within;
use super::{MailError, Mailer};
use crate::error::chain;
use crate::model::SmtpSettings;
use crate::net::{Judge, Shown};
use crate::store::SmtpOwner;

/// How a test ended; the words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestResult {
    /// Mail would go out.
    Ok,
    /// No line, no TLS, no SMTP.
    ConnectionError,
    /// The server does not accept the credential.
    AuthenticationError,
}

/// A certificate that a mail server showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// The common name, else the subject.
    pub friendly_name: String,
    /// Distinguished name.
    pub issuer_name: String,
    /// Distinguished name.
    pub subject_name: String,
    /// In hexadecimal.
    pub serial_number: String,
    /// SHA-256 in hexadecimal: what `exclusivelyAcceptedCertificateHash` takes.
    pub hash: String,
    /// For people.
    pub signature_algorithm: String,
    /// From this day.
    pub not_before: OffsetDateTime,
    /// To this day.
    pub not_after: OffsetDateTime,
    /// Whether an authority vouches for it, for this server, now.
    pub valid: bool,
}

/// What a test found.
#[derive(Debug)]
pub struct Tested {
    /// How it ended.
    pub result: TestResult,
    /// Why it did not end well.
    pub error: Option<MailError>,
    /// Also where it was not accepted, so that an administrator may look at it and pin it.
    pub certificate: Option<ServerCertificate>,
}

impl Mailer {
    /// Tries settings. They hold what is to be used: nothing stored is added to them here.
    pub async fn test(&self, mut smtp: SmtpSettings, owner: SmtpOwner) -> Tested {
        let judge = match Judge::new(&self.0.authorities, smtp.pin()) {
            Ok(judge) => judge,
            Err(error) => return Tested::of(Err(MailError::Settings(chain(&error))), None),
        };
        let tried = match smtp.patience() {
            Err(error) => Err(MailError::Settings(error.to_string())),
            Ok(patience) => within(patience, "it was tried", self.attempt(&mut smtp, &judge, owner)).await,
        };
        Tested::of(tried, judge.shown())
    }

    async fn attempt(
        &self,
        smtp: &mut SmtpSettings,
        judge: &Arc<Judge>,
        owner: SmtpOwner,
    ) -> Result<(), MailError> {
        let mut line = self.open(smtp, judge, self.reach(owner)).await?;
        let signed_in = self.sign_in(&mut line, smtp).await;
        line.connection.abort().await;
        signed_in
    }
}

impl Tested {
    fn of(tried: Result<(), MailError>, shown: Option<Shown>) -> Self {
        let result = match &tried {
            Ok(()) => TestResult::Ok,
            Err(error) if error.is_sign_in() => TestResult::AuthenticationError,
            Err(_) => TestResult::ConnectionError,
        };
        Self { result, error: tried.err(), certificate: shown.and_then(|shown| describe(&shown)) }
    }
}

fn describe(shown: &Shown) -> Option<ServerCertificate> {
    let (_, certificate) = X509Certificate::from_der(&shown.certificate).ok()?;
    let subject = tidy(&certificate.subject().to_string());
    let common = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let algorithm = &certificate.signature_algorithm.algorithm;
    let algorithm = x509_parser::objects::oid2sn(algorithm, x509_parser::objects::oid_registry())
        .map_or_else(|_unknown| algorithm.to_id_string(), str::to_owned);
    Some(ServerCertificate {
        friendly_name: common.map_or_else(|| subject.clone(), tidy),
        issuer_name: tidy(&certificate.issuer().to_string()),
        subject_name: subject,
        serial_number: hex::encode(certificate.raw_serial()),
        hash: hex::encode(Sha256::digest(&shown.certificate)),
        signature_algorithm: algorithm,
        not_before: certificate.validity().not_before.to_datetime(),
        not_after: certificate.validity().not_after.to_datetime(),
        valid: shown.valid,
    })
}
