//! What is protected, and the states it can be restored to.

use crate::api::operations::Routes;
use crate::store::{COMPUTERS, RESTORE_POINTS};

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetProtectedComputersManagedByConsole", &COMPUTERS)
        .list("GetProtectedComputersManagedByConsoleRestorePoints", &RESTORE_POINTS)
}
