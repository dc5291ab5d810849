//! Second factors: codes that an authenticator app computes from a secret and the time (RFC 6238). A code is good for its
//! half minute and the ones beside it, because clocks differ, and once only: the step it stands for is spent in the
//! database, and with it all steps before.

use totp_rs::{Builder, Secret, Totp};

use crate::api::error::ApiError;
use crate::clock::Clock;
use crate::id::{UserUid, random};
use crate::model::TotpLogin;
use crate::seal::Seal;
use crate::store::{StoreError, Tx};

/// What authenticators show above the code.
const ISSUER: &str = "Keelson";
/// Seconds of a step. Most authenticators know no other.
const STEP: u64 = 30;
/// Longer addresses than any authenticator makes.
const LONGEST_URL: usize = 2048;

/// What a user puts into an authenticator. Kept nowhere until a code proves that it arrived.
#[derive(Clone)]
pub(crate) struct Factor(Totp);

impl std::fmt::Debug for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Factor(..)")
    }
}

/// Why an address holds no second factor that this host can check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoFactor {
    /// It is something else.
    #[error("it must be an otpauth://totp/… address, as GET /authentication/keys/totp-secret gives it")]
    Address,
    /// It is one, with numbers that do not do.
    #[error("its secret must have at least 128 bits, its codes 6 to 8 digits, its period 30 seconds")]
    Parameters,
}

impl Factor {
    /// A new one with 160 random bits.
    pub(crate) fn generate(user: &str) -> Result<Self, NoFactor> {
        let builder = Builder::new().with_secret(Secret::new_stack(random::<20>()));
        // A colon parts the label from the issuer and cannot stand in either.
        let account = user.replace(':', "_");
        let built = builder.with_issuer(Some(ISSUER)).with_account_name(account).build();
        built.map(Self).map_err(|_| NoFactor::Parameters)
    }

    /// The one behind an `otpauth:` address.
    pub(crate) fn parse(url: &str) -> Result<Self, NoFactor> {
        if url.len() > LONGEST_URL || !url.starts_with("otpauth://totp/") {
            return Err(NoFactor::Address);
        }
        let totp = Totp::from_url(url).map_err(|_| NoFactor::Parameters)?;
        // Only what this host itself computes with: not what the address would like.
        if totp.step() != STEP || totp.account_name().is_empty() {
            return Err(NoFactor::Parameters);
        }
        Ok(Self(totp))
    }

    /// For people who type it.
    pub(crate) fn secret(&self) -> String {
        self.0.secret().to_base32()
    }

    /// For authenticators, and sealed for the database.
    pub(crate) fn url(&self) -> Result<String, NoFactor> {
        self.0.to_url().map_err(|_| NoFactor::Parameters)
    }

    /// What the authenticator shows beside the code.
    pub(crate) fn label(&self) -> String {
        match self.0.issuer() {
            Some(issuer) => format!("{issuer}:{}", self.0.account_name()),
            None => self.0.account_name().to_owned(),
        }
    }

    /// The step whose code this is, if it is one of now, half a minute ago or in half a minute.
    pub(crate) fn step_of(&self, code: &str, clock: &dyn Clock) -> Option<i64> {
        // Authenticators show codes in groups, and people copy them so.
        let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
        let seconds = u64::try_from(clock.now_ms() / 1000).ok()?;
        i64::try_from(self.0.check(&code, seconds)?).ok()
    }

    /// What the database keeps of it.
    pub(crate) fn seal(&self, seal: &Seal, user: UserUid) -> Result<Vec<u8>, ApiError> {
        let url = self.url().map_err(ApiError::internal)?;
        seal.seal(&purpose(user), url.as_bytes()).map_err(ApiError::internal)
    }

    fn unseal(seal: &Seal, login: &TotpLogin) -> Result<Self, ApiError> {
        let plain = seal.unseal(&purpose(login.user_uid), &login.secret).map_err(ApiError::internal)?;
        let url = String::from_utf8(plain).map_err(ApiError::internal)?;
        Self::parse(&url).map_err(ApiError::internal)
    }

    /// The code of an instant, as an authenticator would show it.
    #[cfg(test)]
    pub(crate) fn code_at(&self, milliseconds: i64) -> String {
        self.0.generate(u64::try_from(milliseconds / 1000).unwrap()).to_string()
    }
}

