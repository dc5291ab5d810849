//! Every list has rows, pages, filters, sorts, selects and expands.

use keelson::store::Facts;
use keelson_tests::client::escape;
use keelson_tests::on_both;
use reqwest::StatusCode;
use serde_json::json;

use super::fleet::{Fleet, inventory, point, uid, uids};

/// (path, a property that is an id, how many rows an agent's inventory makes).
pub(crate) const LISTS: &[(&str, &str, u64)] = &[
    ("/infrastructure/managementAgents", "instanceUid", 1),
    ("/infrastructure/backupServers", "instanceUid", 1),
    ("/infrastructure/backupServers/repositories", "instanceUid", 1),
    ("/infrastructure/backupServers/jobs", "instanceUid", 5),
    ("/infrastructure/backupServers/jobs/backupVmJobs", "instanceUid", 1),
    ("/infrastructure/backupServers/jobs/agentJobs", "instanceUid", 1),
    ("/infrastructure/backupServers/jobs/backupCopyJobs", "instanceUid", 1),
    ("/infrastructure/backupServers/jobs/fileShareJobs", "instanceUid", 1),
    ("/infrastructure/backupServers/jobs/replicationVmJobs", "instanceUid", 1),
    ("/protectedWorkloads/virtualMachines", "instanceUid", 2),
    ("/protectedWorkloads/virtualMachines/backups", "instanceUid", 2),
    ("/protectedWorkloads/virtualMachines/backupRestorePoints/latest", "instanceUid", 2),
    ("/protectedWorkloads/computersManagedByBackupServer", "instanceUid", 1),
    ("/protectedWorkloads/computersManagedByBackupServer/backups", "instanceUid", 1),
    ("/protectedWorkloads/computersManagedByBackupServer/restorePoints", "instanceUid", 2),
    ("/protectedWorkloads/computersManagedByBackupServer/restorePoints/latest", "instanceUid", 1),
    ("/protectedWorkloads/computersManagedByConsole", "backupAgentUid", 1),
    ("/protectedWorkloads/computersManagedByConsole/restorePoints", "instanceUid", 2),
    ("/protectedWorkloads/fileShares", "fileShareUid", 1),
    ("/protectedWorkloads/fileShares/restorePoints", "instanceUid", 2),
];

