//! Time zones as they are now, and the host's own certificates: what is known elsewhere and stands here so that the list engine
//! serves it as it serves everything.

use super::bulk::{BulkStatement, Type, columns};
use super::{StoreError, Tx, on, statements};
use crate::model::HostCertificate;
use crate::model::world::TimeZone;

statements! {
    NEXT_CHANGE = "SELECT min(changes_at) FROM time_zones";
    KNOWN = "SELECT count(*) FROM time_zones";
    FORGET_CERTIFICATES = "DELETE FROM host_certificates";
    PUT_CERTIFICATE = "INSERT INTO host_certificates (thumbprint, purpose, issued_to, issued_by, friendly_name, serial_number, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
}

const PUT_ZONES: BulkStatement = BulkStatement {
    name: "store::world::PUT_ZONES",
    fixed: &[],
    columns: &[
        ("time_zone_id", Type::Text),
        ("display_name", Type::Text),
        ("utc_offset", Type::Int),
        ("changes_at", Type::Int),
    ],
    text: "INSERT INTO time_zones (time_zone_id, display_name, utc_offset, changes_at) \
        SELECT time_zone_id, display_name, utc_offset, changes_at FROM input WHERE 1 = 1 \
        ON CONFLICT (time_zone_id) DO UPDATE SET display_name = excluded.display_name, utc_offset = excluded.utc_offset, \
        changes_at = excluded.changes_at",
};

pub(super) const BULK: &[BulkStatement] = &[PUT_ZONES];

impl Tx {
    /// Time zones and certificates.
    pub fn world(&mut self) -> World<'_> {
        World(self)
    }
}

/// Time zones and certificates, seen through a transaction.
#[derive(Debug)]
pub struct World<'t>(&'t mut Tx);

impl World<'_> {
    /// Whether the time zones are still as they stand here.
    pub async fn zones_are_current(&mut self, now: i64) -> Result<bool, StoreError> {
        let known: i64 = on!(self.0, db => sqlx::query_scalar(KNOWN).fetch_one(db).await?);
        let next: Option<i64> = on!(self.0, db => sqlx::query_scalar(NEXT_CHANGE).fetch_one(db).await?);
        Ok(known > 0 && next.is_none_or(|next| now < next))
    }

    /// Stores the time zones as they are.
    pub async fn put_zones(&mut self, zones: &[TimeZone]) -> Result<(), StoreError> {
        let columns = columns!(zones, zone => {
            Text zone.id.clone(),
            Text zone.display_name.clone(),
            MaybeInt zone.utc_offset,
            MaybeInt zone.changes_at,
        });
        PUT_ZONES.execute(self.0, &[], &columns).await?;
        Ok(())
    }

    /// Stores the host's certificates; those of before are forgotten.
    pub async fn put_certificates(&mut self, certificates: &[HostCertificate]) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(FORGET_CERTIFICATES).execute(db).await?.rows_affected());
        for one in certificates {
            on!(self.0, db => sqlx::query(PUT_CERTIFICATE)
                .bind(&one.thumbprint)
                .bind(one.purpose)
                .bind(&one.issued_to)
                .bind(&one.issued_by)
                .bind(&one.friendly_name)
                .bind(&one.serial_number)
                .bind(one.expires_at)
                .execute(db)
                .await?
                .rows_affected());
        }
        Ok(())
    }
}
