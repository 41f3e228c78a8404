//! The shard's page of counters in the region.

use precursor_shm::{Region, ShardLatency, ShardStats};
use std::ops::Deref;

/// Keeps the region mapped for as long as its page is written.
pub(crate) struct Stats {
    region: Region,
    shard: u16,
}

impl Stats {
    pub fn new(region: Region, shard: u16) -> Self {
        Stats { region, shard }
    }

    pub fn latency(&self) -> &ShardLatency {
        self.region.latency(self.shard)
    }
}

impl Deref for Stats {
    type Target = ShardStats;
    fn deref(&self) -> &ShardStats {
        self.region.stats(self.shard)
    }
}
