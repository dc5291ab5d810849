//! The mails of this area; `mail` brings them out.

use crate::api::ApiState;
use crate::api::error::ApiError;
use crate::clock::MINUTE;
use crate::mail::texts::PasswordReset;
use crate::model::{MailKind, NewMail, User};
use crate::store::Tx;

/// Queues the mail with the way to a new password.
pub(super) async fn queue_reset(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    to: &str,
    link: &str,
    lifetime: i64,
) -> Result<(), ApiError> {
    let words = PasswordReset { user_name: &user.name, link, minutes: lifetime / MINUTE }.words();
    let mail = NewMail {
        organization_uid: user.organization_uid,
        kind: MailKind::PasswordReset,
        to: to.to_owned(),
        from: None,
        sender_name: None,
        subject: words.subject,
        text: words.text,
        html: words.html,
        max_attempts: None,
    };
    tx.mails().queue(state.clock(), state.seal(), &mail).await?;
    Ok(())
}
