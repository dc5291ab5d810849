//! A new password for whoever reads the user's mail. Whether there is such a user is nobody's business: the answer is the
//! same, and it comes before the work. The mail holds a code for one new password within an hour; only its hash is kept.

use std::net::IpAddr;

use super::log::{self, Event};
use super::secret::{Secret, SecretKind};
use super::{lockout, mails};
use crate::api::ApiState;
use crate::api::context::{self, Entrance};
use crate::api::error::ApiError;
use crate::clock::HOUR;
use crate::id::fresh;
use crate::model::{NewToken, Session, Token, TokenKind, User};
use crate::store::Tx;

/// Milliseconds that a code lives.
const LIFETIME: i64 = HOUR;

/// Somebody forgot their password.
#[derive(Debug, Clone)]
pub(crate) struct Forgotten {
    /// Whose password.
    pub(crate) user_name: String,
    /// Must be the user's: whoever knows only the name shall not send mails around.
    pub(crate) email: String,
    /// Where on this host's own page the code is to be typed in.
    pub(crate) return_url: Option<String>,
}

/// Sends a code, if there is such a user.
pub(crate) async fn ask(state: &ApiState, forgotten: Forgotten, address: IpAddr) -> Result<(), ApiError> {
    let mut tx = state.store().write().await?;
    lockout::ask_for_mail(&mut tx, &forgotten.user_name, address, state.clock().now_ms()).await?;
    tx.commit().await?;
    // Beside the request: how long it takes would tell whether the user exists.
    let state = state.clone();
    tokio::spawn(async move {
        if let Err(error) = send(&state, &forgotten, address).await {
            tracing::warn!("a mail for a new password was not sent: {}", error.into_message());
        }
    });
    Ok(())
}

async fn send(state: &ApiState, forgotten: &Forgotten, address: IpAddr) -> Result<(), ApiError> {
    let mut tx = state.store().write().await?;
    let Some(user) = tx.users().by_name(&forgotten.user_name).await? else { return Ok(()) };
    let Some(to) = tx.accounts().mail(user.uid).await? else { return Ok(()) };
    let same = to.trim().to_lowercase() == forgotten.email.trim().to_lowercase();
    if !same || context::recognise(&mut tx, &user, Entrance::Page).await.is_err() {
        return Ok(());
    }
    let clock = state.clock();
    let secret = Secret::generate(SecretKind::Reset);
    // Of several mails only the last one works: the others may lie around somewhere.
    tx.credentials().revoke_kind(clock, user.uid, TokenKind::Reset).await?;
    let token = NewToken {
        user_uid: user.uid,
        family: fresh(clock),
        kind: TokenKind::Reset,
        hash: secret.hash(),
        lifetime: LIFETIME,
        session: Session::default(),
    };
    tx.credentials().add_token(clock, &token).await?;
    let link = link(state.address(), forgotten.return_url.as_deref(), &secret);
    mails::queue_reset(state, &mut tx, &user, &to, &link, LIFETIME).await?;
    let message = "asked for a new password by mail";
    let event = Event {
        address,
        operation: "CreateResetPasswordRequest",
        user: Some(&user),
        actor: None,
        allowed: true,
        message,
    };
    log::note(state, &mut tx, event).await?;
    Ok(tx.commit().await?)
}

/// Where the code is typed in: only ever on this host, however the request wants it. A mail from us that leads somewhere
/// else would hand the code over.
fn link(own: &str, asked: Option<&str>, code: &Secret) -> String {
    let ours = |url: &&str| {
        url.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'))
            && url.chars().all(|letter| letter.is_ascii_graphic() && letter != '#')
    };
    let page = asked.filter(ours).map_or_else(|| format!("{own}/"), str::to_owned);
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}reset={}", code.reveal())
}

/// Sets a new password with a code out of a mail; all sessions end.
pub(crate) async fn complete(
    state: &ApiState,
    code: &str,
    password: String,
    address: IpAddr,
) -> Result<(), ApiError> {
    let Ok((SecretKind::Reset, secret)) = Secret::parse(code.trim()) else {
        return Err(ApiError::property(
            "code",
            "code is not one out of a mail of this host, or was not copied whole",
        ));
    };
    let mut tx = state.store().read().await?;
    usable(state, &mut tx, &secret).await?;
    drop(tx);
    let hash = state.turnstile().enter().await?.hash(password).await?;
    let mut tx = state.store().write().await?;
    let (token, user) = usable(state, &mut tx, &secret).await?;
    if !tx.credentials().use_token(state.clock(), token.uid).await? {
        return Err(spent());
    }
    tx.accounts().set_password(user.uid, &hash).await?;
    tx.credentials().revoke_user(state.clock(), user.uid).await?;
    let message = "set a new password with a code out of a mail; all sessions ended, API keys stay";
    let event = Event {
        address,
        operation: "CompleteResetPasswordRequest",
        user: Some(&user),
        actor: None,
        allowed: true,
        message,
    };
    log::note(state, &mut tx, event).await?;
    Ok(tx.commit().await?)
}

async fn usable(state: &ApiState, tx: &mut Tx, secret: &Secret) -> Result<(Token, User), ApiError> {
    let token = tx.credentials().token_by_hash(&secret.hash()).await?;
    let good =
        |token: &Token| token.is_good(TokenKind::Reset, state.clock().now_ms()) && token.used_at.is_none();
    let token = token.filter(good).ok_or_else(spent)?;
    let user = tx.users().get(token.user_uid).await?.ok_or_else(spent)?;
    context::recognise(tx, &user, Entrance::Page).await?;
    Ok((token, user))
}

fn spent() -> ApiError {
    ApiError::property("code", "the code has expired or was used; ask for another mail")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_never_leads_away_from_this_host() {
        let (own, code) = ("https://console.example:1280", Secret::generate(SecretKind::Reset));
        let to = |asked| link(own, asked, &code).replace(code.reveal(), "CODE");
        assert_eq!(to(None), "https://console.example:1280/?reset=CODE");
        assert_eq!(
            to(Some("https://console.example:1280/new?a=1")),
            "https://console.example:1280/new?a=1&reset=CODE"
        );
        for elsewhere in [
            "https://evil.example/",
            "https://console.example:1280.evil.example/",
            "https://console.example:1280@evil.example/",
            "https://console.example:12801/",
            "https://console.example:1280/#https://evil.example",
            "javascript:alert(1)",
            "https://console.example:1280/\r\nBcc: x",
        ] {
            assert_eq!(to(Some(elsewhere)), "https://console.example:1280/?reset=CODE", "{elsewhere}");
        }
    }
}
