//! What a script's answer is held to beyond its letter: the host refuses whole batches for less, and what the host would refuse
//! has to be named here, where it can be mended.

use std::collections::HashSet;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::FacetError;

/// Bytes of a key.
const LONGEST_KEY: usize = 512;
/// Bytes of a text for people.
const LONGEST_TEXT: usize = 4_096;

fn nonsense(what: String) -> FacetError {
    FacetError::Nonsense(what)
}

/// What names something.
pub(super) fn key(what: &str, key: &str) -> Result<(), FacetError> {
    if key.is_empty() || key.len() > LONGEST_KEY || key.contains('\0') {
        return Err(nonsense(format!("the {what} has {} bytes; a key has 1 to {LONGEST_KEY}", key.len())));
    }
    Ok(())
}

/// What people read.
pub(super) fn text(what: &str, text: &str) -> Result<(), FacetError> {
    if text.len() > LONGEST_TEXT || text.contains('\0') {
        return Err(nonsense(format!("the {what} is too long, or holds a NUL character")));
    }
    Ok(())
}

/// What counts or measures.
pub(super) fn measure(what: &str, value: i64) -> Result<(), FacetError> {
    if value < 0 { Err(nonsense(format!("the {what} is {value}"))) } else { Ok(()) }
}

/// A port.
pub(super) fn port(what: &str, port: u32) -> Result<(), FacetError> {
    if port > u32::from(u16::MAX) { Err(nonsense(format!("the {what} is {port}"))) } else { Ok(()) }
}

/// RFC 3339 as unix milliseconds.
pub(super) fn instant(what: &str, text: &str) -> Result<i64, FacetError> {
    let at = OffsetDateTime::parse(text, &Rfc3339)
        .map_err(|_| nonsense(format!("the {what} is \"{}\", which is no instant", text.escape_debug())))?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .map_err(|_| nonsense(format!("the {what} is too far away")))
}

/// An instant that need not be there. One before 1970 stands for never, as .NET writes it.
pub(super) fn maybe_instant(what: &str, text: Option<&str>) -> Result<Option<i64>, FacetError> {
    Ok(text.map(|text| instant(what, text)).transpose()?.filter(|at| *at >= 0))
}

/// Keys of one kind: each once, and what is spoken of elsewhere is one of them.
#[derive(Debug, Default)]
pub(super) struct Keys(HashSet<String>);

impl Keys {
    pub(super) fn add(&mut self, what: &str, own: &str) -> Result<(), FacetError> {
        key(&format!("key of a {what}"), own)?;
        if !self.0.insert(own.to_owned()) {
            return Err(nonsense(format!("the {what} \"{}\" comes twice", own.escape_debug())));
        }
        Ok(())
    }

    pub(super) fn must_have(&self, what: &str, own: &str) -> Result<(), FacetError> {
        if self.0.contains(own) {
            return Ok(());
        }
        Err(nonsense(format!("something is of the {what} \"{}\", which is not there", own.escape_debug())))
    }
}
