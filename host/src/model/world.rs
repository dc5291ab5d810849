//! Countries, currencies and time zones, as their standards have them. The numbers are the standards' own, so that they are the
//! same on every host and in every version.

use iso_currency::{Currency, IntoEnumIterator};
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;

/// The furthest that the API lets a time zone be from UTC, in minutes.
const FURTHEST: i64 = 720;

/// A country of ISO 3166-1, or a currency of ISO 4217.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coded {
    /// The standard's number.
    pub id: i64,
    /// The standard's letters.
    pub code: String,
    /// In English.
    pub name: String,
}

/// All countries, by name.
pub fn countries() -> Vec<Coded> {
    let all = rust_iso3166::ALL.iter().map(|country| Coded {
        id: i64::from(country.numeric),
        code: country.alpha2.to_owned(),
        name: country.name.to_owned(),
    });
    by_name(all.collect())
}

/// The English name of a country.
pub fn country_name(id: i64) -> Option<&'static str> {
    rust_iso3166::ALL.iter().find(|country| i64::from(country.numeric) == id).map(|country| country.name)
}

/// All currencies that money is kept in, by name; not gold, nor what stands for no currency.
pub fn currencies() -> Vec<Coded> {
    let all = Currency::iter().filter(|currency| !currency.is_fund() && !currency.is_special());
    let all = all.map(|currency| Coded {
        id: i64::from(currency.numeric()),
        code: currency.code().to_owned(),
        name: currency.name().to_owned(),
    });
    by_name(all.collect())
}

fn by_name(mut all: Vec<Coded>) -> Vec<Coded> {
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// A time zone as it is at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone {
    /// IANA's name.
    pub id: String,
    /// The offset and the name, for people.
    pub display_name: String,
    /// Minutes; absent where the API has no number for it (its bounds are narrower than the world's).
    pub utc_offset: Option<i64>,
    /// When its clocks move next; absent: never.
    pub changes_at: Option<i64>,
}

/// All time zones as they are now, by name.
pub fn time_zones(now_ms: i64) -> Vec<TimeZone> {
    let database = TimeZoneDatabase::bundled();
    let now = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let zones = database.available().filter_map(|name| {
        let zone = database.get(name.as_str()).ok()?;
        let minutes = i64::from(zone.to_offset(now).seconds()) / 60;
        Some(TimeZone {
            display_name: display_name(name.as_str(), minutes),
            id: name.as_str().to_owned(),
            utc_offset: Some(minutes).filter(|minutes| minutes.abs() <= FURTHEST),
            changes_at: zone.following(now).next().map(|change| change.timestamp().as_millisecond()),
        })
    });
    let mut zones: Vec<_> = zones.collect();
    zones.sort_by(|one, other| one.id.cmp(&other.id));
    zones
}

fn display_name(name: &str, minutes: i64) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    let place = name.rsplit('/').next().unwrap_or(name).replace('_', " ");
    let region = name.split_once('/').map(|(region, _)| format!(", {region}")).unwrap_or_default();
    format!("(UTC{sign}{:02}:{:02}) {place}{region}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn countries_and_currencies_have_the_standards_numbers() {
        let countries = countries();
        assert!(countries.contains(&Coded { id: 276, code: "DE".to_owned(), name: "Germany".to_owned() }));
        assert_eq!(country_name(276), Some("Germany"));
        assert_eq!(country_name(1), None);
        assert!(currencies().contains(&Coded { id: 978, code: "EUR".to_owned(), name: "Euro".to_owned() }));
        for all in [countries, currencies()] {
            assert!(all.len() > 140);
            assert_eq!(all.iter().map(|one| one.id).collect::<HashSet<_>>().len(), all.len());
            assert_eq!(all.iter().map(|one| &one.code).collect::<HashSet<_>>().len(), all.len());
        }
    }

    #[test]
    fn a_time_zone_moves_its_clocks() {
        let zone = |at: i64| time_zones(at).into_iter().find(|zone| zone.id == "Europe/Berlin").unwrap();
        // The last of October 2026, and a month before.
        let winter = zone(1_793_404_800_000);
        let summer = zone(1_790_812_800_000);
        assert_eq!((summer.utc_offset, winter.utc_offset), (Some(120), Some(60)));
        assert_eq!(summer.display_name, "(UTC+02:00) Berlin, Europe");
        // 25 October 2026, 01:00 UTC.
        assert_eq!(summer.changes_at, Some(1_792_890_000_000));
    }

    #[test]
    fn what_is_too_far_from_utc_for_the_api_has_a_name_and_no_number() {
        let zones = time_zones(1_793_404_800_000);
        assert!(zones.len() > 400);
        let far = zones.iter().find(|zone| zone.id == "Pacific/Kiritimati").unwrap();
        assert_eq!((far.utc_offset, far.display_name.as_str()), (None, "(UTC+14:00) Kiritimati, Pacific"));
    }
}
