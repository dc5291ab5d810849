//! What the host knows of the fleet, as columns. A call on behalf of a company gets that company's rows and no others.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;
use wasmtime::component::{HasSelf, Linker};

use super::refusal::Refusal;
use crate::id::CompanyUid;
use crate::plugins::facts::{CHUNK_ROWS, FactTable, Subject};
use crate::plugins::sandbox::CallState;
use crate::plugins::services::Services;
use crate::plugins::terms::Terms;
use crate::plugins::{abi, fleet, text};
use crate::store::StoreError;

/// The word that grants it.
const GRANT: &str = "inventory:read";

/// What all calls of one plugin share.
#[derive(Debug)]
pub(in crate::plugins) struct InventoryDesk {
    granted: bool,
    services: Option<Services>,
    runtime: Handle,
}

impl InventoryDesk {
    pub(in crate::plugins) fn new(
        grants: &crate::plugins::grants::Grants,
        services: Option<Services>,
        runtime: Handle,
    ) -> Arc<Self> {
        Arc::new(Self { granted: grants.allow(GRANT), services, runtime })
    }

    async fn read(&self, ask: Ask) -> Result<abi::inventory::Page, Refusal> {
        let services = self.services.as_ref().ok_or_else(Refusal::no_services)?;
        let found = ask.rows(services).await.map_err(|error| Refusal::no_store(&error))?;
        let rows = found.table.project(&ask.subject, &ask.columns).map_err(|reason| {
            tracing::error!(reason, "plugins: the inventory does not have a column that it lists");
            Refusal::new("unavailable", "the host cannot give these columns; its log says why")
        })?;
        Ok(abi::inventory::Page { rows: rows.into(), next: found.next.map(|uid| uid.to_string()) })
    }
}

/// A request that passed.
struct Ask {
    subject: String,
    columns: Vec<String>,
    after: Uuid,
    limit: usize,
    company: Option<CompanyUid>,
}

/// Some rows, and where to go on.
struct Rows {
    table: FactTable,
    next: Option<Uuid>,
}

impl Ask {
    fn check(
        (subject, columns, cursor, limit): (String, Vec<String>, Option<String>, u32),
        company: Option<CompanyUid>,
    ) -> Result<Self, Refusal> {
        let known = Subject::named(&subject).ok_or_else(|| {
            let names: Vec<&str> = crate::plugins::SUBJECTS.iter().map(|subject| subject.name).collect();
            Refusal::bad_request(format!(
                "no subject `{}`{}",
                short(&subject),
                text::nearest(short(&subject), &names)
            ))
        })?;
        if let Some(column) = columns.iter().find(|column| known.kind_of(column).is_none()) {
            let names: Vec<&str> = known.columns.iter().map(|(name, _)| *name).collect();
            return Err(Refusal::bad_request(format!(
                "`{subject}` has no column `{}`{}",
                short(column),
                text::nearest(short(column), &names)
            )));
        }
        let twice = columns
            .iter()
            .enumerate()
            .any(|(place, column)| columns.iter().take(place).any(|one| one == column));
        if twice {
            return Err(Refusal::bad_request("a column is there twice"));
        }
        let after = cursor.map(|cursor| Uuid::try_parse(&cursor)).transpose();
        let after = after.map_err(|_| Refusal::bad_request("the cursor is not the `next` of a page"))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if !(1..=CHUNK_ROWS).contains(&limit) {
            return Err(Refusal::bad_request(format!("a limit of {limit}; from 1 to {CHUNK_ROWS}")));
        }
        Ok(Self { subject, columns, after: after.unwrap_or_default(), limit, company })
    }

    async fn rows(&self, services: &Services) -> Result<Rows, StoreError> {
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let mut tx = services.store.read_long().await?;
        let (table, last, count) = if self.subject == "computer" {
            let rows = tx.inventory().computers(self.company, self.after, limit).await?;
            (fleet::computers(&rows), rows.last().map(|row| row.uid.0), rows.len())
        } else {
            let rows = tx.inventory().agents(self.company, self.after, limit).await?;
            (fleet::agents(&rows, 0), rows.last().map(|row| row.uid.0), rows.len())
        };
        // A full page may be the last one: the next is empty then, which costs a call and no row.
        Ok(Rows { table, next: last.filter(|_| count == self.limit) })
    }
}

/// The guest's word, which may be megabytes.
fn short(word: &str) -> &str {
    word.get(..word.floor_char_boundary(64)).unwrap_or_default()
}

/// What a call sees of it.
#[derive(Debug)]
pub(in crate::plugins) struct InventoryView {
    desk: Arc<InventoryDesk>,
    terms: Terms,
}

impl InventoryView {
    pub(in crate::plugins) fn new(desk: Arc<InventoryDesk>, terms: Terms) -> Self {
        Self { desk, terms }
    }
}

impl abi::inventory::Host for InventoryView {
    async fn read(
        &mut self,
        subject: String,
        columns: Vec<String>,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<abi::inventory::Page, abi::types::PluginError> {
        self.terms.refuse_if_pure("inventory")?;
        if !self.desk.granted {
            let message =
                format!("nobody granted `{GRANT}`; an administrator does with `keelson plugin approve`");
            return Err(Refusal::new("not-granted", message).into());
        }
        let ask = Ask::check((subject, columns, cursor, limit), self.terms.company)?;
        let desk = Arc::clone(&self.desk);
        let task = self.desk.runtime.spawn(async move { desk.read(ask).await });
        Ok(AbortOnDropHandle::new(task).await.unwrap_or_else(|_| Err(Refusal::stopping()))?)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    abi::inventory::add_to_linker::<_, HasSelf<InventoryView>>(linker, |state| &mut state.inventory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(subject: &str, columns: &[&str], cursor: Option<&str>, limit: u32) -> String {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let asked = (subject.to_owned(), columns, cursor.map(ToOwned::to_owned), limit);
        Ask::check(asked, None).err().map(|refusal| refusal.message).unwrap_or_default()
    }

    #[test]
    fn what_is_wrong_with_a_request_is_named() {
        assert_eq!(refusal("computer", &["name", "restore-points"], None, 10_000), "");
        assert!(refusal("computr", &[], None, 1).contains("did you mean `computer`"));
        assert!(refusal("computer", &["nam"], None, 1).contains("did you mean `name`"));
        assert!(refusal("computer", &["name", "name"], None, 1).contains("twice"));
        assert!(refusal("computer", &["name"], Some("page 2"), 1).contains("`next` of a page"));
        assert!(refusal("computer", &["name"], None, 0).contains("from 1 to 10000"));
        assert!(refusal(&"x".repeat(1 << 20), &[], None, 1).len() < 400);
    }
}
