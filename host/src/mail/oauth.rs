//! Access tokens for XOAUTH2, from Google's and Microsoft's token endpoints with a refresh token that somebody consented to in
//! a browser, elsewhere. What needs a browser again is refused in words that say so.
//!
//! The addresses are these and no others: nothing of the settings but Microsoft's directory goes into them.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::tidy;
use super::line::within;
use super::{MailError, Mailer};
use crate::clock::MINUTE;
use crate::error::chain;
use crate::model::{OAuth2Credential, OAuth2ServiceKind, Secret};
use crate::net::exchange::{Origin, Way, exchange};
use crate::net::{Machine, Reach};

/// How long an identity provider may take.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
/// The longest answer; real ones are some thousand bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Where tokens come from: the origins of the identity providers.
#[derive(Debug, Clone)]
pub struct TokenEndpoints {
    /// Google's.
    pub google: String,
    /// Microsoft's, one for each of its clouds.
    pub azure: String,
    /// For the government of the United States.
    pub azure_gov: String,
    /// In China.
    pub azure_china: String,
    /// In Germany.
    pub azure_germany: String,
}

impl Default for TokenEndpoints {
    fn default() -> Self {
        Self {
            google: "oauth2.googleapis.com".to_owned(),
            azure: "login.microsoftonline.com".to_owned(),
            azure_gov: "login.microsoftonline.us".to_owned(),
            azure_china: "login.chinacloudapi.cn".to_owned(),
            azure_germany: "login.microsoftonline.de".to_owned(),
        }
    }
}

/// One request for a token.
struct Ask {
    /// `host` or `host:port`.
    host: String,
    path: String,
    form: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<Secret>,
}

#[derive(Deserialize, Default)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Mailer {
    /// Makes sure that the access token is good for a minute more.
    pub(super) async fn fresh_token(&self, credential: &mut OAuth2Credential) -> Result<(), MailError> {
        let now = self.0.clock.now_ms();
        let expires = OffsetDateTime::parse(&credential.access_token_expiration, &Rfc3339)
            .map_or(0, |at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0));
        if credential.access_token.reveal().is_some() && expires > now + MINUTE {
            return Ok(());
        }
        let ask = ask(credential, &self.0.options.tokens)?;
        let granted =
            within(PATIENCE, "the identity provider was asked for a token", self.grant(&ask)).await?;
        let until = now.saturating_add(granted.expires_in.unwrap_or(3600).saturating_mul(1000));
        credential.access_token = granted.access_token;
        credential.access_token_expiration = rfc3339(until);
        // Microsoft gives a new one each time, and the old one runs out.
        if let Some(refresh) = granted.refresh_token.filter(|token| token.reveal().is_some()) {
            credential.refresh_token = refresh;
        }
        Ok(())
    }

    async fn grant(&self, ask: &Ask) -> Result<Granted, MailError> {
        let failed = |error: &dyn std::error::Error| {
            MailError::Token(format!(
                "the identity provider {} cannot be reached: {}",
                ask.host,
                tidy(&chain(error))
            ))
        };
        let origin = Origin::parse(&format!("https://{}", ask.host)).ok_or_else(|| {
            MailError::Token(format!("the identity provider '{}' is no name of a server", ask.host))
        })?;
        let request = http::Request::post(&ask.path)
            .header(http::header::ACCEPT, "application/json")
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(bytes::Bytes::from(ask.form.clone()))
            .map_err(|error| failed(&error))?;
        let way = Way { network: &Machine, authorities: &self.0.authorities, reach: Reach::Private };
        let answer = exchange(way, &origin, request, LONGEST_ANSWER).await.map_err(|error| failed(&error))?;
        let (good, body) = (answer.head.status.is_success(), answer.body);
        if good {
            return serde_json::from_slice(&body).map_err(|_no_token_in_it| {
                MailError::Token(format!(
                    "the identity provider {} answers without an access token",
                    ask.host
                ))
            });
        }
        Err(denied(&serde_json::from_slice(&body).unwrap_or_default()))
    }
}

