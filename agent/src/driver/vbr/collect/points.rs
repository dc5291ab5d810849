//! Whose restore points are whose.
//!
//! A restore point names its backup and carries the name of its object, but not the object's id. In most cases the name is
//! enough. Where two objects of a platform have the same name, the objects of the backup tell; where even one backup has two
//! of a name, the object itself is asked, once: the answer is remembered. A point that belongs to none of the objects, of a
//! machine that was renamed, say, makes a workload of its own: nothing is left out.

use std::collections::{HashMap, HashSet};

use keelson_proto::v1::{RestorePoint, RestorePointDetails};

use super::{Lists, Memory, in_order};
use crate::driver::vbr::call::Call;
use crate::driver::vbr::client::Client;
use crate::driver::vbr::error::VbrError;
use crate::driver::vbr::model::{BackupObjectModel, ObjectRestorePointModel, needed};
use crate::driver::vbr::words;

const POINTS: &str = "/api/v1/restorePoints";
/// Objects that are asked for their points in one collection, where counts do not come out right.
const MOST_ASKED: usize = 50;

/// A restore point, and what tells whose it is.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) record: RestorePoint,
    pub(super) name: String,
    pub(super) platform: String,
    pub(super) backup: String,
    /// "Windows", "Linux"; empty: not known.
    pub(super) system: &'static str,
    session: Option<String>,
}

/// All restore points.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) points: Vec<Point>,
    /// Their positions, by the run that made them.
    by_session: HashMap<String, Vec<usize>>,
}

impl Found {
    /// What a run made.
    pub(super) fn of_session(&self, session: &str) -> impl Iterator<Item = &Point> {
        let positions = self.by_session.get(session).map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|position| self.points.get(*position))
    }
}

/// All restore points, each with the key of its workload.
pub(super) async fn read(
    client: &Client,
    server: &str,
    lists: &Lists,
    memory: &mut Memory,
) -> Result<Found, VbrError> {
    let mut points = client.list(in_order(POINTS, lists.now), |model| point(server, lists, model)).await?;
    let mut by_session: HashMap<String, Vec<usize>> = HashMap::new();
    for (position, point) in points.iter().enumerate() {
        if let Some(session) = point.session.as_ref().filter(|id| lists.sessions.contains_key(*id)) {
            by_session.entry(session.clone()).or_default().push(position);
        }
    }
    Owners::new(lists).find(client, &mut points, memory).await?;
    Ok(Found { points, by_session })
}

fn point(server: &str, lists: &Lists, model: ObjectRestorePointModel) -> Result<Point, VbrError> {
    let place = lists.place(&model.backup_id);
    let size = model.original_size.filter(|size| *size >= 0);
    let details = RestorePointDetails {
        backup_key: model.backup_id.clone(),
        job_key: place.job.to_owned(),
        repository_key: place.repository.to_owned(),
        target_type: place.target.to_owned(),
        tier: place.tier.to_owned(),
        used_size: size,
        malware_state: words::malware(model.malware_status.as_deref()).to_owned(),
        ..RestorePointDetails::default()
    };
    let record = RestorePoint {
        server_key: server.to_owned(),
        workload_key: String::new(),
        created_at: needed(POINTS, &model.creation_time)?,
        key: model.id,
        // What it takes in the repository, the API does not say.
        size: None,
        source_size: size,
        destination: place.repository_name.to_owned(),
        details: Some(Box::new(details)),
    };
    Ok(Point {
        record,
        name: model.name,
        platform: model.platform_name,
        backup: model.backup_id,
        system: words::system(model.guest_os_family.as_deref()),
        session: model.session_id,
    })
}

/// Objects by what restore points say of them: platform and name.
#[derive(Default)]
struct Names(HashMap<(String, String), Vec<String>>);

impl Names {
    fn of(objects: &[BackupObjectModel]) -> Self {
        let mut names = Self::default();
        for object in objects {
            let name = (object.platform_name.clone(), object.name.clone().unwrap_or_default());
            names.0.entry(name).or_default().push(object.id.clone());
        }
        names
    }

    fn all(&self, point: &Point) -> &[String] {
        self.0.get(&(point.platform.clone(), point.name.clone())).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The search for owners.
struct Owners<'l> {
    lists: &'l Lists,
    names: Names,
    here: HashSet<&'l str>,
    /// Of backups that were asked for their objects.
    backups: HashMap<String, Names>,
    /// What objects said of their points.
    told: HashMap<String, String>,
    /// Objects that have said it.
    asked: HashSet<String>,
}

impl<'l> Owners<'l> {
    fn new(lists: &'l Lists) -> Self {
        let here = lists.objects.iter().map(|object| object.id.as_str()).collect();
        Self {
            lists,
            names: Names::of(&lists.objects),
            here,
            backups: HashMap::new(),
            told: HashMap::new(),
            asked: HashSet::new(),
        }
    }

