//! Puts the secrets in, sends the request, and makes of what comes back what the guest may see.

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_ENCODING;
use zeroize::Zeroizing;

use super::placement::Placed;
use super::record::Record;
use super::redact::Redactor;
use super::route::Routed;
use super::{Asker, HttpDesk, MAX_ANSWER, headers};
use crate::error::chain;
use crate::net::OutboundError;
use crate::net::Reach;
use crate::net::exchange::{Answer, ExchangeError, Origin, Way, exchange};
use crate::plugins::abi::http::Response;
use crate::plugins::capability::refusal::Refusal;
use crate::plugins::secret::SecretValue;
use crate::plugins::text::cut;

/// The longest reason that is passed on.
const LONGEST_REASON: usize = 512;

impl HttpDesk {
    pub(super) async fn exchange(
        &self,
        asker: &Asker,
        routed: Routed<'_>,
        record: &mut Record,
    ) -> Result<Response, Refusal> {
        let Routed { request, origin, reach, secrets } = routed;
        let mut used: Vec<Zeroizing<String>> = Vec::new();
        for secret in &secrets {
            let there = (request.destination.as_str(), &origin, reach);
            let token = match &secret.value {
                SecretValue::Client(_) => self.token(asker, there, secret).await?,
                value => value.secret().clone(),
            };
            let placed = match &secret.value {
                SecretValue::Password(pair) => Placed::Password(&pair.name, &token),
                SecretValue::Token(_) | SecretValue::Client(_) => Placed::Token(&token),
            };
            request.parts.place(&secret.slot.label, &secret.slot.placement, placed)?;
            used.push(token);
        }
        let redactor = Redactor::new(used.iter().map(|secret| secret.as_str()))
            .ok_or_else(|| Refusal::new("no-secret", "the secrets are too long to be sent"))?;
        if redactor.is_needed() && request.parts.headers.contains_key(http::header::RANGE) {
            return Err(Refusal::bad_request(
                "a request with a secret asks for the whole: leave `range` out",
            ));
        }
        let body = request.parts.body.take().unwrap_or_default();
        record.bytes_out = body.len();
        let mut sent = http::Request::new(Bytes::from(body));
        *sent.method_mut() = request.method.clone();
        *sent.uri_mut() = request.parts.target.uri()?;
        *sent.headers_mut() = std::mem::take(&mut request.parts.headers);
        let limit = MAX_ANSWER + redactor.longest();
        let answer = self.ask(&request.destination, &origin, reach, (sent, limit)).await?;
        record.status = Some(answer.head.status.as_u16());
        record.bytes_in = answer.body.len().min(MAX_ANSWER);
        if answer.head.status == StatusCode::UNAUTHORIZED {
            for secret in &secrets {
                self.tokens.forget(&request.destination, &secret.slot.label);
            }
        }
        seen(answer, &redactor)
    }

    /// Sends anything to a destination.
    pub(super) async fn ask(
        &self,
        destination: &str,
        origin: &Origin,
        reach: Reach,
        (request, limit): (http::Request<Bytes>, usize),
    ) -> Result<Answer, Refusal> {
        let way = Way { network: &*self.outside.network, authorities: &self.outside.authorities, reach };
        exchange(way, origin, request, limit).await.map_err(|error| failed(destination, &error))
    }
}

fn failed(destination: &str, error: &ExchangeError) -> Refusal {
    let mut reason = chain(error);
    cut(&mut reason, LONGEST_REASON);
    match error {
        ExchangeError::Connect(OutboundError::Refused { .. }) => Refusal::new(
            "refused-address",
            format!(
                "`{destination}` stands at an address that plugins may not reach; if it is in the provider's own network, bind it \
                 with --private-network"
            ),
        ),
        ExchangeError::Connect(_) | ExchangeError::Tls(_) => {
            Refusal::later("unreachable", format!("`{destination}` cannot be reached: {reason}"))
        }
        ExchangeError::Http(_) => {
            Refusal::later("bad-response", format!("`{destination}` answers badly: {reason}"))
        }
    }
}

/// What the guest gets: no secret, nothing about the transport, and no more than it may have.
fn seen(answer: Answer, redactor: &Redactor) -> Result<Response, Refusal> {
    let Answer { head, body, more } = answer;
    let plain = |value: &[u8]| value.is_empty() || value.eq_ignore_ascii_case(b"identity");
    let encoded = head.headers.get_all(CONTENT_ENCODING).iter().any(|value| !plain(value.as_bytes()));
    if redactor.is_needed() && encoded {
        return Err(Refusal::new(
            "bad-response",
            "the server compresses its answer though it was asked not to, and the host cannot see whether a secret is in it",
        ));
    }
    let text = |value: &[u8]| String::from_utf8_lossy(&redactor.clean(value.to_vec())).into_owned();
    let headers = headers::answer(&head.headers).map(|(name, value)| (name.to_owned(), text(value)));
    let headers = headers.collect();
    let mut body = redactor.clean(body);
    let truncated = more || body.len() > MAX_ANSWER;
    body.truncate(MAX_ANSWER);
    Ok(Response { status: head.status.as_u16(), headers, body, truncated })
}
