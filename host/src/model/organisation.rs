//! Companies and users.

use uuid::Uuid;

use crate::id::{CompanyUid, TokenUid, UserUid};

/// This installation of Keelson.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Installation {
    /// Its id for life.
    pub uid: Uuid,
    /// Changed when the database is restored from a backup.
    pub incarnation: Uuid,
    /// When the database was made.
    pub installed_at: i64,
}

/// A tenant of the provider.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Company {
    /// Its id.
    pub uid: CompanyUid,
    /// Unique without regard to case.
    pub name: String,
    /// A word of the API's `status`.
    pub status: String,
    /// Whether its users are shown alarms.
    pub alarm_detect_enabled: bool,
    /// Whether its users may use the API.
    pub rest_access_enabled: bool,
    /// The owner's user name.
    pub owner_name: String,
    /// The rest of the organisation's properties: a JSON object.
    pub details: String,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// A company to be made.
#[derive(Debug, Clone)]
pub struct NewCompany {
    /// Unique without regard to case.
    pub name: String,
    /// Whether its users are shown alarms.
    pub alarm_detect_enabled: bool,
    /// Whether its users may use the API.
    pub rest_access_enabled: bool,
    /// The owner's user name.
    pub owner_name: String,
    /// The rest of the organisation's properties: a JSON object.
    pub details: String,
}

/// Somebody who signs in.
#[derive(Clone, sqlx::FromRow)]
pub struct User {
    /// Its id.
    pub uid: UserUid,
    /// Absent: a user of the provider.
    pub company_uid: Option<CompanyUid>,
    /// Unique without regard to case.
    pub name: String,
    /// A [`super::Role`], as the API spells it.
    pub role: String,
    /// argon2id, in PHC form.
    pub password_hash: String,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Unix milliseconds.
    pub created_at: i64,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("uid", &self.uid).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A user to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Absent: a user of the provider.
    pub company_uid: Option<CompanyUid>,
    /// Unique without regard to case.
    pub name: String,
    /// Its role.
    pub role: super::Role,
    /// argon2id, in PHC form.
    pub password_hash: String,
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

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Whose it is.
    pub user_uid: UserUid,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// What it is for.
    pub description: String,
    /// Whether it may only read.
    pub read_only: bool,
    /// Absent: never.
    pub expires_at: Option<i64>,
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
}

impl TokenKind {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Page => "page",
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
}
