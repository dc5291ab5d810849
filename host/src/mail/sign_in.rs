//! Who the host is to a mail server.

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism};

use super::line::{Line, within};
use super::{MailError, Mailer};
use crate::model::{OAuth2Credential, PasswordCredential, SmtpSettings, TlsMode};

impl Mailer {
    /// Signs in, if the settings have a credential. One that would go in clear stays here, unless the settings ask for no
    /// encryption at all.
    pub(super) async fn sign_in(&self, line: &mut Line, smtp: &mut SmtpSettings) -> Result<(), MailError> {
        let wanted = smtp.password_credential.is_some() || smtp.oauth2_credential.is_some();
        if wanted && !line.encrypted && smtp.tls_mode != TlsMode::None {
            return Err(MailError::Clear);
        }
        if let Some(credential) = &smtp.password_credential {
            return with_password(line, credential).await;
        }
        let Some(credential) = &mut smtp.oauth2_credential else { return Ok(()) };
        self.fresh_token(credential).await?;
        with_token(line, credential).await
    }
}

async fn with_password(line: &mut Line, credential: &PasswordCredential) -> Result<(), MailError> {
    let password = credential.password.reveal().ok_or(MailError::NoSecret("password"))?;
    let mechanisms: &[Mechanism] = match credential.sasl_mechanism.as_deref() {
        Some(name) if name.eq_ignore_ascii_case("PLAIN") => &[Mechanism::Plain],
        Some(name) if name.eq_ignore_ascii_case("LOGIN") => &[Mechanism::Login],
        _ => DEFAULT_MECHANISMS,
    };
    authenticate(line, mechanisms, Credentials::new(credential.user_name.clone(), password.to_owned())).await
}

async fn with_token(line: &mut Line, credential: &OAuth2Credential) -> Result<(), MailError> {
    let token = credential.access_token.reveal().ok_or(MailError::NoSecret("access token"))?;
    let mailbox = credential.user_id.clone().unwrap_or_default();
    authenticate(line, &[Mechanism::Xoauth2], Credentials::new(mailbox, token.to_owned())).await
}

async fn authenticate(
    line: &mut Line,
    mechanisms: &[Mechanism],
    credentials: Credentials,
) -> Result<(), MailError> {
    within(line.patience, "it was to check the sign-in", async {
        let answer = line.connection.auth(mechanisms, &credentials).await;
        answer.map(drop).map_err(|error| MailError::signing_in(&error))
    })
    .await
}
