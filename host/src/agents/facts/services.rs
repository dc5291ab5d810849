//! What stands beside the inventory: licences, sessions, Microsoft 365 objects.

use keelson_proto::v1::{JobSession, License, LicenseUse, Vb365Object};
use serde_json::json;
use uuid::Uuid;

use super::check::{
    amount, count, key, maybe_instant, maybe_key, maybe_past, maybe_text, maybe_word, past, text, texts, word,
};
use super::{jobs, words};
use crate::store::{LicenseFact, SessionFact, Vb365Fact};

/// Of what uses a licence, the kinds that are kept.
const MOST_USES: usize = 256;

pub(super) fn license(license: License) -> Result<LicenseFact, String> {
    let ids = license.license_ids.iter().filter_map(|id| id.parse::<Uuid>().ok()).take(64);
    let packages = license.packages.iter().take(64).map(|one| word(one, words::LICENSE_PACKAGES));
    Ok(LicenseFact {
        server: key("server key", license.server_key)?,
        kind: word(&license.r#type, words::LICENSE_TYPES),
        status: word(&license.status, words::LICENSE_STATUSES),
        edition: maybe_text("edition", license.edition)?,
        company: maybe_text("company", license.company)?,
        contact_person: maybe_text("contact person", license.contact_person)?,
        email: maybe_text("e-mail address", license.email)?,
        license_ids: ids.collect(),
        support_ids: texts("support id", license.support_ids)?,
        expires_at: maybe_instant(license.expires_at),
        support_expires_at: maybe_instant(license.support_expires_at),
        auto_update: license.auto_update,
        cloud_connect: word(&license.cloud_connect, words::LICENSE_CLOUD_CONNECT),
        packages: packages.collect(),
        unit_type: maybe_word(&license.unit_type, words::LICENSE_UNITS),
        units: amount(license.units),
        used_units: amount(license.used_units),
        new_units: amount(license.new_units),
        rental_units: amount(license.rental_units),
        sockets: amount(license.sockets),
        used_sockets: amount(license.used_sockets),
        capacity: amount(license.capacity),
        used_capacity: amount(license.used_capacity),
        uses: uses(license.uses)?,
    })
}

/// As a JSON array of what the engine counts.
fn uses(uses: Vec<LicenseUse>) -> Result<String, String> {
    let shown: Vec<_> = uses
        .into_iter()
        .take(MOST_USES)
        .map(|one| {
            Ok(json!({
                "type": text("kind of what uses the licence", one.kind)?,
                "count": count("count of what uses the licence", one.count)?,
                "multiplier": amount(Some(one.multiplier)).unwrap_or_default(),
                "usedUnits": amount(Some(one.used_units)).unwrap_or_default(),
            }))
        })
        .collect::<Result<_, String>>()?;
    Ok(serde_json::Value::Array(shown).to_string())
}

pub(super) fn session(session: JobSession, now: i64) -> Result<SessionFact, String> {
    let server = key("server key", session.server_key)?;
    let own = key("key", session.key)?;
    let job = maybe_key("job's key", session.job_key)?;
    Ok(SessionFact {
        tasks: jobs::tasks(&server, job.as_deref().unwrap_or_default(), session.tasks, now)?,
        server,
        key: own,
        job,
        job_name: text("job's name", session.job_name)?,
        kind: word(&session.kind, words::JOB_TYPES),
        status: word(&session.status, words::JOB_STATUSES),
        started_at: past("start of a session", session.started_at, now)?,
        ended_at: maybe_past("end of a session", session.ended_at, now)?,
        message: maybe_text("message", session.message)?,
    })
}

pub(super) fn vb365(object: Vb365Object, now: i64) -> Result<Vb365Fact, String> {
    let archive = maybe_key("key of the archive repository", object.archive_repository_key)?;
    let archive_name = text("name of the archive repository", object.archive_repository_name)?;
    let is_user = object.kind == "User";
    Ok(Vb365Fact {
        key: key("key", object.key)?,
        id: text("id", object.id)?,
        name: text("name", object.name)?,
        kind: word(&object.kind, words::VB365_TYPES),
        server: key("server key", object.server_key)?,
        server_name: text("server's name", object.server_name)?,
        organization: maybe_key("organisation's key", object.organization_key)?,
        organization_name: maybe_text("organisation's name", object.organization_name)?,
        repository: key("repository's key", object.repository_key)?,
        repository_name: text("repository's name", object.repository_name)?,
        archive_repository: archive.map(|archive| (archive, archive_name)),
        restore_points: count("number of restore points", object.restore_points)?,
        archive_restore_points: count("number of archived restore points", object.archive_restore_points)?,
        newest_restore_point: maybe_past("newest restore point", object.newest_restore_point, now)?,
        licensed: is_user.then_some(object.licensed),
        educational: is_user.then_some(object.educational),
        restore_portal: false,
        file_portal: false,
        file_portal_url: None,
    })
}
