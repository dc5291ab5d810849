//! Management agents.

use crate::api::operations::Routes;
use crate::store::AGENTS;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().list("GetManagementAgents", &AGENTS).get("GetManagementAgent", &AGENTS)
}
