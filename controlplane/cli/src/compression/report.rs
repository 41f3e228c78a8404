//! What was measured: a table and a recommendation, or rows for scripts.

use super::candidates::Candidate;
use super::measure::Measured;
use super::sample::Sample;
use crate::failure::Failure;
use crate::output::{Field, Output, Tone};
use serde_json::{Value, json};

/// Less than this is not worth a processor's time.
const RATIO_MIN: f64 = 1.1;

/// A measured topic.
pub struct Report<'a> {
    pub topic: &'a str,
    pub sample: &'a Sample,
    pub rows: &'a [(Candidate, Measured)],
    /// MB per second that a recommended codec compresses at least.
    pub at_least: f64,
}

impl Report<'_> {
    /// Writes the report.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn write(&self, output: Output) -> Result<(), Failure> {
        let recommended = recommend(self.rows, self.at_least);
        if output.json() {
            let rows = self.rows.iter().enumerate();
            let rows = rows.map(|(at, row)| row_json(row, Some(at) == recommended));
            return output.value(&rows.collect::<Vec<_>>().into());
        }
        let header = [
            "codec",
            "level",
            "ratio",
            "compress MB/s",
            "decompress MB/s",
            "for",
        ];
        let rows = self.rows.iter().enumerate();
        let rows: Vec<Vec<Field>> = rows
            .map(|(at, row)| row_text(row, Some(at) == recommended))
            .collect();
        output.table(&header, &rows)?;
        output.line("")?;
        output.line(&self.sample_text())?;
        output.line(&self.recommendation(recommended))
    }

    fn sample_text(&self) -> String {
        let sample = self.sample;
        let (plain, batches) = (sample.plain_bytes as f64, sample.batches.len() as f64);
        format!(
            "Sample: {:.1} MB in {} batches of {:.0} bytes, records of {:.0} bytes; as the topic has \
             them now, {:.2} times smaller.",
            plain / 1e6,
            sample.batches.len(),
            plain / batches,
            plain / sample.records as f64,
            plain / sample.stored_bytes.max(1) as f64,
        )
    }

    fn recommendation(&self, recommended: Option<usize>) -> String {
        let Some((candidate, measured)) = recommended.map(|at| &self.rows[at]) else {
            return format!(
                "No codec compresses these records at {:.0} MB/s; --at-least takes less.",
                self.at_least
            );
        };
        let topic = self.topic;
        if candidate.codec == "uncompressed" {
            return "Recommended: leave these records as they are; no codec makes them smaller by \
                    a tenth."
                .to_owned();
        }
        let level = candidate.level.filter(|_| candidate.codec != "snappy");
        let option = level.map_or_else(String::new, |level| {
            format!(" compression.{}.level={level}", candidate.codec)
        });
        format!(
            "Recommended: {}{}, the smallest at {:.0} MB/s or more: {:.2} times smaller, {:.0} MB/s. \
             In producers, or by the broker:\n  precursor config set --topic {topic} \
             compression.type={}{option}",
            candidate.codec,
            level.map_or_else(String::new, |level| format!(" level {level}")),
            self.at_least,
            measured.ratio,
            measured.compress_mb_per_second,
            candidate.codec,
        )
    }
}

/// The row with the best ratio of those that a topic can have and that are fast enough.
fn recommend(rows: &[(Candidate, Measured)], at_least: f64) -> Option<usize> {
    let fit = |(_, (candidate, measured)): &(usize, &(Candidate, Measured))| {
        let worth = measured.ratio >= RATIO_MIN || candidate.codec == "uncompressed";
        candidate.is_topics() && worth && measured.compress_mb_per_second >= at_least
    };
    let best = rows.iter().enumerate().filter(fit);
    let best = best.max_by(|(_, (_, a)), (_, (_, b))| a.ratio.total_cmp(&b.ratio));
    best.map(|(at, _)| at)
}

fn row_json((candidate, measured): &(Candidate, Measured), recommended: bool) -> Value {
    json!({
        "codec": candidate.codec,
        "level": candidate.level,
        "ratio": rounded(measured.ratio, 3),
        "mb_per_s": rounded(measured.compress_mb_per_second, 1),
        "decompress_mb_per_s": rounded(measured.decompress_mb_per_second, 1),
        "topic_option": candidate.is_topics(),
        "recommended": recommended,
    })
}

fn rounded(number: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (number * unit).round() / unit
}

fn row_text((candidate, measured): &(Candidate, Measured), recommended: bool) -> Vec<Field> {
    let tone = match recommended {
        true => Tone::Good,
        false => Tone::Plain,
    };
    let place = match (recommended, candidate.is_topics()) {
        (true, _) => "topics (recommended)",
        (false, true) => "topics",
        (false, false) => "data at rest",
    };
    let texts = [
        candidate.codec.to_owned(),
        candidate
            .level
            .map_or_else(String::new, |level| level.to_string()),
        format!("{:.2}", measured.ratio),
        format!("{:.0}", measured.compress_mb_per_second),
        format!("{:.0}", measured.decompress_mb_per_second),
        place.to_owned(),
    ];
    texts.map(|text| Field::toned(text, tone)).into()
}

#[cfg(test)]
mod tests {
    use super::super::candidates::candidates;
    use super::*;

    #[test]
    fn the_smallest_that_is_fast_enough_is_recommended() {
        let measured = |ratio, speed| Measured {
            ratio,
            compress_mb_per_second: speed,
            decompress_mb_per_second: speed,
        };
        let mut rows: Vec<(Candidate, Measured)> = candidates()
            .into_iter()
            .map(|candidate| match candidate.codec {
                "uncompressed" => (candidate, measured(1.0, 9_000.0)),
                "snappy" => (candidate, measured(1.8, 900.0)),
                "zstd" => (candidate, measured(3.0, 150.0)),
                "brotli" => (candidate, measured(5.0, 200.0)),
                _ => (candidate, measured(1.05, 500.0)),
            })
            .collect();
        let chosen = |rows: &[(Candidate, Measured)], least| {
            recommend(rows, least).map(|at| rows[at].0.codec)
        };
        assert_eq!(chosen(&rows, 100.0), Some("zstd"));
        assert_eq!(chosen(&rows, 200.0), Some("snappy"));
        assert_eq!(chosen(&rows, 1_000.0), Some("uncompressed"));
        assert_eq!(chosen(&rows, 10_000.0), None);
        for (_, measured) in &mut rows {
            measured.ratio = measured.ratio.min(1.05);
        }
        assert_eq!(chosen(&rows, 100.0), Some("uncompressed"));
    }
}
