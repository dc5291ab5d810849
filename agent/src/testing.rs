//! What tests share: inventories, a driver that plays them, a host (`console`) with its CA (`pki`), a real repository
//! (`restic`).

pub(crate) mod console;
pub(crate) mod pki;
pub(crate) mod restic;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;

use keelson_proto::v1::{BackupServer, RestorePoint, Workload};

use crate::driver::restic::ResticError;
use crate::driver::{Done, Driver, DriverError, Order, Refused};
use crate::inventory::Inventory;
use crate::spool::{Limits, ReplayWindow};
use crate::tls::{DialError, PinMismatch, SeenCertificate};

/// A spool in which so much may wait, with the usual replay window.
pub(crate) fn limits(waiting: u64) -> Limits {
    Limits { waiting, replay: ReplayWindow::default() }
}

/// Tells what it was told to tell; nothing = the engine fails.
#[derive(Debug)]
pub(crate) struct Scripted {
    state: Mutex<Option<Inventory>>,
    deeds: AtomicU32,
    delivered: AtomicU32,
    lost: AtomicU32,
}

impl Scripted {
    pub(crate) fn new(state: Option<Inventory>) -> Self {
        let (deeds, delivered, lost) = Default::default();
        Self { state: Mutex::new(state), deeds, delivered, lost }
    }

    /// How often it was made to do something.
    pub(crate) fn deeds(&self) -> u32 {
        self.deeds.load(Ordering::SeqCst)
    }

    /// How often it heard that the host has what it told.
    pub(crate) fn delivered_count(&self) -> u32 {
        self.delivered.load(Ordering::SeqCst)
    }

    /// How often it heard that the host starts over.
    pub(crate) fn lost_count(&self) -> u32 {
        self.lost.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self, state: Option<Inventory>) {
        *self.state.lock().unwrap() = state;
    }
}

impl Driver for Scripted {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    fn collect(&self) -> BoxFuture<'_, Result<Inventory, DriverError>> {
        let state = self.state.lock().unwrap().clone();
        let failed = || DriverError::Restic(ResticError::TimeLimit(Duration::ZERO));
        Box::pin(std::future::ready(state.ok_or_else(failed)))
    }

    fn delivered(&self) {
        self.delivered.fetch_add(1, Ordering::SeqCst);
    }

    fn lost(&self) {
        self.lost.fetch_add(1, Ordering::SeqCst);
    }

    fn execute<'d>(&'d self, order: &'d Order) -> BoxFuture<'d, Result<Done, Refused>> {
        Box::pin(async move {
            if order.kind != "deed" {
                return Err(Refused::unknown(self.kind(), order));
            }
            let deeds = self.deeds.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(Done { message: format!("deed {deeds}"), result: Some(serde_json::json!({"deeds": deeds})) })
        })
    }
}

/// Waits until `condition` holds; fails the test when it does not in good time.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A server with workloads, each with so many restore points.
pub(crate) fn inventory(server: &str, workloads: &[(&str, i64)]) -> Inventory {
    Inventory {
        server: BackupServer {
            key: server.to_owned(),
            name: server.to_owned(),
            engine: "test".to_owned(),
            version: "1".to_owned(),
            ..BackupServer::default()
        },
        workloads: workloads
            .iter()
            .map(|(key, _)| Workload {
                server_key: server.to_owned(),
                key: (*key).to_owned(),
                name: (*key).to_owned(),
                kind: "computer".to_owned(),
                ..Workload::default()
            })
            .collect(),
        restore_points: workloads
            .iter()
            .flat_map(|(key, count)| (0..*count).map(move |index| point(server, key, index)))
            .collect(),
        ..Inventory::default()
    }
}

pub(crate) fn point(server: &str, workload: &str, index: i64) -> RestorePoint {
    RestorePoint {
        server_key: server.to_owned(),
        workload_key: workload.to_owned(),
        key: format!("{workload}-{index}"),
        created_at: index,
        destination: "here".to_owned(),
        ..RestorePoint::default()
    }
}

/// As a firewall causes it.
pub(crate) fn pin_mismatch() -> DialError {
    let seen = |subject: &str, issuer: &str| SeenCertificate {
        subject: subject.to_owned(),
        issuer: issuer.to_owned(),
        pin: "cd".repeat(32).parse().ok(),
    };
    let mismatch = PinMismatch {
        chain: vec![seen("CN=console.example", "CN=Corp Proxy CA")],
        expected: "ab".repeat(32).parse().unwrap(),
    };
    DialError::PinMismatch { address: "console.example:6180".parse().unwrap(), mismatch: Box::new(mismatch) }
}
