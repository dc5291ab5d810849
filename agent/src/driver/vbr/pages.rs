//! Lists that come in pages, whole or not at all.
//!
//! The list lives while it is read. It is asked for in an order in which entries keep their places among each other, and each
//! page begins with the last entry of the one before: as long as that is so, nothing has slipped between the two. A page that
//! begins with something unread lies too far down, because entries further up have gone; reading steps back until it meets what
//! it knows. Pages that bring nothing new, or never end, are an error: a list that is short by mistake would be reported as gone.

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
/// How far a first step back goes; each that follows goes twice as far.
const STEP: usize = 16;
/// Steps back within one reading.
const MOST_STEPS: u32 = 200;

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
    /// Where the next page begins.
    skip: usize,
    /// How far pages have reached.
    furthest: usize,
    /// How far the last step back went, if the page after it did not join either.
    back: usize,
    steps: u32,
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
    /// Whether a page that begins with this entry joins what was read. If not, the page counts for nothing, and reading steps
    /// back.
    fn joins(&mut self, first: Option<&str>) -> Result<bool, String> {
        if self.skip == 0 || first.is_some_and(|first| self.seen.contains(first)) {
            self.back = 0;
            return Ok(true);
        }
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(format!("it changes faster than it can be read, at {}", self.skip));
        }
        self.back = self.back.saturating_mul(2).max(STEP);
        self.skip = self.skip.saturating_sub(self.back);
        Ok(false)
    }

    /// Takes account of a page of `length` entries, `fresh` of them not seen before.
    fn advance(&mut self, length: usize, fresh: usize, total: i64) -> Result<Next, String> {
        let total = usize::try_from(total).map_err(|_| format!("a total of {total}"))?;
        if total > MOST {
            return Err(format!("a total of {total}, which cannot be"));
        }
        let (at, end) = (self.skip, self.skip + length);
        if end >= total {
            return Ok(if self.seen.len() >= total { Next::End } else { Next::Anew });
        }
        if length < 2 {
            return Err(format!("the page at {at} of {total} has {length} entries"));
        }
        if fresh == 0 && end > self.furthest {
            return Err(format!("the page at {at} of {total} repeats what came before"));
        }
        self.furthest = self.furthest.max(end);
        self.skip = end - 1;
        Ok(Next::Page)
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
                if !reading.joins(page.data.first().map(Listed::id)).map_err(odd)? {
                    continue;
                }
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

    /// Reads as `Client::list` does a list that is this when its pages are asked for, one state after the other: what was read,
    /// and with how many questions.
    fn read(states: &[&[&str]], size: usize) -> Result<(Vec<String>, usize), String> {
        let (mut reading, mut found, mut asked) = (Reading::default(), Vec::new(), 0);
        loop {
            let state = states[asked.min(states.len() - 1)];
            let page: Vec<&str> = state.iter().skip(reading.skip).take(size).copied().collect();
            asked += 1;
            if !reading.joins(page.first().copied())? {
                continue;
            }
            let before = found.len();
            for id in &page {
                if reading.seen.insert((*id).into()) {
                    found.push((*id).to_owned());
                }
            }
            let total = i64::try_from(state.len()).unwrap();
            match reading.advance(page.len(), found.len() - before, total)? {
                Next::Page => {}
                Next::End => return Ok((found, asked)),
                Next::Anew => return Err("anew".to_owned()),
            }
        }
    }

    #[test]
    fn pages_are_followed_to_the_end_whatever_their_size() {
        let all = ["a", "b", "c", "d", "e"];
        for (size, questions) in [(2, 4), (3, 2), (4, 2), (5, 1), (9, 1)] {
            let (found, asked) = read(&[&all], size).unwrap();
            assert_eq!((found.as_slice(), asked), (all.map(str::to_owned).as_slice(), questions));
        }
        assert_eq!(read(&[&[]], 3), Ok((Vec::new(), 1)));
    }

    #[test]
    fn what_moves_up_when_others_go_is_read_whatever_comes_at_the_end() {
        let before: &[&str] = &["a", "b", "c", "d", "e", "f"];
        // The last two are as long as the list was: its length does not tell that something moved.
        let after: [&[&str]; 4] = [
            &["b", "c", "d", "e", "f"],
            &["d", "e", "f"],
            &["b", "c", "d", "e", "f", "g"],
            &["e", "f", "g", "h", "i", "j"],
        ];
        for after in after {
            let (found, _) = read(&[before, after], 3).unwrap();
            assert!(after.iter().all(|id| found.iter().any(|one| one == id)), "{after:?}: {found:?}");
        }
    }

    #[test]
    fn a_list_that_loses_its_head_before_each_page_is_read_to_its_end() {
        let names: Vec<String> = (100..200).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let states: Vec<&[&str]> = (0..60).map(|gone| names.split_at(gone).1).collect();
        let (found, _) = read(&states, 10).unwrap();
        assert_eq!(found, names);
    }

    #[test]
    fn a_list_that_lacks_something_in_the_end_is_read_anew() {
        // Something new came first: "c" shows twice, and the new one never.
        let grown = read(&[&["a", "b", "c", "d"], &["0", "a", "b", "c", "d"]], 3);
        assert_eq!(grown, Err("anew".to_owned()));
    }

    #[test]
    fn pages_that_lead_nowhere_are_an_error_that_says_where() {
        let read = |pages: &[(usize, usize, i64)]| {
            let mut reading = Reading::default();
            pages
                .iter()
                .try_for_each(|(length, fresh, total)| reading.advance(*length, *fresh, *total).map(drop))
        };
        let cyclic = read(&[(2, 2, 9), (2, 0, 9)]).unwrap_err();
        assert!(cyclic.contains("the page at 1 of 9 repeats"), "{cyclic}");
        assert!(read(&[(0, 0, 9)]).unwrap_err().contains("the page at 0 of 9 has 0 entries"));
        assert!(read(&[(1, 1, -1)]).is_err());
        assert!(read(&[(1, 1, i64::MAX)]).is_err());
        // Nothing beyond the first page.
        let mut reading = Reading { skip: 2, ..Reading::default() };
        let endless = (0..1000).find_map(|_| {
            reading.skip = 2;
            reading.joins(None).err()
        });
        assert!(endless.unwrap().contains("faster than it can be read"));
    }
}
