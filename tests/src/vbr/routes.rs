//! What each operation does, and who may ask.

use std::collections::HashMap;

use serde_json::{Value, json};
use uuid::Uuid;

use super::licence::Licence;
use super::lists::time;
use super::serve::{Answer, Content, Question};
use super::world::World;
use super::{PASSWORD, Shared, State, USER};

/// Who is logged in.
#[derive(Debug)]
pub(super) struct Tokens {
    access: HashMap<String, i64>,
    refresh: Vec<String>,
    made: u64,
    pub(super) logins: usize,
    /// In seconds.
    pub(super) life: i64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { access: HashMap::new(), refresh: Vec::new(), made: 0, logins: 0, life: 900 }
    }
}

pub(super) fn answer(shared: &Shared, question: &Question, is_cyclic: bool) -> Answer {
    let mut state = shared.state();
    let now = state.world.now;
    let id = question.operation.id.as_str();
    if id == "CreateToken" {
        return state.token(&question.body);
    }
    let bearer = question.bearer.clone().unwrap_or_default();
    if state.tokens.access.get(&bearer).is_none_or(|until| *until <= now) {
        return Answer::error(401, "ExpiredToken", "the token is not known, or has expired");
    }
    if id == "Logout" {
        state.tokens.access.remove(&bearer);
        return Answer::ok(json!({}));
    }
    let list = List { query: &question.query, most: shared.page, is_cyclic };
    let world = &mut state.world;
    match id {
        "GetServerInfo" => Answer::ok(world.server_info()),
        "GetServerTime" => Answer::ok(json!({"serverTime": time(now), "timeZone": "Europe/Berlin"})),
        "GetInstalledLicense" => Answer::ok(world.licence.json()),
        "InstallLicense" => match serde_json::from_str(question.body["license"].as_str().unwrap_or_default())
        {
            Ok(licence) => {
                world.licence = licence;
                Answer::ok(world.licence.json())
            }
            Err(_) => Answer::error(400, "UnexpectedContent", "the license file is damaged"),
        },
        "RemoveLicense" => {
            world.licence = Licence::community();
            Answer::ok(world.licence.json())
        }
        "CreateLicenseReport" => {
            let report = json!({"licensedTo": world.licence.licensed_to, "used": world.licence.used});
            Answer { status: 200, body: Content::Bytes(report.to_string().into_bytes()) }
        }
        id if id.contains("Job") => job(world, question, &list),
        id if id.contains("Flr") => world.flr(question),
        _ => lists(world, question, &list),
    }
}

impl State {
    fn token(&mut self, form: &Value) -> Answer {
        let tokens = &mut self.tokens;
        let refused = |message| Answer::error(401, "AccessDenied", message);
        match form["grant_type"].as_str() {
            Some("Password") if form["username"] == USER && form["password"] == PASSWORD => {
                tokens.logins += 1;
            }
            Some("Password") => return refused("the user name or password is incorrect"),
            Some("Refresh_token") => {
                let known = tokens.refresh.iter().position(|one| form["refresh_token"] == one.as_str());
                let Some(known) = known else { return refused("the refresh token is not known") };
                tokens.refresh.remove(known);
            }
            _ => return Answer::error(400, "UnexpectedContent", "this grant is not offered"),
        }
        tokens.made += 1;
        let (access, refresh) =
            (format!("access-{}", Uuid::from_u128(tokens.made.into())), format!("refresh-{}", tokens.made));
        let (now, until) = (self.world.now, self.world.now + tokens.life * 1000);
        tokens.access.insert(access.clone(), until);
        tokens.refresh.push(refresh.clone());
        Answer::ok(json!({
            "access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": tokens.life,
            ".issued": time(now), ".expires": time(until),
        }))
    }
}

/// How a list is asked for.
struct List<'q> {
    query: &'q [(String, String)],
    most: usize,
    is_cyclic: bool,
}

impl List<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.value(name).is_none_or(|wanted| wanted == value)
    }

    fn instant(&self, name: &str) -> Option<i64> {
        let at =
            time::OffsetDateTime::parse(self.value(name)?, &time::format_description::well_known::Rfc3339);
        Some(at.expect("a time").unix_timestamp() * 1000)
    }

    /// Whether something of an instant is among what is asked for.
    fn within(&self, at: i64) -> bool {
        self.instant("createdAfterFilter").is_none_or(|after| at >= after)
            && self.instant("createdBeforeFilter").is_none_or(|before| at <= before)
    }

    fn answer<T>(&self, all: impl Iterator<Item = T>, json: impl Fn(T) -> Value) -> Answer {
        let number = |name, usual| self.value(name).map_or(usual, |value| value.parse().expect("a count"));
        let (skip, limit) =
            (if self.is_cyclic { 0 } else { number("skip", 0) }, number("limit", 200).min(self.most));
        let (mut total, mut data) = (0, Vec::new());
        for one in all {
            if total >= skip && data.len() < limit {
                data.push(json(one));
            }
            total += 1;
        }
        let total = if self.is_cyclic { total + 2 * limit } else { total };
        let pagination = json!({"total": total, "count": data.len(), "skip": skip, "limit": limit});
        Answer::ok(json!({"data": data, "pagination": pagination}))
    }
}

