//! File-level restore: mounts of a restore point over a small tree of files.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::lists::time;
use super::serve::{Answer, Content, Question};
use super::world::World;

/// How often the result of a task is asked for before it is there.
const POLLS: u32 = 2;

/// A mounted restore point.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The id of its session.
    pub session: Uuid,
    /// What is mounted.
    pub point: Uuid,
    used: i64,
    idle: Option<i64>,
    tasks: BTreeMap<Uuid, FlrTask>,
}

#[derive(Debug, Clone)]
struct FlrTask {
    what: Value,
    polls: u32,
}

/// A file that was restored.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the API has the names")]
pub struct Audited {
    pub mount: Uuid,
    pub source: String,
    pub target: String,
    pub how: String,
    pub host: String,
    created: i64,
    polls: u32,
}

/// All mounts, and what they hold.
#[derive(Debug)]
pub struct Mounts {
    /// Those that are open.
    pub open: Vec<Mount>,
    /// Everything that was ever restored.
    pub restored: Vec<Audited>,
    /// Path → content; folders have none.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
}

impl Default for Mounts {
    fn default() -> Self {
        let mut files = BTreeMap::new();
        for folder in [r"C:", r"C:\Users", r"C:\Users\anna", r"C:\Users\anna\Documents"] {
            files.insert(folder.to_owned(), None);
        }
        files.insert(r"C:\Users\anna\letter.txt".to_owned(), Some(b"Dear reader".to_vec()));
        files.insert(r"C:\Users\anna\Documents\figures.csv".to_owned(), Some(vec![b'7'; 300_000]));
        for number in 0..30 {
            files.insert(format!(r"C:\Users\anna\Documents\note-{number:02}.txt"), Some(b"note".to_vec()));
        }
        Self { open: Vec::new(), restored: Vec::new(), files }
    }
}

impl Mounts {
    /// Closes what nobody has used for as long as was asked.
    pub(super) fn expire(&mut self, now: i64) {
        self.open.retain(|mount| mount.idle.is_none_or(|idle| mount.used + idle > now));
    }

    fn at(&mut self, question: &Question, now: i64) -> Option<&mut Mount> {
        let id = question.operation.parameters.get("sessionId")?.parse::<Uuid>().ok()?;
        let mount = self.open.iter_mut().find(|mount| mount.session == id)?;
        mount.used = now;
        Some(mount)
    }

    fn item(&self, path: &str, now: i64) -> Value {
        let content = &self.files[path];
        let (parent, name) = path.rsplit_once('\\').unwrap_or(("", path));
        json!({
            "name": name, "displayName": name, "location": parent, "size": content.as_ref().map_or(0, Vec::len),
            "type": if content.is_some() { "File" } else if parent.is_empty() { "Drive" } else { "Folder" },
            "creationDate": time(now), "modifiedDate": time(now), "itemState": "Unchanged",
        })
    }

    fn children(&self, folder: &str) -> Option<Vec<&String>> {
        let folder = folder.trim_end_matches('\\');
        if !folder.is_empty() && !self.files.get(folder).is_some_and(Option::is_none) {
            return None;
        }
        let parent =
            |path: &str| path.rsplit_once('\\').map_or(String::new(), |(parent, _)| parent.to_owned());
        Some(self.files.keys().filter(|path| parent(path) == folder).collect())
    }
}

fn bad(message: &str) -> Answer {
    Answer::error(400, "UnexpectedContent", message)
}

/// A part of a list, as the body's `pagination` wants it.
fn part(spec: &Value, all: Vec<Value>) -> (Vec<Value>, Value) {
    let number = |name: &str, usual: usize| {
        spec["pagination"][name].as_u64().map_or(usual, |value| usize::try_from(value).expect("a count"))
    };
    let (skip, limit, total) = (number("skip", 0), number("limit", 200), all.len());
    let some: Vec<Value> = all.into_iter().skip(skip).take(limit).collect();
    let pagination = json!({"total": total, "count": some.len(), "skip": skip, "limit": limit});
    (some, pagination)
}

impl World {
    /// Everything below `backupBrowser/flr` and `restore/flr`.
    pub(super) fn flr(&mut self, question: &Question) -> Answer {
        self.mounts.expire(self.now);
        let now = self.now;
        match question.operation.id.as_str() {
            "StartFlrMount" => return self.mount(&question.body),
            "GetAllFlrBrowseSessions" => {
                let all = self.mounts.open.iter().map(|mount| self.mount_json(mount)).collect();
                let (data, pagination) = part(&Value::Null, all);
                return Answer::ok(json!({"data": data, "pagination": pagination}));
            }
            _ => {}
        }
        let Some(mount) = self.mounts.at(question, now).map(|mount| mount.session) else {
            return bad("there is no such mount session");
        };
        match question.operation.id.as_str() {
            "StopFlrMount" => {
                self.mounts.open.retain(|one| one.session != mount);
                let mut session = self.session_json(&self.sessions[0]);
                session["id"] = json!(mount);
                session["sessionType"] = json!("FileLevelRestore");
                Answer::created(session)
            }
            "GetFlrBrowseSession" => {
                Answer::ok(self.mount_json(
                    self.mounts.open.iter().find(|one| one.session == mount).expect("it is there"),
                ))
            }
            "BrowseFlrMount" => self.browse(&question.body),
            "FlrStartSearchFor" => self.task(question, "FlrSearch"),
            "PrepareFlrItemDownload" => self.task(question, "FlrDownload"),
            "FlrMountRestore" | "FlrMountRestoreTo" => self.restore(question, mount),
            "FlrBrowseSearchResult" => self.found(question),
            "DownloadFlrItem" => self.download(question),
            _ => self.audit(mount),
        }
    }

