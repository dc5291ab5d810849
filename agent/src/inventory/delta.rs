//! The difference between an inventory and what was already spooled.

use std::collections::{HashMap, HashSet};

use keelson_proto::v1::record::Kind;
use keelson_proto::v1::{Gap, InventoryComplete, Record};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::Inventory;
use super::batch::split;
use super::fit::fit;
use super::object::{self, End, ObjectId, end};

/// Stands for an object's content: 16 bytes of SHA-256, as a wrong "unchanged" would hide a change for ever.
pub type Digest = [u8; 16];

/// What the host was told, or will be by what is spooled.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The epoch in which it was told.
    pub epoch: u64,
    /// The epoch has begun and its full inventory is still to be spooled.
    pub inventory_due: bool,
    /// What the host lost before this epoch and is not told again; it goes with the inventory.
    pub gap: Option<Gap>,
    /// Every object with its content's digest.
    pub objects: HashMap<ObjectId, Digest>,
}

/// What one step puts into the spool, whole or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Addition {
    /// Records, cut into batches.
    pub batches: Vec<Vec<Record>>,
    /// What is known afterwards; `None` = gone.
    pub known: Vec<(ObjectId, Option<Digest>)>,
    /// It ends the epoch's full inventory.
    pub completes: bool,
}

impl Addition {
    /// How many records it carries.
    pub fn records(&self) -> usize {
        self.batches.iter().map(Vec::len).sum()
    }
}

/// What must be spooled so that the host knows `inventory`. `None`: the protocol cannot say it as a difference,
/// because another server stands where the known one stood, or most is gone; a new epoch has to begin.
pub fn addition(known: &Known, inventory: &Inventory) -> Option<Addition> {
    let gap = known.gap.filter(|_| known.inventory_due);
    let mut records: Vec<Record> = gap.map(|gap| Record { kind: Some(Kind::Gap(gap)) }).into_iter().collect();
    let mut changes = Vec::new();
    let mut present = HashSet::new();
    for kind in kinds(inventory) {
        let Some(id) = object::of(&kind) else { continue };
        let mut record = Record { kind: Some(kind) };
        if present.contains(&id) || !fit(&id, &mut record) {
            continue;
        }
        let digest = digest(&record);
        present.insert(id.clone());
        if known.objects.get(&id) != Some(&digest) {
            changes.push((id, Some(digest)));
            records.push(record);
        }
    }
    let mut gone: Vec<&ObjectId> = known.objects.keys().filter(|id| !present.contains(*id)).collect();
    if is_mass(known, &gone) {
        return None;
    }
    // Points before their workloads, and always in the same order.
    gone.sort_unstable_by(|a, b| b.cmp(a));
    for id in gone {
        match end(id) {
            End::Told(kind) => records.push(Record { kind: Some(*kind) }),
            End::Untold => {}
            End::Epoch => return None,
        }
        changes.push((id.clone(), None));
    }
    if known.inventory_due {
        records.push(Record { kind: Some(Kind::InventoryComplete(InventoryComplete {})) });
    }
    Some(Addition { batches: split(records), known: changes, completes: known.inventory_due })
}

/// Most workloads are gone at once. A whole inventory says so in one, and the host looks twice; told one by one, each end would be
/// believed.
fn is_mass(known: &Known, gone: &[&ObjectId]) -> bool {
    const LEAST: usize = 20;
    let is_workload = |id: &&ObjectId| matches!(id, ObjectId::Workload(..));
    let missing = gone.iter().copied().filter(is_workload).count();
    missing >= LEAST && missing * 2 > known.objects.keys().filter(is_workload).count()
}

/// Every object of an inventory, parents first.
fn kinds(inventory: &Inventory) -> impl Iterator<Item = Kind> + '_ {
    let machine = inventory.machine.iter().map(|one| Kind::Machine(Box::new(one.clone())));
    let server = std::iter::once_with(|| Kind::Server(inventory.server.clone()));
    let license = inventory.license.iter().map(|one| Kind::License(Box::new(one.clone())));
    let repositories = inventory.repositories.iter().cloned().map(Kind::Repository);
    let jobs = inventory.jobs.iter().map(|one| Kind::Job(Box::new(one.clone())));
    let workloads = inventory.workloads.iter().cloned().map(Kind::Workload);
    let backups = inventory.backups.iter().map(|one| Kind::Backup(Box::new(one.clone())));
    // The host counts a workload's points anew with each batch that has some: those of one travel together.
    let mut points: Vec<_> = inventory.restore_points.iter().collect();
    points.sort_by_key(|point| (&point.server_key, &point.workload_key));
    let points = points.into_iter().cloned().map(Kind::RestorePoint);
    let sessions = inventory.sessions.iter().map(|one| Kind::Session(Box::new(one.clone())));
    let vb365 = inventory.vb365_objects.iter().map(|one| Kind::Vb365Object(Box::new(one.clone())));
    let cloud = inventory.cloud.iter().map(|one| Kind::Cloud(Box::new(one.clone())));
    let first = machine.chain(server).chain(license).chain(repositories).chain(jobs);
    first.chain(workloads).chain(backups).chain(points).chain(sessions).chain(vb365).chain(cloud)
}

