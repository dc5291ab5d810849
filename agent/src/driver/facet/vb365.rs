//! What a server of Veeam Backup for Microsoft 365 protects, as `facets/vb365.schema.json` says it.

use std::collections::HashMap;

use keelson_proto::v1::{Job, Vb365Object};
use serde::Deserialize;

use super::check::{self, Keys};
use super::license::LicenseWire;
use super::{FacetError, Server, adopt, program};
use crate::inventory::Inventory;

#[derive(Debug, Deserialize)]
enum Facet {
    #[serde(rename = "vb365")]
    Vb365,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    #[expect(dead_code, reason = "looked at before all else")]
    version: u64,
    #[expect(dead_code, reason = "that it can be read is all there is to know")]
    facet: Facet,
    server: Server,
    organizations: Vec<Named>,
    repositories: Vec<Named>,
    objects: Vec<Object>,
    jobs: Vec<JobWire>,
    license: Option<LicenseWire>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    key: String,
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Object {
    key: String,
    id: String,
    name: String,
    kind: String,
    organization_key: Option<String>,
    repository_key: String,
    archive_repository_key: Option<String>,
    restore_points: i64,
    archive_restore_points: i64,
    newest_restore_point: Option<String>,
    licensed: bool,
    educational: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct JobWire {
    key: String,
    name: String,
    #[serde(default)]
    description: String,
    status: String,
    enabled: bool,
    repository_key: Option<String>,
    last_run: Option<String>,
}

/// Adds what the server protects to what the driver found. Its jobs and its licence are told where it is the agent's only
/// server: beside another they would be taken for the other's.
pub(super) fn add(inventory: &mut Inventory, answer: &[u8]) -> Result<(), FacetError> {
    let answer: Answer = program::parse(answer)?;
    check::key("server's key", &answer.server.key)?;
    check::text("server's name", &answer.server.name)?;
    let organizations = names("organization", answer.organizations)?;
    let repositories = names("repository", answer.repositories)?;
    let mut keys = Keys::default();
    let mut objects = Vec::new();
    for one in answer.objects {
        keys.add("protected object", &one.key)?;
        objects.push(object(&answer.server, &organizations, &repositories, one)?);
    }
    let jobs =
        answer.jobs.into_iter().map(|one| job(&answer.server.key, one)).collect::<Result<Vec<_>, _>>()?;
    let license = answer.license.map(|license| license.of_server(&answer.server.key)).transpose()?;
    adopt(inventory, &answer.server, "vb365");
    if inventory.server.key == answer.server.key {
        inventory.license = inventory.license.take().or(license);
        inventory.jobs.extend(jobs);
    }
    inventory.vb365_objects.extend(objects);
    Ok(())
}

type Names = HashMap<String, String>;

fn names(what: &str, all: Vec<Named>) -> Result<Names, FacetError> {
    let mut keys = Keys::default();
    for one in &all {
        keys.add(what, &one.key)?;
        check::text(&format!("name of a {what}"), &one.name)?;
    }
    Ok(all.into_iter().map(|one| (one.key, one.name)).collect())
}

fn name_of(what: &str, names: &Names, key: &str) -> Result<String, FacetError> {
    let missing =
        || FacetError::Nonsense(format!("an object is of the {what} \"{key}\", which is not there"));
    names.get(key).cloned().ok_or_else(missing)
}

fn object(
    server: &Server,
    organizations: &Names,
    repositories: &Names,
    one: Object,
) -> Result<Vb365Object, FacetError> {
    for (what, text) in [("id of an object", &one.id), ("name of an object", &one.name)] {
        check::text(what, text)?;
    }
    for number in [one.restore_points, one.archive_restore_points] {
        check::measure("number of restore points", number)?;
    }
    let organization = one.organization_key.unwrap_or_default();
    let archive = one.archive_repository_key.unwrap_or_default();
    let maybe =
        |what, names, key: &str| if key.is_empty() { Ok(String::new()) } else { name_of(what, names, key) };
    Ok(Vb365Object {
        organization_name: maybe("organization", organizations, &organization)?,
        organization_key: organization,
        repository_name: name_of("repository", repositories, &one.repository_key)?,
        repository_key: one.repository_key,
        archive_repository_name: maybe("repository", repositories, &archive)?,
        archive_repository_key: archive,
        key: one.key,
        id: one.id,
        name: one.name,
        kind: one.kind,
        server_key: server.key.clone(),
        server_name: server.name.clone(),
        restore_points: one.restore_points,
        archive_restore_points: one.archive_restore_points,
        newest_restore_point: check::maybe_instant(
            "newest restore point",
            one.newest_restore_point.as_deref(),
        )?,
        licensed: one.licensed,
        educational: one.educational,
    })
}

fn job(server: &str, one: JobWire) -> Result<Job, FacetError> {
    check::key("key of a job", &one.key)?;
    check::text("name of a job", &one.name)?;
    Ok(Job {
        server_key: server.to_owned(),
        key: one.key,
        name: one.name,
        description: one.description,
        // The API has no word for them.
        kind: "Unknown".to_owned(),
        status: one.status,
        enabled: one.enabled,
        last_run: check::maybe_instant("last run of a job", one.last_run.as_deref())?,
        repository_key: one.repository_key.unwrap_or_default(),
        ..Job::default()
    })
}