on_both! {
    fn every_list_pages_filters_sorts_and_selects(database) {
        let fleet = Fleet::start(database).await;
        for (path, id, rows) in LISTS {
            let all = uids(&fleet.admin, path, id).await;
            assert_eq!(all.len() as u64, 3 * rows, "{path}");
            let (status, page) = fleet.admin.get(&format!("{path}?limit=1&offset=1&select=[{{'propertyPath':'{id}'}}]")).await;
            assert_eq!(status, StatusCode::OK, "{path}: {page}");
            assert_eq!(page["meta"]["pagingInfo"], json!({"total": 3 * rows, "count": 1, "offset": 1}), "{path}");
            assert_eq!(page["data"], json!([{ *id: all[1] }]), "{path}");
            let backwards = format!("{path}?sort=[{{'property':'{id}','direction':'descending'}}]");
            let mut expected = all.clone();
            expected.sort();
            expected.reverse();
            assert_eq!(uids(&fleet.admin, &backwards, id).await, expected, "{path}");
            let filter = escape(&json!([{"property": id, "operation": "equals", "value": all[0]}]).to_string());
            assert_eq!(uids(&fleet.admin, &format!("{path}?filter={filter}"), id).await, [all[0]], "{path}");
        }
        fleet.host.stop().await;
    }

    fn what_expand_adds_can_be_filtered_by(database) {
        let fleet = Fleet::start(database).await;
        let filter = escape(r#"[{"property":"_embedded.backupServerJob.status","operation":"equals","value":"Failed"}]"#);
        let jobs = "/infrastructure/backupServers/jobs/agentJobs";
        let found = fleet.admin.data(&format!("{jobs}?expand=BackupServerJob&filter={filter}")).await;
        assert_eq!(found.as_array().unwrap().len(), 3);
        let job = &found[0]["_embedded"]["backupServerJob"];
        assert_eq!((&job["name"], &job["instanceUid"]), (&json!("Job agent"), &found[0]["instanceUid"]));
        assert_eq!(job["schedule"]["dailyScheduleOptions"]["kind"], "Everyday");
        assert_eq!(job["lastSessionTasks"][0]["objectName"], "vm1");
        assert!(fleet.admin.data(jobs).await[0].get("_embedded").is_none());
        let repository = fleet.admin.data("/infrastructure/backupServers/repositories?expand=BackupRepositoryInfo").await;
        assert_eq!(repository[0]["_embedded"]["freeSpace"], 400);
        assert_eq!(repository[0]["_embedded"]["isCapacityAvailable"], true);
        assert_eq!(repository[0]["_embedded"]["isUsedSpaceAvailable"], false);
        fleet.host.stop().await;
    }

    fn what_stands_under_another_object_is_found_there_only(database) {
        let fleet = Fleet::start(database).await;
        let server = fleet.of_bakery.server("vbr");
        let other = fleet.of_butcher.server("vbr");
        let repository = fleet.of_bakery.repository("vbr", "main");
        let base = "/infrastructure/backupServers";
        assert_eq!(uids(&fleet.admin, &format!("{base}/{server}/jobs"), "instanceUid").await.len(), 5);
        assert_eq!(uids(&fleet.admin, &format!("{base}/{server}/jobs/backupVmJobs"), "instanceUid").await, [fleet.of_bakery.job("vbr", "vm")]);
        assert_eq!(uids(&fleet.admin, &format!("{base}/{server}/repositories"), "instanceUid").await, [repository]);
        assert_eq!(fleet.admin.get(&format!("{base}/{server}/repositories/{repository}")).await.0, StatusCode::OK);
        assert_eq!(fleet.admin.get(&format!("{base}/{other}/repositories/{repository}")).await.0, StatusCode::NOT_FOUND);
        let of_company = format!("{base}/{server}/repositories?companyUid={}", fleet.bakery);
        assert_eq!(uids(&fleet.admin, &of_company, "instanceUid").await, [repository]);
        let of_other = format!("{base}/{server}/repositories?companyUid={}", fleet.butcher);
        assert!(uids(&fleet.admin, &of_other, "instanceUid").await.is_empty());
        let vm = fleet.of_bakery.workload("vbr", "vm1");
        let of_vm = format!("/protectedWorkloads/virtualMachines/{vm}");
        assert_eq!(uids(&fleet.admin, &format!("{of_vm}/backups"), "virtualMachineUid").await, [vm]);
        assert_eq!(uids(&fleet.admin, &format!("{of_vm}/backupRestorePoints"), "virtualMachineUid").await, [vm, vm]);
        fleet.host.stop().await;
    }

    fn the_newest_restore_point_is_marked_and_the_mark_moves(database) {
        let fleet = Fleet::start(database).await;
        let vm = fleet.of_bakery.workload("vbr", "vm1");
        let mine = escape(&json!([{"property": "virtualMachineUid", "operation": "equals", "value": vm}]).to_string());
        let latest = format!("/protectedWorkloads/virtualMachines/backupRestorePoints/latest?filter={mine}");
        let paths = async || {
            let found = fleet.admin.data(&latest).await;
            found.as_array().unwrap().iter().map(|one| one["filePath"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(paths().await, ["/backups/vm1-6.vib"]);
        fleet.report(fleet.of_bakery, &Facts { restore_points: vec![point("vm1", "vm", 1)], ..Facts::default() }).await;
        assert_eq!(paths().await, ["/backups/vm1-1.vib"]);
        let gone = ["1", "6"].map(|key| ("vbr".to_owned(), "vm1".to_owned(), key.to_owned())).to_vec();
        fleet.report(fleet.of_bakery, &Facts { restore_points_gone: gone, ..Facts::default() }).await;
        assert_eq!(paths().await, ["/backups/vm1-30.vib"]);
        let machines = fleet.admin.data("/protectedWorkloads/virtualMachines").await;
        let machine = machines.as_array().unwrap().iter().find(|one| uid(&one["instanceUid"]) == vm).unwrap();
        assert_eq!((&machine["restorePoints"], &machine["latestRestorePointSize"], &machine["totalRestorePointSize"]), (&json!(1), &json!(130), &json!(130)));
        let backups = fleet.admin.data(&format!("/protectedWorkloads/virtualMachines/{vm}/backups")).await;
        assert_eq!((&backups[0]["restorePoints"], &backups[0]["totalRestorePointSize"]), (&json!(1), &json!(130)));
        fleet.host.stop().await;
    }

    fn a_file_shares_archive_is_counted_by_itself(database) {
        let fleet = Fleet::start(database).await;
        let share = fleet.admin.data("/protectedWorkloads/fileShares").await[0].clone();
        assert_eq!((&share["restorePoints"], &share["archiveRestorePoints"]), (&json!(1), &json!(1)));
        assert_eq!((&share["totalShortTermBackupSize"], &share["totalArchiveSize"]), (&json!(106), &json!(130)));
        fleet.host.stop().await;
    }

    fn what_a_whole_inventory_does_not_mention_is_gone_from_every_list(database) {
        let mut fleet = Fleet::start(database).await;
        fleet.of_bakery.epoch = 2;
        let servers = inventory().servers;
        fleet.report(fleet.of_bakery, &Facts { servers, complete: true, ..Facts::default() }).await;
        for (path, id, rows) in LISTS {
            let left = if *path == "/infrastructure/managementAgents" || *path == "/infrastructure/backupServers" { 3 } else { 2 * rows };
            assert_eq!(uids(&fleet.admin, path, id).await.len() as u64, left, "{path}");
        }
        fleet.host.stop().await;
    }

    fn microsoft_365_objects_have_parameters_of_their_own(database) {
        let fleet = Fleet::start(database).await;
        let names = async |query: &str| {
            let found = fleet.admin.data(&format!("/protectedWorkloads/vb365ProtectedObjects?{query}")).await;
            found.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let bakery = format!("organizationFilter={}", fleet.bakery);
        assert_eq!(names(&format!("{bakery}&orderBy=name&orderDirection=descending")).await, ["Grace", "Ada"]);
        assert_eq!(names(&format!("{bakery}&objectNameFilter=gRa")).await, ["Grace"]);
        assert_eq!(names(&format!("{bakery}&objectTypeFilter=User&objectTypeFilter=Teams")).await, ["Ada"]);
        assert_eq!(names(&format!("{bakery}&licensedFilter=true&educationalFilter=false&skipCache=true")).await, ["Ada"]);
        assert!(names(&format!("{bakery}&siteFilter={}", fleet.butcher)).await.is_empty());
        assert_eq!(names("").await.len(), 6);
        for (query, parameter) in [
            ("orderBy=nmae", "orderBy"),
            ("orderDirection=up", "orderDirection"),
            ("objectTypeFilter=Mailbox", "objectTypeFilter"),
            ("siteFilter=x", "siteFilter"),
            ("licensedFilter=perhaps", "licensedFilter"),
            ("organizationFilter=x", "organizationFilter"),
        ] {
            let (status, body) = fleet.admin.get(&format!("/protectedWorkloads/vb365ProtectedObjects?{query}")).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {body}");
            assert_eq!(body["errors"][0]["parameterName"], parameter, "{body}");
        }
        fleet.host.stop().await;
    }
}
