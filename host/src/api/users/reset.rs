//! `/users/resetpassword`: for people who are not signed in.

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::check_password;
use crate::api::ApiState;
use crate::api::body;
use crate::api::contract;
use crate::api::envelope;
use crate::api::error::ApiError;
use crate::api::peer::Peer;
use crate::api::query::Shape;
use crate::api::token::reset::{self, Forgotten};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    user_name: String,
    email: String,
    return_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Completed {
    code: String,
    new_password: String,
}

/// Sends a mail with a code, if there is such a user; whether there is, the answer does not say.
pub(super) async fn ask(
    State(state): State<ApiState>,
    Peer(address): Peer,
    request: Request,
) -> Result<Response, ApiError> {
    let asked: Asked = read(&state, "CreateResetPasswordRequest", request).await?;
    let forgotten =
        Forgotten { user_name: asked.user_name, email: asked.email, return_url: asked.return_url };
    reset::ask(&state, forgotten, address).await?;
    envelope::one(&true, &Shape::default())
}

/// Sets a new password with the code out of the mail.
pub(super) async fn complete(
    State(state): State<ApiState>,
    Peer(address): Peer,
    request: Request,
) -> Result<Response, ApiError> {
    let completed: Completed = read(&state, "CompleteResetPasswordRequest", request).await?;
    check_password("newPassword", &completed.new_password)?;
    reset::complete(&state, &completed.code, completed.new_password, address).await?;
    envelope::one(&true, &Shape::default())
}

/// The body, held to the contract: these operations have no guard that would say which one it is.
async fn read<T: DeserializeOwned>(
    state: &ApiState,
    operation: &'static str,
    request: Request,
) -> Result<T, ApiError> {
    let mut body = body::json(request, state).await?;
    contract::check_body(operation, &mut body)?;
    body::read(body)
}