fn denied(denied: &Denied) -> MailError {
    let detail = tidy(&format!("{} {}", denied.error, denied.error_description));
    MailError::Token(match denied.error.as_str() {
        "invalid_grant" | "interaction_required" | "consent_required" => format!(
            "the identity provider wants somebody to sign in again, which only a browser can do; get a new refresh token there and \
             store it ({detail})"
        ),
        "invalid_client" | "unauthorized_client" => {
            format!("the identity provider does not accept the client id or its secret ({detail})")
        }
        _ => format!("the identity provider gives no token ({detail})"),
    })
}

fn ask(credential: &OAuth2Credential, endpoints: &TokenEndpoints) -> Result<Ask, MailError> {
    let client = &credential.client_settings;
    let Some(refresh_token) = credential.refresh_token.reveal() else {
        return Err(MailError::Token(
            "there is no refresh token; sign in at the identity provider in a browser and store the one it gives".to_owned(),
        ));
    };
    let directory = client.tenant_id.as_deref().unwrap_or("common");
    let (host, outlook) = match client.kind {
        OAuth2ServiceKind::Google => (&endpoints.google, None),
        OAuth2ServiceKind::Azure => (&endpoints.azure, Some("outlook.office.com")),
        OAuth2ServiceKind::AzureGovCloud => (&endpoints.azure_gov, Some("outlook.office365.us")),
        OAuth2ServiceKind::AzureChinaCloud => (&endpoints.azure_china, Some("partner.outlook.cn")),
        OAuth2ServiceKind::AzureGermany => (&endpoints.azure_germany, Some("outlook.office.de")),
    };
    let path = match outlook {
        None => "/token".to_owned(),
        Some(_) => format!("/{directory}/oauth2/v2.0/token"),
    };
    let scope = client.scope.clone().filter(|scope| !scope.trim().is_empty());
    let scope = scope.or_else(|| Some(format!("https://{}/SMTP.Send offline_access", outlook?)));
    let mut form = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.client_id.clone()),
        ("refresh_token", refresh_token.to_owned()),
    ];
    let secret = client.client_secret.as_ref().and_then(Secret::reveal);
    form.extend(secret.map(|secret| ("client_secret", secret.to_owned())));
    form.extend(scope.map(|scope| ("scope", scope)));
    Ok(Ask { host: host.clone(), path, form: encoded(&form) })
}

fn encoded(form: &[(&str, String)]) -> String {
    let escape = |text: &str| -> String {
        let one = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        text.bytes().map(one).collect()
    };
    form.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect::<Vec<_>>().join("&")
}

fn rfc3339(unix_ms: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix_ms / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credential(kind: &str, tenant: Option<&str>) -> OAuth2Credential {
        serde_json::from_value(json!({
            "userId": "box@example.com", "accessToken": "", "refreshToken": "r+t", "accessTokenExpiration": "",
            "clientSettings": { "kind": kind, "clientId": "c&d", "clientSecret": "s", "tenantId": tenant },
        }))
        .unwrap()
    }

    #[test]
    fn a_request_for_a_token_goes_to_its_cloud_and_escapes_what_it_says() {
        let asked = ask(&credential("Google", None), &TokenEndpoints::default()).unwrap();
        assert_eq!((asked.host.as_str(), asked.path.as_str()), ("oauth2.googleapis.com", "/token"));
        assert_eq!(
            asked.form,
            "grant_type=refresh_token&client_id=c%26d&refresh_token=r%2Bt&client_secret=s"
        );
        let asked = ask(&credential("AzureGovCloud", Some("a.example")), &TokenEndpoints::default()).unwrap();
        assert_eq!(asked.host, "login.microsoftonline.us");
        assert_eq!(asked.path, "/a.example/oauth2/v2.0/token");
        assert!(asked.form.contains("scope=https%3A%2F%2Foutlook.office365.us%2FSMTP.Send%20offline_access"));
    }

    #[test]
    fn what_only_a_browser_can_do_is_said() {
        let mut without = credential("Google", None);
        without.refresh_token = Secret::default();
        let error = ask(&without, &TokenEndpoints::default()).err().unwrap().to_string();
        assert!(error.contains("browser"), "{error}");
        let error =
            denied(&Denied { error: "invalid_grant".to_owned(), error_description: "gone".to_owned() });
        assert!(error.to_string().contains("browser"), "{error}");
    }
}
