//! What the host knows of the fleet. A call on behalf of a company sees that company's rows and no others. Outside a component
//! there is what [`testkit::inventory`](crate::testkit::inventory) put there.

use crate::{Error, Facts};

/// The most rows of a page.
pub const PAGE: u32 = 10_000;

/// Some rows, and where to go on.
#[derive(Debug)]
pub struct Page {
    /// Just the columns that were asked for.
    pub rows: Facts,
    /// For the next call; none at the end.
    pub next: Option<String>,
}

/// Rows of a subject with these columns; `wit/README.md` lists both. `limit` is from 1 to [`PAGE`].
#[cfg(target_arch = "wasm32")]
pub fn read(subject: &str, columns: &[&str], cursor: Option<&str>, limit: u32) -> Result<Page, Error> {
    use crate::bindings::base::keelson::plugin::inventory;
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let page = inventory::read(subject, &columns, cursor, limit)?;
    Ok(Page { rows: Facts::from_table(page.rows), next: page.next })
}

/// Rows of a subject with these columns; `wit/README.md` lists both. `limit` is from 1 to [`PAGE`].
#[cfg(not(target_arch = "wasm32"))]
pub fn read(subject: &str, columns: &[&str], _cursor: Option<&str>, _limit: u32) -> Result<Page, Error> {
    let rows = crate::testkit::inventory::table(subject, columns)?;
    Ok(Page { rows: Facts::from_table(rows), next: None })
}

/// All rows, page by page.
pub fn each(
    subject: &str,
    columns: &[&str],
    mut take: impl FnMut(&Facts) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut cursor = None;
    loop {
        let page = read(subject, columns, cursor.as_deref(), PAGE)?;
        take(&page.rows)?;
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}
