//! What must be on disk before something else may happen.

use crate::support::{Bench, batch, stored};
use precursor_model::{FlushPolicy, LogConfig};
use precursor_storage::{AppendError, LogState, Read, ReadOptions, StoreEvent};

const EIO: i32 = 5;

/// The first extent of a log is on disk whole, the batch across its end only in part: while memory
/// is short the extent must stay, since disk and region could then give the batch only together.
#[test]
fn an_extent_stays_while_its_last_batch_is_half_on_disk() {
    let mut bench = Bench::new(4 << 20, 1);
    let config = LogConfig::default();
    let straddling = bench.open_log(1, "straddling", &config);
    let other = bench.open_log(2, "other", &config);
    // An idle log grows by extents of 16 KiB: the second batch ends in the second one.
    let batches = [batch(1, 10_000, 1, None), batch(1, 10_000, 2, None)];
    for bytes in &batches {
        bench.append(straddling, bytes).unwrap();
    }
    bench.poll_until(|store| store.stats().disk_write_bytes >= 16 * 1024);
    assert_eq!(bench.store().stats().disk_write_bytes, 16 * 1024);
    let filler = batch(1, 100_000, 3, None);
    let refused = loop {
        match bench.append(other, &filler) {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AppendError::Busy, "memory was asked back");
    let options = ReadOptions {
        offset: 1,
        max_bytes: 1 << 20,
        at_least_one: true,
        committed: false,
    };
    let Ok(Read::Ready(gather)) = bench.store().read(straddling, options) else {
        panic!("a batch that only the region holds whole is not to be had from it");
    };
    let store = bench.store();
    let bytes = store.slices(&gather).collect::<Vec<_>>().concat();
    store.release(gather);
    assert_eq!(bytes, stored(&batches[1], 1));
}

/// A sync of the active segment says nothing of the segment before it, whose own sync fails here.
#[test]
fn nothing_is_durable_before_the_segments_before_it() {
    for seed in 0..20 {
        let mut bench = Bench::new(8 << 20, seed);
        let config = LogConfig {
            flush_policy: FlushPolicy::EveryWrite,
            segment_bytes: 16 * 1024,
            ..LogConfig::default()
        };
        let log = bench.open_log(1, "t", &config);
        let bytes = batch(1, 10_000, 1, None);
        bench.append(log, &bytes).unwrap();
        bench.append(log, &bytes).unwrap();
        bench.files.fail_syncs("00000000000000000000.log", EIO);
        for _ in 0..200 {
            bench.poll();
        }
        let durable = |event: &StoreEvent| matches!(event, StoreEvent::Durable { .. });
        assert!(!bench.events.iter().any(durable), "seed {seed}");
        assert_eq!(bench.store().offsets(log).durable, 0);
        let state = bench.store().state(log);
        assert!(matches!(state, LogState::Offline(_)), "{state:?}");
    }
}
