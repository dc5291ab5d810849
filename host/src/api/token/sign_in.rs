//! A name and a password, and perhaps a code: whose are they? The same for scripts and for the page, and the same cost
//! whether the user exists or not.

use std::net::IpAddr;

use super::lockout::{self, Attempt};
use super::log::{self, Event};
use super::secret::{Secret, SecretKind};
use super::totp::{self, Factor};
use crate::api::ApiState;
use crate::api::context::{self, Caller, Entrance, NotLetIn};
use crate::api::error::ApiError;
use crate::clock::MINUTE;
use crate::id::{UserUid, fresh};
use crate::model::{LoginScope, NewToken, NewTotpLogin, Session, Token, TokenKind, User};
use crate::store::{StoreError, Tx};

/// No password is longer; hashing megabytes would be work for nothing.
const LONGEST_PASSWORD: usize = 128;
/// No user name is longer.
const LONGEST_NAME: usize = 2048;
/// Milliseconds between the password and the code.
const CODE_WITHIN: i64 = 5 * MINUTE;
/// Codes that may be tried after one right password.
const CODES: i64 = 5;

/// Why somebody is not signed in.
#[derive(Debug)]
pub(crate) enum SignInError {
    /// Name or password: which of the two is nobody's business.
    Wrong,
    /// The second step does not do: the code is wrong or spent, or it is too late for it.
    Factor(&'static str),
    /// The password is right, and yet.
    NotLetIn(NotLetIn),
    /// Too often, or the host could not find out.
    Api(ApiError),
}

impl SignInError {
    /// What a wrong name or password is told.
    pub(crate) const WRONG: &str = "the user name or the password is wrong";
}

impl From<ApiError> for SignInError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<NotLetIn> for SignInError {
    fn from(refusal: NotLetIn) -> Self {
        Self::NotLetIn(refusal)
    }
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::unauthenticated(SignInError::WRONG),
            SignInError::Factor(message) => Self::unauthenticated(message),
            SignInError::NotLetIn(refusal) => refusal.into(),
            SignInError::Api(error) => error,
        }
    }
}

/// What a right password leads to.
#[derive(Debug)]
pub(crate) enum Step {
    /// In.
    In(Caller),
    /// A code is wanted; it goes with this.
    Code(Secret),
    /// An administrator wants a second factor, and the user has none yet: this one, perhaps. The code goes with the token.
    Setup(Secret, Factor),
}

/// Where somebody stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door {
    /// Which one.
    pub(crate) entrance: Entrance,
    /// In front of it.
    pub(crate) address: IpAddr,
}

impl Door {
    /// The operation that signs in here.
    pub(super) fn operation(self) -> &'static str {
        match self.entrance {
            Entrance::Rest => "OAuth2IssueToken",
            Entrance::Page => "BeginSession",
        }
    }

    /// Writes down what happened here.
    pub(crate) async fn note(
        self,
        state: &ApiState,
        tx: &mut Tx,
        user: Option<&User>,
        allowed: bool,
        message: &str,
    ) -> Result<(), StoreError> {
        let event =
            Event { address: self.address, operation: self.operation(), user, actor: None, allowed, message };
        log::note(state, tx, event).await
    }

    /// Whoever has proved who they are, if they may come in. That they may not is written down, whatever becomes of what
    /// they came with.
    pub(super) async fn let_in(
        self,
        state: &ApiState,
        mut tx: Tx,
        user: &User,
    ) -> Result<(Tx, Caller), NotLetIn> {
        match context::recognise(&mut tx, user, self.entrance).await {
            Ok(caller) => Ok((tx, caller)),
            Err(refusal) => {
                drop(tx);
                Err(self.turned_away(state, user, None, refusal).await)
            }
        }
    }

    /// Writes a refusal down, in a transaction of its own.
    pub(super) async fn turned_away(
        self,
        state: &ApiState,
        user: &User,
        actor: Option<UserUid>,
        refusal: NotLetIn,
    ) -> NotLetIn {
        let NotLetIn::Because(message) = &refusal else { return refusal };
        let noted = async {
            let (address, operation, user) = (self.address, self.operation(), Some(user));
            let mut tx = state.store().write().await?;
            log::note(state, &mut tx, Event { address, operation, user, actor, allowed: false, message })
                .await?;
            tx.commit().await
        };
        noted.await.map_or_else(NotLetIn::from, |()| refusal)
    }
}

/// Who this is, by name and password.
pub(crate) async fn sign_in(
    state: &ApiState,
    name: &str,
    password: &str,
    door: Door,
) -> Result<Step, SignInError> {
    let user = prove(state, name, password, door).await?;
    let (mut tx, caller) = door.let_in(state, state.store().write().await?, &user).await?;
    let setup = if tx.logins().totps(user.uid).await?.is_empty() {
        // A second factor that an administrator forces is asked for at the portal only: so VSPC has it, and a script could not
        // set one up. One that is set up is asked for at both doors.
        if door.entrance == Entrance::Rest || !tx.accounts().must_have_factor(user.uid).await? {
            return Ok(Step::In(caller));
        }
        Some(Factor::generate(&user.name).map_err(ApiError::internal)?)
    } else {
        None
    };
    let secret = Secret::generate(SecretKind::Mfa);
    let token = NewToken {
        user_uid: user.uid,
        family: fresh(state.clock()),
        kind: TokenKind::Mfa,
        hash: secret.hash(),
        lifetime: CODE_WITHIN,
        session: Session::default(),
    };
    tx.credentials().add_token(state.clock(), &token).await?;
    tx.commit().await?;
    Ok(match setup {
        Some(factor) => Step::Setup(secret, factor),
        None => Step::Code(secret),
    })
}

