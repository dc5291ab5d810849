//! The server itself, where it keeps backups, and its licence.

use keelson_proto::v1::{BackupServer, License, LicenseUse, Repository};

use crate::driver::vbr::model::{
    CapacityLicenseSummaryModel, InstalledLicenseModel, InstanceLicenseSummaryModel, RepositoryStateModel,
    ServerInfoModel, SocketLicenseSummaryModel, instant,
};
use crate::driver::vbr::words;

pub(super) fn server(info: ServerInfoModel) -> BackupServer {
    let patches = info.patches.join(", ");
    let display_version =
        if patches.is_empty() { String::new() } else { format!("{} ({patches})", info.build_version) };
    BackupServer {
        key: info.vbr_id,
        name: info.name,
        engine: "vbr".to_owned(),
        version: info.build_version,
        display_version,
        ..BackupServer::default()
    }
}

/// Of one that cannot be reached, or has no bounds, the server says zero: that is not to be taken for full.
pub(super) fn repository(server: &str, state: RepositoryStateModel) -> Repository {
    let figure = |gigabytes: f64| {
        let is_known = state.is_online && state.capacity > 0.0;
        words::bytes_of_gigabytes(gigabytes).filter(|_| is_known)
    };
    Repository {
        capacity: figure(state.capacity),
        free_space: figure(state.free),
        used_space: words::bytes_of_gigabytes(state.used).filter(|_| state.is_online),
        server_key: server.to_owned(),
        key: state.id,
        name: state.name,
        kind: words::repository_kind(&state.kind).to_owned(),
        host_name: state.host_name.unwrap_or_default(),
        path: state.path.unwrap_or_default(),
        out_of_date: state.is_out_of_date,
        ..Repository::default()
    }
}

pub(super) fn license(server: &str, installed: InstalledLicenseModel) -> License {
    let at = |text: &Option<String>| text.as_deref().and_then(instant);
    let mut license = License {
        server_key: server.to_owned(),
        r#type: words::license_type(installed.kind.as_deref(), &installed.edition).to_owned(),
        status: words::license_status(&installed.status).to_owned(),
        edition: words::edition(&installed.edition).to_owned(),
        company: installed.licensed_to,
        support_ids: Some(installed.support_id).into_iter().filter(|id| !id.is_empty()).collect(),
        expires_at: at(&installed.expiration_date),
        support_expires_at: at(&installed.support_expiration_date),
        auto_update: installed.auto_update_enabled,
        cloud_connect: words::cloud_connect(&installed.cloud_connect).to_owned(),
        ..License::default()
    };
    if let Some(instances) = installed.instance_license_summary {
        count_instances(&mut license, instances);
    }
    if let Some(sockets) = installed.socket_license_summary {
        count_sockets(&mut license, &sockets);
    }
    if let Some(CapacityLicenseSummaryModel { licensed_capacity_tb, used_capacity_tb }) =
        installed.capacity_license_summary
    {
        license.capacity = Some(licensed_capacity_tb);
        license.used_capacity = Some(used_capacity_tb);
    }
    license
}

fn count_instances(license: &mut License, instances: InstanceLicenseSummaryModel) {
    package(license, instances.package.as_deref());
    "Instances".clone_into(&mut license.unit_type);
    license.units = Some(instances.licensed_instances_number);
    license.used_units = Some(instances.used_instances_number);
    license.new_units = Some(instances.new_instances_number);
    license.rental_units = Some(instances.rental_instances_number);
    let uses = instances.objects.unwrap_or_default().into_iter().map(|object| LicenseUse {
        kind: object.kind,
        count: object.count.max(0),
        multiplier: object.multiplier,
        used_units: object.used_instances_number,
    });
    license.uses = uses.collect();
}

fn count_sockets(license: &mut License, sockets: &SocketLicenseSummaryModel) {
    package(license, sockets.package.as_deref());
    license.sockets = Some(sockets.licensed_sockets_number);
    license.used_sockets = Some(sockets.used_sockets_number);
}

fn package(license: &mut License, word: Option<&str>) {
    let word = match word {
        None | Some("Invalid") => return,
        Some("One") => "ONE",
        Some(word) => word,
    };
    if !license.packages.iter().any(|known| known == word) {
        license.packages.push(word.to_owned());
    }
}
