//! A fleet for [`inventory`](crate::inventory), on this thread.

use std::cell::RefCell;
use std::collections::HashMap;

use super::Table;
use crate::Error;
use crate::bindings::base::keelson::plugin::types;

thread_local! {
    static FLEET: RefCell<HashMap<String, types::Table>> = RefCell::new(HashMap::new());
}

/// What there is of a subject from now on.
pub fn set(subject: &str, table: Table) {
    FLEET.with_borrow_mut(|fleet| fleet.insert(subject.to_owned(), table.0));
}

pub(crate) fn table(subject: &str, columns: &[&str]) -> Result<types::Table, Error> {
    let found = FLEET.with_borrow(|fleet| fleet.get(subject).cloned());
    let table = found.unwrap_or(types::Table { rows: 0, columns: Vec::new() });
    super::asked_for(table, columns).map_err(|reason| Error::new("bad-request", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_is_read_with_the_columns_that_are_asked_for() {
        set("computer", Table::new(2).strings("name", &["oven", "till"]).ints("restore-points", [1, 2]));
        let page = crate::inventory::read("computer", &["restore-points"], None, 10).unwrap();
        assert_eq!((page.rows.rows(), page.next), (2, None));
        assert_eq!(page.rows.ints("restore-points").unwrap(), [1, 2]);
        assert!(crate::inventory::read("computer", &["age"], None, 10).is_err());
    }
}