    /// Gives every point its owner.
    async fn find(
        mut self,
        client: &Client,
        points: &mut [Point],
        memory: &mut Memory,
    ) -> Result<(), VbrError> {
        let mut unclear: Vec<&mut Point> = Vec::new();
        for point in points.iter_mut() {
            let remembered =
                memory.owners.get(&point.record.key).filter(|owner| self.here.contains(owner.as_str()));
            match (remembered, self.names.all(point)) {
                (Some(owner), _) => owner.clone_into(&mut point.record.workload_key),
                (None, [only]) => only.clone_into(&mut point.record.workload_key),
                _ => unclear.push(point),
            }
        }
        for point in unclear {
            if let Some(owner) = self.within(client, point).await? {
                memory.owners.insert(point.record.key.clone(), owner.clone());
                point.record.workload_key = owner;
            }
        }
        self.count(client, points, memory).await?;
        for point in points.iter_mut().filter(|point| point.record.workload_key.is_empty()) {
            point.record.workload_key = orphan_key(point);
        }
        let there: HashSet<&str> = points.iter().map(|point| point.record.key.as_str()).collect();
        memory.owners.retain(|point, _| there.contains(point.as_str()));
        memory.asked.retain(|object, _| self.here.contains(object.as_str()));
        Ok(())
    }

    /// Among the objects of the point's backup.
    async fn within(&mut self, client: &Client, point: &Point) -> Result<Option<String>, VbrError> {
        if self.names.all(point).is_empty() {
            return Ok(None);
        }
        if !self.backups.contains_key(&point.backup) {
            self.backups.insert(point.backup.clone(), objects_of(client, &point.backup).await?);
        }
        let candidates = match self.backups.get(&point.backup).map(|names| names.all(point)) {
            Some([only]) => return Ok(Some(only.clone())),
            None | Some([]) => self.names.all(point).to_vec(),
            Some(several) => several.to_vec(),
        };
        for candidate in candidates {
            if self.asked.insert(candidate.clone()) {
                self.ask(client, &candidate).await?;
            }
        }
        Ok(self.told.get(&point.record.key).cloned())
    }

    /// Names may mislead: a machine that was renamed has points of its old name, which may be another's by now. Objects know
    /// how many points they have; where that does not come out right, those that lack some are asked.
    async fn count(
        &mut self,
        client: &Client,
        points: &mut [Point],
        memory: &mut Memory,
    ) -> Result<(), VbrError> {
        let mut given: HashMap<&str, i64> = HashMap::new();
        for point in points.iter() {
            *given.entry(&point.record.workload_key).or_default() += 1;
        }
        let difference = |object: &BackupObjectModel| {
            object
                .restore_points_count
                .map_or(0, |count| count - given.get(object.id.as_str()).copied().unwrap_or_default())
        };
        let is_odd = given.contains_key("") || self.lists.objects.iter().any(|object| difference(object) < 0);
        if !is_odd {
            return Ok(());
        }
        let lacking = self.lists.objects.iter().filter(|object| difference(object) > 0);
        // One that was asked before, and has said all it knows, is not asked again.
        let lacking =
            lacking.filter(|object| memory.asked.get(&object.id) != object.restore_points_count.as_ref());
        let lacking: Vec<(String, i64)> = lacking
            .map(|object| (object.id.clone(), object.restore_points_count.unwrap_or_default()))
            .take(MOST_ASKED)
            .collect();
        self.told.clear();
        for (object, count) in lacking {
            self.ask(client, &object).await?;
            memory.asked.insert(object, count);
        }
        for point in points.iter_mut() {
            if let Some(owner) = self.told.get(&point.record.key) {
                owner.clone_into(&mut point.record.workload_key);
                memory.owners.insert(point.record.key.clone(), owner.clone());
            }
        }
        Ok(())
    }

    /// Notes all points of one object.
    async fn ask(&mut self, client: &Client, object: &str) -> Result<(), VbrError> {
        let call = Call::get(format!("/api/v1/backupObjects/{object}/restorePoints"));
        match client.list(call, |model: ObjectRestorePointModel| Ok(model.id)).await {
            Ok(points) => self.told.extend(points.into_iter().map(|point| (point, object.to_owned()))),
            Err(VbrError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

async fn objects_of(client: &Client, backup: &str) -> Result<Names, VbrError> {
    match client.list(Call::get(format!("/api/v1/backups/{backup}/objects")), Ok).await {
        Ok(objects) => Ok(Names::of(&objects)),
        // The backup was removed meanwhile, and its points will be.
        Err(VbrError::NotFound { .. }) => Ok(Names::default()),
        Err(error) => Err(error),
    }
}

/// For what no object owns. A key has at most 512 bytes, whatever characters a name is made of.
fn orphan_key(point: &Point) -> String {
    format!("{}/{}", point.backup, point.name).chars().take(120).collect()
}
