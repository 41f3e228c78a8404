//! Every counter of every shard, under the name that the shards' table gives it.

use crate::families::{Families, Kind};
use crate::server::MonitorOptions;
use precursor_shm::{CounterKind, ShardStats};

pub(super) fn add(families: &mut Families, options: &MonitorOptions) {
    let shards = 0..options.region.shards();
    // By counter: each is one family with a sample per shard.
    let values: Vec<Vec<u64>> = shards
        .map(|shard| {
            let stats = options.region.stats(shard);
            stats.values().map(|(_, value)| value).collect()
        })
        .collect();
    for (index, counter) in ShardStats::COUNTERS.iter().enumerate() {
        let kind = match counter.kind {
            CounterKind::Total => Kind::Counter,
            CounterKind::Gauge => Kind::Gauge,
        };
        let mut family = families.begin(kind, counter.name, counter.help);
        for (shard, values) in values.iter().enumerate() {
            family.sample(&[("shard", &shard.to_string())], values[index] as f64);
        }
        families.add(family);
    }
}
