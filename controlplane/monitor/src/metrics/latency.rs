//! How long requests took, by API key, and syncs of logs, all shards together.

use crate::families::Families;
use crate::families::Kind;
use crate::server::MonitorOptions;
use precursor_protocol::ApiKey;
use precursor_shm::KeyLatency;
use std::collections::BTreeMap;

const SECONDS_PER_US: f64 = 1e-6;

/// A key's numbers over all shards.
#[derive(Default)]
struct Sum {
    buckets: Vec<(f64, u64)>,
    total_us: u64,
    waited_us: u64,
    errors: u64,
    throttle_ms: u64,
}

impl Sum {
    fn add(&mut self, key: &KeyLatency) {
        let buckets = key.buckets().map(|(longest_us, count)| {
            let bound = longest_us.map_or(f64::INFINITY, |us| us as f64 * SECONDS_PER_US);
            (bound, count)
        });
        if self.buckets.is_empty() {
            self.buckets = buckets.collect();
        } else {
            for (sum, (_, count)) in self.buckets.iter_mut().zip(buckets) {
                sum.1 += count;
            }
        }
        self.total_us += key.total_us.get();
        self.waited_us += key.waited_us.get();
        self.errors += key.errors.get();
        self.throttle_ms += key.throttle_ms.get();
    }
}

pub(super) fn add(families: &mut Families, options: &MonitorOptions) {
    let mut keys: BTreeMap<&str, Sum> = BTreeMap::new();
    for shard in 0..options.region.shards() {
        for (code, key) in options.region.latency(shard).keys() {
            if let Some(name) = ApiKey::from_i16(code).map(|key| key.facts().name) {
                keys.entry(name).or_default().add(key);
            }
        }
    }
    let mut times = families.begin_histogram(
        "request_duration_seconds",
        "From the turn that took a request up until its answer was handed to the network.",
    );
    let mut waited = families.begin(
        Kind::Counter,
        "request_waited_seconds",
        "Time of requests that waited for records, disk, other shards or the control plane.",
    );
    let mut errors = families.begin(
        Kind::Counter,
        "request_errors",
        "Requests answered with an error for any of their partitions.",
    );
    let mut throttled = families.begin(
        Kind::Counter,
        "request_throttle_seconds",
        "Time that connections were not read on after such requests because of a quota.",
    );
    for (name, sum) in keys {
        let label = [("request", name)];
        let total = sum.total_us as f64 * SECONDS_PER_US;
        times.histogram(&label, sum.buckets, total);
        waited.sample(&label, sum.waited_us as f64 * SECONDS_PER_US);
        errors.sample(&label, sum.errors as f64);
        throttled.sample(&label, sum.throttle_ms as f64 * 1e-3);
    }
    for family in [times, waited, errors, throttled] {
        families.add(family);
    }
    add_syncs(families, options);
}

fn add_syncs(families: &mut Families, options: &MonitorOptions) {
    let mut sum = Sum::default();
    for shard in 0..options.region.shards() {
        sum.add(&options.region.latency(shard).syncs);
    }
    let mut syncs = families.begin_histogram(
        "disk_sync_duration_seconds",
        "From the beginning of an fdatasync of a log until it was known to be done.",
    );
    syncs.histogram(&[], sum.buckets, sum.total_us as f64 * SECONDS_PER_US);
    families.add(syncs);
}
