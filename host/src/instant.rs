//! Instants at the boundary: RFC 3339 outside, unix milliseconds inside.

use serde::{Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, macros::format_description};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Unix milliseconds that are written as `2026-01-31T12:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub(crate) i64);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(self.0))
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl ToSchema for Instant {}

/// Writes an instant; one outside the years 0 to 9999 becomes the nearest that the format can write.
pub(crate) fn format(milliseconds: i64) -> String {
    let shape = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let (first, last) = (-62_167_219_200_000, 253_402_300_799_999);
    let nanoseconds = i128::from(milliseconds.clamp(first, last)) * 1_000_000;
    let instant =
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    instant.format(&shape).unwrap_or_default()
}

/// Reads an instant as clients write them: RFC 3339 in all its forms, with any number of fractional digits; without an
/// offset it is UTC, without a time it is midnight. A `+` that the query string turned into a space is understood.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if !text.is_ascii() {
        return None;
    }
    let text = plus_restored(text);
    let date = format_description!("[year]-[month]-[day]");
    let instant = if let Ok(instant) = OffsetDateTime::parse(&text, &Rfc3339) {
        instant
    } else if let Ok(date) = Date::parse(&text, &date) {
        PrimitiveDateTime::new(date, Time::MIDNIGHT).assume_utc()
    } else {
        OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339).ok()?
    };
    i64::try_from(instant.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

fn plus_restored(text: &str) -> String {
    match text.rsplit_once(' ') {
        Some((before, offset)) if offset.len() == 5 && before.len() > 10 => format!("{before}+{offset}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_the_same_moment_read_alike() {
        let noon = parse("2026-01-31T12:00:00Z").unwrap();
        for text in [
            "2026-01-31T12:00:00.0000000Z",
            "2026-01-31t12:00:00z",
            "2026-01-31 12:00:00Z",
            "2026-01-31T14:00:00+02:00",
            "2026-01-31T14:00:00 02:00",
            "2026-01-31T06:30:00-05:30",
            "2026-01-31T12:00:00-00:00",
            "2026-01-31T12:00:00",
            " 2026-01-31T12:00:00.000 ",
        ] {
            assert_eq!(parse(text), Some(noon), "{text}");
        }
        assert_eq!(parse("2026-01-31"), Some(noon - 12 * 3_600_000));
        assert_eq!(parse("2026-01-31T12:00:00.1239999999999Z"), Some(noon + 123));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "2026-01-31T25:00:00Z",
            "1769860800",
            "²026-01-31",
            "2026-1-1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn instants_are_written_in_utc_with_milliseconds() {
        assert_eq!(format(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(format(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(format(i64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(format(i64::MIN), "0000-01-01T00:00:00.000Z");
    }
}
