//! What agents were told to do. What is open is due in a month, so that the rows stay as they are.

use super::numbers::{Thing, chance, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet};

const KINDS: [(&str, &str, &str); 4] = [
    ("collect", "DataCollectionJob", "Collect data"),
    ("job-start", "VBRJobActionExecution", "Start the job „Täglich VMs“"),
    ("agent-update", "ManagementAgentUpdate", "Update the management agent"),
    ("computer-reboot", "ComputerReboot", "Restart the computer"),
];
const STATES: [&str; 7] = ["succeeded", "succeeded", "failed", "canceled", "expired", "succeeded", "pending"];

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    let table = rows!("commands", 0..fleet.scale.servers * 2, |n| (
        kind = one_of(&KINDS, n),
        state = one_of(&STATES, n),
        agent = n / 2,
        made = fleet.made(n, fleet.scale.servers * 2),
        is_over = state != "pending",
        was_sent = matches!(state, "succeeded" | "failed"),
    ) {
        position: n + 1,
        uid: Thing::Command.at(n),
        agent_uid: Thing::Agent.at(agent),
        kind: kind.0,
        task_type: kind.1,
        description: kind.2,
        subject_uid: (kind.0 == "job-start").then(|| Thing::Job.at(agent * super::jobs::EACH)),
        payload: "{}",
        idempotency_key: format!("seed-{n}"),
        state: state,
        attempts: i64::from(was_sent),
        created_at: made,
        deadline: fleet.now + 30 * DAY,
        sent_at: was_sent.then_some(made + 200),
        started_at: was_sent.then_some(made + 400),
        finished_at: is_over.then(|| made + 1_000 + chance(n, 1, 60_000)),
        progress: was_sent.then_some(100_i64),
        message: (state == "failed").then_some("Der Dienst antwortet nicht."),
        result: (state == "succeeded").then_some("{}"),
        user_uid: fleet.user_of_provider(0),
        operation: "CollectBackupServerData",
    });
    vec![table]
}
