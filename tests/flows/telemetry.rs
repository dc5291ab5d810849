//! A backup goes in, an alarm comes out.

use keelson_tests::process::packages;
use keelson_tests::{Agent, HostProcess, Repository, eventually, on_both};

use super::view::{alarm, alarm_becomes, restore_points_become};

on_both! {
    fn an_old_backup_raises_an_alarm_and_a_fresh_one_resolves_it(database) {
        let host = HostProcess::start(database, Some(packages())).await;
        let client = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "bakery"]);
        let repository = Repository::create();
        repository.back_up("oven", 72);
        repository.back_up("till", 1);
        let mut agent = Agent::enroll(&token, &repository);
        agent.start();

        let raised = alarm_becomes(&client, "oven", "Error").await;
        assert_eq!(raised["object"]["type"], "BackupAgent");
        assert_eq!(raised["repeatCount"], 1);
        assert!(alarm(&client, "till", "Error").await.is_none());
        restore_points_become(&client, 2).await;

        repository.back_up("oven", 0);
        let resolved = alarm_becomes(&client, "oven", "Resolved").await;
        assert_eq!(resolved["instanceUid"], raised["instanceUid"]);
    }

    fn a_workload_that_is_forgotten_takes_its_alarm_with_it(database) {
        let host = HostProcess::start(database, Some(packages())).await;
        let client = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let repository = Repository::create();
        repository.back_up("oven", 72);
        repository.back_up("till", 1);
        let mut agent = Agent::enroll(&token, &repository);
        agent.start();
        alarm_becomes(&client, "oven", "Error").await;
        repository.forget("oven");
        let resolved = alarm_becomes(&client, "oven", "Resolved").await;
        assert_eq!(resolved["lastActivation"]["remark"], "The object is no longer reported.");
        restore_points_become(&client, 1).await;
    }

    fn an_agent_that_goes_is_inaccessible_and_comes_back_online(database) {
        let host = HostProcess::start(database, Some(packages())).await;
        let client = host.administrator();
        host.command(&["company", "add", "--name", "Bakery"]);
        let token = host.command(&["agent", "token", "--company", "Bakery"]);
        let mut agent = Agent::enroll(&token, &Repository::create());
        let becomes = async |status: &str| {
            eventually(&format!("the agent to be {status}"), || async {
                let agents = client.data("/infrastructure/managementAgents").await;
                (agents[0]["connectionStatus"] == status).then_some(())
            })
            .await;
        };
        agent.start();
        becomes("Online").await;
        agent.kill();
        becomes("Inaccessible").await;
        agent.start();
        becomes("Online").await;
    }
}