fn digest(record: &Record) -> Digest {
    let full: [u8; 32] = Sha256::digest(record.encode_to_vec()).into();
    let mut short = Digest::default();
    short.copy_from_slice(full.split_at(16).0);
    short
}

#[cfg(test)]
mod tests {
    use keelson_proto::v1::{JobSession, License};

    use super::*;
    use crate::testing::{inventory, point};

    fn learn(known: &mut Known, addition: &Addition) {
        for (id, digest) in &addition.known {
            match digest {
                Some(digest) => known.objects.insert(id.clone(), *digest),
                None => known.objects.remove(id),
            };
        }
        known.inventory_due &= !addition.completes;
    }

    #[test]
    fn that_most_workloads_are_gone_is_told_by_a_new_epoch() {
        let names: Vec<String> = (0..30).map(|number| format!("w{number:02}")).collect();
        let present = |count: usize| {
            let workloads: Vec<_> = names.iter().take(count).map(|name| (name.as_str(), 1)).collect();
            inventory("s", &workloads)
        };
        let mut known = Known { epoch: 1, ..Known::default() };
        let all = addition(&known, &present(30)).unwrap();
        learn(&mut known, &all);
        assert!(addition(&known, &present(15)).is_some());
        assert_eq!(addition(&known, &present(3)), None);
    }

    #[test]
    fn the_points_of_a_workload_travel_together_in_their_order() {
        let mut state = inventory("s", &[]);
        let points = [("b", 1), ("a", 2), ("b", 0), ("a", 1)];
        state.restore_points = points.map(|(workload, index)| point("s", workload, index)).to_vec();
        let keys = kinds(&state).filter_map(|kind| match kind {
            Kind::RestorePoint(point) => Some(point.key),
            _ => None,
        });
        assert_eq!(keys.collect::<Vec<_>>(), ["a-2", "a-1", "b-1", "b-0"]);
    }

    fn told(addition: &Addition) -> Vec<&'static str> {
        let name = |record: &Record| match record.kind.as_ref().unwrap() {
            Kind::Server(_) => "server",
            Kind::Repository(_) => "repository",
            Kind::Job(_) => "job",
            Kind::RepositoryGone(_) => "repository gone",
            Kind::JobGone(_) => "job gone",
            Kind::Workload(_) => "workload",
            Kind::RestorePoint(_) => "point",
            Kind::WorkloadGone(_) => "workload gone",
            Kind::RestorePointGone(_) => "point gone",
            Kind::InventoryComplete(_) => "complete",
            Kind::Session(_) => "session",
            Kind::License(_) => "license",
            Kind::LicenseGone(_) => "license gone",
            other => panic!("{other:?}"),
        };
        addition.batches.iter().flatten().map(name).collect()
    }

    #[test]
    fn only_what_was_added_changed_or_removed_goes_up() {
        let mut known = Known { inventory_due: true, ..Known::default() };
        let mut state = inventory("s", &[("a", 2), ("b", 1)]);
        let first = addition(&known, &state).unwrap();
        let expected = ["server", "workload", "workload", "point", "point", "point", "complete"];
        assert_eq!(told(&first), expected);
        learn(&mut known, &first);

        let nothing = addition(&known, &state).unwrap();
        assert_eq!(nothing, Addition::default());

        state.restore_points.push(point("s", "a", 9));
        state.workloads[1].name = "renamed".to_owned();
        let second = addition(&known, &state).unwrap();
        assert_eq!(told(&second), ["workload", "point"]);
        learn(&mut known, &second);

        state.workloads.remove(1);
        state.restore_points.retain(|point| point.workload_key == "a" && point.key != "a-0");
        let third = addition(&known, &state).unwrap();
        assert_eq!(told(&third), ["point gone", "point gone", "workload gone"]);
        learn(&mut known, &third);
        assert_eq!(addition(&known, &state).unwrap(), Addition::default());
    }

    #[test]
    fn another_server_in_the_place_of_the_known_one_needs_a_new_epoch() {
        let mut known = Known::default();
        let first = addition(&known, &inventory("s", &[("a", 1)])).unwrap();
        learn(&mut known, &first);
        assert_eq!(addition(&known, &inventory("t", &[("a", 1)])), None);
    }

    #[test]
    fn an_object_that_a_driver_tells_twice_goes_up_once() {
        let mut state = inventory("s", &[("a", 1)]);
        state.restore_points.push(state.restore_points[0].clone());
        let all = addition(&Known::default(), &state).unwrap();
        assert_eq!(told(&all), ["server", "workload", "point"]);
    }

    #[test]
    fn a_session_that_is_no_longer_mentioned_was_not_undone_and_a_licence_was_removed() {
        let mut state = inventory("s", &[]);
        let session = JobSession { server_key: "s".into(), key: "run".into(), ..JobSession::default() };
        state.sessions.push(session);
        state.license = Some(License { server_key: "s".into(), ..License::default() });
        let mut known = Known::default();
        let first = addition(&known, &state).unwrap();
        assert_eq!(told(&first), ["server", "license", "session"]);
        learn(&mut known, &first);
        state.sessions.clear();
        state.license = None;
        let second = addition(&known, &state).unwrap();
        assert_eq!(told(&second), ["license gone"]);
        learn(&mut known, &second);
        assert_eq!(known.objects.len(), 1, "the session is forgotten");
    }
}
