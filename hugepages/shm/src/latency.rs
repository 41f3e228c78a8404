//! How long requests took, per API key: pages of a shard in the region, one writer, read by anybody.

use crate::stats::Counter;
use std::mem::{align_of, offset_of, size_of};

/// API keys that have a place: codes from 0 on.
pub const LATENCY_KEYS: usize = 95;
/// Buckets of a histogram: two to an octave of microseconds, and the last one for all above 67 s.
pub const LATENCY_BUCKETS: usize = 53;

/// One API key's requests since the region was made.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct KeyLatency {
    buckets: [Counter; LATENCY_BUCKETS],
    /// Microseconds of all requests together.
    pub total_us: Counter,
    /// Of these, microseconds of requests that waited: for records, disk, other shards, the control
    /// plane.
    pub waited_us: Counter,
    /// Requests that waited.
    pub waited: Counter,
    /// Requests with an error in their answer, for any of their partitions.
    pub errors: Counter,
    /// Milliseconds that connections were not read on after such requests because of a quota.
    pub throttle_ms: Counter,
    reserved: [Counter; 6],
}

/// Every key's requests on one shard, by the key's code, and what its disk took.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct ShardLatency {
    keys: [KeyLatency; LATENCY_KEYS],
    /// Syncs of logs.
    pub syncs: KeyLatency,
}

/// Durations that are counted in memory of one's own, and published now and then.
#[derive(Clone, Debug)]
pub struct LatencyCounts {
    buckets: [u64; LATENCY_BUCKETS],
    total_us: u64,
}

impl Default for LatencyCounts {
    fn default() -> Self {
        LatencyCounts {
            buckets: [0; LATENCY_BUCKETS],
            total_us: 0,
        }
    }
}

impl LatencyCounts {
    pub fn record(&mut self, us: u64) {
        self.buckets[bucket(us)] += 1;
        self.total_us += us;
    }
}

const _: () = {
    assert!(size_of::<KeyLatency>() == 512 && align_of::<KeyLatency>() == 64);
    assert!(offset_of!(KeyLatency, total_us) == LATENCY_BUCKETS * 8);
    assert!(size_of::<ShardLatency>() == (LATENCY_KEYS + 1) * 512);
    assert!(size_of::<ShardLatency>() & 4095 == 0 && align_of::<ShardLatency>() == 4096);
};

/// The bucket of a duration.
const fn bucket(us: u64) -> usize {
    if us < 2 {
        return us as usize;
    }
    let octave = us.ilog2();
    let half = (us >> (octave - 1)) & 1;
    let index = (2 * octave) as usize + half as usize;
    if index < LATENCY_BUCKETS {
        index
    } else {
        LATENCY_BUCKETS - 1
    }
}

/// The shortest duration of a bucket.
const fn lowest_us(bucket: usize) -> u64 {
    if bucket < 2 {
        return bucket as u64;
    }
    let octave = bucket / 2;
    (1 << octave) + ((bucket as u64 & 1) << (octave - 1))
}

impl KeyLatency {
    /// Counts a request; only the owning shard.
    pub fn record(&self, us: u64) {
        self.buckets[bucket(us)].add(1);
        self.total_us.add(us);
    }

    /// Takes over what was counted elsewhere; only the owning shard.
    pub fn publish(&self, counts: &LatencyCounts) {
        for (bucket, count) in self.buckets.iter().zip(counts.buckets) {
            bucket.set(count);
        }
        self.total_us.set(counts.total_us);
    }

    /// Requests counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(Counter::get).sum()
    }

    /// Every bucket: the longest duration in it (`None`: no bound) and its requests.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> + '_ {
        self.buckets.iter().enumerate().map(|(index, count)| {
            let next = index + 1;
            let bound = (next < LATENCY_BUCKETS).then(|| lowest_us(next) - 1);
            (bound, count.get())
        })
    }
}

impl ShardLatency {
    /// A key's page; `None` for codes that no served key has.
    pub fn key(&self, code: i16) -> Option<&KeyLatency> {
        self.keys.get(usize::try_from(code).ok()?)
    }

    /// Keys with requests, by their code.
    pub fn keys(&self) -> impl Iterator<Item = (i16, &KeyLatency)> + '_ {
        let keys = self.keys.iter().enumerate();
        keys.map(|(code, key)| (code as i16, key))
            .filter(|(_, key)| key.count() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> KeyLatency {
        KeyLatency {
            buckets: std::array::from_fn(|_| Counter::default()),
            total_us: Counter::default(),
            waited_us: Counter::default(),
            waited: Counter::default(),
            errors: Counter::default(),
            throttle_ms: Counter::default(),
            reserved: Default::default(),
        }
    }

    #[test]
    fn every_duration_is_within_its_buckets_bounds() {
        let mut durations: Vec<u64> = (0..5_000).collect();
        durations.extend((0..64).flat_map(|bit| {
            let power = 1u64 << bit;
            [power - 1, power, power + power / 2]
        }));
        for us in durations {
            let index = bucket(us);
            assert!(lowest_us(index) <= us, "{us}");
            if index + 1 < LATENCY_BUCKETS {
                assert!(us < lowest_us(index + 1), "{us}");
            }
        }
        assert!(lowest_us(LATENCY_BUCKETS - 1) > 60_000_000);
    }

    #[test]
    fn what_was_counted_elsewhere_is_published_whole() {
        let (mut counts, key) = (LatencyCounts::default(), empty());
        for us in [0, 180, 181, 90_000] {
            counts.record(us);
            key.publish(&counts);
        }
        assert_eq!((key.count(), key.total_us.get()), (4, 90_361));
        let of_180 = key.buckets().find(|(bound, _)| *bound == Some(191));
        assert_eq!(of_180, Some((Some(191), 2)));
    }

    #[test]
    fn requests_are_counted_once_and_bounds_rise() {
        let key = empty();
        for us in [0, 1, 3, 1_000, 1_000, 70_000_000] {
            key.record(us);
        }
        assert_eq!(key.count(), 6);
        assert_eq!(key.total_us.get(), 70_002_004);
        let buckets: Vec<_> = key.buckets().collect();
        assert_eq!(buckets.last(), Some(&(None, 1)));
        let bounds: Vec<u64> = buckets.iter().filter_map(|b| b.0).collect();
        assert!(bounds.is_sorted_by(|a, b| a < b));
        let of_1000 = buckets.iter().find(|(_, count)| *count == 2).unwrap();
        assert_eq!(of_1000.0, Some(1_023));
    }
}
