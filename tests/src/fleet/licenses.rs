//! A licence on each backup server but every twentieth, in all states.

use super::numbers::{Thing, one_of};
use super::table::{Table, rows};
use super::{DAY, Fleet};

pub(super) fn tables(fleet: Fleet) -> Vec<Table> {
    const TYPES: [&str; 6] = ["Rental", "Rental", "Subscription", "Rental", "Perpetual", "NFR"];
    let licensed = (0..fleet.agents()).filter(|n| n % 20 != 19);
    let table = rows!("server_licenses", licensed, |n| (
        kind = one_of(&TYPES, n),
        sockets = kind == "Perpetual",
        ends = fleet.now + (n * 7 % 400 - 20) * DAY,
        units = 10.0 + f64::from(i32::try_from(n % 300).unwrap_or_default()),
    ) {
        server_uid: Thing::Server.at(n),
        agent_uid: Thing::Agent.at(n),
        company_uid: fleet.owner_of(n),
        type: kind,
        status: if ends < fleet.now { "Expired" } else { "Valid" },
        edition: "Enterprise Plus",
        company: "Café Müller GmbH",
        contact_person: "Ada Check",
        email: "ada@example.test",
        license_ids: format!(r#"["{}"]"#, Thing::Foreign.at(n)),
        support_ids: format!(r#"["{:08}"]"#, n),
        expires_at: (!sockets).then_some(ends),
        support_expires_at: ends,
        auto_update: n % 2 == 0,
        cloud_connect: one_of(&["No", "Yes", "Enterprise"], n),
        packages: r#"["Suite"]"#,
        unit_type: one_of(&["Points", "Instances"], n),
        units: units,
        used_units: units * 0.9,
        new_units: 0.0,
        rental_units: units * 0.9,
        sockets: sockets.then_some(8.0),
        used_sockets: sockets.then_some(6.0),
        capacity: (n % 3 == 0).then_some(50.0),
        used_capacity: (n % 3 == 0).then_some(12.5),
        uses: r#"[{"type":"Server","count":9,"multiplier":1.0,"usedUnits":9.0}]"#,
        epoch: 1_i64,
    });
    vec![table]
}
