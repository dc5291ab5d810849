//! Signing in to a mail server with a token of Google's or Microsoft's.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BadSmtp, Secret};

/// Whose tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OAuth2ServiceKind {
    /// Google.
    Google,
    /// Microsoft's world-wide cloud.
    Azure,
    /// Microsoft's cloud for the government of the United States.
    AzureGovCloud,
    /// Microsoft's cloud in China.
    AzureChinaCloud,
    /// Microsoft's former cloud in Germany.
    AzureGermany,
}

/// The application that the provider registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2ClientSettings {
    /// Where.
    pub kind: OAuth2ServiceKind,
    /// Its id there.
    pub client_id: String,
    /// Never sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// What to ask for; absent: to send mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Microsoft's directory; absent: whichever the user is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
}

/// A mailbox that somebody consented to send from, in a browser, elsewhere: the host has only what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2Credential {
    /// As the client gave it; the host does not need it.
    #[serde(default)]
    pub identity_provider_settings: Value,
    /// The mailbox.
    pub user_id: Option<String>,
    /// Shown empty.
    pub access_token: Secret,
    /// Until when it is good, in RFC 3339.
    pub access_token_expiration: String,
    /// The application.
    pub client_settings: OAuth2ClientSettings,
    /// Shown empty. What new access tokens are got with.
    pub refresh_token: Secret,
}

impl OAuth2Credential {
    pub(super) fn check(&self) -> Result<(), BadSmtp> {
        let named = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        if !named(&self.user_id) {
            return Err(BadSmtp::new(
                "oAuth2Credential.userId",
                "the mailbox to send from is missing; give its address as userId",
            ));
        }
        if self.client_settings.client_id.trim().is_empty() {
            return Err(BadSmtp::new("oAuth2Credential.clientSettings.clientId", "the client id is empty"));
        }
        // It becomes part of an address.
        let plain = |tenant: &str| {
            (1..=128).contains(&tenant.len())
                && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
                && !tenant.contains("..")
        };
        if self.client_settings.tenant_id.as_deref().is_some_and(|tenant| !plain(tenant)) {
            return Err(BadSmtp::new(
                "oAuth2Credential.clientSettings.tenantId",
                "the tenant must be the id or the domain of a directory",
            ));
        }
        Ok(())
    }

    /// To whom the secrets belong: a change of any of these leads them somewhere else.
    pub(super) fn identity(&self) -> (Option<String>, OAuth2ServiceKind, String, Option<String>) {
        let client = &self.client_settings;
        (self.user_id.clone(), client.kind, client.client_id.clone(), client.tenant_id.clone())
    }
}