    fn mount(&mut self, spec: &Value) -> Answer {
        let point = spec["restorePointId"].as_str().and_then(|id| id.parse::<Uuid>().ok());
        let Some(point) = point.filter(|id| self.points.iter().any(|point| point.id == *id)) else {
            return bad("there is no such restore point");
        };
        let session = self.fresh();
        let unmount = &spec["autoUnmount"];
        let idle = (unmount["isEnabled"] == true)
            .then(|| unmount["noActivityPeriodInMinutes"].as_i64().unwrap_or(30) * 60_000);
        let mount = Mount { session, point, used: self.now, idle, tasks: BTreeMap::new() };
        let json = self.mount_json(&mount);
        self.mounts.open.push(mount);
        Answer::created(json)
    }

    fn mount_json(&self, mount: &Mount) -> Value {
        let point = self.points.iter().find(|point| point.id == mount.point).expect("a mounted point");
        json!({
            "sessionId": mount.session, "restorePointId": mount.point, "type": "Windows", "mountErrors": [],
            "properties": {"pathSeparator": "\\"},
            "sourceProperties": {"machineName": point.name, "restorePointName": time(point.created)},
        })
    }

    fn browse(&self, spec: &Value) -> Answer {
        let path = spec["path"].as_str().expect("a path");
        let Some(children) = self.mounts.children(path) else { return bad("there is no such folder") };
        let all = children.into_iter().map(|path| self.mounts.item(path, self.now)).collect();
        let (items, pagination) = part(spec, all);
        Answer::ok(json!({"path": path, "items": items, "pagination": pagination}))
    }

    fn task(&mut self, question: &Question, kind: &str) -> Answer {
        let (id, now) = (self.fresh(), self.now);
        let missing = question.body["sourcePath"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if missing.into_iter().any(|path| !self.mounts.files.contains_key(path)) {
            return bad("there is no such file");
        }
        let mount = self.mounts.at(question, now).expect("it is there");
        mount.tasks.insert(id, FlrTask { what: question.body.clone(), polls: 0 });
        Answer::created(json!({
            "id": id, "name": kind, "type": kind, "state": "Starting", "result": "None", "progressPercent": 0,
            "creationTime": time(now),
        }))
    }

    /// The task in the path; an answer while there is none, or it is still at it.
    fn finished(&mut self, question: &Question) -> Result<Value, Answer> {
        let now = self.now;
        let id = question.operation.parameters["taskId"].parse::<Uuid>().expect("an id");
        let mount = self.mounts.at(question, now).expect("it is there");
        let task = mount.tasks.get_mut(&id).ok_or_else(|| bad("there is no such task"))?;
        task.polls += 1;
        if task.polls <= POLLS { Err(bad("the task is not finished yet")) } else { Ok(task.what.clone()) }
    }

    fn found(&mut self, question: &Question) -> Answer {
        let what = match self.finished(question) {
            Ok(what) => what,
            Err(answer) => return answer,
        };
        let (path, text) =
            (what["path"].as_str().expect("a path"), what["searchString"].as_str().expect("a text"));
        let files = self.mounts.files.keys().filter(|file| file.starts_with(path.trim_end_matches('\\')));
        let name = |file: &str| file.rsplit('\\').next().unwrap_or_default().to_lowercase();
        let all = files.filter(|file| name(file).contains(&text.to_lowercase()));
        let all = all.map(|file| self.mounts.item(file, self.now)).collect();
        let (items, pagination) = part(&question.body, all);
        Answer::ok(json!({"path": path, "searchString": text, "items": items, "pagination": pagination}))
    }

    fn download(&mut self, question: &Question) -> Answer {
        match self.finished(question) {
            Ok(what) => {
                let path = what["sourcePath"][0].as_str().expect("a path");
                let content = self.mounts.files[path].clone().unwrap_or_else(|| b"PK a folder".to_vec());
                Answer { status: 200, body: Content::Bytes(content) }
            }
            Err(answer) => answer,
        }
    }

    fn restore(&mut self, question: &Question, mount: Uuid) -> Answer {
        let spec = &question.body;
        let answer = self.task(question, "FlrRestore");
        if answer.status != 201 {
            return answer;
        }
        for source in spec["sourcePath"].as_array().expect("paths").iter().filter_map(Value::as_str) {
            self.mounts.restored.push(Audited {
                mount,
                source: source.to_owned(),
                target: spec["targetPath"].as_str().unwrap_or(source).to_owned(),
                how: spec["restoreType"].as_str().expect("a way").to_owned(),
                host: spec["targetHost"]["type"].as_str().unwrap_or("original").to_owned(),
                created: self.now,
                polls: 0,
            });
        }
        answer
    }

    fn audit(&mut self, mount: Uuid) -> Answer {
        let mut items = Vec::new();
        for one in self.mounts.restored.iter_mut().filter(|one| one.mount == mount) {
            one.polls += 1;
            let status = if one.polls <= POLLS { "InProgress" } else { "Succeeded" };
            let name = one.source.rsplit('\\').next().unwrap_or_default();
            items.push(json!({
                "initiatorName": super::USER, "itemType": "File", "jobName": "FLR", "name": name,
                "restoreStartTime": time(one.created), "restoreFinishTime": time(one.created), "restoreStatus": status,
                "restoreSessionId": mount, "size": 11, "sourcePath": one.source, "targetHost": one.host,
                "targetName": name, "targetPath": one.target,
            }));
        }
        let pagination = json!({"total": items.len(), "count": items.len(), "skip": 0, "limit": 200});
        Answer::ok(json!({"items": items, "pagination": pagination}))
    }
}
