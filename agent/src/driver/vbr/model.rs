//! What the backup server answers, as far as it is used: the names of version 1.3-rev1.
//!
//! Words of open sets stay text, and what the API does not promise is optional: a newer server has more words, an older one
//! fewer members, and neither is a reason to report nothing.

use serde::Deserialize;

use super::call::Call;
use super::error::VbrError;
use super::pages::{Listed, Pagination};

macro_rules! models {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty,)* })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(super) struct $name { $($(#[$field_doc])* pub(super) $field: $kind,)* }
    )+};
}

models! {
    ServerInfoModel {
        vbr_id: String,
        name: String,
        build_version: String,
        patches: Vec<String>,
    }

    ServerTimeModel {
        server_time: String,
    }

    RepositoryStateModel {
        id: String,
        name: String,
        #[serde(rename = "type")]
        kind: String,
        host_name: Option<String>,
        path: Option<String>,
        #[serde(rename = "capacityGB")]
        capacity: f64,
        #[serde(rename = "freeGB")]
        free: f64,
        #[serde(rename = "usedSpaceGB")]
        used: f64,
        is_online: bool,
        is_out_of_date: bool,
    }

    JobModel {
        id: String,
        is_disabled: bool,
    }

    JobStateModel {
        id: String,
        name: String,
        description: String,
        #[serde(rename = "type")]
        kind: String,
        status: String,
        workload: String,
        last_result: String,
        last_run: Option<String>,
        next_run: Option<String>,
        next_run_policy: Option<String>,
        objects_count: i64,
        repository_id: Option<String>,
        repository_name: Option<String>,
        session_id: Option<String>,
        session_progress: Option<SessionProgress>,
        run_after_job: Option<RunAfterJob>,
    }

    SessionProgress {
        bottleneck: String,
        processing_rate: Option<String>,
        transferred_size: Option<i64>,
    }

    RunAfterJob {
        job_id: Option<String>,
        job_name: Option<String>,
    }

    SessionModel {
        id: String,
        job_id: String,
        state: String,
        creation_time: String,
        end_time: Option<String>,
        result: Option<SessionResultModel>,
    }

    SessionResultModel {
        result: String,
        message: Option<String>,
        is_canceled: Option<bool>,
    }

    TaskSessionModel {
        id: String,
        session_id: String,
        creation_time: String,
        end_time: Option<String>,
    }

    SessionLogResult {
        records: Option<Vec<SessionLogRecordModel>>,
    }

    SessionLogRecordModel {
        title: Option<String>,
        description: Option<String>,
        status: Option<String>,
    }

    BackupModel {
        id: String,
        job_id: Option<String>,
        job_type: String,
        repository_id: String,
        repository_name: Option<String>,
    }

    BackupObjectModel {
        id: String,
        name: Option<String>,
        platform_name: String,
        restore_points_count: Option<i64>,
        last_run_failed: Option<bool>,
    }

    ObjectRestorePointModel {
        id: String,
        name: String,
        backup_id: String,
        session_id: Option<String>,
        creation_time: String,
        platform_name: String,
        original_size: Option<i64>,
        guest_os_family: Option<String>,
        malware_status: Option<String>,
    }

    InstalledLicenseModel {
        status: String,
        edition: String,
        #[serde(rename = "type")]
        kind: Option<String>,
        licensed_to: String,
        support_id: String,
        expiration_date: Option<String>,
        support_expiration_date: Option<String>,
        auto_update_enabled: bool,
        cloud_connect: String,
        instance_license_summary: Option<InstanceLicenseSummaryModel>,
        socket_license_summary: Option<SocketLicenseSummaryModel>,
        capacity_license_summary: Option<CapacityLicenseSummaryModel>,
    }

    InstanceLicenseSummaryModel {
        package: Option<String>,
        licensed_instances_number: f64,
        used_instances_number: f64,
        new_instances_number: f64,
        rental_instances_number: f64,
        objects: Option<Vec<InstanceLicenseObjectModel>>,
    }

    InstanceLicenseObjectModel {
        #[serde(rename = "type")]
        kind: String,
        count: i64,
        multiplier: f64,
        used_instances_number: f64,
    }

    SocketLicenseSummaryModel {
        package: Option<String>,
        licensed_sockets_number: f64,
        used_sockets_number: f64,
    }

    CapacityLicenseSummaryModel {
        licensed_capacity_tb: f64,
        used_capacity_tb: f64,
    }

    FlrBrowseMountModel {
        session_id: String,
        #[serde(rename = "type")]
        kind: String,
        mount_errors: Vec<FlrBrowseMountError>,
        properties: Option<FlrBrowseProperties>,
        source_properties: FlrBrowseSourceProperties,
    }

    FlrBrowseMountError {
        message: String,
    }

    FlrBrowseProperties {
        path_separator: String,
    }

    FlrBrowseSourceProperties {
        machine_name: String,
        restore_point_name: String,
    }

    FlrBrowserItemModel {
        name: String,
        display_name: String,
        location: Option<String>,
        owner: Option<String>,
        #[serde(rename = "type")]
        kind: String,
        size: i64,
        creation_date: String,
        modified_date: String,
        item_state: String,
    }

    /// `FlrBrowseFolderModel` and `FlrSearchForResultModel`.
    FlrItems {
        items: Vec<FlrBrowserItemModel>,
        path: Option<String>,
        pagination: Option<Pagination>,
    }

    TaskModel {
        id: String,
        creation_time: String,
    }

    FlrAuditMountModel {
        items: Vec<FlrTaskItemModel>,
    }

    FlrTaskItemModel {
        source_path: String,
        target_path: String,
        restore_start_time: String,
        restore_status: String,
        size: i64,
    }
}