/// A sealed secret opens for the user it was sealed for and nobody else, wherever its row is copied to.
fn purpose(user: UserUid) -> String {
    format!("totp:{user}")
}

/// The second factor of `logins` whose code this is; its step is spent then. A step that is spent already does not count:
/// whoever saw the code over somebody's shoulder has no use for it.
pub(super) async fn accept(
    seal: &Seal,
    clock: &dyn Clock,
    tx: &mut Tx,
    logins: &[TotpLogin],
    code: &str,
) -> Result<Option<i64>, ApiError> {
    for login in logins {
        let factor = Factor::unseal(seal, login)?;
        let Some(step) = factor.step_of(code, clock) else { continue };
        let spent = tx.logins().accept_step(clock, login.id, step).await;
        if spent.map_err(|error: StoreError| ApiError::from(error))? {
            return Ok(Some(login.id));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const NOW: i64 = 1_700_000_010_000;

    fn url(rest: &str) -> String {
        format!("otpauth://totp/Keelson:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ{rest}")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: the ASCII secret 12345678901234567890.
        for (seconds, code) in [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000, "65353130")] {
            let factor = Factor::parse(&url("&digits=8")).unwrap();
            assert_eq!(factor.step_of(code, &*ManualClock::at(seconds * 1000)), Some(seconds / 30));
        }
    }

    #[test]
    fn a_code_is_good_for_its_step_and_the_ones_beside_it() {
        let factor = Factor::generate("ada").unwrap();
        let code = factor.code_at(NOW);
        let accepted = |offset| factor.step_of(&code, &*ManualClock::at(NOW + offset)).is_some();
        assert!(accepted(0) && accepted(30_000) && accepted(-30_000));
        assert!(!accepted(60_000) && !accepted(-60_000));
        let spaced = format!(" {} {}", &code[..3], &code[3..]);
        assert!(factor.step_of(&spaced, &*ManualClock::at(NOW)).is_some());
        for wrong in ["", "12345", "1234567", "abcdef", "+12345", "１２３４５６"] {
            assert_eq!(factor.step_of(wrong, &*ManualClock::at(NOW)), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_user_gets_comes_back_the_same() {
        let factor = Factor::generate("ada:of:bakery").unwrap();
        let again = Factor::parse(&factor.url().unwrap()).unwrap();
        assert_eq!((again.secret(), again.label()), (factor.secret(), "Keelson:ada_of_bakery".to_owned()));
        assert_ne!(Factor::generate("ada").unwrap().secret(), Factor::generate("ada").unwrap().secret());
    }

    #[test]
    fn an_address_that_would_weaken_the_factor_is_refused() {
        assert_eq!(Factor::parse("https://example.com").unwrap_err(), NoFactor::Address);
        assert_eq!(Factor::parse(&url(&"x".repeat(3000))).unwrap_err(), NoFactor::Address);
        for rest in ["&period=3600", "&period=0", "&period=18446744073709551615", "&digits=4", "&digits=99"] {
            assert_eq!(Factor::parse(&url(rest)).unwrap_err(), NoFactor::Parameters, "{rest}");
        }
        let short = "otpauth://totp/ada?secret=GEZDGNBV";
        assert_eq!(Factor::parse(short).unwrap_err(), NoFactor::Parameters);
        assert!(
            Factor::parse("otpauth://totp/ada").is_err()
                && Factor::parse("otpauth://hotp/a?secret=A").is_err()
        );
    }

    #[test]
    fn a_sealed_factor_opens_for_its_owner_only_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let seal = Seal::open(folder.path()).unwrap();
        let (ada, bob) = (UserUid(uuid::Uuid::from_u128(1)), UserUid(uuid::Uuid::from_u128(2)));
        let factor = Factor::generate("ada").unwrap();
        let secret = factor.seal(&seal, ada).unwrap();
        let login = |user_uid| TotpLogin { id: 1, user_uid, secret: secret.clone(), last_step: None };
        assert_eq!(Factor::unseal(&seal, &login(ada)).unwrap().secret(), factor.secret());
        assert!(Factor::unseal(&seal, &login(bob)).is_err());
        assert!(!format!("{factor:?}{:?}", login(ada)).contains(&factor.secret()));
    }
}
