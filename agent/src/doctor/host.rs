//! The way to the host, address by address, and what the host says.

use std::time::Duration;

use keelson_proto::v1::console_client::ConsoleClient;
use keelson_proto::v1::{StatusRequest, StatusResponse};
use tokio::net::lookup_host;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::finding::{Finding, Level};
use crate::clock::Clock;
use crate::config::Settings;
use crate::error::{chain, spoken};
use crate::identity::Identity;
use crate::session::SessionError;
use crate::tls::{Address, Connection, TlsCredentials, open, reach};

/// A resolver may ask several servers in turn.
const RESOLVE: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(15);
/// Beyond this the times that people see do not fit each other; certificates bear with an hour.
const SKEW: i64 = 10_000;
const GRAVE_SKEW: i64 = 15 * 60_000;

/// Tries each address, and asks the first that answers.
pub(super) async fn examine(settings: &Settings, identity: &Identity, clock: &dyn Clock) -> Vec<Finding> {
    let (mut findings, mut failed) = (Vec::new(), Vec::new());
    let mut answered = None;
    for address in &settings.addresses {
        let (found, connection) = way(address, &identity.credentials).await;
        match connection {
            Some(connection) => {
                findings.extend(found);
                answered = answered.or(Some(connection));
            }
            None => failed.extend(found),
        }
    }
    if answered.is_some() {
        // The agent tries one after the other: one that does is enough.
        for finding in failed.iter_mut().filter(|finding| finding.is_failure()) {
            finding.level = Level::Warn;
        }
    }
    findings.extend(failed);
    if let Some(connection) = answered {
        findings.extend(ask(connection, clock).await);
    }
    findings
}

async fn way(address: &Address, credentials: &TlsCredentials) -> (Vec<Finding>, Option<Connection>) {
    let mut findings = vec![resolve(address).await];
    if findings.iter().any(Finding::is_failure) {
        return (findings, None);
    }
    let tcp = match reach(address).await {
        Ok(tcp) => tcp,
        Err(error) => {
            let advice = format!("let this machine connect to {address} by TCP, and see that the host runs");
            findings.push(Finding::fail("tcp", chain(&error), advice));
            return (findings, None);
        }
    };
    findings.push(Finding::ok("tcp", format!("{address} is open")));
    match open(address, tcp, credentials).await {
        Ok(connection) => {
            let message =
                format!("{address} is the host: its chain has the pin, and it speaks TLS 1.3 with h2");
            findings.push(Finding::ok("tls", message));
            (findings, Some(connection))
        }
        Err(error) => {
            let advice =
                format!("let {address} through as it is; the host lists what it saw under /diagnostics/tls");
            let event = error.event();
            findings.push(Finding { event, ..Finding::fail("tls", chain(&error), advice) });
            (findings, None)
        }
    }
}

async fn resolve(address: &Address) -> Finding {
    let failed = |why: String| {
        let advice = "mend DNS or the hosts file, or enrol with a name that this machine knows";
        Finding::fail("name", format!("{} cannot be resolved: {why}", address.host()), advice)
    };
    match timeout(RESOLVE, lookup_host((address.host(), address.port()))).await {
        Ok(Ok(found)) => {
            let mut found: Vec<_> = found.map(|one| one.ip().to_string()).collect();
            found.dedup();
            if found.is_empty() {
                return failed("it has no address".to_owned());
            }
            Finding::ok("name", format!("{} is {}", address.host(), found.join(", ")))
        }
        Ok(Err(error)) => failed(error.to_string()),
        Err(_) => failed(format!("no answer within {} s", RESOLVE.as_secs())),
    }
}

async fn ask(connection: Connection, clock: &dyn Clock) -> Vec<Finding> {
    let mut client = ConsoleClient::new(connection.channel);
    let before = clock.now_ms();
    match timeout(ANSWER, client.status(StatusRequest {})).await {
        Ok(Ok(answer)) => {
            let after = clock.now_ms();
            let answer = answer.into_inner();
            let admitted = Finding::ok("admitted", "the host takes this agent's certificate");
            vec![admitted, time(&answer, before, after), version(&answer.host_version)]
        }
        Ok(Err(status)) => vec![refused(&status)],
        Err(_) => {
            let message = format!("the host has not answered within {} s", ANSWER.as_secs());
            vec![Finding::fail("admitted", message, "look at the host: its database may be busy or away")]
        }
    }
}

fn refused(status: &Status) -> Finding {
    const CHECK: &str = "admitted";
    const ENROL: &str = "enrol again with `keelson-agent enroll --force` and a new token";
    let error = SessionError::from_status(status);
    match (&error, status.code()) {
        (SessionError::Stripped, _) => {
            let advice = "have whatever ends TLS there pass the port through as TCP";
            Finding { event: error.event(), ..Finding::fail(CHECK, error.to_string(), advice) }
        }
        (_, Code::Unimplemented) => {
            let advice = "update the host; until then compare clocks and versions yourself";
            Finding::warn(CHECK, "the host is of an earlier version, which cannot be asked", advice)
        }
        (SessionError::Unwelcome, _) => Finding::fail(CHECK, chain(&error), ENROL),
        (_, Code::Unauthenticated) => Finding::fail(CHECK, spoken(status), ENROL),
        _ => Finding::fail(CHECK, spoken(status), "look at the host's log, and try again"),
    }
}

/// The host's clock against the middle of the call.
fn time(answer: &StatusResponse, before: i64, after: i64) -> Finding {
    let ahead = before.midpoint(after).saturating_sub(answer.host_time);
    let message = match ahead.unsigned_abs() / 1000 {
        0 => "this clock and the host's agree".to_owned(),
        seconds if ahead > 0 => format!("this clock is {seconds} s ahead of the host's"),
        seconds => format!("this clock is {seconds} s behind the host's"),
    };
    let advice = "let both machines take the time from NTP";
    match ahead.saturating_abs() {
        skew if skew > GRAVE_SKEW => Finding::fail("clock", message, advice),
        skew if skew > SKEW => Finding::warn("clock", message, advice),
        _ => Finding::ok("clock", message),
    }
}

fn version(host: &str) -> Finding {
    let own = crate::VERSION;
    if host == own {
        return Finding::ok("version", format!("agent and host are {own}"));
    }
    let advice = "update the older of the two; one minor version between them does no harm";
    Finding::warn("version", format!("this agent is {own}, the host {host}"), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_is_told_with_its_direction() {
        let answer = |host_time| StatusResponse { host_time, host_version: String::new() };
        let level = |found: &Finding| found.level;
        let fair = time(&answer(1_000), 500, 1_500);
        assert_eq!((level(&fair), fair.message.as_str()), (Level::Ok, "this clock and the host's agree"));
        let behind = time(&answer(60_000), 0, 0);
        assert_eq!(
            (level(&behind), behind.message.as_str()),
            (Level::Warn, "this clock is 60 s behind the host's")
        );
        assert_eq!(level(&time(&answer(0), GRAVE_SKEW + 1, GRAVE_SKEW + 1)), Level::Fail);
        assert_eq!(level(&time(&answer(i64::MIN), i64::MAX, i64::MAX)), Level::Fail);
    }

    #[test]
    fn an_older_host_is_no_failure_and_a_removed_agent_is() {
        assert_eq!(refused(&Status::unimplemented("")).level, Level::Warn);
        let removed = refused(&Status::unauthenticated("no longer admitted"));
        assert!(removed.is_failure() && removed.advice.contains("--force"), "{removed:?}");
        assert!(refused(&Status::unavailable("busy")).is_failure());
    }
}
