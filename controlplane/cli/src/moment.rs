//! Times and durations as people write them.

use std::time::{SystemTime, UNIX_EPOCH};

const DAY_MS: i64 = 86_400_000;

/// What [`parse_moment`] takes, for error messages.
pub const MOMENT_FORMS: &str = "milliseconds since 1970, a date and time of UTC such as \
     2026-11-26T08:30:00Z, or a minus and a duration such as -15m for a time ago";

/// Now, in milliseconds since 1970.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}

/// Reads a point in time, in milliseconds since 1970.
///
/// # Errors
/// It has none of the forms of [`MOMENT_FORMS`].
pub fn parse_moment(text: &str) -> Result<i64, String> {
    let wrong = || format!("'{text}' is no time: it takes {MOMENT_FORMS}");
    if let Some(ago) = text.strip_prefix('-') {
        return parse_duration(ago).map(|ago| now_ms().saturating_sub(ago));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| wrong());
    }
    parse_date_time(text).ok_or_else(wrong)
}

/// Reads a duration such as `90s`, `15m`, `2h`, `7d` or `500ms`, in milliseconds.
///
/// # Errors
/// It has another form, or is too long.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    const UNITS: [(&str, i64); 5] = [
        ("ms", 1),
        ("s", 1000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", DAY_MS),
    ];
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let scale = UNITS.iter().find(|(name, _)| *name == unit);
    let duration = number
        .parse::<i64>()
        .ok()
        .zip(scale)
        .and_then(|(number, (_, scale))| number.checked_mul(*scale));
    duration.ok_or_else(|| {
        format!("'{text}' is no duration: it takes a number and ms, s, m, h or d, such as 15m")
    })
}

/// `YYYY-MM-DD[(T| )HH:MM[:SS[.mmm]]][Z]`, always UTC.
fn parse_date_time(text: &str) -> Option<i64> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00"),
    };
    let mut parts = date.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_in(year, month)).contains(&day) {
        return None;
    }
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = time.splitn(3, ':').map(number);
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    if hours > 23 || minutes > 59 || seconds > 59 || fraction.len() > 3 {
        return None;
    }
    let millis = match fraction {
        "" => 0,
        digits => number(&format!("{digits:0<3}"))?,
    };
    let days = days_since_1970(year, month, day);
    Some(days * DAY_MS + ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis)
}

fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let years = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 });
    let months = (1..month).map(|month| days_in(year, month));
    years.sum::<i64>() + months.sum::<i64>() + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_forms() {
        assert_eq!(parse_moment("1700000000000"), Ok(1_700_000_000_000));
        assert_eq!(parse_moment("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000));
        assert_eq!(parse_moment("2023-11-14 22:13:20.5"), Ok(1_700_000_000_500));
        assert_eq!(parse_moment("2024-02-29"), Ok(1_709_164_800_000));
        let ago = parse_moment("-2h").unwrap();
        assert!((now_ms() - 7_200_000 - ago).abs() < 5_000);
    }

    #[test]
    fn what_is_no_time_is_said() {
        for bad in [
            "",
            "yesterday",
            "2023-02-29",
            "2023-13-01",
            "2023-01-01T24:00",
            "-",
            "-5",
            "1e3",
            "2023-01-01T10",
            "99999999999999999999",
        ] {
            assert!(parse_moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(parse_duration("500ms"), Ok(500));
        assert_eq!(parse_duration("90s"), Ok(90_000));
        assert_eq!(parse_duration("7d"), Ok(604_800_000));
        for bad in ["", "s", "5", "5w", "-5s", "9223372036854775807d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
