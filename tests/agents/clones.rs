//! One identity on two machines, and an agent that cannot stay.

use keelson_tests::wait::eventually;
use keelson_tests::{TestHost, on_both};
use serde_json::{Value, json};
use tonic::Code;

use super::{complete, computers, end, enrolled, point, server, workload};

async fn agent(client: &keelson_tests::Client) -> Value {
    client.data("/infrastructure/managementAgents").await[0].take()
}

on_both! {
    fn two_machines_with_one_identity_are_both_heard_and_shown(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let first = identity.session_of(b"one").await.unwrap();
        let second = identity.session_of(b"two").await.unwrap();
        assert_eq!(end(first).await.code(), Code::Aborted, "the older one is told why");
        assert_eq!(agent(&client).await["cloneSeenTime"], json!(null), "a restart looks the same");
        let mut back = identity.session_of(b"one").await.unwrap();
        assert_eq!(end(second).await.code(), Code::Aborted);
        let shown = eventually("the suspicion to show", || async {
            let shown = agent(&client).await;
            shown["cloneSeenTime"].is_string().then_some(shown)
        })
        .await;
        assert!(shown["cloneReason"].as_str().unwrap().contains("take turns"), "{shown}");
        back.batch(1, 1, vec![server(), workload("oven"), complete()]).await;
        assert_eq!(back.acknowledged().await, (1, 1));
        assert_eq!(computers(&client).await, ["oven"]);
        host.stop().await;
    }

    fn an_agent_that_comes_back_again_and_again_is_no_clone(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        for _ in 0..5 {
            identity.session().await.unwrap();
        }
        let _session = identity.session_of(b"after a restart").await.unwrap();
        assert_eq!(agent(&client).await["cloneSeenTime"], json!(null));
        host.stop().await;
    }

    fn an_agent_that_comes_and_goes_without_end_is_told_when_to_come(database) {
        let host = TestHost::start(database).await;
        let (_client, identity) = enrolled(&host).await;
        let mut refused = None;
        for _ in 0..100 {
            if let Err(status) = identity.session().await {
                refused = Some(status);
                break;
            }
        }
        let refused = refused.expect("a refusal");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains("may come again in"), "{refused:?}");
        host.stop().await;
    }

    fn the_good_batches_before_a_bad_one_count(database) {
        let host = TestHost::start(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        session.batch(7, 1, vec![server(), workload("oven")]).await;
        session.batch(7, 2, vec![workload("mixer")]).await;
        session.batch(7, 3, vec![point("ghost", "a")]).await;
        session.batch(7, 4, vec![workload("scale")]).await;
        let mut acknowledged = Vec::new();
        let status = loop {
            match session.next().await {
                Ok(Some(message)) => acknowledged.push(message),
                Ok(None) => panic!("no reason"),
                Err(status) => break status,
            }
        };
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(acknowledged.len(), 2);
        assert_eq!(computers(&client).await, ["mixer", "oven"]);
        host.stop().await;
    }
}