fn lists(world: &World, question: &Question, list: &List<'_>) -> Answer {
    let parameter = question.operation.parameters.get("id").map(String::as_str);
    let is = |id: Uuid| parameter == Some(id.to_string().as_str());
    let absent = || Answer::error(404, "NotFound", "there is no such object");
    match question.operation.id.as_str() {
        "GetAllRepositoriesStates" => list.answer(0..world.repositories.len(), |index| world.repository_json(index)),
        "GetAllSessions" => {
            let found = world.sessions.iter().filter(|session| list.within(session.created));
            let found = found.filter(|session| list.has("jobIdFilter", &world.jobs[session.job].id.to_string()));
            list.answer(found, |session| world.session_json(session))
        }
        "GetSession" => {
            let found = world.sessions.iter().find(|session| is(session.id));
            found.map_or_else(absent, |session| Answer::ok(world.session_json(session)))
        }
        "GetAllTaskSessions" => {
            let found = (0..world.tasks.len()).filter(|index| {
                let task = &world.tasks[*index];
                list.within(task.created) && list.has("resultFilter", task.result)
            });
            list.answer(found, |index| world.task_json(index))
        }
        "GetTaskSessionLogs" => {
            let found = world.tasks.iter().position(|task| is(task.id));
            found.map_or_else(absent, |index| Answer::ok(world.task_logs(index)))
        }
        "GetAllBackups" => list.answer(0..world.backups.len(), |index| world.backup_json(index)),
        "GetAllBackupObjects" => {
            let counts = world.point_counts();
            let found = (0..world.objects.len()).filter(|index| world.objects[*index].listed);
            list.answer(found, |index| world.object_json(index, counts[index]))
        }
        "GetBackupObjectsWithFiltering" => {
            let counts = world.point_counts();
            let backup = world.backups.iter().position(|backup| is(backup.id)).unwrap_or(usize::MAX);
            let found = (0..world.objects.len()).filter(|index| world.objects[*index].listed && world.objects[*index].backups.contains(&backup));
            list.answer(found, |index| world.object_json(index, counts[index]))
        }
        "GetAllObjectRestorePoints" => {
            let mut found: Vec<_> = world.points.iter().filter(|point| list.within(point.created)).collect();
            found.sort_by_key(|point| point.created);
            list.answer(found.into_iter(), |point| world.point_json(point))
        }
        "GetBackupObjectRestorePointsWithFiltering" => {
            let found = world.points.iter().filter(|point| is(world.objects[point.object].id));
            list.answer(found, |point| world.point_json(point))
        }
        "GetObjectRestorePoint" => {
            let found = world.points.iter().find(|point| is(point.id));
            found.map_or_else(absent, |point| Answer::ok(world.point_json(point)))
        }
        "GetAllManagedServers" => list.answer(std::iter::once(()), |()| {
            json!({"id": world.id, "name": world.name, "description": "This server", "type": "WindowsHost", "status": "Available"})
        }),
        other => Answer::error(500, "NotImplemented", &format!("the fake has no {other}")),
    }
}

fn job(world: &mut World, question: &Question, list: &List<'_>) -> Answer {
    match question.operation.id.as_str() {
        "GetAllJobs" => return list.answer(0..world.jobs.len(), |index| world.job_json(index)),
        "GetAllJobsStates" => {
            let found = (0..world.jobs.len())
                .filter(|index| list.has("idFilter", &world.jobs[*index].id.to_string()));
            return list.answer(found, |index| world.job_state(index));
        }
        _ => {}
    }
    let id = &question.operation.parameters["id"];
    let Some(index) = world.jobs.iter().position(|job| job.id.to_string() == *id) else {
        return Answer::error(404, "NotFound", "there is no such job");
    };
    let ran = match question.operation.id.as_str() {
        "GetJob" => return Answer::ok(world.job_json(index)),
        "StartJob" => world.start(index),
        "StopJob" => world.stop(index),
        "RetryJob" => world.retry(index),
        what => {
            world.jobs[index].disabled = what == "DisableJob";
            return Answer::nothing();
        }
    };
    match ran {
        Ok(session) => {
            let session = world.sessions.iter().find(|one| one.id == session).expect("it was made");
            Answer::created(world.session_json(session))
        }
        Err(why) => Answer::error(400, "UnexpectedContent", why),
    }
}
