//! HTTP with the backup server: tokens, retries and limits. What is asked and what it means is elsewhere.
//!
//! A token is renewed before it expires, and once more when the server refuses it: a restarted server has forgotten all
//! tokens. What only reads is repeated when the server fails; what does something is repeated only after an answer that says
//! that nothing was done.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::debug;

use super::address::VbrAddress;
use super::call::Call;
use super::error::VbrError;
use super::token::{Account, Token, TokenAnswer, refused};
use super::{API_VERSION, Access, Pace, tls};
use crate::clock::SharedClock;
use crate::random::Random;

pub(super) const LOGIN: &str = "/api/oauth2/token";
const LOGOUT: &str = "/api/oauth2/logout";
const VERSION_HEADER: &str = "x-api-version";
const IDLE: Duration = Duration::from_secs(20);
/// Bytes of one answer; a page of a thousand objects has about one.
const LARGEST: usize = 32 << 20;
/// Bytes of a refusal.
const LARGEST_REFUSAL: usize = 64 << 10;
/// Characters of the server's own words that are passed on.
const LONGEST_WORDS: usize = 500;

/// A client of one backup server.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    address: VbrAddress,
    pinned: crate::tls::Pin,
    seen: tls::Seen,
    account: Account,
    pub(super) pace: Pace,
    pub(super) clock: SharedClock,
    token: Mutex<Option<Arc<Token>>>,
}

impl Client {
    pub(super) fn new(access: &Access, pace: Pace, clock: SharedClock) -> Result<Self, VbrError> {
        let seen = tls::Seen::default();
        let http = reqwest::Client::builder()
            .use_preconfigured_tls(tls::config(Some(access.fingerprint), seen.clone())?)
            .user_agent(concat!("keelson-agent/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            // The server stands beside the agent; a proxy of the environment is for the internet.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(pace.connect)
            .read_timeout(pace.answer)
            // A server that was started anew has dropped what is kept open for long.
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|error| VbrError::Client(error.into()))?;
        let account = Account { user: access.user.clone(), password_file: access.password_file.clone() };
        Ok(Self {
            http,
            address: access.address.clone(),
            pinned: access.fingerprint,
            seen,
            account,
            pace,
            clock,
            token: Mutex::default(),
        })
    }

    /// Asks, and reads the answer as JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, VbrError> {
        let response = self.send(call).await?;
        self.parse(call, response).await
    }

    /// Reads an answer as JSON.
    pub(super) async fn parse<T: DeserializeOwned>(
        &self,
        call: &Call,
        response: Response,
    ) -> Result<T, VbrError> {
        let body = self.read(call, response, LARGEST).await?;
        understood(&body).map_err(|source| VbrError::Answer { call: call.to_string(), source })
    }

    /// Asks for something that has no answer but that it was done.
    pub(super) async fn done(&self, call: &Call) -> Result<(), VbrError> {
        let response = self.send(call).await?;
        self.read(call, response, LARGEST).await.map(drop)
    }

    /// Asks for bytes, at most `limit` of them.
    pub(super) async fn bytes(&self, call: &Call, limit: usize) -> Result<Vec<u8>, VbrError> {
        let response = self.send(call).await?;
        self.read(call, response, limit).await
    }

    /// Asks, and hands back an answer whose body is still to be read.
    pub(super) async fn send(&self, call: &Call) -> Result<Response, VbrError> {
        let mut tries = 0;
        let mut renewed = false;
        loop {
            let token = self.token().await?;
            let response = self.request(call, &token).await?;
            let status = response.status();
            if status.is_success() {
                return Ok(response);
            }
            if status == StatusCode::UNAUTHORIZED && !renewed {
                renewed = true;
                self.forget(&token).await;
                continue;
            }
            let Some(wait) = self.wait(call, &response, tries) else {
                return Err(self.refusal(call, response).await);
            };
            debug!(%call, status = status.as_u16(), "asks again in {} ms", wait.as_millis());
            tokio::time::sleep(wait).await;
            tries += 1;
        }
    }

