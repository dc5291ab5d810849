//! What the test host has committed of one agent, and whether the agent kept to the protocol.

use std::collections::BTreeSet;

use keelson_proto::v1::record::Kind;
use keelson_proto::v1::{Batch, CommandReport, Gap, Hello};

use crate::inventory::{Inventory, MAX_BATCH_RECORDS, ObjectId};
use crate::spool::Incarnation;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) hellos: Vec<Hello>,
    pub(crate) heartbeats: u32,
    pub(crate) renewals: u32,
    /// As they came in, committed or not.
    pub(crate) received: Vec<(u64, u64)>,
    /// Which life of its database the host is in.
    pub(crate) incarnation: Incarnation,
    /// The last committed batch.
    pub(crate) committed: (u64, u64),
    pub(crate) objects: BTreeSet<ObjectId>,
    /// The epochs whose inventory was complete.
    pub(crate) complete: Vec<u64>,
    pub(crate) gone: u32,
    pub(crate) violations: Vec<String>,
    /// What was said of commands, in its order.
    pub(crate) reports: Vec<CommandReport>,
    /// What the agent said is lost for good.
    pub(crate) gaps: Vec<Gap>,
    /// Results are not heard.
    pub(crate) deaf: bool,
    mentioned: BTreeSet<ObjectId>,
}

/// A host's database at one moment.
#[derive(Debug)]
pub(crate) struct Backup {
    committed: (u64, u64),
    objects: BTreeSet<ObjectId>,
    mentioned: BTreeSet<ObjectId>,
}

impl Ledger {
    pub(super) fn commit(&mut self, batch: &Batch) {
        let (epoch, sequence) = (batch.epoch, batch.sequence);
        if batch.records.is_empty() || batch.records.len() > MAX_BATCH_RECORDS {
            self.violations.push(format!("{} records", batch.records.len()));
        }
        if epoch == self.committed.0 && sequence <= self.committed.1 {
            return;
        }
        if epoch > self.committed.0 && sequence == 1 {
            self.mentioned.clear();
        } else if (epoch, sequence) != (self.committed.0, self.committed.1 + 1) {
            self.violations.push(format!("{epoch}/{sequence} after {:?}", self.committed));
        }
        self.committed = (epoch, sequence);
        for kind in batch.records.iter().filter_map(|record| record.kind.clone()) {
            self.apply(kind);
        }
    }

    fn apply(&mut self, kind: Kind) {
        if let Some(id) = crate::inventory::object::of(&kind) {
            self.mentioned.insert(id.clone());
            self.objects.insert(id);
            return;
        }
        match kind {
            Kind::RepositoryGone(gone) => self.remove(&ObjectId::Repository(gone.server_key, gone.key)),
            Kind::JobGone(gone) => self.remove(&ObjectId::Job(gone.server_key, gone.key)),
            Kind::LicenseGone(gone) => self.remove(&ObjectId::License(gone.server_key)),
            Kind::Vb365ObjectGone(gone) => self.remove(&ObjectId::Vb365(gone.key)),
            Kind::WorkloadGone(gone) => self.remove(&ObjectId::Workload(gone.server_key, gone.key)),
            Kind::BackupGone(gone) => {
                self.remove(&ObjectId::Backup(gone.server_key, gone.workload_key, gone.key));
            }
            Kind::RestorePointGone(gone) => {
                self.remove(&ObjectId::RestorePoint(gone.server_key, gone.workload_key, gone.key));
            }
            Kind::InventoryComplete(_) => {
                self.objects = std::mem::take(&mut self.mentioned);
                self.complete.push(self.committed.0);
            }
            Kind::Gap(gap) => self.gaps.push(gap),
            other => self.violations.push(format!("nobody told this host of {other:?}")),
        }
    }

    fn remove(&mut self, id: &ObjectId) {
        self.gone += 1;
        if !self.objects.remove(id) {
            self.violations.push(format!("{id:?} is gone and was not there"));
        }
    }

    /// The host lost its database.
    pub(crate) fn lose_everything(&mut self) {
        self.committed = (0, 0);
        self.objects.clear();
        self.mentioned.clear();
    }

    /// What a backup of the host's database would hold.
    pub(crate) fn snapshot(&self) -> Backup {
        Backup { committed: self.committed, objects: self.objects.clone(), mentioned: self.mentioned.clone() }
    }

    /// The host's database is what it was, in another life.
    pub(crate) fn restore(&mut self, backup: Backup, incarnation: Incarnation) {
        self.incarnation = incarnation;
        Backup { committed: self.committed, objects: self.objects, mentioned: self.mentioned } = backup;
    }

    /// Whether exactly this was reported.
    pub(crate) fn holds(&self, inventory: &Inventory) -> bool {
        let server = ObjectId::Server(inventory.server.key.clone());
        let workloads = inventory
            .workloads
            .iter()
            .map(|workload| ObjectId::Workload(workload.server_key.clone(), workload.key.clone()));
        let points = inventory.restore_points.iter().map(|point| {
            ObjectId::RestorePoint(point.server_key.clone(), point.workload_key.clone(), point.key.clone())
        });
        let expected: BTreeSet<ObjectId> = std::iter::once(server).chain(workloads).chain(points).collect();
        self.objects == expected
    }
}
