//! A name and a password: whose are they? The same for scripts and for the page, and the same cost whether the user
//! exists or not.

use std::net::IpAddr;

use crate::api::ApiState;
use crate::api::context::{self, Caller, Entrance, NotLetIn};
use crate::api::error::ApiError;
use crate::model::User;
use crate::store::StoreError;

/// No password is longer; hashing megabytes would be work for nothing.
const LONGEST_PASSWORD: usize = 128;
/// No user name is longer.
const LONGEST_NAME: usize = 2048;

/// Why somebody is not signed in.
#[derive(Debug)]
pub(crate) enum SignInError {
    /// Name or password: which of the two is nobody's business.
    Wrong,
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

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<SignInError> for ApiError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => Self::unauthenticated(SignInError::WRONG),
            SignInError::NotLetIn(refusal) => refusal.into(),
            SignInError::Api(error) => error,
        }
    }
}

/// Who this is.
pub(crate) async fn sign_in(
    state: &ApiState,
    name: &str,
    password: &str,
    address: IpAddr,
    entrance: Entrance,
) -> Result<Caller, SignInError> {
    let user = prove(state, name, password, address).await?;
    let mut tx = state.store().read().await?;
    context::recognise(&mut tx, &user, entrance).await.map_err(SignInError::NotLetIn)
}

async fn prove(state: &ApiState, name: &str, password: &str, address: IpAddr) -> Result<User, SignInError> {
    if name.chars().count() > LONGEST_NAME || password.chars().count() > LONGEST_PASSWORD {
        return Err(SignInError::Wrong);
    }
    let lockout = state.lockout();
    let turn = state.turnstile().enter().await?;
    // Asked only now: of a hundred attempts at once, those that waited see the failures of those that went first.
    if let Some(wait) = lockout.wait(name, address, state.clock().now_ms()) {
        let message = "too many failed sign-ins with this user name from this address; wait, then try again";
        return Err(ApiError::too_many_requests(message, wait).into());
    }
    let user = state.store().read().await?.users().by_name(name).await?;
    let stored = user.as_ref().map(|user| user.password_hash.clone());
    let right = turn.verify(stored, password.to_owned()).await?;
    match user {
        Some(user) if right => {
            lockout.succeeded(name, address);
            Ok(user)
        }
        _ => {
            lockout.failed(name, address, state.clock().now_ms());
            Err(SignInError::Wrong)
        }
    }
}
