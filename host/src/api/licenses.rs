//! Licences of backup servers, as their servers report them.

use crate::api::operations::Routes;
use crate::store::SERVER_LICENSES;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetBackupServersLicenses", &SERVER_LICENSES)
        .get("GetBackupServerLicense", &SERVER_LICENSES)
}
