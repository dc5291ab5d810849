//! Passwords: argon2id, off the runtime's workers, two at a time: each costs 19 MiB and tens of milliseconds, and a
//! flood of sign-ins must not starve everything else.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api::error::ApiError;
use crate::id::random;

/// Sign-ins that are computed at the same time.
const AT_ONCE: usize = 2;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// What an unknown user's password is compared with, so that it costs the same as a wrong one.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody has this password").ok());

/// The hash could not be computed.
#[derive(Debug, thiserror::Error)]
#[error("failed to hash a password: {0}")]
pub struct HashError(argon2::password_hash::Error);

/// The PHC string to store. Takes tens of milliseconds: off the runtime's workers, please.
pub fn hash(password: &str) -> Result<String, HashError> {
    let salt = SaltString::encode_b64(&random::<16>()).map_err(HashError)?;
    Ok(Argon2::default().hash_password(password.as_bytes(), &salt).map_err(HashError)?.to_string())
}

/// Takes turns.
#[derive(Debug, Clone)]
pub(crate) struct Turnstile(Arc<Semaphore>);

impl Default for Turnstile {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Turnstile {
    /// Waits for a turn.
    pub(crate) async fn enter(&self) -> Result<Turn, ApiError> {
        match tokio::time::timeout(PATIENCE, Arc::clone(&self.0).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Turn(permit)),
            _ => Err(ApiError::unavailable("too many sign-ins at once; try again in a moment", None)),
        }
    }
}

/// One turn.
#[derive(Debug)]
pub(crate) struct Turn(OwnedSemaphorePermit);

impl Turn {
    /// Whether `password` is the one of `stored`; with no user to compare with, no, at the same cost.
    pub(crate) async fn verify(self, stored: Option<String>, password: String) -> Result<bool, ApiError> {
        self.run(move || {
            let nobody = NOBODY.clone();
            let known = stored.is_some();
            let Some(phc) = stored.or(nobody) else { return false };
            matches(&phc, &password) && known
        })
        .await
    }

    /// The hash to store for a new password.
    pub(crate) async fn hash(self, password: String) -> Result<String, ApiError> {
        self.run(move || hash(&password)).await?.map_err(ApiError::internal)
    }

    async fn run<T: Send + 'static>(self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let work = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(self.0);
            result
        });
        work.await.map_err(ApiError::internal)
    }
}

fn matches(phc: &str, password: &str) -> bool {
    PasswordHash::new(phc)
        .is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let turnstile = Turnstile::default();
        let stored = turnstile.enter().await.unwrap().hash("correct horse".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        let verify = async |stored: Option<&str>, password: &str| {
            let turn = turnstile.enter().await.unwrap();
            turn.verify(stored.map(str::to_owned), password.to_owned()).await.unwrap()
        };
        assert!(verify(Some(&stored), "correct horse").await);
        assert!(!verify(Some(&stored), "battery").await);
        assert!(!verify(None, "nobody has this password").await);
        assert!(!verify(Some("damaged"), "").await);
    }
}