/// The second step.
#[derive(Clone, Copy)]
pub(crate) struct Proof<'p> {
    /// What the first step gave.
    pub(crate) token: &'p str,
    /// Of the authenticator.
    pub(crate) code: &'p str,
    /// The factor that the code is of, if the first step gave one to be set up.
    pub(crate) new_factor: Option<&'p str>,
}

/// Somebody who is in, and the transaction that says so.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Holds what was spent: the caller adds tokens and commits.
    pub(crate) tx: Tx,
    /// Who it is.
    pub(crate) caller: Caller,
    /// What holds for all their tokens.
    pub(crate) session: Session,
}

/// Who this is, by the token of the first step and a code.
pub(crate) async fn with_code(
    state: &ApiState,
    proof: Proof<'_>,
    door: Door,
) -> Result<Entered, SignInError> {
    let Ok((SecretKind::Mfa, secret)) = Secret::parse(proof.token) else {
        return Err(SignInError::Factor("this is no MFA token; a right user name and password give one"));
    };
    let (clock, mut tx) = (state.clock(), state.store().write().await?);
    let token = tx.credentials().token_by_hash(&secret.hash()).await?;
    let good = |token: &Token| token.is_good(TokenKind::Mfa, clock.now_ms()) && token.used_at.is_none();
    let token = token.filter(good).ok_or(TOO_LATE)?;
    lockout::try_factor(&mut tx, token.user_uid, clock.now_ms()).await?;
    if !tx.credentials().try_token(token.uid, CODES).await? {
        return Err(TOO_LATE);
    }
    let user = tx.users().get(token.user_uid).await?.ok_or(TOO_LATE)?;
    let Some(session) = judge(state, &mut tx, &user, proof, door).await? else {
        // The try is spent, whatever the answer.
        door.note(state, &mut tx, Some(&user), false, "the code of the second factor was wrong").await?;
        tx.commit().await?;
        return Err(SignInError::Factor("the code is wrong, or it was used before; wait for the next one"));
    };
    if !tx.credentials().use_token(clock, token.uid).await? {
        return Err(TOO_LATE);
    }
    lockout::forgive_factor(&mut tx, token.user_uid).await?;
    let (tx, caller) = door.let_in(state, tx, &user).await?;
    Ok(Entered { tx, caller, session })
}

/// Whether the code is right: of one of the user's factors, or of the one that they set up with it.
async fn judge(
    state: &ApiState,
    tx: &mut Tx,
    user: &User,
    proof: Proof<'_>,
    door: Door,
) -> Result<Option<Session>, SignInError> {
    let logins = tx.logins().totps(user.uid).await?;
    if !logins.is_empty() {
        let login = totp::accept(state.seal(), state.clock(), tx, &logins, proof.code).await?;
        return Ok(login.map(|login| Session { login_id: Some(login), ..Session::default() }));
    }
    let Some(url) = proof.new_factor.filter(|_| door.entrance == Entrance::Page) else { return Ok(None) };
    if !tx.accounts().must_have_factor(user.uid).await? {
        return Ok(None);
    }
    let factor = Factor::parse(url)
        .map_err(|error| ApiError::property("mfaSecretUrl", format!("mfaSecretUrl: {error}")))?;
    let Some(step) = factor.step_of(proof.code, state.clock()) else { return Ok(None) };
    let new = NewTotpLogin {
        user_uid: user.uid,
        identifier: factor.label(),
        secret: factor.seal(state.seal(), user.uid)?,
        last_step: step,
        description: "set up at sign-in".to_owned(),
        scopes: vec![LoginScope::Rest, LoginScope::Ui],
    };
    tx.logins().add_totp(state.clock(), &new).await?;
    door.note(state, tx, Some(user), true, "set up a second factor").await?;
    Ok(Some(Session::default()))
}

const TOO_LATE: SignInError =
    SignInError::Factor("the MFA token has expired or was used up; sign in with the password again");

async fn prove(state: &ApiState, name: &str, password: &str, door: Door) -> Result<User, SignInError> {
    let possible = name.chars().count() <= LONGEST_NAME && password.chars().count() <= LONGEST_PASSWORD;
    // What cannot be right is judged as slowly as what is wrong.
    let (name, password) = if possible { (name, password) } else { ("", "") };
    let turn = state.turnstile().enter().await?;
    // Asked only now: of a hundred attempts at once, those that waited see the failures of those that went first.
    let attempt = Attempt::begin(state.store(), name, door.address, state.clock().now_ms()).await?;
    let user = state.store().read().await?.users().by_name(name).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let right = turn.verify(stored, password.to_owned()).await? && possible;
    let mut tx = state.store().write().await?;
    match user.as_ref().filter(|_| right) {
        Some(_) => attempt.succeeded(&mut tx).await?,
        None => {
            door.note(state, &mut tx, user.as_ref(), false, "the user name or the password was wrong")
                .await?;
        }
    }
    tx.commit().await?;
    user.filter(|_| right).ok_or(SignInError::Wrong)
}