    /// How long to wait before asking again; nothing when it is not to be asked again.
    fn wait(&self, call: &Call, response: &Response, tries: u32) -> Option<Duration> {
        if tries >= self.pace.tries {
            return None;
        }
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS => {
                let asked =
                    response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
                let wait = asked.map_or_else(|| self.back_off(tries), Duration::from_secs);
                (wait <= self.pace.patience).then_some(wait)
            }
            status if status.is_server_error() && call.is_reading() => Some(self.back_off(tries)),
            _ => None,
        }
    }

    /// Twice as long each time, and not the same for everybody.
    fn back_off(&self, tries: u32) -> Duration {
        let full = self.pace.back_off.saturating_mul(1 << tries.min(10));
        let jitter = Random::for_parts(self.clock.now_ms().unsigned_abs(), &[u64::from(tries)]).below(50);
        full.mul_f64(1.0 - f64::from(u32::try_from(jitter).unwrap_or_default()) / 100.0)
            .min(self.pace.patience)
    }

    async fn request(&self, call: &Call, token: &Token) -> Result<Response, VbrError> {
        let mut request = self
            .http
            .request(call.method.clone(), format!("{}{}", self.address, call.path))
            .header(VERSION_HEADER, API_VERSION)
            .bearer_auth(&token.access)
            .query(&call.query);
        // A download is as long as it is; it must only go on.
        if !call.is_download() {
            request = request.timeout(self.pace.whole);
        }
        request = match &call.body {
            Some(body) => request.json(body),
            None if call.is_reading() => request,
            None => request.header(CONTENT_LENGTH, 0),
        };
        request.send().await.map_err(|error| self.transport(call, error))
    }

    /// The body, up to a limit.
    async fn read(&self, call: &Call, mut response: Response, limit: usize) -> Result<Vec<u8>, VbrError> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(call, &mut response).await? {
            if body.len() + chunk.len() > limit {
                return Err(VbrError::TooLarge { call: call.to_string(), limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The next piece of a body; nothing at its end.
    pub(super) async fn chunk(
        &self,
        call: &Call,
        response: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]> + use<>>, VbrError> {
        response.chunk().await.map_err(|error| {
            if error.is_timeout() {
                self.late(call)
            } else {
                VbrError::Broken { call: call.to_string(), source: Box::new(error.without_url()) }
            }
        })
    }

    fn late(&self, call: &Call) -> VbrError {
        VbrError::TimeLimit { call: call.to_string(), limit: self.pace.answer }
    }

    /// Why there was no answer at all.
    fn transport(&self, call: &Call, error: reqwest::Error) -> VbrError {
        let error = error.without_url();
        match self.seen.pin() {
            Some(seen) if seen != self.pinned => {
                VbrError::Certificate { address: self.address.to_string(), pinned: self.pinned, seen }
            }
            _ if error.is_connect() => {
                VbrError::Unreachable { address: self.address.to_string(), source: Box::new(error) }
            }
            _ if error.is_timeout() => self.late(call),
            _ => VbrError::Broken { call: call.to_string(), source: Box::new(error) },
        }
    }

    /// A refusal by what it means.
    async fn refusal(&self, call: &Call, response: Response) -> VbrError {
        let status = response.status();
        let said = self.words(call, response).await;
        let call = call.to_string();
        match status {
            StatusCode::TOO_MANY_REQUESTS => VbrError::Busy(call),
            StatusCode::UNAUTHORIZED => VbrError::Unauthorized { call, said },
            StatusCode::FORBIDDEN => VbrError::Denied { call, said },
            StatusCode::NOT_FOUND => VbrError::NotFound { call, said },
            _ => VbrError::Failed { call, status: status.as_u16(), said },
        }
    }

    /// What the server says about it: `Error.message`, or whatever it is.
    async fn words(&self, call: &Call, response: Response) -> String {
        let body = self.read(call, response, LARGEST_REFUSAL).await.unwrap_or_default();
        let told = serde_json::from_slice::<Value>(&body).ok().and_then(|value| {
            let message = value.get("message").or_else(|| value.get("error_description"));
            message.and_then(Value::as_str).map(str::to_owned)
        });
        let words = told.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned());
        let words: String =
            words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_WORDS).collect();
        if words.is_empty() { "it does not say why".to_owned() } else { words }
    }

    /// A token that is good for a while. Whoever comes meanwhile waits: there is one login, not many.
    async fn token(&self) -> Result<Arc<Token>, VbrError> {
        let mut held = self.token.lock().await;
        let refresh = match &*held {
            Some(token) if token.stale_at > self.clock.now_ms() => return Ok(Arc::clone(token)),
            Some(token) => Some(token.refresh.clone()),
            None => None,
        };
        let token = match refresh {
            Some(refresh) => match self.trade("Refresh_token", &[("refresh_token", &refresh)]).await? {
                Ok(token) => token,
                // Used up, or of a server that has started anew since.
                Err(_) => self.log_in().await?,
            },
            None => self.log_in().await?,
        };
        let token = Arc::new(token);
        *held = Some(Arc::clone(&token));
        Ok(token)
    }

    async fn log_in(&self) -> Result<Token, VbrError> {
        let password = self.account.password()?;
        let form = [("username", self.account.user.as_str()), ("password", &password)];
        let traded = self.trade("Password", &form).await?;
        traded.map_err(|(status, said)| refused(&self.account.user, status, said))
    }

    /// One grant: a token, or the status and the words of the refusal.
    async fn trade(
        &self,
        grant: &str,
        form: &[(&str, &str)],
    ) -> Result<Result<Token, (u16, String)>, VbrError> {
        let call = Call::post(LOGIN);
        let mut tries = 0;
        loop {
            let form: Vec<_> = std::iter::once(("grant_type", grant)).chain(form.iter().copied()).collect();
            let request =
                self.http.post(format!("{}{LOGIN}", self.address)).header(VERSION_HEADER, API_VERSION);
            let response = request.form(&form).send().await.map_err(|error| self.transport(&call, error))?;
            let status = response.status();
            if status.is_success() {
                let body = self.read(&call, response, LARGEST).await?;
                let answer: TokenAnswer = serde_json::from_slice(&body)
                    .map_err(|source| VbrError::Answer { call: call.to_string(), source })?;
                return Ok(Ok(answer.token(self.clock.now_ms())));
            }
            // A login changes nothing: it may be repeated like a question.
            let Some(wait) = self.wait(&Call::get(LOGIN), &response, tries) else {
                return match status {
                    StatusCode::TOO_MANY_REQUESTS => Err(VbrError::Busy(call.to_string())),
                    _ => Ok(Err((status.as_u16(), self.words(&call, response).await))),
                };
            };
            tokio::time::sleep(wait).await;
            tries += 1;
        }
    }

    /// The server refused it. Not the one that another task has got since.
    async fn forget(&self, refused: &Arc<Token>) {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|token| Arc::ptr_eq(token, refused)) {
            *held = None;
        }
    }

    /// Gives the token back, if there is one.
    pub(super) async fn log_out(&self) {
        let token = self.token.lock().await.take();
        if let Some(token) = token
            && let Err(error) = self.request(&Call::post(LOGOUT), &token).await
        {
            debug!("no logout: {}", crate::error::chain(&error as &(dyn Error + 'static)));
        }
    }
}

/// JSON may carry a NUL in a text, and no database keeps one: a machine of such a name must not hold up everything else.
fn understood<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    const NUL: &[u8] = br"\u0000";
    if !body.windows(NUL.len()).any(|part| part == NUL) {
        return serde_json::from_slice(body);
    }
    let mut value = serde_json::from_slice(body)?;
    drop_nuls(&mut value);
    serde_json::from_value(value)
}

fn drop_nuls(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|character| character != '\0'),
        Value::Array(items) => items.iter_mut().for_each(drop_nuls),
        Value::Object(members) => members.values_mut().for_each(drop_nuls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_in_a_text_is_left_out_and_a_backslash_is_not() {
        let read = |text: &str| understood::<Value>(text.as_bytes()).unwrap();
        assert_eq!(read(r#"{"a": ["x\u0000y"]}"#)["a"][0], "xy");
        assert_eq!(read(r#""a\\u0000""#), r"a\u0000");
    }
}
