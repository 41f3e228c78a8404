//! `kill -9` in the middle of everything.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use precursor_model::LogUid;
use precursor_shm::ring::PushError;
use precursor_shm::{ExtentId, ExtentOwner, ExtentPool, ExtentState, RecoveredExtent, Region};

use crate::support::{Fixture, Random, Running, options, until};

const ROUNDS: u64 = 20;

/// Pushes records without end: the incarnation, a number that counts up, and bytes made of it.
pub fn push_for_ever(data: &Path, incarnation: u64) {
    let region = Region::attach_existing(&options(data)).unwrap();
    let mut producer = region.to_control_producer(0);
    let mut random = Random(0x5EED_0010 + incarnation);
    let mut number = 0_u64;
    loop {
        let filler = filler(number);
        let pushed = producer.try_push(&[
            &incarnation.to_le_bytes(),
            &number.to_le_bytes(),
            &filler[..filler.len() / 2],
            &filler[filler.len() / 2..],
        ]);
        match pushed {
            Ok(()) => number += 1,
            Err(PushError::Full) => {}
            Err(error) => panic!("{error}"),
        }
        if pushed.is_err() || random.below(5) == 0 {
            let _ = producer.publish();
        }
    }
}

fn filler(number: u64) -> Vec<u8> {
    vec![number as u8; (number.wrapping_mul(7919) % 9001) as usize]
}

#[test]
fn records_of_a_killed_writer_are_whole_dense_and_gone_on_with() {
    let fixture = Fixture::new();
    let region = fixture.region();
    let mut random = Random(0x5EED_0011);
    let mut records = 0;
    for incarnation in 1..=ROUNDS {
        let child = Running::start("push", fixture.data.path(), incarnation);
        let mut consumer = region.to_control_consumer(0);
        let mut next = 0;
        let mut stop = None;
        let started = Instant::now();
        // Until it runs, then a little longer, then what it left.
        loop {
            let Some(record) = consumer.peek().expect("a killed writer tears nothing") else {
                if stop.is_some_and(|at| Instant::now() > at) {
                    break;
                }
                assert!(
                    started.elapsed().as_secs() < 60,
                    "the writer writes nothing"
                );
                std::thread::yield_now();
                continue;
            };
            assert_eq!(record[..8], incarnation.to_le_bytes());
            assert_eq!(record[8..16], u64::to_le_bytes(next));
            assert_eq!(record[16..], filler(next));
            consumer.release();
            next += 1;
            let pause = Duration::from_micros(random.below(20_000) as u64);
            if *stop.get_or_insert_with(|| Instant::now() + pause) < Instant::now() {
                break;
            }
        }
        child.kill();
        while let Some(record) = consumer.peek().expect("a killed writer tears nothing") {
            assert_eq!(record[8..16], u64::to_le_bytes(next));
            assert_eq!(record[16..], filler(next));
            consumer.release();
            next += 1;
        }
        records += next;
    }
    println!("{records} records by {ROUNDS} writers");
    assert!(records >= ROUNDS, "one each at least");
}

/// The byte at a place of the log.
fn byte_at(position: u64) -> u8 {
    (position.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}

/// Bytes that stay in memory although they are on disk.
const KEPT: u64 = 256 << 10;

/// Appends to a log without end, as a shard does: copy, publish, then acknowledge. What was
/// acknowledged, and what counts as written to disk, is told in numbers of the region, which survive
/// the kill as it does.
pub fn append_for_ever(data: &Path) {
    let region = Region::attach_existing(&options(data)).unwrap();
    let mut pool = region.extent_pool(0);
    let (recovered, mut position) = verify(&region, &mut pool);
    region.stats(0).disk_write_bytes.set(position);
    for extent in recovered {
        pool.free(extent.id);
    }
    let mut random = Random(0x5EED_0012 + position);
    let mut kept: VecDeque<(ExtentId, u64)> = VecDeque::new();
    loop {
        let size = 4096 << random.below(9);
        let owner = ExtentOwner {
            log: LogUid(1),
            segment_base: 0,
            file_position: position,
        };
        let id = pool.allocate(size, owner).expect("8 MiB hold it");
        let mut filled = 0;
        while filled < size {
            let end = (filled + 1 + random.below(size)).min(size);
            for at in filled..end {
                pool.bytes_mut(id)[at] = byte_at(position + at as u64);
            }
            filled = end;
            pool.publish(id, filled as u64);
            region.status().set_image_version(position + filled as u64);
        }
        pool.set_state(id, ExtentState::Sealed);
        position += size as u64;
        kept.push_back((id, position));
        while kept[0].1 + KEPT < position {
            let (oldest, end) = kept.pop_front().unwrap();
            pool.set_state(oldest, ExtentState::Written);
            region.stats(0).disk_write_bytes.set(end);
            pool.free(oldest);
        }
    }
}

/// Every byte that was acknowledged and not written is there. Returns the extents, and where the log
/// ends.
fn verify(region: &Region, pool: &mut ExtentPool) -> (Vec<RecoveredExtent>, u64) {
    let acknowledged = region.status().image_version();
    let written = region.stats(0).disk_write_bytes.get();
    let mut extents = pool.recovered();
    assert!(pool.set_aside().is_empty(), "{:?}", pool.set_aside());
    extents.sort_by_key(|extent| extent.file_position);
    let mut end = extents.first().map_or(written, |first| first.file_position);
    assert!(end <= written, "a hole between disk and memory");
    for extent in &extents {
        assert_eq!(extent.file_position, end, "the ranges follow each other");
        let bytes = &pool.bytes(extent.id)[..extent.committed as usize];
        for (at, byte) in bytes.iter().enumerate() {
            assert_eq!(*byte, byte_at(end + at as u64), "byte {at} of {extent:?}");
        }
        end += extent.committed;
    }
    assert!(
        end >= acknowledged,
        "{end} of {acknowledged} acknowledged bytes"
    );
    (extents, end)
}

#[test]
fn extents_of_a_killed_shard_hold_every_acknowledged_byte() {
    let fixture = Fixture::new();
    let region = fixture.region();
    let mut random = Random(0x5EED_0013);
    let mut unwritten = 0;
    for _ in 0..ROUNDS {
        let before = region.status().image_version();
        let child = Running::start("append", fixture.data.path(), 0);
        until("the first acknowledgement", || {
            region.status().image_version() > before
        });
        std::thread::sleep(Duration::from_micros(random.below(20_000) as u64));
        child.kill();
        // The pool is dropped with the extents in it: the next child recovers them again.
        verify(&region, &mut region.extent_pool(0));
        unwritten += region.status().image_version() - region.stats(0).disk_write_bytes.get();
    }
    let acknowledged = region.status().image_version();
    println!("{acknowledged} bytes acknowledged, {unwritten} of them only in memory at a kill");
    assert!(unwritten > 0);
}
