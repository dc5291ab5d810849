//! Lists that come in pages, whole or not at all.
//!
//! The list lives while it is read. Lists are asked for in an order in which what is new comes last; when one becomes
//! shorter, what follows has moved up, and reading steps back by as much. Pages that bring nothing new, or never end, are an
//! error: a list that is short by mistake would be reported as gone.

use std::collections::HashSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::client::Client;
use super::error::VbrError;

/// How many are asked for at once; a server may give fewer.
const PAGE: usize = 1000;
/// No server has more of anything.
const MOST: usize = 5_000_000;
/// How often a list is read that changed under way.
const READINGS: u32 = 3;

/// Something that lists hold.
pub(super) trait Listed: DeserializeOwned {
    /// What names it in its list.
    fn id(&self) -> &str;
}

/// `…Result`.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Page<T> {
    data: Vec<T>,
    pagination: Pagination,
}

/// `PaginationResult`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Pagination {
    pub(super) total: i64,
}

/// What is known of a list while it is read.
#[derive(Debug, Default)]
struct Reading {
    seen: HashSet<Box<str>>,
    skip: usize,
    total: Option<usize>,
    /// Entries that may come again, after a step back.
    repeats: usize,
}

/// What to do after a page.
#[derive(Debug, PartialEq)]
enum Next {
    Page,
    /// All of it was read.
    End,
    /// All pages were read, and something is missing: it has changed under way.
    Anew,
}

impl Reading {
    /// Takes account of a page of `length` entries, `fresh` of them not seen before.
    fn advance(&mut self, length: usize, fresh: usize, total: i64) -> Result<Next, String> {
        let total = usize::try_from(total).map_err(|_| format!("a total of {total}"))?;
        if total > MOST {
            return Err(format!("a total of {total}, which cannot be"));
        }
        let at = self.skip;
        let shorter = self.total.map_or(0, |before| before.saturating_sub(total));
        self.total = Some(total);
        if shorter > 0 {
            self.skip = at.saturating_sub(shorter);
            self.repeats = length + shorter;
        } else if length == 0 && at < total {
            return Err(format!("the page at {at} of {total} is empty"));
        } else if length > 0 && fresh == 0 && self.repeats < length {
            return Err(format!("the page at {at} of {total} repeats what came before"));
        } else {
            self.skip = at + length;
            self.repeats = self.repeats.saturating_sub(length - fresh);
        }
        Ok(match (self.skip >= total, self.seen.len() >= total) {
            (false, _) => Next::Page,
            (true, true) => Next::End,
            (true, false) => Next::Anew,
        })
    }
}

impl Client {
    /// All of a list; each entry becomes what `map` makes of it as soon as its page is there.
    pub(super) async fn list<T: Listed, M>(
        &self,
        call: Call,
        mut map: impl FnMut(T) -> Result<M, VbrError>,
    ) -> Result<Vec<M>, VbrError> {
        let odd = |problem| VbrError::Pages { call: call.to_string(), problem };
        for _ in 0..READINGS {
            let mut reading = Reading::default();
            let mut found = Vec::new();
            loop {
                let asked = call.clone().with("skip", reading.skip).with("limit", PAGE);
                let page: Page<T> = self.json(&asked).await?;
                let (length, before) = (page.data.len(), found.len());
                for entry in page.data {
                    if reading.seen.insert(entry.id().into()) {
                        found.push(map(entry)?);
                    }
                }
                match reading.advance(length, found.len() - before, page.pagination.total).map_err(odd)? {
                    Next::Page => {}
                    Next::End => return Ok(found),
                    Next::Anew => break,
                }
            }
        }
        Err(odd(format!("it changed each of {READINGS} times while it was read")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads pages of ids as `Client::list` does.
    fn read(pages: &[(&[&str], i64)]) -> Result<(Vec<Next>, usize), String> {
        let mut reading = Reading::default();
        let mut steps = Vec::new();
        for (ids, total) in pages {
            let fresh = ids.iter().filter(|id| reading.seen.insert((**id).into())).count();
            steps.push(reading.advance(ids.len(), fresh, *total)?);
        }
        Ok((steps, reading.skip))
    }

    #[test]
    fn pages_are_followed_to_the_end_whatever_their_size() {
        assert_eq!(read(&[(&["a", "b"], 3), (&["c"], 3)]), Ok((vec![Next::Page, Next::End], 3)));
        assert_eq!(read(&[(&[], 0)]), Ok((vec![Next::End], 0)));
    }

    #[test]
    fn what_moves_up_when_a_list_becomes_shorter_is_read_again() {
        // "a" was removed after the first page: "c" is where "b" was.
        let all = read(&[(&["a", "b"], 4), (&["d"], 3), (&["c", "d"], 3)]);
        assert_eq!(all, Ok((vec![Next::Page, Next::Page, Next::End], 3)));
        // "d" was removed: there is nothing new in what is read again.
        let all = read(&[(&["a", "b"], 4), (&["c"], 3), (&["b", "c"], 3)]);
        assert_eq!(all, Ok((vec![Next::Page, Next::Page, Next::End], 3)));
    }

    #[test]
    fn a_list_that_lacks_something_in_the_end_is_read_anew() {
        // Something new came first: "b" shows twice, and the new one never.
        assert_eq!(read(&[(&["a", "b"], 3), (&["b", "c"], 4)]).unwrap().0[1], Next::Anew);
    }

    #[test]
    fn pages_that_lead_nowhere_are_an_error_that_says_where() {
        let cyclic = read(&[(&["a", "b"], 9), (&["a", "b"], 9)]).unwrap_err();
        assert!(cyclic.contains("at 2 of 9"), "{cyclic}");
        assert!(read(&[(&["a"], 9), (&[], 9)]).unwrap_err().contains("empty"));
        assert!(read(&[(&["a"], -1)]).is_err());
        assert!(read(&[(&["a"], i64::MAX)]).is_err());
    }
}
