//! Mails on their way.

use uuid::Uuid;

use crate::id::MailUid;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// A new company's account.
    Welcome,
    /// A forgotten password.
    PasswordReset,
    /// Whether mail works.
    Test,
}

impl MailKind {
    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Welcome => "Welcome",
            Self::PasswordReset => "PasswordReset",
            Self::Test => "Test",
        }
    }
}

/// A mail to be queued, in the transaction of the change it tells of.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// About whom: its mail server, else its manager's, takes it.
    pub organization_uid: Uuid,
    /// What about.
    pub kind: MailKind,
    /// Addresses, separated by commas.
    pub to: String,
    /// Another sender than the settings'.
    pub from: Option<String>,
    /// Another sender's name than the settings'.
    pub sender_name: Option<String>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// How often to try; absent: as often as is worth it.
    pub max_attempts: Option<u32>,
}

impl NewMail {
    /// How often a mail is tried unless somebody says otherwise: over some eight hours.
    pub const ATTEMPTS: u32 = 12;
}

/// A mail that somebody holds the lease of.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LeasedMail {
    /// Its id.
    pub uid: MailUid,
    /// About whom.
    pub organization_uid: Uuid,
    /// What about.
    pub kind: String,
    /// Addresses, separated by commas.
    pub recipients: String,
    /// Absent: the settings'.
    pub sender: Option<String>,
    /// Absent: the settings'.
    pub sender_name: Option<String>,
    /// One line.
    pub subject: String,
    /// Sealed.
    pub words: Option<Vec<u8>>,
    /// This one included.
    pub attempts: i64,
    /// After how many it is given up.
    pub max_attempts: i64,
    /// Unix milliseconds.
    pub created_at: i64,
}

/// How a mail stands.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct MailState {
    /// Queued, Sent or Dead.
    pub status: String,
    /// So far.
    pub attempts: i64,
    /// Why the last one failed.
    pub last_error: Option<String>,
}
