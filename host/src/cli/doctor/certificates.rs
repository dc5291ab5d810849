//! The host's CA and its server certificate: for how long, and for which names.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::Ward;
use super::finding::Finding;
use crate::clock::DAY;

/// What a certificate says that matters here.
struct Shown {
    from: i64,
    until: i64,
    names: Vec<String>,
}

pub(super) fn examine(ward: &Ward<'_>) -> Vec<Finding> {
    let pki = ward.data.join("pki");
    if !pki.join("ca.key").exists() {
        return vec![Finding::ok("ca", "not there yet: the first start makes it")];
    }
    let mut findings = vec![authority(&pki.join("ca.pem"), ward.now)];
    if pki.join("server.pem").exists() {
        findings.push(server(&pki.join("server.pem"), ward));
    }
    findings
}

fn authority(path: &Path, now: i64) -> Finding {
    let Some(shown) = read(path) else {
        let advice = "restore it from a backup: a new CA would lock out every enrolled agent";
        return Finding::fail("ca", format!("{} cannot be read", path.display()), advice);
    };
    let left = (shown.until - now).div_euclid(DAY);
    let message = format!("{left} days left");
    if now < shown.from {
        Finding::fail("ca", "it begins in the future: this machine's clock is behind", "set the clock")
    } else if left < 0 {
        Finding::fail("ca", message, "every agent must be enrolled again with a new CA")
    } else if left < 365 {
        Finding::warn("ca", message, "plan to enrol the agents again: they stop when it ends")
    } else {
        Finding::ok("ca", message)
    }
}

fn server(path: &Path, ward: &Ward<'_>) -> Finding {
    const CHECK: &str = "certificate";
    const RESTART: &str = "restart the host: a start makes a new one";
    let Some(shown) = read(path) else {
        return Finding::fail(
            CHECK,
            format!("{} cannot be read", path.display()),
            "remove it and its key, and restart the host",
        );
    };
    let left = (shown.until - ward.now).div_euclid(DAY);
    let message = format!("{left} days left, for {}", shown.names.join(", "));
    let name = ward.name();
    if ward.now < shown.from || left < 0 {
        return Finding::fail(CHECK, message, RESTART);
    }
    if !shown.names.contains(&name) {
        let message = format!("{message}; agents and browsers look for {name}");
        // One that does not run makes another before anybody sees this one.
        return if ward.running.is_some() {
            Finding::fail(CHECK, message, RESTART)
        } else {
            Finding::warn(CHECK, message, "the next start makes a new one")
        };
    }
    if left < 30 { Finding::warn(CHECK, message, RESTART) } else { Finding::ok(CHECK, message) }
}

fn read(path: &Path) -> Option<Shown> {
    let der = CertificateDer::from_pem_file(path).ok()?;
    let (_, certificate) = parse_x509_certificate(&der).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    let validity = certificate.validity();
    Some(Shown {
        from: validity.not_before.timestamp().saturating_mul(1000),
        until: validity.not_after.timestamp().saturating_mul(1000),
        names: names.collect(),
    })
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
    let address = four.or_else(|_| <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from));
    address.ok().map(|address| address.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;
    use crate::app::RunFile;
    use crate::clock::ManualClock;
    use crate::config::Config;
    use crate::pki::Pki;

    #[test]
    fn the_hosts_own_certificates_are_read_and_a_name_that_is_missing_is_seen() {
        const START: i64 = 1_780_000_000_000;
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(START);
        let pki = Pki::open(data.path(), &*clock).unwrap();
        pki.api_tls(&["console.example".to_owned(), "127.0.0.1".to_owned()], &*clock).unwrap();
        let levels = |name: &str, now| {
            let config = Config { advertise: Some(name.to_owned()), ..Config::default() };
            let found = examine(&Ward { data: data.path(), config, running: None, now });
            found.iter().map(|one| one.level).collect::<Vec<_>>()
        };
        assert_eq!(levels("console.example", START), [Level::Ok, Level::Ok]);
        assert_eq!(levels("127.0.0.1", START), [Level::Ok, Level::Ok]);
        assert_eq!(levels("other.example", START), [Level::Ok, Level::Warn]);
        assert_eq!(levels("console.example", START + 380 * DAY), [Level::Ok, Level::Warn]);
        assert_eq!(levels("console.example", START + 400 * DAY), [Level::Ok, Level::Fail]);
        assert_eq!(levels("console.example", START - 2 * DAY), [Level::Fail, Level::Fail]);
    }

    #[test]
    fn a_running_hosts_certificate_is_judged_by_the_name_that_it_was_started_with() {
        const START: i64 = 1_780_000_000_000;
        let data = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(START);
        let pki = Pki::open(data.path(), &*clock).unwrap();
        pki.api_tls(&["console.example".to_owned()], &*clock).unwrap();
        let ward = |set: Option<&str>, told: &str| {
            let config = Config { advertise: set.map(str::to_owned), ..Config::default() };
            Ward { data: data.path(), config, running: Some(running(told)), now: START }
        };
        let levels = |set: Option<&str>, told: &str| {
            let ward = ward(set, told);
            let found = examine(&ward).pop().unwrap();
            (super::super::name(&ward).level, found.level)
        };
        assert_eq!(levels(None, "console.example"), (Level::Ok, Level::Ok));
        assert_eq!(levels(Some("other.example"), "console.example"), (Level::Warn, Level::Ok));
        assert_eq!(levels(Some("console.example"), "other.example"), (Level::Warn, Level::Fail));
    }

    fn running(advertise: &str) -> RunFile {
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
        RunFile {
            pid: std::process::id(),
            api: any,
            agents_remote: any,
            agents_hosted: any,
            health: any,
            advertise: advertise.to_owned(),
            ca_fingerprint: String::new(),
            ca_file: std::path::PathBuf::new(),
        }
    }
}
