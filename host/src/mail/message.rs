//! The mail itself.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::MailError;
use super::error::tidy;

/// What goes into a mail.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) from: &'a str,
    pub(super) sender_name: Option<&'a str>,
    pub(super) to: &'a str,
    pub(super) subject: &'a str,
    pub(super) text: &'a str,
    pub(super) html: &'a str,
    pub(super) message_id: &'a str,
    pub(super) at: i64,
}

/// Puts a mail together: plain text and HTML as alternatives.
pub(super) fn build(parts: &Parts<'_>) -> Result<Message, MailError> {
    let mut sender = mailbox(parts.from)?;
    if let Some(name) = parts.sender_name.map(str::trim).filter(|name| !name.is_empty()) {
        sender.name = Some(tidy(name));
    }
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(parts.at).unwrap_or_default());
    let mut message = Message::builder().from(sender).subject(tidy(parts.subject)).date(at);
    for recipient in recipients(parts.to)? {
        message = message.to(recipient);
    }
    // So that no auto-responder answers the host (RFC 3834).
    let automatic =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    message
        .message_id(Some(parts.message_id.to_owned()))
        .raw_header(automatic)
        .multipart(MultiPart::alternative_plain_html(parts.text.to_owned(), parts.html.to_owned()))
        .map_err(|error| MailError::Message(format!("the mail cannot be put together: {error}")))
}

/// The addresses of a list; people write commas and semicolons.
pub(super) fn recipients(list: &str) -> Result<Vec<Mailbox>, MailError> {
    let addresses = list.split([',', ';']).map(str::trim).filter(|address| !address.is_empty());
    let found: Vec<_> = addresses.map(mailbox).collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Err(MailError::Message("the mail has no recipient; give at least one address".to_owned()));
    }
    Ok(found)
}

/// One address, with or without a name.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, MailError> {
    let wrong = || MailError::Message(format!("'{}' is no e-mail address", tidy(text)));
    if text.chars().any(char::is_control) {
        return Err(wrong());
    }
    text.trim().parse().map_err(|_not_an_address| wrong())
}

/// That a text is one address.
pub fn check_address(text: &str) -> Result<(), MailError> {
    mailbox(text).map(drop)
}

/// That a text is a list of addresses; in place of one may stand a variable such as `%Company Email%`.
pub fn check_recipients(list: &str) -> Result<(), MailError> {
    let is_variable = |text: &str| text.len() > 2 && text.starts_with('%') && text.ends_with('%');
    let plain: Vec<_> = list.split([',', ';']).filter(|part| !is_variable(part.trim())).collect();
    let any_variable = plain.len() < list.split([',', ';']).count();
    let plain = plain.join(",");
    if any_variable && plain.trim().is_empty() {
        return Ok(());
    }
    recipients(&plain).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Parts<'static> {
        Parts {
            from: "console@example.com",
            sender_name: Some("Backup, \"Inc\""),
            to: "one@example.com; two@example.com",
            subject: "Grüße\r\nBcc: evil@example.com",
            text: "text",
            html: "<p>html</p>",
            message_id: "<1@console.example>",
            at: 1_800_000_000_000,
        }
    }

    #[test]
    fn a_mail_has_both_forms_and_cannot_be_given_headers() {
        let text = String::from_utf8(build(&parts()).unwrap().formatted()).unwrap();
        assert!(
            text.contains("multipart/alternative")
                && text.contains("text/plain")
                && text.contains("text/html")
        );
        assert!(text.contains("Message-ID: <1@console.example>"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated"));
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        assert!(text.contains("one@example.com") && text.contains("two@example.com"));
    }

    #[test]
    fn what_is_no_address_is_named() {
        for bad in ["", "nobody", "a@b@c", "a@example.com\r\nRCPT TO:<x@y>", "<a@b", "; ,"] {
            assert!(recipients(bad).is_err(), "{bad:?}");
        }
        let error = recipients("one@example.com, nobody").unwrap_err().to_string();
        assert!(error.contains("'nobody'"), "{error}");
    }
}
