//! Histograms for openraft's statistics, in little memory.
//!
//! openraft counts its batches in histograms of the crate `base2histogram`, which computes tables
//! for every resolution that it offers when the first of them is made: 25 MiB that stay resident,
//! more than a whole idle node may take. This crate has the part of that interface which openraft uses,
//! written anew, with two buckets for each power of two and no tables.
#![forbid(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;

/// Two for each power of two; those of the first hold 0 and 1.
const BUCKETS: usize = 128;

/// Counts of values by magnitude. `T` is unused: openraft keeps no data beside its buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram<T = ()> {
    /// Made with the first value.
    counts: Vec<u64>,
    total: u64,
    data: PhantomData<T>,
}

impl<T> Default for Histogram<T> {
    fn default() -> Self {
        Histogram::new()
    }
}

impl<T> Histogram<T> {
    pub const fn new() -> Self {
        Histogram {
            counts: Vec::new(),
            total: 0,
            data: PhantomData,
        }
    }

    /// Counts one value.
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    /// Counts `count` times the same value.
    pub fn record_n(&mut self, value: u64, count: u64) {
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        self.counts[bucket(value)] += count;
        self.total += count;
    }

    /// The smallest value of the bucket that holds the given share of all values.
    fn percentile(&self, per_mille: u64) -> u64 {
        // Rounded up: the first value for any share above nothing.
        let wanted = (u128::from(self.total) * u128::from(per_mille)).div_ceil(1_000);
        let mut seen = 0u128;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= wanted.max(1) {
                return bucket_start(bucket);
            }
        }
        0
    }

    pub fn percentile_stats(&self) -> PercentileStats {
        PercentileStats {
            samples: self.total,
            p0_1: self.percentile(1),
            p1: self.percentile(10),
            p5: self.percentile(50),
            p10: self.percentile(100),
            p50: self.percentile(500),
            p90: self.percentile(900),
            p99: self.percentile(990),
            p99_9: self.percentile(999),
        }
    }
}

/// 0 and 1 have buckets of their own; from 2 on each power of two has a lower and an upper half.
fn bucket(value: u64) -> usize {
    match value {
        0 => 0,
        1 => 1,
        value => {
            let power = value.ilog2() as usize;
            let upper = (value >> (power - 1)) & 1;
            2 * power + upper as usize
        }
    }
}

fn bucket_start(bucket: usize) -> u64 {
    match bucket {
        0 | 1 => bucket as u64,
        bucket => {
            let power = bucket / 2;
            (1 << power) | (((bucket % 2) as u64) << (power - 1))
        }
    }
}

/// Where the values of a histogram lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PercentileStats {
    pub samples: u64,
    pub p0_1: u64,
    pub p1: u64,
    pub p5: u64,
    pub p10: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p99_9: u64,
}

impl fmt::Display for PercentileStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} samples, half up to {}, 90% up to {}, 99% up to {}, 99.9% up to {}",
            self.samples, self.p50, self.p90, self.p99, self.p99_9
        )
    }
}

/// Histograms one below the other, a line each.
#[derive(Clone, Debug, Default)]
pub struct AsciiChart {
    lines: Vec<(String, PercentileStats)>,
}

impl AsciiChart {
    pub fn new() -> Self {
        AsciiChart::default()
    }

    /// Adds a histogram under its name.
    #[must_use]
    pub fn add<T>(mut self, name: impl Into<String>, histogram: Histogram<T>) -> Self {
        self.lines.push((name.into(), histogram.percentile_stats()));
        self
    }
}

impl fmt::Display for AsciiChart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, stats) in &self.lines {
            writeln!(f, "{name}: {stats}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for power in 0..64 {
            for value in [
                1u64 << power,
                (1 << power) | ((1 << power) >> 1),
                u64::MAX >> power,
            ] {
                let bucket = bucket(value);
                assert!(bucket < BUCKETS, "{value}");
                assert!(bucket_start(bucket) <= value, "{value}");
                assert!(value < 4 || bucket_start(bucket) > value / 2, "{value}");
            }
        }
        assert_eq!(bucket_start(bucket(0)), 0);
        assert!((2..BUCKETS - 1).all(|b| bucket_start(b) < bucket_start(b + 1)));
    }

    #[test]
    fn percentiles() {
        let mut histogram = Histogram::<()>::new();
        assert_eq!(histogram.percentile_stats(), PercentileStats::default());
        histogram.record_n(4, 90);
        histogram.record_n(1_024, 10);
        let stats = histogram.percentile_stats();
        assert_eq!(
            (stats.samples, stats.p50, stats.p90, stats.p99),
            (100, 4, 4, 1_024)
        );
    }
}
