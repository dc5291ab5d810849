//! Locations of companies.

use super::{StoreError, Tx, on, statements};
use crate::clock::Clock;
use crate::id::{CompanyUid, LocationUid};

statements! {
    // Whoever changes an organisation's locations holds its row: two that delete at once would each leave it to the other to be the last.
    HOLD = "UPDATE organizations SET name = name WHERE uid = $1";
    GET = "SELECT uid, company_uid, name, type FROM locations WHERE uid = $1";
    NAMED = "SELECT uid FROM locations WHERE company_uid = $1 AND name_folded = $2 LIMIT 1";
    INSERT = "INSERT INTO locations (uid, company_uid, name, name_folded, type, quota_gb) VALUES ($1, $2, $3, $4, 'Custom', $5)";
    // The default one; if that is the one that goes, the oldest of the company's own, else the hosted one.
    SUCCESSOR = "SELECT uid, company_uid, name, type FROM locations WHERE company_uid = $1 AND uid <> $2 \
        ORDER BY CASE type WHEN 'Default' THEN 0 WHEN 'Custom' THEN 1 ELSE 2 END, uid LIMIT 1";
    PROMOTE = "UPDATE locations SET type = 'Default' WHERE uid = $1";
    MOVE_AGENTS = "UPDATE agents SET location_uid = $2 WHERE location_uid = $1";
    MOVE_JOIN_TOKENS = "UPDATE join_tokens SET location_uid = $2 WHERE location_uid = $1";
    MOVE_ALARMS = "UPDATE alarms SET location_uid = $2 WHERE location_uid = $1";
    MOVE_UNVERIFIED = "UPDATE unverified_agents SET location_uid = $2 WHERE location_uid = $1";
    DELETE = "DELETE FROM locations WHERE uid = $1";
}

/// What stands at a location and moves when it goes. That a user may see a location is no such thing: it goes with it.
pub const MOVED_WITH_A_LOCATION: &[&str] = &["agents", "join_tokens", "alarms", "unverified_agents"];

/// A location.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LocationRow {
    /// Its id.
    pub uid: LocationUid,
    /// Whose.
    pub company_uid: CompanyUid,
    /// Unique within the company, without regard to case.
    pub name: String,
    /// Default, Hosted or Custom.
    pub r#type: String,
}

/// A location to be made.
#[derive(Debug, Clone)]
pub struct NewLocation {
    /// Whose.
    pub company_uid: CompanyUid,
    /// Unique within the company, without regard to case.
    pub name: String,
    /// From how much on it is an alarm; 0: never.
    pub quota_gb: i64,
}

impl Tx {
    /// Locations of companies.
    pub fn locations(&mut self) -> Locations<'_> {
        Locations(self)
    }
}

/// Locations, seen through a transaction.
#[derive(Debug)]
pub struct Locations<'t>(&'t mut Tx);

impl Locations<'_> {
    /// Holds a company's locations until the commit.
    pub async fn hold(&mut self, company: CompanyUid) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(HOLD).bind(company).execute(db).await?.rows_affected());
        Ok(())
    }

    /// One location, for the host itself; what callers see goes through `LOCATIONS`.
    pub async fn get(&mut self, uid: LocationUid) -> Result<Option<LocationRow>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(GET).bind(uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// The company's location of this name, without regard to case.
    pub async fn named(
        &mut self,
        company: CompanyUid,
        name: &str,
    ) -> Result<Option<LocationUid>, StoreError> {
        let found = on!(self.0, db => sqlx::query_scalar(NAMED)
            .bind(company)
            .bind(name.to_lowercase())
            .fetch_optional(db)
            .await?);
        Ok(found)
    }

    /// Makes a location.
    pub async fn create(&mut self, clock: &dyn Clock, new: &NewLocation) -> Result<LocationUid, StoreError> {
        let uid = LocationUid::new(clock);
        on!(self.0, db => sqlx::query(INSERT)
            .bind(uid)
            .bind(new.company_uid)
            .bind(&new.name)
            .bind(new.name.to_lowercase())
            .bind(new.quota_gb)
            .execute(db)
            .await?
            .rows_affected());
        Ok(uid)
    }

    /// Where what stands at a location would go; none if it is the last one.
    pub async fn successor(&mut self, of: &LocationRow) -> Result<Option<LocationRow>, StoreError> {
        let row = on!(self.0, db => sqlx::query_as(SUCCESSOR).bind(of.company_uid).bind(of.uid).fetch_optional(db).await?);
        Ok(row)
    }

    /// Moves what stands at a location to another and deletes it. The other takes its place as the default one, if need be.
    pub async fn merge(&mut self, from: &LocationRow, into: LocationUid) -> Result<(), StoreError> {
        for statement in [MOVE_AGENTS, MOVE_JOIN_TOKENS, MOVE_ALARMS, MOVE_UNVERIFIED] {
            on!(self.0, db => sqlx::query(statement).bind(from.uid).bind(into).execute(db).await?.rows_affected());
        }
        if from.r#type == "Default" {
            on!(self.0, db => sqlx::query(PROMOTE).bind(into).execute(db).await?.rows_affected());
        }
        on!(self.0, db => sqlx::query(DELETE).bind(from.uid).execute(db).await?.rows_affected());
        Ok(())
    }
}
