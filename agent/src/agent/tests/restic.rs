//! From a real repository to the host.

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
    enroll(Enrolment { token, data: data.clone(), driver, computer, force: false }).await.unwrap();
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
    stop.cancel();
    running.await.unwrap().unwrap();
}
