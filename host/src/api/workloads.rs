//! What is protected, and the states it can be restored to.

use crate::api::operations::Routes;
use crate::store::{
    COMPUTERS, FILE_SHARE_POINTS, FILE_SHARES, LATEST_MANAGED_COMPUTER_POINTS, LATEST_VIRTUAL_MACHINE_POINTS,
    MANAGED_COMPUTER_BACKUPS, MANAGED_COMPUTER_POINTS, MANAGED_COMPUTERS, RESTORE_POINTS,
    VIRTUAL_MACHINE_BACKUPS, VIRTUAL_MACHINE_POINTS, VIRTUAL_MACHINES,
};

mod vb365;

/// The operations of this area.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .list("GetProtectedComputersManagedByConsole", &COMPUTERS)
        .list("GetProtectedComputersManagedByConsoleRestorePoints", &RESTORE_POINTS)
        .list("GetProtectedComputersManagedByBackupServer", &MANAGED_COMPUTERS)
        .list("GetProtectedComputersManagedByBackupServerBackups", &MANAGED_COMPUTER_BACKUPS)
        .list("GetProtectedComputersManagedByBackupServerRestorePoints", &MANAGED_COMPUTER_POINTS)
        .list(
            "GetProtectedComputersManagedByBackupServerLatestRestorePoints",
            &LATEST_MANAGED_COMPUTER_POINTS,
        )
        .list("GetProtectedVirtualMachines", &VIRTUAL_MACHINES)
        .list("GetProtectedVirtualMachineBackups", &VIRTUAL_MACHINE_BACKUPS)
        .list("GetProtectedVirtualMachinesLatestRestorePoints", &LATEST_VIRTUAL_MACHINE_POINTS)
        .list_of(
            "GetProtectedVirtualMachineBackupsByVm",
            &VIRTUAL_MACHINE_BACKUPS,
            "virtualMachineUid",
            &VIRTUAL_MACHINES,
        )
        .list_of(
            "GetProtectedVirtualMachineBackupRestorePoints",
            &VIRTUAL_MACHINE_POINTS,
            "virtualMachineUid",
            &VIRTUAL_MACHINES,
        )
        .list("GetProtectedOnPremisesFileShares", &FILE_SHARES)
        .list("GetProtectedFileSharesRestorePoints", &FILE_SHARE_POINTS)
        .add("GetVb365ProtectedObjects", vb365::list)
}
