//! Who an agent is, and which certificates it may use.

use keelson::model::{Door, Scope};
use keelson::store::list::ListQuery;
use keelson::store::{AGENTS, NewJoinToken};
use keelson_tests::on_both;

use super::fixtures::{NOW, World, company, rows};

on_both! {
    fn a_former_certificate_is_good_until_the_new_one_was_seen(database) {
        let world = World::new(database.store().await).await;
        let mut tx = world.store.write().await.unwrap();
        for lost_answer in [[5; 32], [6; 32]] {
            tx.agents().renew(world.agent, &lost_answer, &[7; 32]).await.unwrap();
        }
        tx.agents().renew(world.agent, &[8; 32], &[7; 32]).await.unwrap();
        assert!(tx.agents().admit(world.agent, &[7; 32]).await.unwrap(), "the answer may have been lost");
        assert!(tx.agents().admit(world.agent, &[8; 32]).await.unwrap());
        assert!(!tx.agents().admit(world.agent, &[7; 32]).await.unwrap());
        assert!(!tx.agents().admit(world.agent, &[9; 32]).await.unwrap());
    }

    fn a_join_token_has_its_uses_and_its_time(database) {
        let world = World::new(database.store().await).await;
        let mut tx = world.store.write().await.unwrap();
        let location_uid = tx.companies().default_location(world.company).await.unwrap().unwrap();
        let new = NewJoinToken {
            account_uid: None,
            company_uid: world.company,
            location_uid,
            hash: [1; 32],
            door: Door::Remote,
            uses: 2,
            expires_at: NOW + 10,
        };
        let uid = tx.join_tokens().create(&*world.clock, &new).await.unwrap();
        assert!(tx.join_tokens().take_use(&*world.clock, uid).await.unwrap());
        world.clock.advance(10);
        assert!(!tx.join_tokens().take_use(&*world.clock, uid).await.unwrap(), "its time is over");
        world.clock.advance(-10);
        assert!(tx.join_tokens().take_use(&*world.clock, uid).await.unwrap());
        assert!(!tx.join_tokens().take_use(&*world.clock, uid).await.unwrap(), "it is used up");
    }

    fn an_agent_is_seen_by_its_company_only(database) {
        let world = World::new(database.store().await).await;
        let other = company(&world.store, &world.clock, "Other").await;
        let all = ListQuery::default();
        for (company, expected) in [(world.company, 1), (other, 0)] {
            let (total, _) = rows(&world.store, &AGENTS, Scope::Company(company), &all).await;
            assert_eq!(total, expected);
        }
    }
}
