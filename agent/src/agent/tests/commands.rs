//! What the host wants done.

use keelson_proto::v1::{CommandResult, command_report::What};

use super::*;

/// The results that were said of a command, with their attempts.
fn results(stage: &Stage, uid: u8) -> Vec<(u32, CommandResult)> {
    stage.console.ledger(|ledger| {
        let of_it = ledger.reports.iter().filter(|report| report.uid == vec![uid; 16]);
        let result = of_it.filter_map(|report| match &report.what {
            Some(What::Result(result)) => Some((report.attempt, result.clone())),
            _ => None,
        });
        result.collect()
    })
}

async fn answered(stage: &Stage, uid: u8, times: usize) -> Vec<(u32, CommandResult)> {
    until("the command is answered", || results(stage, uid).len() >= times).await;
    results(stage, uid)
}

async fn stage() -> (Stage, Running) {
    let stage = Stage::new(Some(inventory("s", &[("a", 3)]))).await;
    let running = stage.run().await;
    stage.until_host_has(&[("a", 3)]).await;
    (stage, running)
}

#[tokio::test]
async fn a_wish_to_collect_brings_the_whole_inventory_anew() {
    let (stage, running) = stage().await;
    let epochs = stage.console.ledger(|ledger| ledger.complete.len());
    stage.console.order(1, 1, "collect");
    let answers = answered(&stage, 1, 1).await;
    assert!(answers[0].1.done, "{answers:?}");
    until("it is there once more", || stage.console.ledger(|ledger| ledger.complete.len() > epochs)).await;
    stage.until_host_has(&[("a", 3)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_command_that_comes_again_is_answered_and_not_done_again() {
    let (stage, running) = stage().await;
    stage.console.order(1, 1, "deed");
    answered(&stage, 1, 1).await;
    stage.console.order(1, 2, "deed");
    let answers = answered(&stage, 1, 2).await;
    assert_eq!((answers[0].0, answers[1].0), (1, 2), "each under the attempt that it was asked under");
    assert_eq!(answers[0].1, answers[1].1);
    assert_eq!(stage.driver.deeds(), 1);
    // Not even by an agent that was killed since.
    let hellos = stage.console.ledger(|ledger| ledger.hellos.len());
    running.kill().await;
    let running = stage.run().await;
    until("it is back", || stage.console.ledger(|ledger| ledger.hellos.len() > hellos)).await;
    stage.console.order(1, 3, "deed");
    assert_eq!(answered(&stage, 1, 3).await.last().unwrap().0, 3);
    assert_eq!(stage.driver.deeds(), 1);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_result_that_was_not_heard_is_said_again_in_the_next_session() {
    let (stage, running) = stage().await;
    stage.console.ledger(|ledger| ledger.deaf = true);
    stage.console.order(1, 7, "deed");
    answered(&stage, 1, 1).await;
    stage.console.cut();
    answered(&stage, 1, 2).await;
    stage.console.ledger(|ledger| ledger.deaf = false);
    stage.console.cut();
    let answers = answered(&stage, 1, 3).await;
    assert!(answers.iter().all(|(attempt, result)| *attempt == 7 && result.done), "{answers:?}");
    let hellos = stage.console.ledger(|ledger| ledger.hellos.len());
    stage.console.cut();
    until("a session more", || stage.console.ledger(|ledger| ledger.hellos.len() > hellos)).await;
    stage.console.order(2, 1, "deed");
    answered(&stage, 2, 1).await;
    assert_eq!(results(&stage, 1).len(), 3, "what was heard is not said again");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_an_engine_cannot_do_is_refused_with_the_reason() {
    let (stage, running) = stage().await;
    stage.console.order(1, 1, "make-coffee");
    let answers = answered(&stage, 1, 1).await;
    assert!(!answers[0].1.done && answers[0].1.message.contains("make-coffee"), "{answers:?}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_is_to_start_anew_ends_after_its_last_word() {
    let (stage, running) = stage().await;
    stage.console.order(1, 1, "agent-restart");
    assert_eq!(running.task.await.unwrap().unwrap(), Ended::Restart);
    assert!(results(&stage, 1)[0].1.done);
    let running = stage.run().await;
    stage.until_host_has(&[("a", 3)]).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_that_was_removed_forgets_who_it_was() {
    let (stage, running) = stage().await;
    stage.console.order(1, 1, "agent-revoke");
    assert_eq!(running.task.await.unwrap().unwrap(), Ended::Removed);
    let error = stage.open().await.unwrap_err();
    assert!(matches!(error, AgentError::Identity(_)), "{error}");
}
