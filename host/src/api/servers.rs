//! Backup servers.

use crate::api::operations::Routes;
use crate::store::BACKUP_SERVERS;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default().list("GetBackupServers", &BACKUP_SERVERS).get("GetBackupServer", &BACKUP_SERVERS)
}
