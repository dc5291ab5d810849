//! The outbox: who gets which command, and whose word about it counts.

use keelson::clock::{Clock, MINUTE};
use keelson::id::{AgentUid, CommandUid, UserUid};
use keelson::model::{Command, CommandKind, NewCommand, Outcome};
use keelson::store::{Lease, Put, Refusal, Said};
use keelson_tests::{TestDatabase, on_both};
use serde_json::json;
use uuid::Uuid;

use super::fixtures::{NOW, World, agent, company};

const LEASE: i64 = MINUTE;

fn command(world: &World) -> NewCommand {
    NewCommand {
        uid: CommandUid::new(&*world.clock),
        agent: world.agent,
        kind: CommandKind::Collect,
        description: "collect".to_owned(),
        subject: None,
        payload: json!({"full": true}),
        sealed: Some(vec![1, 2, 3]),
        key: None,
        deadline: NOW + 60 * MINUTE,
        user: Some(UserUid(Uuid::from_u128(7))),
        operation: "CollectInformationFromManagementAgent".to_owned(),
    }
}

async fn put(world: &World, new: &NewCommand) -> Put {
    let mut tx = world.store.write().await.unwrap();
    let put = tx.commands().put(&*world.clock, new).await.unwrap();
    tx.commit().await.unwrap();
    put
}

async fn send_out(world: &World, agents: &[AgentUid]) -> Vec<Command> {
    let mut tx = world.store.write().await.unwrap();
    let sent = tx.commands().send_out(&*world.clock, agents, LEASE, 100).await.unwrap();
    tx.commit().await.unwrap();
    sent
}

async fn finish(world: &World, lease: Lease, outcome: &Outcome) -> Said {
    let mut tx = world.store.write().await.unwrap();
    let said = tx.commands().finish(&*world.clock, lease, outcome).await.unwrap();
    tx.commit().await.unwrap();
    said
}

async fn get(world: &World, uid: CommandUid) -> Command {
    let mut tx = world.store.read().await.unwrap();
    tx.commands().get(uid).await.unwrap().unwrap()
}

/// A command that went out, and its lease.
async fn on_its_way(world: &World) -> Lease {
    put(world, &command(world)).await;
    Lease::of(&send_out(world, &[world.agent]).await[0])
}

