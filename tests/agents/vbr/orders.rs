//! Jobs and licences as a host wants them.

use keelson_tests::vbr::{Fault, Licence, Trouble};

use super::*;

const JOB: &str = "VM Backup 01";

#[tokio::test]
async fn a_job_is_started_and_stopped_once_however_often_it_is_asked_for() {
    let beside = Beside::start().await;
    let sessions = |beside: &Beside| beside.server.with(|world| world.sessions.len());
    let before = sessions(&beside);
    assert_eq!(beside.tell_job("job-start", JOB).await.unwrap().message, "the job was started");
    assert_eq!(beside.tell_job("job-start", JOB).await.unwrap().message, "the job runs");
    assert_eq!(beside.tell_job("job-retry", JOB).await.unwrap().message, "the job runs");
    assert_eq!(sessions(&beside), before + 1);
    assert_eq!(beside.tell_job("job-stop", JOB).await.unwrap().message, "the job was stopped");
    assert_eq!(beside.tell_job("job-stop", JOB).await.unwrap().message, "the job does not run");
    assert!(beside.server.with(|world| world.job_named(JOB).ends.is_none()));
    assert_eq!(beside.tell_job("job-retry", JOB).await.unwrap().message, "the job retries what failed");
    beside.advance(Duration::from_mins(1));
    assert_eq!(beside.server.with(|world| world.job_named(JOB).last_result), "Success");
    beside.well_behaved();
}

#[tokio::test]
async fn a_job_is_held_and_let_go() {
    let beside = Beside::start().await;
    let enabled = async |beside: &Beside| {
        let inventory = beside.collect().await.unwrap();
        inventory.jobs.iter().find(|job| job.name == JOB).unwrap().enabled
    };
    beside.tell_job("job-disable", JOB).await.unwrap();
    beside.tell_job("job-disable", JOB).await.unwrap();
    assert!(!enabled(&beside).await);
    // It may run all the same, and still shows that it is held.
    beside.tell_job("job-start", JOB).await.unwrap();
    assert!(!enabled(&beside).await);
    beside.tell_job("job-enable", JOB).await.unwrap();
    assert!(enabled(&beside).await);
    let switched = beside.server.take_asked().iter().filter(|asked| asked.ends_with("able")).count();
    assert_eq!(switched, 2, "what is so already is not done again");
    beside.well_behaved();
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_in_the_servers_words() {
    let beside = Beside::start().await;
    let refused = beside.tell_job("job-retry", JOB).await.unwrap_err().0;
    assert!(refused.contains("there is nothing to retry"), "{refused}");
    let job = beside.server.with(|world| world.job_named(JOB).id);
    let elsewhere = json!({"server": "another", "job": job});
    assert!(
        beside
            .tell("job-start", elsewhere)
            .await
            .unwrap_err()
            .0
            .contains("another backup server stands here")
    );
    for nonsense in [json!({}), json!({"job": "../license/remove"}), json!({"job": uuid::Uuid::nil()})] {
        assert!(beside.tell("job-start", nonsense.clone()).await.is_err(), "{nonsense}");
    }
    assert!(beside.tell("make-coffee", json!({})).await.is_err());
    beside.well_behaved();
}

#[tokio::test]
async fn a_deed_whose_answer_was_lost_is_not_done_twice() {
    let beside = Beside::start().await;
    beside.server.break_it(Fault::times("/start", 1, Trouble::HalfBody));
    let refused = beside.tell_job("job-start", JOB).await.unwrap_err().0;
    assert!(refused.contains("ended in the middle"), "{refused}");
    let starts = beside.server.take_asked().iter().filter(|asked| asked.ends_with("/start")).count();
    assert_eq!(starts, 1);
    assert_eq!(beside.tell_job("job-start", JOB).await.unwrap().message, "the job runs");
    beside.well_behaved();
}

#[tokio::test]
async fn a_licence_is_installed_from_its_secret_and_removed() {
    let beside = Beside::start().await;
    let mut licence: Licence = beside.server.with(|world| world.licence.clone());
    licence.licensed_to = "Bakery".to_owned();
    let secret = json!({"license": licence.file()});
    let done = beside.tell_secretly("license-install", json!({}), secret).await.unwrap();
    assert_eq!(done.result.unwrap()["licensedTo"], "Bakery");
    assert_eq!(beside.server.with(|world| world.licence.clone()), licence);
    let damaged =
        beside.tell_secretly("license-install", json!({}), json!({"license": "junk"})).await.unwrap_err();
    assert!(damaged.0.contains("the license file is damaged"), "{}", damaged.0);
    assert!(beside.tell("license-install", json!({})).await.unwrap_err().0.contains("no licence file"));
    let report = beside.tell("license-report", json!({})).await.unwrap().result.unwrap();
    assert_eq!(report["licensedTo"], "Bakery");
    beside.tell("license-remove", json!({})).await.unwrap();
    assert_eq!(beside.server.with(|world| world.licence.edition.clone()), "Community");
    assert_eq!(beside.tell("license-remove", json!({})).await.unwrap().message, "no licence is installed");
    let removals = beside.server.take_asked().iter().filter(|asked| asked.ends_with("/remove")).count();
    assert_eq!(removals, 1);
    beside.well_behaved();
}

#[tokio::test]
async fn a_cloud_connect_server_runs_no_backups_and_gives_no_files_back() {
    let beside = Beside::start().await;
    beside.server.with(|world| world.licence.cloud_connect = "Enabled".to_owned());
    let refused = beside.tell_job("job-start", JOB).await.unwrap_err().0;
    assert!(refused.contains("Cloud Connect server"), "{refused}");
    let point = beside.server.with(|world| world.points[0].id);
    let refused =
        beside.tell("restore-open", json!({"restorePoint": point, "session": "r"})).await.unwrap_err().0;
    assert!(refused.contains("Cloud Connect server"), "{refused}");
    assert!(beside.server.with(|world| world.mounts.open.is_empty()));
    beside.server.with(|world| world.licence.cloud_connect = "Enterprise".to_owned());
    beside.tell_job("job-start", JOB).await.unwrap();
    beside.well_behaved();
}
