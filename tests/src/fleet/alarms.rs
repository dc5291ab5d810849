//! Alarms of the two shipped rules: on workloads that fail, and on agents that are away.

use uuid::Uuid;

use super::infrastructure::Place;
use super::numbers::{Thing, chance};
use super::table::{Table, rows};
use super::{DAY, Fleet, HOUR, names};

/// An alarm: what is wrong, with what, where.
struct Trouble {
    n: i64,
    agent: i64,
    of_computer: bool,
    object: Uuid,
    name: String,
    solved: bool,
    at: i64,
}

impl Fleet {
    fn troubles(self) -> impl Iterator<Item = Trouble> + Send {
        let late = (0..self.scale.workloads.min(50_000))
            .map(move |n| self.workload(n))
            .filter(|workload| workload.kind == "computer" && matches!(workload.n % 100, 0 | 7 | 8 | 9 | 20))
            .map(|workload| (workload.agent, true, workload.uid(), names::machine(workload.n)));
        let away = (0..self.scale.servers)
            .filter(|agent| agent % 40 == 2)
            .map(|agent| (agent, false, Thing::Agent.at(agent), names::machine(agent)));
        let with_owner =
            late.chain(away).filter(move |(agent, ..)| matches!(self.place_of(*agent), Place::Company(_)));
        with_owner.zip(0..).map(move |((agent, of_computer, object, name), n)| Trouble {
            n,
            agent,
            of_computer,
            object,
            name,
            solved: n % 5 == 4,
            at: self.now - chance(n, 1, 20 * DAY),
        })
    }
}

impl Trouble {
    fn status(&self) -> &'static str {
        match (self.solved, self.of_computer) {
            (true, _) => "Resolved",
            (false, true) => "Error",
            (false, false) => "Warning",
        }
    }
}

const MESSAGE: &str = "No restore point within the RPO of 24 h";

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    vec![templates(), alarms(fleet), activations(fleet)]
}

/// As the host writes them when it loads the shipped plugin; it finds these.
fn templates() -> Table {
    const RULES: [(&str, &str, &str, &str, &str); 2] = [
        (
            "computer-without-backup",
            "computer",
            "Computer without backup",
            "BackupAgent",
            r#"{"rpoHours":24}"#,
        ),
        (
            "management-agent-connection-lost",
            "management-agent",
            "Management agent connection lost",
            "ManagementAgent",
            "{}",
        ),
    ];
    rows!("alarm_templates", RULES.into_iter().zip(0..), |((rule, subject, name, category, parameters), n)| () {
        uid: Thing::Template.at(n),
        plugin: "keelson.alert-rules",
        rule: rule,
        subject: subject,
        internal_id: n,
        name: name,
        name_folded: name.to_lowercase(),
        category: category,
        enabled: true,
        predefined: true,
        parameters: parameters,
        summary: "Something is not as it must be.",
        cause: "A machine was off, or out of reach.",
        resolution: "Look at the machine.",
    })
}

fn alarms(fleet: Fleet) -> Table {
    rows!("alarms", fleet.troubles(), |trouble| () {
        uid: Thing::Alarm.at(trouble.n),
        template_uid: Thing::Template.at(i64::from(!trouble.of_computer)),
        company_uid: fleet.owner_of(trouble.agent),
        location_uid: fleet.location_of(trouble.agent),
        agent_uid: Thing::Agent.at(trouble.agent),
        object_type: if trouble.of_computer { "BackupAgent" } else { "ManagementAgent" },
        object_uid: trouble.object,
        object_name_folded: trouble.name.to_lowercase(),
        object_name: trouble.name.clone(),
        computer_name: trouble.name.clone(),
        activation_uid: Thing::Activation.at(trouble.n * 2 + i64::from(trouble.solved)),
        status: trouble.status(),
        message: MESSAGE,
        remark: if trouble.solved { "Wieder da" } else { "" },
        changed_at: trouble.at,
        repeat_count: 1 + trouble.n % 3,
    })
}

fn activations(fleet: Fleet) -> Table {
    let all = fleet.troubles().flat_map(|trouble| {
        let raised =
            (trouble.n * 2, trouble.n, if trouble.of_computer { "Error" } else { "Warning" }, trouble.at);
        let first =
            (raised.0, raised.1, raised.2, if trouble.solved { trouble.at - HOUR } else { trouble.at });
        let last = trouble.solved.then_some((trouble.n * 2 + 1, trouble.n, "Resolved", trouble.at));
        std::iter::once(first).chain(last)
    });
    rows!("alarm_activations", all, |(activation, alarm, status, at)| () {
        uid: Thing::Activation.at(activation),
        alarm_uid: Thing::Alarm.at(alarm),
        status: status,
        message: MESSAGE,
        remark: if status == "Resolved" { "Wieder da" } else { "" },
        created_at: at,
    })
}