fn refused(said: &Said) -> Refusal {
    match said {
        Said::Refused(refusal) => *refusal,
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn world(database: &TestDatabase) -> World {
    World::new(database.store().await).await
}

on_both! {
    fn a_command_goes_out_once_and_its_end_is_kept(database) {
        let world = world(&database).await;
        let lease_of = on_its_way(&world).await;
        let mut tx = world.store.write().await.unwrap();
        let said = tx.commands().progress(&*world.clock, lease_of, LEASE, Some(140), Some("half way")).await.unwrap();
        assert!(matches!(said, Said::Noted(command) if command.progress == Some(100)));
        tx.commit().await.unwrap();
        let outcome = Outcome { done: true, message: Some("fine".to_owned()), result: Some(json!({"rows": 3})) };
        assert!(matches!(finish(&world, lease_of, &outcome).await, Said::Noted(_)));
        let over = get(&world, lease_of.command).await;
        assert_eq!(over.state, "succeeded");
        assert_eq!((over.message.as_deref(), over.result.as_deref()), (Some("fine"), Some(r#"{"rows":3}"#)));
        assert_eq!((over.sent_at, over.started_at, over.finished_at), (Some(NOW), Some(NOW), Some(NOW)));
        assert_eq!(over.sealed, None, "the secret goes with the command");
        assert!(send_out(&world, &[world.agent]).await.is_empty());
        assert!(matches!(finish(&world, lease_of, &outcome).await, Said::Again), "the agent did not hear the answer");
    }

    fn the_same_key_is_the_same_command(database) {
        let world = world(&database).await;
        let first = NewCommand { key: Some("k".to_owned()), ..command(&world) };
        assert_eq!(put(&world, &first).await, Put::New);
        let again = NewCommand { uid: CommandUid::new(&*world.clock), ..first.clone() };
        assert_eq!(put(&world, &again).await, Put::Known(first.uid));
        let other = NewCommand { uid: CommandUid::new(&*world.clock), payload: json!({}), ..first.clone() };
        assert_eq!(put(&world, &other).await, Put::Clash(first.uid));
        assert_eq!(put(&world, &command(&world)).await, Put::New, "without a key each is its own");
        let elsewhere = agent(&world.store, &world.clock, world.company).await;
        let other = NewCommand { agent: elsewhere, uid: CommandUid::new(&*world.clock), ..first };
        assert_eq!(put(&world, &other).await, Put::New, "another agent's keys are another's");
    }

    fn two_sessions_never_get_the_same_command(database) {
        let world = world(&database).await;
        for _ in 0..40 {
            put(&world, &command(&world)).await;
        }
        let take = async || {
            let mut taken = Vec::new();
            loop {
                let mut tx = world.store.write().await.unwrap();
                let some = tx.commands().send_out(&*world.clock, &[world.agent], LEASE, 3).await.unwrap();
                tx.commit().await.unwrap();
                if some.is_empty() {
                    return taken;
                }
                taken.extend(some.into_iter().map(|command| command.uid));
            }
        };
        let (mut one, other, third) = tokio::join!(take(), take(), take());
        one.extend(other);
        one.extend(third);
        // A session that met only locked rows stops early; nothing may be taken twice all the same.
        one.extend(send_out(&world, &[world.agent]).await.into_iter().map(|command| command.uid));
        one.sort_unstable();
        let all = one.len();
        one.dedup();
        assert_eq!((all, one.len()), (16, 16), "an agent has so many at once, however many wait");
    }

    fn two_open_transactions_do_not_take_the_same_command(database) {
        let world = world(&database).await;
        if database.is_sqlite() {
            // One writer at a time: the second transaction does not begin before the first ends.
            return;
        }
        put(&world, &command(&world)).await;
        let mut first = world.store.write().await.unwrap();
        let mut second = world.store.write().await.unwrap();
        let agents = [world.agent];
        assert_eq!(first.commands().send_out(&*world.clock, &agents, LEASE, 9).await.unwrap().len(), 1);
        assert!(second.commands().send_out(&*world.clock, &agents, LEASE, 9).await.unwrap().is_empty());
        first.commit().await.unwrap();
        assert!(second.commands().send_out(&*world.clock, &agents, LEASE, 9).await.unwrap().is_empty());
    }

    fn a_lease_that_runs_out_comes_back_and_its_late_result_is_refused(database) {
        let world = world(&database).await;
        let old = on_its_way(&world).await;
        assert!(send_out(&world, &[world.agent]).await.is_empty());
        world.clock.advance(LEASE);
        let again = send_out(&world, &[world.agent]).await;
        assert_eq!((again[0].uid, again[0].attempts), (old.command, old.number + 1));
        for outcome in [Outcome::done(), Outcome::failed("no")] {
            assert_eq!(refused(&finish(&world, old, &outcome).await), Refusal::OldLease);
        }
        let new = Lease::of(&again[0]);
        assert!(matches!(finish(&world, new, &Outcome::done()).await, Said::Noted(_)));
    }

    fn progress_keeps_the_lease(database) {
        let world = world(&database).await;
        let held = on_its_way(&world).await;
        for _ in 0..3 {
            world.clock.advance(LEASE - 1);
            let mut tx = world.store.write().await.unwrap();
            tx.commands().progress(&*world.clock, held, LEASE, None, None).await.unwrap();
            tx.commit().await.unwrap();
            assert!(send_out(&world, &[world.agent]).await.is_empty());
        }
    }

    fn an_agent_says_nothing_about_another_ones_command(database) {
        let world = world(&database).await;
        let held = on_its_way(&world).await;
        let stranger = agent(&world.store, &world.clock, company(&world.store, &world.clock, "B").await).await;
        assert!(send_out(&world, &[stranger]).await.is_empty());
        let said = finish(&world, Lease { agent: stranger, ..held }, &Outcome::done()).await;
        assert_eq!(refused(&said), Refusal::Foreign);
        let never = Lease { command: CommandUid::new(&*world.clock), ..held };
        assert_eq!(refused(&finish(&world, never, &Outcome::done()).await), Refusal::Unknown);
        let waiting = command(&world);
        put(&world, &waiting).await;
        let guessed = Lease { agent: world.agent, command: waiting.uid, number: 0 };
        assert_eq!(refused(&finish(&world, guessed, &Outcome::done()).await), Refusal::Unknown);
    }

    fn commands_about_the_same_thing_go_one_after_the_other(database) {
        let world = world(&database).await;
        let about = |subject| NewCommand { subject, ..command(&world) };
        let tenant = Some(Uuid::from_u128(1));
        let (first, second) = (about(tenant), about(tenant));
        let (other, free) = (about(Some(Uuid::from_u128(2))), about(None));
        for new in [&first, &second, &other, &free] {
            put(&world, new).await;
        }
        let taken: Vec<_> = send_out(&world, &[world.agent]).await;
        assert_eq!(taken.iter().map(|command| command.uid).collect::<Vec<_>>(), [first.uid, other.uid, free.uid]);
        let held = Lease::of(&taken[0]);
        assert!(send_out(&world, &[world.agent]).await.is_empty());
        finish(&world, held, &Outcome::failed("no")).await;
        assert_eq!(send_out(&world, &[world.agent]).await[0].uid, second.uid);
    }

    fn what_has_not_gone_out_can_be_taken_back(database) {
        let world = world(&database).await;
        let waiting = command(&world);
        put(&world, &waiting).await;
        let mut tx = world.store.write().await.unwrap();
        assert!(tx.commands().cancel(&*world.clock, waiting.uid).await.unwrap());
        assert!(!tx.commands().cancel(&*world.clock, waiting.uid).await.unwrap());
        tx.commit().await.unwrap();
        assert!(send_out(&world, &[world.agent]).await.is_empty(), "so it is not sent");
        let gone_out = on_its_way(&world).await;
        world.clock.advance(LEASE);
        send_out(&world, &[world.agent]).await;
        let mut tx = world.store.write().await.unwrap();
        assert!(!tx.commands().cancel(&*world.clock, gone_out.command).await.unwrap(), "the agent may have it");
    }

    fn an_overdue_command_expires_and_still_takes_a_result(database) {
        let world = world(&database).await;
        let held = on_its_way(&world).await;
        let never_sent = command(&world);
        put(&world, &NewCommand { deadline: NOW + 5, ..never_sent.clone() }).await;
        world.clock.advance(60 * MINUTE);
        assert!(send_out(&world, &[world.agent]).await.is_empty(), "nobody starts on it any more");
        let mut tx = world.store.write().await.unwrap();
        assert_eq!(tx.commands().expire(&*world.clock).await.unwrap().len(), 2);
        assert!(tx.commands().expire(&*world.clock).await.unwrap().is_empty());
        tx.commit().await.unwrap();
        assert!(get(&world, never_sent.uid).await.message.unwrap().contains("not sent"));
        assert_eq!(get(&world, held.command).await.state, "expired");
        assert!(matches!(finish(&world, held, &Outcome::done()).await, Said::Noted(_)));
        assert_eq!(get(&world, held.command).await.state, "succeeded");
    }

    fn old_commands_are_forgotten_and_open_ones_are_not(database) {
        let world = world(&database).await;
        let over = on_its_way(&world).await;
        finish(&world, over, &Outcome::done()).await;
        let open = command(&world);
        put(&world, &open).await;
        let mut tx = world.store.write().await.unwrap();
        assert_eq!(tx.commands().prune(world.clock.now_ms() + 1).await.unwrap(), 1);
        assert!(tx.commands().get(over.command).await.unwrap().is_none());
        assert!(tx.commands().get(open.uid).await.unwrap().is_some());
    }
}
