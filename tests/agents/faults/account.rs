//! The checker is checked: whatever is wrong, it says so.

use keelson_tests::account::{differences, of_host, settled};
use keelson_tests::on_both;

use super::place;

on_both! {
    fn the_checker_finds_whatever_is_changed_behind_the_hosts_back(database) {
        let (host, mut simulation) = place(database, 2, 6).await;
        simulation.start().await;
        settled(host.database(), || simulation.account()).await;
        simulation.stop().await;
        let first = "(SELECT min(uid) FROM workloads)";
        let first = if host.database().is_sqlite() { first.to_owned() } else {
            first.replace("min(uid)", "uid").replace("workloads)", "workloads ORDER BY uid LIMIT 1)")
        };
        let other = "(SELECT uid FROM agents WHERE uid <> workloads.agent_uid LIMIT 1)";
        for (bug, statement) in [
            ("a workload lost", format!("UPDATE workloads SET gone_at = 1 WHERE uid = {first}")),
            ("a point lost", format!("DELETE FROM restore_points WHERE workload_uid = {first} AND latest")),
            ("a point changed", format!("UPDATE restore_points SET size = size + 1 WHERE workload_uid = {first}")),
            ("a count doubled", format!("UPDATE workloads SET restore_points = 2 * restore_points WHERE uid = {first}")),
            ("of another agent", format!("UPDATE workloads SET agent_uid = {other} WHERE uid = {first}")),
            ("a job changed", "UPDATE backup_jobs SET status = 'Idle'".to_owned()),
            ("a backup lost", format!("DELETE FROM workload_backups WHERE workload_uid = {first}")),
            ("a repository changed", "UPDATE backup_repositories SET free_space = free_space - 1".to_owned()),
            ("a licence lost", "DELETE FROM server_licenses".to_owned()),
            ("a session lost", "DELETE FROM job_sessions".to_owned()),
        ] {
            host.execute(&statement).await;
            let found = differences(&of_host(host.database()).await, &simulation.account());
            assert!(!found.is_empty(), "{bug} is not seen");
            // A new epoch mends it.
            for agent in 0..2 {
                let spool = simulation.folder(agent).spool();
                for suffix in ["", "-wal", "-shm"] {
                    drop(std::fs::remove_file(format!("{}{suffix}", spool.display())));
                }
            }
            simulation.clock.advance(1);
            if bug == "of another agent" {
                let owner = "(SELECT s.agent_uid FROM backup_servers s WHERE s.uid = workloads.server_uid)";
                host.execute(&format!("UPDATE workloads SET agent_uid = {owner}")).await;
            }
            simulation.start().await;
            settled(host.database(), || simulation.account()).await;
            simulation.stop().await;
        }
        host.stop().await;
    }
}

#[test]
fn the_checker_knows_each_kind_of_difference() {
    use keelson_tests::account::Row;
    let row = |kind: &str, agent: &str, key: &str, content: &str| Row {
        kind: kind.to_owned(),
        agent: agent.to_owned(),
        key: key.to_owned(),
        content: content.to_owned(),
    };
    let account = [row("point", "a", "1", "x"), row("point", "a", "2", "y"), row("session", "a", "s", "z")];
    let said = |host: &[Row]| differences(host, &account).join("; ");
    assert_eq!(said(&account), "");
    let [one, two, session] = account.clone();
    assert!(said(&[one.clone(), session.clone()]).starts_with("lost: point 2"));
    assert!(said(&[one.clone(), two.clone()]).starts_with("lost: session s"));
    let with = |more: Row| [one.clone(), two.clone(), session.clone(), more];
    assert!(said(&with(one.clone())).starts_with("twice: point 1"));
    assert!(said(&with(row("point", "a", "3", "x"))).starts_with("too much: point 3"));
    assert!(said(&with(row("point", "b", "1", "x"))).starts_with("too much: point 1 of b"));
    assert_eq!(said(&with(row("session", "a", "older", "x"))), "", "an event is not taken back");
    assert!(said(&with(row("session", "b", "older", "x"))).starts_with("too much"));
    assert!(said(&[row("point", "a", "1", "changed"), two, session]).contains("should be point 1"));
}
