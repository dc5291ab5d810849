//! Why the backup server gave no answer, in the words of who has to mend it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::tls::Pin;

/// What went wrong between the agent and Veeam Backup & Replication.
#[derive(Debug, thiserror::Error)]
pub enum VbrError {
    /// The password file is absent or not readable.
    #[error("the password file {} cannot be read; check its name, and that the agent's user may read it", .0.display())]
    PasswordFile(PathBuf, #[source] io::Error),
    /// Others may read the password.
    #[error("other users of this machine may read the password file {}; run `chmod 600` on it", .0.display())]
    PasswordMode(PathBuf),
    /// There is nothing in it.
    #[error("the password file {} is empty", .0.display())]
    PasswordEmpty(PathBuf),
    /// TLS or HTTP cannot be set up.
    #[error("an HTTPS client cannot be set up")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody answers, or not in TLS.
    #[error(
        "{address} cannot be reached; is the Veeam Backup & Replication REST service running, and is the address right?"
    )]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server, or whoever sits before it, has another key than at set-up.
    #[error(
        "the certificate of {address} has changed: its key is now {seen}, pinned is {pinned}; if the certificate was \
         replaced on purpose, put the new fingerprint into `fingerprint` of agent.toml or enrol again with `--force \
         --vbr-fingerprint {seen}`"
    )]
    Certificate {
        /// Where.
        address: String,
        /// What was pinned at set-up.
        pinned: Pin,
        /// What was seen now.
        seen: Pin,
    },
    /// At set-up: the certificate cannot be read.
    #[error("the certificate that {0} shows cannot be read")]
    Unreadable(String),
    /// No password alone opens this account.
    #[error(
        "the account {0} has multi-factor authentication, which a service cannot pass; make a service account without MFA \
         under Users and Roles of the backup server and enrol with it"
    )]
    Mfa(String),
    /// It does not open.
    #[error(
        "the backup server does not let the account {user} in: {said}; check --vbr-user and the password file"
    )]
    WrongPassword {
        /// Who.
        user: String,
        /// The server's words.
        said: String,
    },
    /// Its licence has no REST API.
    #[error("the licence of the backup server does not allow its REST API: {0}")]
    Licence(String),
    /// It is older or newer than what the agent speaks.
    #[error(
        "the backup server does not speak version {} of its REST API: {said}; it needs Veeam Backup & Replication 13 or later",
        super::API_VERSION
    )]
    ApiVersion {
        /// The server's words.
        said: String,
    },
    /// The account is known and may not.
    #[error("the account may not do {call}: {said}; give it the role Veeam Backup Administrator")]
    Denied {
        /// What was asked.
        call: String,
        /// The server's words.
        said: String,
    },
    /// A fresh token is refused as well.
    #[error("the backup server refuses its own fresh token for {call}: {said}")]
    Unauthorized {
        /// What was asked.
        call: String,
        /// The server's words.
        said: String,
    },
    /// There is no such thing (any more).
    #[error("the backup server has no such thing: {call}: {said}")]
    NotFound {
        /// What was asked.
        call: String,
        /// The server's words.
        said: String,
    },
    /// It has too much to do.
    #[error("the backup server is too busy for {0}; it is asked again at the next interval")]
    Busy(String),
    /// Any other refusal.
    #[error("the backup server failed at {call} ({status}): {said}")]
    Failed {
        /// What was asked.
        call: String,
        /// The HTTP status.
        status: u16,
        /// The server's words.
        said: String,
    },
    /// It took too long.
    #[error("the backup server did not answer {call} within {} s", .limit.as_secs_f64())]
    TimeLimit {
        /// What was asked.
        call: String,
        /// How long the agent waits.
        limit: Duration,
    },
    /// The connection broke before the answer was whole.
    #[error("the answer to {call} ended in the middle; was the backup server restarted?")]
    Broken {
        /// What was asked.
        call: String,
        /// How it broke.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// More than the agent takes at once.
    #[error("the answer to {call} is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// What was asked.
        call: String,
        /// In bytes.
        limit: usize,
    },
    /// It is not what version 1.3 of the API says.
    #[error("the answer to {call} is not understood")]
    Answer {
        /// What was asked.
        call: String,
        /// Where it is odd.
        #[source]
        source: serde_json::Error,
    },
    /// Its pages do not make a list.
    #[error("the pages of {call} do not make a list: {problem}; nothing of it is used")]
    Pages {
        /// What was asked.
        call: String,
        /// How so.
        problem: String,
    },
    /// An instant that cannot be read.
    #[error("the answer to {call} has a time that cannot be read: \"{text}\"")]
    Time {
        /// What was asked.
        call: String,
        /// The time.
        text: String,
    },
}
