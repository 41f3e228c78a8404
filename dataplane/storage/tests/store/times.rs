//! The newest record of a log is found exactly, wherever it lies.

use crate::support::Bench;
use precursor_compression::compress;
use precursor_disk::sim::Random;
use precursor_model::{CleanupPolicy, LogConfig};
use precursor_protocol::records::{BatchBuilder, Codec};

/// Records with these times.
fn batch(times: &[i64], codec: Codec, key: &str) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for time in times {
        builder.append(*time, Some(key.as_bytes()), Some(&[7; 100]), &[]);
    }
    let mut out = Vec::new();
    builder.build_with(&mut out, codec, |plain, out| match codec {
        Codec::None => out.extend_from_slice(plain),
        codec => out.extend(compress(codec, plain).unwrap()),
    });
    out
}

/// The first of the records with the newest time.
fn newest(times: &[i64], start: usize) -> Option<(i64, i64)> {
    let left = times.iter().enumerate().skip(start);
    let newest = left.clone().map(|(_, time)| *time).max()?;
    left.into_iter()
        .find(|(_, time)| **time == newest)
        .map(|(at, time)| (at as i64, *time))
}

fn told(bench: &mut Bench, id: precursor_storage::LogId) -> Option<(i64, i64)> {
    let found = bench.newest(id)?;
    Some((found.offset, found.timestamp))
}

#[test]
fn of_random_times_in_every_codec_whatever_was_deleted() {
    let codecs = [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ];
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let mut bench = Bench::new(8 << 20, seed);
        let config = LogConfig {
            segment_bytes: 8192,
            index_interval_bytes: 300,
            ..LogConfig::default()
        };
        let mut id = bench.open_log(1, "t", &config);
        let (mut times, mut start) = (Vec::new(), 0);
        for round in 0..60 {
            let count = 1 + random.below(8) as usize;
            // Within narrow bounds: some are equal.
            let batch_times: Vec<i64> = (0..count).map(|_| random.below(500) as i64).collect();
            let codec = codecs[random.below(5) as usize];
            bench.append_all(id, &batch(&batch_times, codec, "k"));
            times.extend(batch_times);
            bench.poll();
            if random.below(6) == 0 {
                // Often into a batch, and past its newest record.
                start += random.below((times.len() - start) as u64) as usize;
                bench.store().delete_records(id, start as i64).unwrap();
            }
            if round == 30 {
                bench.shutdown();
                bench.start(seed);
                id = bench.open_log(1, "t", &config);
            }
            assert_eq!(
                told(&mut bench, id),
                newest(&times, start),
                "seed {seed}, start {start}"
            );
            let asked = random.below(520) as i64;
            let left = times.iter().enumerate().skip(start);
            let first = left.into_iter().find(|(_, time)| **time >= asked);
            let found = bench.find_time(id, asked).map(|found| found.offset);
            assert_eq!(
                found,
                first.map(|(at, _)| at as i64),
                "{asked} from {start}"
            );
        }
        start = times.len();
        bench.store().delete_records(id, start as i64).unwrap();
        assert_eq!(told(&mut bench, id), None);
    }
}

#[test]
fn what_compaction_took_is_not_the_newest() {
    let mut bench = Bench::new(8 << 20, 1);
    bench.options.cleaner.backoff_ms = 50;
    bench.shutdown();
    bench.start(1);
    let config = LogConfig {
        segment_bytes: 4096,
        cleanup_policy: CleanupPolicy::Compact,
        ..LogConfig::default()
    };
    let id = bench.open_log(1, "t", &config);
    // The newest times are of records that others take the place of.
    for n in 0..100 {
        bench.append_all(
            id,
            &batch(
                &[1_000_000 - n, 1_000 + n],
                Codec::None,
                &format!("{}", n % 5),
            ),
        );
        bench.poll();
    }
    for _ in 0..200 {
        bench.pass(50);
        bench.poll();
    }
    assert!(bench.store().stats().cleaner_records_dropped > 0);
    let mut at = 0;
    let mut times = Vec::new();
    let end = bench.store().offsets(id).end;
    while at < end {
        let bytes = bench.read_from(id, at, 1 << 20);
        for batch in precursor_protocol::records::split_batches(&bytes) {
            let batch = batch.unwrap();
            for record in batch.records() {
                let record = record.unwrap();
                let offset = batch.base_offset() + i64::from(record.offset_delta);
                times.push((offset, batch.timestamp_of(&record)));
            }
            at = batch.last_offset() + 1;
        }
    }
    let newest = times.iter().map(|one| one.1).max().unwrap();
    let first = times.iter().find(|one| one.1 == newest).copied();
    assert_eq!(told(&mut bench, id), first);
}

/// A producer may say any time; the last that there is must not make the search run past it.
#[test]
fn of_the_last_time_that_there_is() {
    for codec in [Codec::None, Codec::Zstd] {
        let mut bench = Bench::new(8 << 20, 1);
        let id = bench.open_log(1, "t", &LogConfig::default());
        let times = [5, i64::MAX, 7];
        bench.append_all(id, &batch(&times, codec, "k"));
        bench.append_all(id, &batch(&[9], codec, "k"));
        assert_eq!(told(&mut bench, id), Some((1, i64::MAX)), "{codec:?}");
        // It is gone, and the batch's header still claims it.
        bench.store().delete_records(id, 2).unwrap();
        assert_eq!(told(&mut bench, id), Some((3, 9)), "{codec:?}");
    }
}

#[test]
fn a_batch_that_nobody_can_decompress_does_not_keep_the_search_going() {
    let mut bench = Bench::new(8 << 20, 1);
    let id = bench.open_log(1, "t", &LogConfig::default());
    let mut builder = BatchBuilder::new();
    for time in [5, 900] {
        builder.append(time, None, Some(&[7; 100]), &[]);
    }
    let mut nonsense = Vec::new();
    builder.build_with(&mut nonsense, Codec::Zstd, |_, out| out.extend([1; 50]));
    bench.append_all(id, &nonsense);
    assert_eq!(told(&mut bench, id), Some((0, 900)));
}