macro_rules! listed {
    ($($name:ident: $id:ident),+) => {$(
        impl Listed for $name {
            fn id(&self) -> &str {
                &self.$id
            }
        }
    )+};
}

listed!(
    RepositoryStateModel: id, JobModel: id, JobStateModel: id, SessionModel: id, TaskSessionModel: id, BackupModel: id,
    BackupObjectModel: id, ObjectRestorePointModel: id, FlrBrowseMountModel: session_id
);

/// A time as unix milliseconds. One that lies before 1970 stands for none: the server writes the year 1 for "never".
pub(super) fn instant(text: &str) -> Option<i64> {
    parsed(text).filter(|at| *at >= 0)
}

/// Some servers leave the offset out of times that are UTC.
fn parsed(text: &str) -> Option<i64> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;
    let parsed = OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339));
    i64::try_from(parsed.ok()?.unix_timestamp_nanos() / 1_000_000).ok()
}

/// The same where it must be there. A server without a clock wrote what lies before 1970.
pub(super) fn needed(call: &str, text: &str) -> Result<i64, VbrError> {
    let odd = || VbrError::Time { call: Call::get(call).to_string(), text: text.chars().take(100).collect() };
    parsed(text).map(|at| at.max(0)).ok_or_else(odd)
}

/// A time as the API takes it.
pub(super) fn written(at: i64) -> String {
    use time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::from_unix_timestamp(at.div_euclid(1000))
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_an_offset_and_written_in_utc() {
        assert_eq!(instant("2024-05-06T07:08:09.1234567+02:00"), Some(1_714_972_089_123));
        assert_eq!(instant("2024-05-06T05:08:09"), Some(1_714_972_089_000));
        assert_eq!(instant("yesterday"), None);
        assert_eq!(instant("0001-01-01T00:00:00"), None);
        assert_eq!(needed("/x", "1969-12-31T00:00:00Z").unwrap(), 0);
        assert_eq!(written(1_714_972_089_123), "2024-05-06T05:08:09Z");
        assert!(needed("/x", "soon").is_err());
    }
}
