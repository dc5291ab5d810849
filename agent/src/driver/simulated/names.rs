//! Believable names.

use keelson_proto::v1::Workload;

use crate::random::Random;

const PLACES: [&str; 16] = [
    "OSLO", "BERGEN", "TURKU", "RIGA", "GDANSK", "KIEL", "LEEDS", "CORK", "GHENT", "LILLE", "PORTO", "CADIZ",
    "TURIN", "BASEL", "GRAZ", "BRNO",
];
const SERVERS: [(&str, &str); 8] = [
    ("DC", "C:"),
    ("SQL", "C:, D:, L:"),
    ("FS", "C:, D:"),
    ("EXCH", "C:, E:"),
    ("WEB", "/, /var/www"),
    ("DB", "/, /var/lib/postgresql"),
    ("APP", "/, /opt"),
    ("PRINT", "C:"),
];
const PEOPLE: [&str; 16] = [
    "ANNA", "BJORN", "CLARA", "DAVID", "ELIN", "FELIX", "GRETA", "HUGO", "IDA", "JONAS", "KARIN", "LUCAS",
    "MAJA", "NILS", "OLGA", "PETER",
];

/// Such as `BKP-OSLO-04`.
pub(super) fn server(seed: u64, server: u32) -> String {
    let mut random = Random::for_parts(seed, &[u64::from(server)]);
    let place = random.pick(&PLACES).copied().unwrap_or_default();
    format!("BKP-{place}-{:02}", server + 1)
}

/// Such as `VCC-OSLO`: a fleet has one.
pub(super) fn site(seed: u64, server: u32) -> String {
    let mut random = Random::for_parts(seed, &[u64::from(server)]);
    format!("VCC-{}", random.pick(&PLACES).copied().unwrap_or_default())
}

/// A server or a person's laptop; the number makes the name the only one on its server.
pub(super) fn workload(seed: u64, server: u32, index: u32, server_key: &str) -> Workload {
    let mut random = Random::for_parts(seed, &[u64::from(server), u64::from(index), 1]);
    let number = index + 1;
    let (name, mode, items) = if random.below(10) < 6 {
        let (role, items) = random.pick(&SERVERS).copied().unwrap_or_default();
        (format!("{role}-{number:02}"), "server", items)
    } else {
        let person = random.pick(&PEOPLE).copied().unwrap_or_default();
        (format!("LT-{person}-{number:02}"), "workstation", r"C:\Users")
    };
    Workload {
        server_key: server_key.to_owned(),
        key: format!("{server_key}-{index}"),
        name,
        kind: "computer".to_owned(),
        operation_mode: mode.to_owned(),
        backed_up_items: items.to_owned(),
        details: None,
    }
}
