//! The provider's own row.

use crate::api::ask::Ask;
use crate::api::envelope::Rendered;
use crate::api::error::ApiError;
use crate::api::operations::Routes;
use crate::store::PROVIDER;
use crate::store::list::Condition;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().add("GetProvider", get)
}

/// The provider; there is one.
async fn get(ask: Ask) -> Result<Rendered, ApiError> {
    let uid = ask.state.installation().uid;
    let mut tx = ask.state.store().read().await?;
    ask.find(&mut tx, &PROVIDER, &Condition::All(Vec::new()), uid).await
}
