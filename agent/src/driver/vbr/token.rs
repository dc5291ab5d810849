//! Who the agent is to the backup server: a password traded for tokens, tokens traded for newer ones.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::VbrError;

/// Where the password is, never the password itself.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password_file: PathBuf,
}

/// What a login brought.
#[derive(Clone)]
pub(super) struct Token {
    /// Goes with every request.
    pub(super) access: String,
    /// Is good for another token, once.
    pub(super) refresh: String,
    /// From when on a new one is wanted, in unix milliseconds: well before the server's own limit.
    pub(super) stale_at: i64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("stale_at", &self.stale_at).finish_non_exhaustive()
    }
}

/// `TokenModel`.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    access_token: String,
    refresh_token: String,
    expires_in: i64,
}

impl TokenAnswer {
    /// A token is used for four fifths of its life: what is asked with it must still be answered.
    pub(super) fn token(self, now: i64) -> Token {
        let life = self.expires_in.clamp(0, 7 * 86_400) * 1000;
        Token { access: self.access_token, refresh: self.refresh_token, stale_at: now + life / 5 * 4 }
    }
}

impl Account {
    /// Read each time: it may be changed while the agent runs, and is not kept in memory.
    pub(super) fn password(&self) -> Result<String, VbrError> {
        let path = &self.password_file;
        let unreadable = |error| VbrError::PasswordFile(path.clone(), error);
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !is_private(&metadata) {
            return Err(VbrError::PasswordMode(path.clone()));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let password = text.trim_end_matches(['\r', '\n']);
        if password.is_empty() { Err(VbrError::PasswordEmpty(path.clone())) } else { Ok(password.to_owned()) }
    }
}

#[cfg(unix)]
fn is_private(metadata: &std::fs::Metadata) -> bool {
    let others = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) % 0o100;
    others == 0
}

/// Windows has its access lists; whoever installs the agent sets them.
#[cfg(not(unix))]
fn is_private(_metadata: &std::fs::Metadata) -> bool {
    true
}

/// Names a refused login by what has to be done about it.
pub(super) fn refused(user: &str, status: u16, said: String) -> VbrError {
    let lower = said.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["mfa", "multi-factor", "multifactor", "two-factor"]) {
        VbrError::Mfa(user.to_owned())
    } else if says(&["license", "licence"]) {
        VbrError::Licence(said)
    } else if says(&["api version", "api-version", "version is not supported"]) {
        VbrError::ApiVersion { said }
    } else if matches!(status, 400 | 401 | 403) {
        VbrError::WrongPassword { user: user.to_owned(), said }
    } else {
        VbrError::Failed { call: super::call::Call::post(super::client::LOGIN).to_string(), status, said }
    }
}

/// Checks a password file before anything is stored.
pub(super) fn check(user: &str, password_file: &Path) -> Result<(), VbrError> {
    Account { user: user.to_owned(), password_file: password_file.to_owned() }.password().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_is_named_by_what_is_to_be_done() {
        let of = |status, said: &str| refused("svc", status, said.to_owned());
        assert!(
            matches!(of(401, "Multi-factor authentication is required"), VbrError::Mfa(user) if user == "svc")
        );
        assert!(matches!(of(403, "The license does not allow REST API"), VbrError::Licence(_)));
        assert!(matches!(of(400, "Unsupported API version"), VbrError::ApiVersion { .. }));
        assert!(matches!(of(401, "Access denied"), VbrError::WrongPassword { .. }));
        assert!(matches!(of(502, "Bad gateway"), VbrError::Failed { .. }));
    }

    #[cfg(unix)]
    #[test]
    fn a_password_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("password");
        let account = Account { user: "svc".to_owned(), password_file: path.clone() };
        assert!(matches!(account.password(), Err(VbrError::PasswordFile(..))));
        std::fs::write(&path, "geheim\r\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(account.password(), Err(VbrError::PasswordMode(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(account.password().unwrap(), "geheim");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(account.password(), Err(VbrError::PasswordEmpty(_))));
    }

    #[test]
    fn tokens_are_not_printed_and_are_stale_before_they_expire() {
        let answer: TokenAnswer =
            serde_json::from_str(r#"{"access_token":"geheim","refresh_token":"auch","expires_in":900}"#)
                .unwrap();
        let token = answer.token(1_000);
        assert_eq!(token.stale_at, 721_000);
        assert!(!format!("{token:?}").contains("geheim"));
    }
}
