//! Users.

use crate::api::ask::Ask;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::model::Scope;
use crate::store::USERS;
use crate::store::list::Condition;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetCurrentUser", me)
}

/// Who is asking, whatever else they see.
async fn me(mut ask: Ask) -> Result<Rendered, ApiError> {
    ask.caller.scope = Scope::Provider;
    let mut tx = ask.state.store().read().await?;
    ask.find(&mut tx, &USERS, &Condition::All(Vec::new()), ask.caller.uid.0).await
}
