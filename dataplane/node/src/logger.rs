//! Log lines on standard error, as `log.format` and `log.level` say. Small on purpose: the data
//! plane writes few lines, and its memory is counted.

use precursor_config::{LogFormat, LogLevel};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

struct Logger {
    format: LogFormat,
}

/// The place in [`LEVELS`] of the least severe level that is written. Relaxed: it stands alone.
static LEAST_SEVERE: AtomicUsize = AtomicUsize::new(2);
const LEVELS: [(LogLevel, Level); 5] = [
    (LogLevel::Error, Level::ERROR),
    (LogLevel::Warn, Level::WARN),
    (LogLevel::Info, Level::INFO),
    (LogLevel::Debug, Level::DEBUG),
    (LogLevel::Trace, Level::TRACE),
];

/// Makes every `tracing` event of this process a line.
pub fn install(format: LogFormat, level: LogLevel) {
    set(level);
    // There is one caller, at the start; a second logger would only be ignored.
    let _ = tracing::subscriber::set_global_default(Logger { format });
}

/// Sets the least severe level that is written from now on. False when there is no such level.
pub fn set_level(level: &str) -> bool {
    LogLevel::parse(level).map(set).is_some()
}

fn set(level: LogLevel) {
    let place = LEVELS.iter().position(|(known, _)| *known == level);
    let place = place.unwrap_or_default();
    if LEAST_SEVERE.swap(place, Ordering::Relaxed) != place {
        // Each place that writes remembers whether it is heard.
        tracing::callsite::rebuild_interest_cache();
    }
}

fn least_severe() -> Level {
    LEVELS[LEAST_SEVERE.load(Ordering::Relaxed)].1
}

impl Subscriber for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= least_severe()
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(least_severe().into())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut line = Line::new(self.format, now.map_or(0, |now| now.as_millis() as u64));
        let metadata = event.metadata();
        line.begin(metadata.level(), metadata.target());
        event.record(&mut line);
        let text = line.end();
        // One write per line, so that lines of two threads do not mix. Nobody to tell if it fails.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A line under construction.
struct Line {
    format: LogFormat,
    time_ms: u64,
    text: String,
    fields: String,
}

impl Line {
    fn new(format: LogFormat, time_ms: u64) -> Line {
        Line {
            format,
            time_ms,
            text: String::new(),
            fields: String::new(),
        }
    }

    fn begin(&mut self, level: &Level, target: &str) {
        let time = Time(self.time_ms);
        // Writing to a string cannot fail, here and below.
        let _ = match self.format {
            LogFormat::Text => write!(self.text, "{time} {level:5} {target}: "),
            LogFormat::Json => write!(
                self.text,
                "{{\"time\":\"{time}\",\"level\":\"{level}\",\"target\":{}",
                Quoted(target)
            ),
        };
    }

    fn field(&mut self, name: &str, value: &str) {
        let _ = match (self.format, name) {
            (LogFormat::Text, "message") => write!(self.text, "{value}"),
            (LogFormat::Text, _) => write!(self.fields, " {name}={value}"),
            (LogFormat::Json, _) => write!(self.fields, ",\"{name}\":{}", Quoted(value)),
        };
    }

    fn end(mut self) -> String {
        self.text.push_str(&self.fields);
        self.text.push_str(match self.format {
            LogFormat::Text => "\n",
            LogFormat::Json => "}\n",
        });
        self.text
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field.name(), &format!("{value:?}"));
    }
}

/// A JSON string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                c if c.is_control() => write!(f, "\\u{:04x}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// Milliseconds since 1970, shown as RFC 3339 in UTC.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ms) = (self.0 / 1_000, self.0 % 1_000);
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Civil date from days, counted in 400-year eras that begin on 1 March 0000.
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_quotes() {
        assert_eq!(Time(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Time(951_782_400_000).to_string(),
            "2000-02-29T00:00:00.000Z"
        );
        assert_eq!(
            Time(1_795_446_245_067).to_string(),
            "2026-11-23T15:04:05.067Z"
        );
        assert_eq!(Quoted("a\"b\\c\n").to_string(), "\"a\\\"b\\\\c\\u000a\"");
    }

    #[test]
    fn lines() {
        let mut line = Line::new(LogFormat::Text, 0);
        line.begin(&Level::WARN, "here");
        line.field("shard", "3");
        line.field("message", "it rains");
        assert_eq!(
            line.end(),
            "1970-01-01T00:00:00.000Z WARN  here: it rains shard=3\n"
        );
        let mut line = Line::new(LogFormat::Json, 0);
        line.begin(&Level::WARN, "here");
        line.field("message", "it \"rains\"");
        let expected = "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"WARN\",\
                        \"target\":\"here\",\"message\":\"it \\\"rains\\\"\"}\n";
        assert_eq!(line.end(), expected);
    }
}
