//! What every fact is held to: bounds, and words that mean something.

use uuid::Uuid;

use super::words::{UNKNOWN, Words};

/// Bytes of a key.
const LONGEST_KEY: usize = 512;
/// Bytes of a text for people.
const LONGEST_TEXT: usize = keelson_proto::limits::TEXT_BYTES;
/// Of a list for people.
const MOST_TEXTS: usize = 256;
/// Eight pebibytes, and the last whole number that every reader of JSON has.
const LARGEST: i64 = (1 << 53) - 1;
/// The last instant of the year 9999.
pub(super) const LATEST: i64 = 253_402_300_799_999;

/// What names something: 1 to 512 bytes, as they are.
pub(super) fn key(what: &str, value: String) -> Result<String, String> {
    if value.is_empty() || value.len() > LONGEST_KEY {
        return Err(format!("the {what} has {} bytes; it must have 1 to {LONGEST_KEY}", value.len()));
    }
    no_nul(what, value)
}

/// What is for people is cut rather than refused: a long path must not stop an agent's facts.
pub(super) fn text(what: &str, mut value: String) -> Result<String, String> {
    if value.len() > LONGEST_TEXT {
        let cut = value.floor_char_boundary(LONGEST_TEXT);
        value.truncate(cut);
    }
    no_nul(what, value)
}

/// PostgreSQL keeps no NUL in a text.
fn no_nul(what: &str, value: String) -> Result<String, String> {
    if value.contains('\0') { Err(format!("the {what} holds a NUL character")) } else { Ok(value) }
}

/// A text that need not be there.
pub(super) fn maybe_text(what: &str, value: String) -> Result<Option<String>, String> {
    if value.is_empty() { Ok(None) } else { text(what, value).map(Some) }
}

/// A key that need not be there.
pub(super) fn maybe_key(what: &str, value: String) -> Result<Option<String>, String> {
    if value.is_empty() { Ok(None) } else { key(what, value).map(Some) }
}

/// One of the API's words: a newer engine's, or a hostile agent's, is unknown.
pub(super) fn word(value: &str, known: Words) -> String {
    (if known.0.contains(&value) { value } else { UNKNOWN }).to_owned()
}

/// A word that need not be there.
pub(super) fn maybe_word(value: &str, known: Words) -> Option<String> {
    (!value.is_empty()).then(|| word(value, known))
}

/// A number that counts or measures something. One beyond all measure is cut, so that what is summed up stays a number.
pub(super) fn measure(what: &str, value: Option<i64>) -> Result<Option<i64>, String> {
    match value {
        Some(number) if number < 0 => Err(format!("the {what} is {number}; it must not be negative")),
        // Sums of what many agents say must stay numbers, whatever one of them says.
        other => Ok(other.map(|number| number.min(LARGEST))),
    }
}

/// An instant of the past: an engine whose clock is ahead has done nothing later than it is heard of.
pub(super) fn past(what: &str, at: i64, now: i64) -> Result<i64, String> {
    if at < 0 {
        return Err(format!("the {what} is {at}; it must not be negative"));
    }
    Ok(at.min(now))
}

/// An instant of the past that need not be there. One before 1970 stands for never, as .NET writes it.
pub(super) fn maybe_past(what: &str, at: Option<i64>, now: i64) -> Result<Option<i64>, String> {
    at.filter(|at| *at >= 0).map(|at| past(what, at, now)).transpose()
}

/// A number that counts something and is there.
pub(super) fn count(what: &str, value: i64) -> Result<i64, String> {
    Ok(measure(what, Some(value))?.unwrap_or_default())
}

/// An amount of the engine's that is no whole number. One that is none, or no amount, is left out.
pub(super) fn amount(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && *value >= 0.0)
}

/// An instant, wherever it lies; before 1970 there was nothing that this could mean, and after 9999 no date is written.
pub(super) fn maybe_instant(at: Option<i64>) -> Option<i64> {
    at.filter(|at| (0..=LATEST).contains(at))
}

/// Texts for people, of which only so many are kept.
pub(super) fn texts(what: &str, values: Vec<String>) -> Result<Vec<String>, String> {
    values.into_iter().take(MOST_TEXTS).map(|value| text(what, value)).collect()
}

/// An id that need not be there.
pub(super) fn maybe_uuid(what: &str, bytes: &[u8]) -> Result<Option<Uuid>, String> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let id = Uuid::from_slice(bytes);
    id.map(Some).map_err(|_| format!("the {what} has {} bytes; an id has 16", bytes.len()))
}
