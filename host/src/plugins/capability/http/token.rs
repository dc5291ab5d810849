//! Access tokens for client credentials (RFC 6749, 4.4): fetched by the host from the destination's own origin, kept until shortly
//! before they expire, and fetched once however many requests wait for them. The client's secret goes nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::route::OpenSecret;
use super::{Asker, HttpDesk, headers};
use crate::clock::MINUTE;
use crate::net::Reach;
use crate::net::exchange::Origin;
use crate::plugins::capability::refusal::Refusal;
use crate::plugins::manifest::SecretKind;
use crate::plugins::secret::{Pair, SecretValue};

/// The longest answer; real ones are some thousand bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// How long a token is good for that does not say it, in seconds.
const UNSAID: i64 = 300;
/// The longest that one is believed to be good for, in seconds.
const LONGEST_LIFE: i64 = 24 * 3600;

/// Those of one plugin, by destination and secret.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<(String, String), Slot>>);

/// Whoever fetches one holds it; the others wait.
type Slot = Arc<tokio::sync::Mutex<Option<Kept>>>;

struct Kept {
    token: Zeroizing<String>,
    until: i64,
    /// What it was fetched with, and from where.
    set_at: i64,
    origin: Origin,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Tokens {
    fn slot(&self, destination: &str, label: &str) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry((destination.to_owned(), label.to_owned())).or_default())
    }

    /// A server that takes a token no longer gets another one next time.
    pub(super) fn forget(&self, destination: &str, label: &str) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(&(destination.to_owned(), label.to_owned()));
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    expires_in: Option<i64>,
}

impl HttpDesk {
    /// A token that is good now, for a secret that is a client.
    pub(super) async fn token(
        &self,
        asker: &Asker,
        there: (&str, &Origin, Reach),
        secret: &OpenSecret<'_>,
    ) -> Result<Zeroizing<String>, Refusal> {
        let (destination, origin, _) = there;
        let slot = self.tokens.slot(destination, &secret.slot.label);
        let mut kept = slot.lock().await;
        let now = self.outside.clock.now_ms();
        let good = |kept: &&Kept| kept.until > now && kept.set_at == secret.set_at && kept.origin == *origin;
        if let Some(kept) = kept.as_ref().filter(good) {
            return Ok(kept.token.clone());
        }
        let granted = self.fetch(asker, there, secret).await?;
        let token = granted.access_token.clone();
        *kept = Some(Kept {
            token: granted.access_token,
            until: now.saturating_add(life(granted.expires_in)),
            set_at: secret.set_at,
            origin: origin.clone(),
        });
        Ok(token)
    }

    async fn fetch(
        &self,
        asker: &Asker,
        (destination, origin, reach): (&str, &Origin, Reach),
        secret: &OpenSecret<'_>,
    ) -> Result<Granted, Refusal> {
        let label = &secret.slot.label;
        let no_token = |why: &str| {
            let message = format!("`{destination}` gives no token for the secret `{label}`: {why}");
            Refusal::later("no-token", message)
        };
        let (SecretKind::OAuth2Client { token_path, scope }, SecretValue::Client(client)) =
            (&secret.slot.kind, &secret.value)
        else {
            return Err(no_token("it is no client"));
        };
        let form = form(client, scope.as_deref());
        let note = self.own(asker, destination, token_path);
        self.recorded(&note, async |record| {
            let mut request = http::Request::new(Bytes::copy_from_slice(form.as_bytes()));
            *request.method_mut() = http::Method::POST;
            *request.uri_mut() = token_path.parse().map_err(|_| no_token("token-path is no path"))?;
            let mut headers = headers::request(&[], &asker.call)?;
            headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            *request.headers_mut() = headers;
            record.bytes_out = form.len();
            let answer = self.ask(destination, origin, reach, (request, LONGEST_ANSWER)).await?;
            let body = Zeroizing::new(answer.body);
            (record.status, record.bytes_in) = (Some(answer.head.status.as_u16()), body.len());
            if !answer.head.status.is_success() {
                return Err(no_token(&format!("it answers {}", answer.head.status)));
            }
            let granted: Granted = serde_json::from_slice(&body)
                .map_err(|_no_token_in_it| no_token("there is none in its answer"))?;
            if granted.access_token.is_empty() { Err(no_token("it is empty")) } else { Ok(granted) }
        })
        .await
    }
}

/// The client stands in the form: servers that take it there are more than those that take it in a header.
fn form(client: &Pair, scope: Option<&str>) -> Zeroizing<String> {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let secret = Zeroizing::new(encoded(&client.secret));
    let scope = scope.map(|scope| format!("&scope={}", encoded(scope))).unwrap_or_default();
    Zeroizing::new(format!(
        "grant_type=client_credentials&client_id={}&client_secret={}{scope}",
        encoded(&client.name),
        secret.as_str()
    ))
}

/// For how many milliseconds it is used: the last minute, or half of a short life, is left for the way.
fn life(expires_in: Option<i64>) -> i64 {
    let life = expires_in.unwrap_or(UNSAID).clamp(0, LONGEST_LIFE).saturating_mul(1000);
    life - MINUTE.min(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_shortly_before_it_expires() {
        assert_eq!(
            (life(Some(3600)), life(Some(60)), life(Some(0)), life(Some(-5))),
            (3_540_000, 30_000, 0, 0)
        );
        assert_eq!((life(None), life(Some(i64::MAX))), (240_000, 86_340_000));
    }

    #[test]
    fn what_stands_in_the_form_is_escaped() {
        let client = Pair { name: "a&b".to_owned(), secret: Zeroizing::new("c=d+e".to_owned()) };
        let form = form(&client, Some("read write"));
        assert_eq!(
            *form,
            "grant_type=client_credentials&client_id=a%26b&client_secret=c%3Dd%2Be&scope=read%20write"
        );
    }
}
