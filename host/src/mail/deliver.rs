//! Brings one mail to its server.

use lettre::transport::smtp::response::Response;

use super::line::{Line, within};
use super::message::{Parts, build};
use super::{MailError, Mailer};
use crate::error::chain;
use crate::model::{LeasedMail, MailKind, SmtpSettings};
use crate::net::Judge;
use crate::store::{SmtpRow, open_words};

impl Mailer {
    /// Sends a mail, now.
    pub(super) async fn deliver(&self, mail: &LeasedMail) -> Result<(), MailError> {
        let row = self.settings_for(mail).await?;
        let mut smtp = self.opened(&row)?;
        let stored = smtp.clone();
        let (text, html) = open_words(&self.0.seal, mail)?;
        let from = mail.sender.as_deref().or(row.default_from.as_deref()).or_else(|| sender_of(&stored));
        let message = build(&Parts {
            from: from.ok_or(MailError::NoSender)?,
            sender_name: mail.sender_name.as_deref().or(row.default_sender_name.as_deref()),
            to: &mail.recipients,
            subject: &mail.subject,
            text: &text,
            html: &html,
            message_id: &format!("<{}@{}>", mail.uid, self.domain()),
            at: mail.created_at,
        })?;
        let judge = Judge::new(&self.0.authorities, smtp.pin())
            .map_err(|error| MailError::Settings(chain(&error)))?;
        let mut line = self.open(&smtp, &judge, self.reach(row.owner())).await?;
        let signed_in = self.sign_in(&mut line, &mut smtp).await;
        if smtp != stored {
            self.keep_tokens(&row, &smtp).await;
        }
        signed_in?;
        hand_over(&mut line, &message).await?;
        tracing::info!(mail = %mail.uid, "mail.deliver: sent");
        Ok(())
    }

    /// The server that takes a mail. Whoever may set an organisation's server reads what goes through it, and a code for a
    /// new password would make of an administrator their owner: such a code goes through the server of the manager, who
    /// decides over all of the organisation's users anyway.
    async fn settings_for(&self, mail: &LeasedMail) -> Result<SmtpRow, MailError> {
        let mut tx = self.0.store.read().await?;
        let row = if mail.kind == MailKind::PasswordReset.name() {
            tx.notifications().smtp_above(mail.organization_uid).await?
        } else {
            tx.notifications().smtp_for(mail.organization_uid).await?
        };
        row.ok_or(MailError::NotConfigured)
    }

    /// The settings with their secrets.
    pub(super) fn opened(&self, row: &SmtpRow) -> Result<SmtpSettings, MailError> {
        let mut smtp = row.settings().map_err(|error| MailError::Settings(error.to_string()))?;
        smtp.put_secrets(&row.secrets(&self.0.seal)?);
        Ok(smtp)
    }

    /// Without them the next mail asks for a token again; with Microsoft's rotation, on the refresh token that still works.
    async fn keep_tokens(&self, row: &SmtpRow, smtp: &SmtpSettings) {
        let kept = async {
            let mut tx = self.0.store.write().await?;
            tx.notifications().renew(&self.0.seal, row, smtp).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(error = %chain(&error), "mail.deliver: cannot keep the renewed token");
        }
    }

    /// What stands behind the `@` of a `Message-ID`.
    fn domain(&self) -> String {
        let name = &self.0.options.name;
        if name.contains(':') { format!("[IPv6:{name}]") } else { name.clone() }
    }
}

/// The user's name, where it is an address.
fn sender_of(smtp: &SmtpSettings) -> Option<&str> {
    let password = smtp.password_credential.as_ref().map(|credential| credential.user_name.as_str());
    let mailbox = smtp.oauth2_credential.as_ref().and_then(|credential| credential.user_id.as_deref());
    password.or(mailbox).filter(|name| name.contains('@'))
}

async fn hand_over(line: &mut Line, message: &lettre::Message) -> Result<Response, MailError> {
    // The server may think about the whole message before it answers.
    let accepted = within(line.patience.saturating_mul(2), "it was to take the mail", async {
        let answer = line.connection.send(message.envelope(), &message.formatted()).await;
        answer.map_err(|error| MailError::handing_over(&error))
    });
    let accepted = accepted.await?;
    // It is the server's from here on; that it also says goodbye is a courtesy.
    drop(tokio::time::timeout(line.patience, line.connection.quit()).await);
    Ok(accepted)
}
