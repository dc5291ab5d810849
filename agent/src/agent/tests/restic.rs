//! From a real repository to the host.

use keelson_proto::v1::command_report::What;

use super::*;
use crate::inventory::ObjectId;
use crate::testing::restic::Repository;

fn points(stage: &Console) -> usize {
    let is_point = |id: &&ObjectId| matches!(id, ObjectId::RestorePoint(..));
    stage.ledger(|ledger| ledger.objects.iter().filter(is_point).count())
}

#[tokio::test]
async fn snapshots_come_and_go_and_a_wrong_password_takes_nothing_away() {
    let repository = Repository::init();
    repository.backup("alpha");
    repository.backup("beta");
    let console = Console::start().await;
    let data = PathBuf::from(repository.path("agent"));
    let driver = DriverSettings::Restic {
        repository: repository.path("repository"),
        password_file: repository.path("password").into(),
        server_name: Some("cellar".to_owned()),
    };
    let computer = driver.computer();
    let token = console.token();
    enroll(Enrolment {
        token,
        data: data.clone(),
        driver,
        extras: Extras::default(),
        computer,
        force: false,
    })
    .await
    .unwrap();
    let agent = Agent::open(&data, FAST, Arc::new(SystemClock)).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(agent.run(stop.clone()));
    until("both snapshots are there", || points(&console) == 2).await;

    repository.backup("alpha");
    until("the third is there", || points(&console) == 3).await;
    repository.restic(&["forget", "--host", "alpha", "--keep-last", "1"]);
    until("the forgotten one is gone", || points(&console) == 2).await;
    assert_eq!(console.ledger(|ledger| ledger.gone), 1);

    std::fs::write(repository.path("password.kept"), "wrong\n").unwrap();
    std::fs::rename(repository.path("password"), repository.path("password.right")).unwrap();
    std::fs::rename(repository.path("password.kept"), repository.path("password")).unwrap();
    let heartbeats = console.ledger(|ledger| ledger.heartbeats);
    until("some rounds failed", || console.ledger(|ledger| ledger.heartbeats >= heartbeats + 2)).await;
    assert_eq!(console.ledger(|ledger| ledger.gone), 1);
    std::fs::rename(repository.path("password.right"), repository.path("password")).unwrap();

    repository.restic(&["forget", "--host", "beta", "--keep-last", "0", "--keep-tag", "none"]);
    until("beta is gone with its last snapshot", || points(&console) == 1).await;
    console.ledger(|ledger| {
        let workloads = ledger.objects.iter().filter(|id| matches!(id, ObjectId::Workload(..)));
        assert_eq!(workloads.count(), 1);
        assert_eq!(ledger.violations, Vec::<String>::new());
    });
    open_and_look(&console).await;
    stop.cancel();
    running.await.unwrap().unwrap();
}

/// What is left is opened, looked into, and looked into again: the answer of a look is not kept, and the next is as good.
async fn open_and_look(console: &Console) {
    let (server, workload, point) = console.ledger(|ledger| {
        let mut points = ledger.objects.iter().filter_map(|id| match id {
            ObjectId::RestorePoint(server, workload, point) => Some((server, workload, point)),
            _ => None,
        });
        let (server, workload, point) = points.next().unwrap();
        (server.clone(), workload.clone(), point.clone())
    });
    let open =
        serde_json::json!({"server": server, "workload": workload, "restorePoint": point, "session": "1"});
    console.order_with(1, 1, "restore-open", &open.to_string());
    assert!(answer(console, 1, 1).await.contains("restoreRoots"));
    for attempt in [1, 2] {
        console.order_with(2, attempt, "restore-search", r#"{"session": "1", "text": "files"}"#);
        assert!(answer(console, 2, attempt).await.contains("folder"));
    }
}

async fn answer(console: &Console, uid: u8, attempt: u32) -> String {
    let answer = || {
        console.ledger(|ledger| {
            let mut of_it =
                ledger.reports.iter().filter(|report| report.uid == [uid; 16] && report.attempt == attempt);
            of_it.find_map(|report| match &report.what {
                Some(What::Result(result)) => Some(result.result.clone()),
                _ => None,
            })
        })
    };
    until("it is answered", || answer().is_some()).await;
    answer().unwrap_or_default()
}
