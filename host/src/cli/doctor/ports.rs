//! The host's ports: free, or held by the host that runs on this folder.

use std::io::ErrorKind;
use std::net::SocketAddr;

use super::Ward;
use super::finding::Finding;
use crate::agents;
use crate::app::RunFile;

/// What a port is for, where it is set to be, and where the running host has it.
type Port = (&'static str, SocketAddr, fn(&RunFile) -> SocketAddr);

pub(super) fn examine(ward: &Ward<'_>) -> Vec<Finding> {
    let config = &ward.config;
    let ports: [Port; 4] = [
        ("the API", config.api, |run| run.api),
        ("remote agents", config.agents_remote, |run| run.agents_remote),
        ("hosted agents", config.agents_hosted, |run| run.agents_hosted),
        ("health", config.health, |run| run.health),
    ];
    let mut findings = Vec::new();
    for (what, wanted, held) in ports {
        findings.push(match &ward.running {
            Some(run) => of_host(what, wanted, held(run)),
            None => free(what, wanted),
        });
    }
    findings
}

/// It is not connected to: at an agents' port that would count as a handshake that failed.
fn of_host(what: &str, wanted: SocketAddr, held: SocketAddr) -> Finding {
    if wanted.port() == 0 || wanted.port() == held.port() {
        return Finding::ok("port", format!("{held} for {what} is the running host's"));
    }
    let message = format!("{what} is set to port {}, and the running host has it at {held}", wanted.port());
    Finding::warn(
        "port",
        message,
        "give the same settings here as to `keelson serve`, or restart it to take them",
    )
}

fn free(what: &str, wanted: SocketAddr) -> Finding {
    match agents::bind(wanted) {
        Ok(_) => Finding::ok("port", format!("{wanted} for {what} is free")),
        Err(error) => {
            let advice = match error.kind() {
                ErrorKind::AddrInUse => "stop what has it (`ss -ltnp` says what), or set another port",
                ErrorKind::PermissionDenied => {
                    "give this user the right to ports below 1024, or set another port"
                }
                _ => "set an address that this machine has",
            };
            Finding::fail("port", format!("{wanted} for {what} cannot be opened: {error}"), advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[tokio::test]
    async fn a_port_that_somebody_else_has_fails_and_the_running_hosts_own_does_not() {
        let held = agents::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = held.local_addr().unwrap();
        let found = free("the API", address);
        assert!(found.is_failure() && found.message.contains("the API"), "{found:?}");
        drop(held);
        assert_eq!(free("the API", address).level, Level::Ok);
        assert_eq!(of_host("the API", address, address).level, Level::Ok);
        assert_eq!(of_host("the API", "127.0.0.1:1".parse().unwrap(), address).level, Level::Warn);
    }
}
