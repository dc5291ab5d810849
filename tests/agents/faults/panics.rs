//! Panics: case 22. Whatever makes the host's code panic in the middle of one agent's work ends that agent's session, and no
//! other's; it comes back, and nothing is lost.

use std::backtrace::Backtrace;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use keelson::clock::{Clock, SharedClock, SystemClock};
use keelson_tests::account::settled;
use keelson_tests::simulation::{Simulation, Size};
use keelson_tests::{TestDatabase, TestHost, eventually, on_both};
use tonic::Code;

use super::super::{complete, end, enrolled, server};
use super::token;

/// A clock that panics once when it is asked from a certain part of the host: a fault that no input is known to bring about.
#[derive(Debug, Default)]
struct Trap {
    place: Mutex<Option<&'static str>>,
    sprung: AtomicU32,
}

impl Trap {
    fn set(&self, place: &'static str) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    fn sprung(&self) -> u32 {
        self.sprung.load(Ordering::SeqCst)
    }
}

impl Clock for Trap {
    fn now_ms(&self) -> i64 {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_some_and(|place| Backtrace::force_capture().to_string().contains(place)) {
            *place = None;
            drop(place);
            self.sprung.fetch_add(1, Ordering::SeqCst);
            panic!("the trap");
        }
        SystemClock.now_ms()
    }
}

async fn host(database: TestDatabase) -> (TestHost, Arc<Trap>) {
    let trap = Arc::<Trap>::default();
    let clock: SharedClock = Arc::<Trap>::clone(&trap);
    (TestHost::start_with(database, None, clock).await, trap)
}

on_both! {
    fn a_panic_in_one_agents_session_ends_that_session_with_a_reason_and_says_that_it_is_gone(database) {
        let (host, trap) = host(database).await;
        let (client, identity) = enrolled(&host).await;
        let mut session = identity.session().await.unwrap();
        trap.set("agents::session");
        session.batch(1, 1, vec![server(), complete()]).await;
        let status = end(session).await;
        assert_eq!(status.code(), Code::Internal, "{status:?}");
        assert!(status.message().contains("its log"), "{status:?}");
        eventually("the agent to be shown as gone", || async {
            let agents = client.data("/infrastructure/managementAgents").await;
            (agents[0]["connectionStatus"] == "Inaccessible").then_some(())
        })
        .await;
        session = identity.session().await.unwrap();
        session.batch(1, 1, vec![server(), complete()]).await;
        assert_eq!(session.acknowledged().await, (1, 1), "it was not stored the first time");
        assert_eq!(trap.sprung(), 1);
        host.stop().await;
    }

    fn a_panic_while_many_agents_batches_are_written_holds_none_of_them_up(database) {
        let (host, trap) = host(database).await;
        host.command(&["company", "add", "--name", "Bakery"]);
        let size = Size { agents: 4, workloads: 12, seed: 22 };
        let mut simulation = Simulation::enroll(&token(&host), size).await;
        simulation.start().await;
        settled(host.database(), || simulation.account()).await;
        for springs in 1..=5 {
            trap.set("agents::writer");
            eventually("the trap to spring", || async {
                simulation.live(1).await;
                (trap.sprung() >= springs).then_some(())
            })
            .await;
        }
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        host.stop().await;
    }
}
