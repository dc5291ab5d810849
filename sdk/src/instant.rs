//! Instants for people. A component has no clock, no time zone and no locale: everything is UTC.

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// `2026-11-21 09:05 UTC`.
pub fn format(unix_milliseconds: i64) -> String {
    let (year, month, day) = civil(unix_milliseconds.div_euclid(DAY));
    let minutes = unix_milliseconds.rem_euclid(DAY) / MINUTE;
    // Verdicts come by the thousand, and the formatting machinery is slow in a component.
    let mut text = String::with_capacity(24);
    if (0..=9999).contains(&year) {
        two_digits(&mut text, year / 100);
        two_digits(&mut text, year % 100);
    } else {
        text.push_str(&year.to_string());
    }
    for (before, number) in [('-', month), ('-', day), (' ', minutes / 60), (':', minutes % 60)] {
        text.push(before);
        two_digits(&mut text, number);
    }
    text.push_str(" UTC");
    text
}

fn two_digits(text: &mut String, number: i64) {
    let digit = |value: i64| char::from(b'0' + u8::try_from(value.rem_euclid(10)).unwrap_or_default());
    text.push(digit(number / 10));
    text.push(digit(number));
}

/// The proleptic Gregorian date of a day since 1970, after H. Hinnant's `civil_from_days`.
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_read_as_utc() {
        assert_eq!(format(0), "1970-01-01 00:00 UTC");
        assert_eq!(format(-1), "1969-12-31 23:59 UTC");
        assert_eq!(format(253_402_300_800_000), "10000-01-01 00:00 UTC");
        assert_eq!(format(951_782_400_000), "2000-02-29 00:00 UTC");
        assert_eq!(format(1_795_251_900_000), "2026-11-21 09:05 UTC");
    }
}
