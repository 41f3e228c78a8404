//! Latencies: recorded in nanoseconds, told in microseconds.

use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// The longest latency that is told apart.
const NANOSECONDS_MAX: u64 = 600_000_000_000;

/// A histogram of latencies with three significant digits.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_bounds(1, NANOSECONDS_MAX, 3);
        Latencies {
            // The bounds are constants that the library accepts.
            histogram: histogram.expect("constant bounds"),
        }
    }
}

impl Latencies {
    pub fn record(&mut self, nanoseconds: u64) {
        self.histogram.saturating_record(nanoseconds);
    }

    pub fn add(&mut self, other: &Latencies) {
        // Both have the same bounds, so nothing can be out of range.
        let _ = self.histogram.add(&other.histogram);
    }

    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// The latency in microseconds that this share (0 to 1) does not exceed.
    pub fn quantile_us(&self, quantile: f64) -> f64 {
        self.histogram.value_at_quantile(quantile) as f64 / 1e3
    }

    pub fn to_json(&self) -> Value {
        json!({
            "count": self.histogram.len(),
            "mean": round(self.histogram.mean() / 1e3),
            "p50": round(self.quantile_us(0.5)),
            "p90": round(self.quantile_us(0.9)),
            "p99": round(self.quantile_us(0.99)),
            "p999": round(self.quantile_us(0.999)),
            "max": round(self.histogram.max() as f64 / 1e3),
        })
    }
}

/// Two decimals: enough for microseconds, short enough to read.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_in_microseconds() {
        let mut latencies = Latencies::default();
        assert!(latencies.is_empty());
        for microseconds in 1..=1000u64 {
            latencies.record(microseconds * 1000);
        }
        assert!((latencies.quantile_us(0.5) - 500.0).abs() < 2.0);
        let mut sum = Latencies::default();
        sum.add(&latencies);
        sum.record(u64::MAX);
        let json = sum.to_json();
        assert_eq!(json["count"], 1001);
        assert!(json["max"].as_f64().unwrap() > 5e8);
    }
}
