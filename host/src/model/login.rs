//! What a user signs in with beside the password: API keys, and second factors.

use uuid::Uuid;

use crate::id::{TokenUid, UserUid};

/// What a login is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginKind {
    /// A key that a script sends.
    ApiKey,
    /// A second factor: codes that change every half minute.
    Totp,
}

impl LoginKind {
    /// The API's `identityProviderName`, and as stored.
    pub fn provider(self) -> &'static str {
        match self {
            Self::ApiKey => "AK",
            Self::Totp => "TOTP",
        }
    }
}

/// What an API key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LoginScope {
    /// What a client of another version means by it is not known: it opens nothing.
    Unknown,
    /// Products of third parties.
    Integration,
    /// Scripts that speak the REST API.
    Rest,
    /// The console: it has a cookie, so as the only scope of a key this one opens nothing.
    Ui,
}

impl LoginScope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Integration, Self::Rest, Self::Ui];

    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Integration => "integration",
            Self::Rest => "rest",
            Self::Ui => "ui",
        }
    }

    /// Whether a key of this scope opens the REST API.
    pub fn opens_rest(self) -> bool {
        matches!(self, Self::Rest | Self::Integration)
    }
}

impl std::str::FromStr for LoginScope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|scope| scope.name() == text).ok_or(())
    }
}

/// A key that a script signs in with. The key itself is not kept.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ApiKey {
    /// The login's number.
    pub id: i64,
    /// Whose it is.
    pub user_uid: UserUid,
    /// What it is for.
    pub description: String,
    /// A JSON array of [`LoginScope`]s.
    pub scopes: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// Whether it may be used.
    pub enabled: bool,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Absent: never.
    pub expires_at: Option<i64>,
    /// Absent: not yet. Written at most once a minute.
    pub last_used_at: Option<i64>,
}

impl ApiKey {
    /// What it is for; a word that this version does not know opens nothing.
    pub fn scopes(&self) -> Vec<LoginScope> {
        let words: Vec<String> = serde_json::from_str(&self.scopes).unwrap_or_default();
        words.iter().map(|word| word.parse().unwrap_or(LoginScope::Unknown)).collect()
    }
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Whose it is.
    pub user_uid: UserUid,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// Its first characters, by which its owner recognises it.
    pub identifier: String,
    /// What it is for, in words.
    pub description: String,
    /// What it opens.
    pub scopes: Vec<LoginScope>,
    /// Whether it may only read.
    pub read_only: bool,
    /// Absent: never.
    pub expires_at: Option<i64>,
}

/// A second factor, its secret sealed.
#[derive(Clone, sqlx::FromRow)]
pub struct TotpLogin {
    /// The login's number.
    pub id: i64,
    /// Whose it is.
    pub user_uid: UserUid,
    /// Sealed: only `api/token/totp.rs` opens it.
    pub secret: Vec<u8>,
    /// The last time step that was accepted.
    pub last_step: Option<i64>,
}

impl std::fmt::Debug for TotpLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TotpLogin").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A second factor to be added.
#[derive(Clone)]
pub struct NewTotpLogin {
    /// Whose it is.
    pub user_uid: UserUid,
    /// What the authenticator shows.
    pub identifier: String,
    /// Sealed.
    pub secret: Vec<u8>,
    /// The step of the code that proved it: it is spent.
    pub last_step: i64,
    /// What it is for, in words.
    pub description: String,
    /// Kept as given; a second factor guards the whole account.
    pub scopes: Vec<LoginScope>,
}

impl std::fmt::Debug for NewTotpLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewTotpLogin").field("user_uid", &self.user_uid).finish_non_exhaustive()
    }
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Calls of the API.
    Access,
    /// One new pair of tokens.
    Refresh,
    /// The page's cookie.
    Page,
    /// A few tries at the second factor, after the right password.
    Mfa,
    /// One new password.
    Reset,
}

impl TokenKind {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Page => "page",
            Self::Mfa => "mfa",
            Self::Reset => "reset",
        }
    }
}

/// A token, known by its hash.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Token {
    /// Its id.
    pub uid: TokenUid,
    /// All tokens that descend from one sign-in.
    pub family: Uuid,
    /// Whose it is.
    pub user_uid: UserUid,
    /// A [`TokenKind`], as stored.
    pub kind: String,
    /// SHA-256 of the token.
    pub hash: Vec<u8>,
    /// Unix milliseconds.
    pub created_at: i64,
    /// Unix milliseconds.
    pub expires_at: i64,
    /// When a refresh token was traded.
    pub used_at: Option<i64>,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
    /// The second factor that took part.
    pub login_id: Option<i64>,
    /// Who acts in the user's place.
    pub actor_uid: Option<UserUid>,
    /// Whether it may only read.
    pub read_only: bool,
}

impl Token {
    /// Whether it is of that kind, and nothing has ended it yet.
    pub fn is_good(&self, kind: TokenKind, now: i64) -> bool {
        self.kind == kind.name() && self.revoked_at.is_none() && self.expires_at > now
    }
}

/// A token to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewToken {
    /// Whose it is.
    pub user_uid: UserUid,
    /// All tokens that descend from one sign-in.
    pub family: Uuid,
    /// What it is good for.
    pub kind: TokenKind,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Milliseconds that it lives.
    pub lifetime: i64,
    /// What holds for all tokens of the sign-in.
    pub session: Session,
}

/// What holds for all tokens of one sign-in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Session {
    /// The second factor that took part.
    pub login_id: Option<i64>,
    /// Who acts in the user's place.
    pub actor_uid: Option<UserUid>,
    /// Whether it may only read.
    pub read_only: bool,
}

impl From<&Token> for Session {
    fn from(token: &Token) -> Self {
        Self { login_id: token.login_id, actor_uid: token.actor_uid, read_only: token.read_only }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_that_this_version_does_not_know_opens_nothing() {
        let key = |scopes: &str| ApiKey {
            id: 1,
            user_uid: UserUid(Uuid::nil()),
            description: String::new(),
            scopes: scopes.to_owned(),
            read_only: false,
            enabled: true,
            created_at: 0,
            expires_at: None,
            last_used_at: None,
        };
        let opens = |scopes| key(scopes).scopes().into_iter().any(LoginScope::opens_rest);
        assert!(opens(r#"["ui","rest"]"#) && opens(r#"["integration"]"#));
        assert!(!opens(r#"["ui","unknown","everything"]"#) && !opens("[]") && !opens("damaged"));
    }

    #[test]
    fn the_words_of_the_scopes_are_the_apis() {
        for scope in LoginScope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
    }
}
