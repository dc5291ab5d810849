//! The licences that backup servers have, as reported: one a server.

use uuid::Uuid;

use super::super::bulk::{BulkStatement, Column, Type, columns};
use super::super::{StoreError, Tx};
use super::{Of, json_list};

const PUT: BulkStatement = BulkStatement {
    name: "store::infrastructure::licenses::PUT",
    fixed: &[],
    columns: &[
        ("agent_uid", Type::Uuid),
        ("company_uid", Type::Uuid),
        ("epoch", Type::Int),
        ("server_uid", Type::Uuid),
        ("type", Type::Text),
        ("status", Type::Text),
        ("edition", Type::Text),
        ("company", Type::Text),
        ("contact_person", Type::Text),
        ("email", Type::Text),
        ("license_ids", Type::Text),
        ("support_ids", Type::Text),
        ("expires_at", Type::Int),
        ("support_expires_at", Type::Int),
        ("auto_update", Type::Flag),
        ("cloud_connect", Type::Text),
        ("packages", Type::Text),
        ("unit_type", Type::Text),
        ("units", Type::Real),
        ("used_units", Type::Real),
        ("new_units", Type::Real),
        ("rental_units", Type::Real),
        ("sockets", Type::Real),
        ("used_sockets", Type::Real),
        ("capacity", Type::Real),
        ("used_capacity", Type::Real),
        ("uses", Type::Text),
    ],
    text: " INSERT INTO server_licenses (server_uid, type, status, edition, company, contact_person, email, \
        license_ids, support_ids, expires_at, support_expires_at, auto_update, cloud_connect, packages, unit_type, \
        units, used_units, new_units, rental_units, sockets, used_sockets, capacity, used_capacity, uses, agent_uid, \
        company_uid, epoch) SELECT server_uid, type, status, edition, company, contact_person, email, license_ids, \
        support_ids, expires_at, support_expires_at, auto_update, cloud_connect, packages, unit_type, units, \
        used_units, new_units, rental_units, sockets, used_sockets, capacity, used_capacity, uses, input.agent_uid, input.company_uid, \
        input.epoch FROM input WHERE 1 = 1 ON CONFLICT (server_uid) DO UPDATE SET type = excluded.type, status = \
        excluded.status, edition = excluded.edition, company = excluded.company, contact_person = \
        excluded.contact_person, email = excluded.email, license_ids = excluded.license_ids, support_ids = \
        excluded.support_ids, expires_at = excluded.expires_at, support_expires_at = excluded.support_expires_at, \
        auto_update = excluded.auto_update, cloud_connect = excluded.cloud_connect, packages = excluded.packages, \
        unit_type = excluded.unit_type, units = excluded.units, used_units = excluded.used_units, new_units = \
        excluded.new_units, rental_units = excluded.rental_units, sockets = excluded.sockets, used_sockets = \
        excluded.used_sockets, capacity = excluded.capacity, used_capacity = excluded.used_capacity, uses = \
        excluded.uses, epoch = excluded.epoch",
};

const DROP: BulkStatement = BulkStatement {
    name: "store::infrastructure::licenses::DROP",
    fixed: &[],
    columns: &[("uid", Type::Uuid)],
    text: "DELETE FROM server_licenses WHERE server_uid IN (SELECT uid FROM input)",
};

pub(super) const BULK: &[BulkStatement] = &[PUT, DROP];

/// A server's licence, as reported. Instants are Unix milliseconds. What the server does not say is absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LicenseFact {
    /// The server's key.
    pub server: String,
    /// A word of the API's `VeeamLicenseType`.
    pub kind: String,
    /// A word of the API's `VeeamLicenseStatus`.
    pub status: String,
    /// In the engine's words.
    pub edition: Option<String>,
    /// Whom it was issued to.
    pub company: Option<String>,
    /// Whom it was issued to.
    pub contact_person: Option<String>,
    /// That person's address.
    pub email: Option<String>,
    /// Its ids.
    pub license_ids: Vec<Uuid>,
    /// The ids of the support that comes with it.
    pub support_ids: Vec<String>,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// When support for it ends.
    pub support_expires_at: Option<i64>,
    /// Whether the server fetches the next one by itself.
    pub auto_update: bool,
    /// A word of the API's `VeeamLicenseCloudConnect`.
    pub cloud_connect: String,
    /// Words of the API's `VeeamLicensePackage`.
    pub packages: Vec<String>,
    /// A word of the API's `VeeamLicenseUnitsType`.
    pub unit_type: Option<String>,
    /// Instances or points that it is good for.
    pub units: Option<f64>,
    /// Of them, used.
    pub used_units: Option<f64>,
    /// Of the used ones, those that are new this month.
    pub new_units: Option<f64>,
    /// Of the used ones, those that are rented.
    pub rental_units: Option<f64>,
    /// Sockets that it is good for.
    pub sockets: Option<f64>,
    /// Of them, used.
    pub used_sockets: Option<f64>,
    /// Terabytes that it is good for.
    pub capacity: Option<f64>,
    /// Of them, used.
    pub used_capacity: Option<f64>,
    /// What uses the units: a JSON array of type, count, multiplier and used units.
    pub uses: String,
}

/// Stores new or changed licences.
pub(in crate::store) async fn put(tx: &mut Tx, facts: &[Of<'_, LicenseFact>]) -> Result<(), StoreError> {
    let columns = columns!(facts, Of { source, fact } => {
        Uuid source.agent.0,
        Uuid source.company.0,
        Int source.epoch,
        Uuid source.server(&fact.server),
        Text fact.kind.clone(),
        Text fact.status.clone(),
        MaybeText fact.edition.clone(),
        MaybeText fact.company.clone(),
        MaybeText fact.contact_person.clone(),
        MaybeText fact.email.clone(),
        Text json_list(&fact.license_ids),
        Text json_list(&fact.support_ids),
        MaybeInt fact.expires_at,
        MaybeInt fact.support_expires_at,
        Flag fact.auto_update,
        Text fact.cloud_connect.clone(),
        Text json_list(&fact.packages),
        MaybeText fact.unit_type.clone(),
        MaybeReal fact.units,
        MaybeReal fact.used_units,
        MaybeReal fact.new_units,
        MaybeReal fact.rental_units,
        MaybeReal fact.sockets,
        MaybeReal fact.used_sockets,
        MaybeReal fact.capacity,
        MaybeReal fact.used_capacity,
        Text fact.uses.clone(),
    });
    PUT.execute(tx, &[], &columns).await?;
    Ok(())
}

/// Forgets the licences of these servers.
pub(in crate::store) async fn forget(tx: &mut Tx, gone: &[Of<'_, String>]) -> Result<(), StoreError> {
    let servers = gone.iter().map(|Of { source, fact }| source.server(fact)).collect();
    DROP.execute(tx, &[], &[Column::Uuid(servers)]).await?;
    Ok(())
}
