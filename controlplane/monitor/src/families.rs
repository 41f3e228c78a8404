//! Families of metrics under construction: names, labels, values.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Encoder, TextEncoder};

/// Every name begins so.
const PREFIX: &str = "precursor_";

/// A label's name and value.
pub(crate) type Label<'a> = (&'a str, &'a str);

/// Whether a number only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

/// A finished list of families is one answer to a scrape.
#[derive(Default)]
pub(crate) struct Families {
    families: Vec<MetricFamily>,
}

/// One family, to which samples are added.
pub(crate) struct Family {
    family: MetricFamily,
    kind: MetricType,
}

impl Families {
    /// Begins a family. Counters end in `_total`, as the format's conventions have it.
    pub fn begin(&self, kind: Kind, name: &str, help: &str) -> Family {
        let (kind, suffix) = match kind {
            Kind::Counter => (MetricType::COUNTER, "_total"),
            Kind::Gauge => (MetricType::GAUGE, ""),
        };
        Family::new(kind, format!("{PREFIX}{name}{suffix}"), help)
    }

    /// Begins a family of histograms.
    pub fn begin_histogram(&self, name: &str, help: &str) -> Family {
        Family::new(MetricType::HISTOGRAM, format!("{PREFIX}{name}"), help)
    }

    /// Adds a family; one without samples is left out.
    pub fn add(&mut self, family: Family) {
        if !family.family.get_metric().is_empty() {
            self.families.push(family.family);
        }
    }

    /// Adds a family of one sample without labels.
    pub fn add_single(&mut self, kind: Kind, name: &str, help: &str, value: f64) {
        let mut family = self.begin(kind, name, help);
        family.sample(&[], value);
        self.add(family);
    }

    /// The text format, version 0.0.4.
    ///
    /// # Errors
    /// A family breaks the format's rules: a mistake of ours.
    pub fn encode(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.families, &mut text)?;
        Ok(text)
    }
}

impl Family {
    fn new(kind: MetricType, name: String, help: &str) -> Family {
        let mut family = MetricFamily::default();
        family.set_name(name);
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        Family { family, kind }
    }

    /// Adds a sample of a counter or a gauge.
    pub fn sample(&mut self, labels: &[Label<'_>], value: f64) {
        let mut metric = Metric::from_label(pairs(labels));
        match self.kind {
            MetricType::COUNTER => {
                let mut counter = Counter::default();
                counter.set_value(value);
                metric.set_counter(counter);
            }
            _ => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                metric.set_gauge(gauge);
            }
        }
        self.family.mut_metric().push(metric);
    }

    /// Adds a histogram: `counts` holds (upper bound, number of values in that bucket alone), in
    /// order of the bounds.
    pub fn histogram(
        &mut self,
        labels: &[Label<'_>],
        counts: impl IntoIterator<Item = (f64, u64)>,
        sum: f64,
    ) {
        let mut cumulative = 0;
        let mut buckets = Vec::new();
        for (upper_bound, count) in counts {
            cumulative += count;
            // The encoder ends every histogram in a bucket of its own for what is above the last.
            if upper_bound.is_finite() {
                let mut bucket = Bucket::default();
                bucket.set_upper_bound(upper_bound);
                bucket.set_cumulative_count(cumulative);
                buckets.push(bucket);
            }
        }
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets);
        histogram.set_sample_count(cumulative);
        histogram.set_sample_sum(sum);
        let mut metric = Metric::from_label(pairs(labels));
        metric.set_histogram(histogram);
        self.family.mut_metric().push(metric);
    }
}

fn pairs(labels: &[Label<'_>]) -> Vec<LabelPair> {
    let pair = |(name, value): &Label<'_>| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    labels.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_become_text_with_escaped_labels_and_cumulative_buckets() {
        let mut families = Families::default();
        let mut family = families.begin(Kind::Counter, "records", "Records.");
        family.sample(&[("topic", "a\"b\\c\n")], 3.0);
        families.add(family);
        let mut family = families.begin_histogram("time_seconds", "Time.");
        family.histogram(&[], [(0.001, 2), (0.01, 0), (f64::INFINITY, 1)], 0.5);
        families.add(family);
        let empty = families.begin(Kind::Gauge, "nothing", "Nobody asked.");
        families.add(empty);
        families.add_single(Kind::Gauge, "alone", "Alone.", 1.5);
        let text = String::from_utf8(families.encode().unwrap()).unwrap();
        let expected = "# HELP precursor_records_total Records.\n\
             # TYPE precursor_records_total counter\n\
             precursor_records_total{topic=\"a\\\"b\\\\c\\n\"} 3\n\
             # HELP precursor_time_seconds Time.\n\
             # TYPE precursor_time_seconds histogram\n\
             precursor_time_seconds_bucket{le=\"0.001\"} 2\n\
             precursor_time_seconds_bucket{le=\"0.01\"} 2\n\
             precursor_time_seconds_bucket{le=\"+Inf\"} 3\n\
             precursor_time_seconds_sum 0.5\n\
             precursor_time_seconds_count 3\n\
             # HELP precursor_alone Alone.\n\
             # TYPE precursor_alone gauge\n\
             precursor_alone 1.5\n";
        assert_eq!(text, expected);
    }
}
