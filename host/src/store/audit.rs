//! The activity log, a chain: each row's hash covers its content and the hash before it, so a row that was changed or taken
//! out shows. Rows are written in the transaction of what they tell of.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Dialect, StoreError, Tx, on, statements};

statements! {
    HEAD = "SELECT position, hash FROM audit_head";
    EXTENT = "SELECT h.position AS last, h.hash, (SELECT coalesce(min(position), 1) FROM audit) AS lowest, \
        (SELECT coalesce(max(position), 0) FROM audit) AS highest, (SELECT count(*) FROM audit) AS count FROM audit_head h";
    MOVE_HEAD = "UPDATE audit_head SET position = $1, hash = $2";
    INSERT = "INSERT INTO audit (position, at, user_uid, user_name, actor_uid, address, operation, outcome, organization_uid, \
        object_type, object_uid, object_name, message, before, after, hash) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    AFTER = "SELECT position, at, user_uid, user_name, actor_uid, address, operation, outcome, organization_uid, object_type, \
        object_uid, object_name, message, before, after, hash FROM audit WHERE position > $1 ORDER BY position LIMIT $2";
}

/// Something to be remembered.
#[derive(Debug, Clone, Default)]
pub struct NewAuditRow {
    /// Unix milliseconds.
    pub at: i64,
    /// Who; absent: the host itself, or nobody known.
    pub user_uid: Option<Uuid>,
    /// Their name at that time.
    pub user_name: String,
    /// Who acted in their place.
    pub actor_uid: Option<Uuid>,
    /// From where.
    pub address: String,
    /// The operation's id.
    pub operation: String,
    /// `Succeeded` or `Denied`.
    pub outcome: &'static str,
    /// Whose object it is.
    pub organization_uid: Option<Uuid>,
    /// What kind of object, in the contract's words.
    pub object_type: String,
    /// Which one.
    pub object_uid: Option<Uuid>,
    /// Its name at that time.
    pub object_name: String,
    /// For people.
    pub message: String,
    /// JSON, without secrets.
    pub before: Option<String>,
    /// JSON, without secrets.
    pub after: Option<String>,
}

/// A row as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
#[expect(missing_docs, reason = "as in NewAuditRow")]
pub struct AuditRow {
    pub position: i64,
    pub at: i64,
    pub user_uid: Option<Uuid>,
    pub user_name: String,
    pub actor_uid: Option<Uuid>,
    pub address: String,
    pub operation: String,
    pub outcome: String,
    pub organization_uid: Option<Uuid>,
    pub object_type: String,
    pub object_uid: Option<Uuid>,
    pub object_name: String,
    pub message: String,
    pub before: Option<String>,
    pub after: Option<String>,
    pub hash: Vec<u8>,
}

/// What the head of the chain says, and what there is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Extent {
    /// The last row, as the head has it.
    pub last: i64,
    /// And its hash.
    pub hash: Vec<u8>,
    /// The first row that there is.
    pub lowest: i64,
    /// The last.
    pub highest: i64,
    /// How many there are.
    pub count: i64,
}

impl AuditRow {
    /// What its hash must be after the row whose hash is `previous`.
    pub fn expected_hash(&self, previous: &[u8]) -> Vec<u8> {
        let mut digest = Sha256::new();
        // Each piece with its length before it, so that no two rows give the same bytes.
        let mut piece = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        piece(previous);
        piece(&self.position.to_be_bytes());
        piece(&self.at.to_be_bytes());
        for uid in [self.user_uid, self.actor_uid, self.organization_uid, self.object_uid] {
            piece(uid.as_ref().map_or(&[][..], |uid| uid.as_bytes()));
        }
        for text in [
            &self.user_name,
            &self.address,
            &self.operation,
            &self.outcome,
            &self.object_type,
            &self.object_name,
            &self.message,
        ] {
            piece(text.as_bytes());
        }
        for text in [&self.before, &self.after] {
            piece(text.as_deref().map_or("-", |_| "+").as_bytes());
            piece(text.as_deref().unwrap_or_default().as_bytes());
        }
        digest.finalize().to_vec()
    }
}

impl Tx {
    /// The activity log.
    pub fn audit(&mut self) -> Audit<'_> {
        Audit(self)
    }
}

/// The activity log, seen through a transaction.
#[derive(Debug)]
pub struct Audit<'t>(&'t mut Tx);

impl Audit<'_> {
    /// Adds a row. Best done last in a transaction: others wait for the head of the chain until it ends.
    pub async fn add(&mut self, new: &NewAuditRow) -> Result<(), StoreError> {
        let (position, previous) = self.head(true).await?;
        let mut row = AuditRow {
            position: position + 1,
            at: new.at,
            user_uid: new.user_uid,
            user_name: new.user_name.clone(),
            actor_uid: new.actor_uid,
            address: new.address.clone(),
            operation: new.operation.clone(),
            outcome: new.outcome.to_owned(),
            organization_uid: new.organization_uid,
            object_type: new.object_type.clone(),
            object_uid: new.object_uid,
            object_name: new.object_name.clone(),
            message: new.message.clone(),
            before: new.before.clone(),
            after: new.after.clone(),
            hash: Vec::new(),
        };
        row.hash = row.expected_hash(&previous);
        self.insert(&row).await?;
        on!(self.0, db => sqlx::query(MOVE_HEAD)
            .bind(row.position)
            .bind(&row.hash)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }

    /// The position and hash of the last row.
    pub async fn head(&mut self, for_update: bool) -> Result<(i64, Vec<u8>), StoreError> {
        // SQLite has one writer, which holds all rows.
        let text = if for_update && self.0.dialect() == Dialect::Postgres {
            "SELECT position, hash FROM audit_head FOR UPDATE"
        } else {
            HEAD
        };
        let head = on!(self.0, db => sqlx::query_as(text).fetch_one(db).await?);
        Ok(head)
    }

    /// The head of the chain, and which rows there are: the first, the last and how many. One statement, so that a row that is
    /// written meanwhile is in all of it or in none.
    pub async fn extent(&mut self) -> Result<Extent, StoreError> {
        Ok(on!(self.0, db => sqlx::query_as(EXTENT).fetch_one(db).await?))
    }

    /// The rows behind `position`, the oldest first.
    pub async fn after(&mut self, position: i64, limit: i64) -> Result<Vec<AuditRow>, StoreError> {
        let rows = on!(self.0, db => sqlx::query_as(AFTER).bind(position).bind(limit).fetch_all(db).await?);
        Ok(rows)
    }

    async fn insert(&mut self, row: &AuditRow) -> Result<(), StoreError> {
        on!(self.0, db => sqlx::query(INSERT)
            .bind(row.position)
            .bind(row.at)
            .bind(row.user_uid)
            .bind(&row.user_name)
            .bind(row.actor_uid)
            .bind(&row.address)
            .bind(&row.operation)
            .bind(&row.outcome)
            .bind(row.organization_uid)
            .bind(&row.object_type)
            .bind(row.object_uid)
            .bind(&row.object_name)
            .bind(&row.message)
            .bind(&row.before)
            .bind(&row.after)
            .bind(&row.hash)
            .execute(db)
            .await?
            .rows_affected());
        Ok(())
    }
}
