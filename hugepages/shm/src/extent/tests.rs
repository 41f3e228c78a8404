//! Extents lent, published, found again, and not believed.

use std::collections::BTreeMap;
use std::os::unix::fs::FileExt;

use precursor_model::LogUid;
use proptest::prelude::*;

use super::*;
use crate::region::Region;
use crate::region::tests::Fixture;

fn owner(log: u64) -> ExtentOwner {
    ExtentOwner {
        log: LogUid(log),
        segment_base: 40,
        file_position: 8192,
    }
}

#[test]
fn a_successor_finds_what_was_published() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.extent_pool(0);
    let kept = pool.allocate(9000, owner(1)).unwrap();
    let freed = pool.allocate(1, owner(2)).unwrap();
    let cache = pool.allocate_cache(4096).unwrap();
    assert_eq!((pool.size(kept), pool.size(freed)), (16384, 4096));
    pool.bytes_mut(kept)[..5].copy_from_slice(b"bytes");
    pool.publish(kept, 5);
    pool.set_state(kept, ExtentState::Sealed);
    pool.publish(cache, 4096);
    pool.set_state(cache, ExtentState::Written);
    pool.free(freed);
    drop(pool);

    let second = Region::attach_existing(&fixture.options).unwrap();
    let mut pool = second.extent_pool(0);
    let recovered = pool.recovered();
    assert_eq!(recovered.len(), 1);
    let extent = recovered[0];
    assert_eq!((extent.log, extent.segment_base), (LogUid(1), 40));
    assert_eq!((extent.file_position, extent.size), (8192, 16384));
    assert_eq!((extent.committed, extent.state), (5, ExtentState::Sealed));
    assert_eq!(&pool.bytes(extent.id)[..5], b"bytes");
    assert_eq!(pool.committed(extent.id), 5);
    assert!(pool.recovered().is_empty(), "told once");
    assert!(pool.set_aside().is_empty());
    assert_eq!(pool.usage().bytes_in_use, 16384);
    pool.free(extent.id);
    assert_eq!(pool.usage().bytes_free, 2 << 20);
}

#[test]
fn memory_is_taken_chunk_by_chunk_and_only_when_needed() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.extent_pool(0);
    assert_eq!(pool.usage().bytes_backed, 0);
    let ids: Vec<_> = (0..512)
        .map(|_| pool.allocate(4096, owner(1)).unwrap())
        .collect();
    assert_eq!(pool.usage().bytes_backed, 2 << 20);
    assert_eq!(pool.usage().largest_free, 0);
    let more = pool.allocate(4096, owner(1)).unwrap();
    assert_eq!(pool.usage().bytes_backed, 4 << 20);
    assert!(pool.backed_chunk(more) > 0);
    let prepared = |pool: &mut ExtentPool, initial_bytes| {
        pool.prepare(PoolOptions {
            initial_bytes,
            prewarm: true,
            ..PoolOptions::default()
        });
        pool.usage().bytes_backed
    };
    assert_eq!(prepared(&mut pool, 5 << 20), 6 << 20);
    assert_eq!(prepared(&mut pool, 1 << 20), 6 << 20);
    assert_eq!(prepared(&mut pool, usize::MAX), 8 << 20, "all there is");
    assert!(pool.allocate((2 << 20) + 1, owner(1)).is_none());
    for id in ids {
        pool.free(id);
    }
    pool.free(more);
    let usage = pool.usage();
    assert_eq!((usage.bytes_free, usage.bytes_in_use), (8 << 20, 0));
    assert_eq!(usage.bytes_in_use_max, (2 << 20) + 4096);
}

/// Under load the memory is there before it is needed; without any, none is taken.
#[test]
fn memory_is_made_ready_ahead_of_need() {
    let fixture = Fixture::with(|options| options.pool_bytes = 64 << 20);
    let mut pool = fixture.region.extent_pool(0);
    let small = pool.allocate(16384, owner(1)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(
        pool.blocks.supply.coming(),
        0,
        "one small extent is no load"
    );
    for _ in 0..8 {
        pool.allocate(2 << 20, owner(1)).unwrap();
    }
    let started = std::time::Instant::now();
    while pool.blocks.supply.ready() == 0 {
        assert!(started.elapsed().as_secs() < 60, "nothing is made ready");
        std::thread::yield_now();
    }
    let data = fixture.region.file().metadata().unwrap();
    assert!(std::os::unix::fs::MetadataExt::blocks(&data) * 512 >= 10 * (2 << 20));
    let waits = pool.usage().misses;
    let next = pool.allocate(2 << 20, owner(1)).unwrap();
    assert_eq!(pool.usage().misses, waits, "it was ready");
    pool.bytes_mut(next).fill(1);
    pool.free(small);
}

/// Waits until the helper thread has done what it was asked for.
fn await_helper(pool: &mut ExtentPool) {
    let started = std::time::Instant::now();
    while pool.blocks.supply.coming() > pool.blocks.supply.ready() {
        assert!(started.elapsed().as_secs() < 60, "the helper does nothing");
        std::thread::yield_now();
    }
}

#[test]
fn a_pool_that_doubles_at_once_finds_its_memory_there() {
    let fixture = Fixture::with(|options| options.pool_bytes = 128 << 20);
    let mut pool = fixture.region.extent_pool(0);
    for burst in [1, 1, 2, 4, 8, 8, 8] {
        await_helper(&mut pool);
        for _ in 0..burst {
            pool.allocate(2 << 20, owner(1)).unwrap();
        }
    }
    assert_eq!(pool.usage().misses, 1, "the first one");
}

#[test]
fn pieces_are_not_taken_for_memory_that_a_large_extent_can_have() {
    let fixture = Fixture::with(|options| options.pool_bytes = 128 << 20);
    let mut pool = fixture.region.extent_pool(0);
    let all: Vec<_> = (0..16 * 128)
        .map(|_| pool.allocate(16384, owner(1)).unwrap())
        .collect();
    for (at, id) in all.into_iter().enumerate() {
        if at % 128 > 0 {
            pool.free(id);
        }
    }
    // Whatever was made ready before is used up.
    await_helper(&mut pool);
    let ready = pool.blocks.supply.ready() + pool.usage().bytes_free_whole / (2 << 20);
    for _ in 0..=ready {
        pool.allocate(2 << 20, owner(1)).unwrap();
    }
    await_helper(&mut pool);
    let misses = pool.usage().misses;
    pool.allocate(2 << 20, owner(1)).unwrap();
    assert_eq!(pool.usage().misses, misses, "it was ready");
}

#[test]
fn ten_thousand_partitions_fit_a_region_of_256_mebibytes() {
    let fixture = Fixture::with(|options| options.pool_bytes = 256 << 20);
    let mut pool = fixture.region.extent_pool(0);
    let ids: Vec<_> = (1..=10_000)
        .map(|log| pool.allocate(16384, owner(log)).unwrap())
        .collect();
    for (index, id) in ids.iter().enumerate() {
        pool.publish(*id, index as u64 % 16384);
    }
    assert_eq!(pool.usage().bytes_backed, 158 << 20);
    drop(pool);
    let mut pool = fixture.region.extent_pool(0);
    let recovered = pool.recovered();
    assert_eq!(recovered.len(), 10_000);
    for extent in recovered {
        assert_eq!(extent.committed, (extent.log.0 - 1) % 16384);
    }
}

#[test]
#[should_panic(expected = "was freed")]
fn a_stale_id_is_a_misuse() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.extent_pool(0);
    let id = pool.allocate(4096, owner(1)).unwrap();
    pool.free(id);
    assert!(!pool.is_lent(id));
    let again = pool.allocate(4096, owner(1)).unwrap();
    assert_eq!(again.unit(), id.unit());
    assert!(pool.is_lent(again));
    let _ = pool.bytes(id);
}

#[test]
#[should_panic(expected = "committed 4097 bytes")]
fn more_than_an_extent_holds_cannot_be_published() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.extent_pool(0);
    let id = pool.allocate(4096, owner(1)).unwrap();
    pool.publish(id, 4097);
}

impl Fixture {
    fn entry_at(&self, unit: u64) -> u64 {
        self.region.layout().directory(0) + unit * 64
    }

    fn read_entry(&self, unit: u64) -> [u8; 64] {
        let mut bytes = [0; 64];
        let file = self.region.file();
        file.read_exact_at(&mut bytes, self.entry_at(unit)).unwrap();
        bytes
    }

    fn set_aside_files(&self) -> Vec<Vec<u8>> {
        let Ok(list) = std::fs::read_dir(self.data.path().join("set-aside")) else {
            return Vec::new();
        };
        list.map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }
}

#[test]
fn each_kind_of_damage_is_recognised_and_kept_in_a_file() {
    type Damage = fn(&mut [u8; 64]);
    let list: [(SetAsideReason, Damage); 5] = [
        (SetAsideReason::State, |entry| entry[32] = 9),
        (SetAsideReason::Checksum, |entry| entry[0] ^= 1),
        (SetAsideReason::Checksum, |entry| entry[40] ^= 1),
        (SetAsideReason::Checksum, |entry| entry[44] ^= 128),
        (SetAsideReason::Committed, |entry| entry[26] = 1),
    ];
    for (reason, damage) in list {
        let fixture = Fixture::new();
        let mut pool = fixture.region.extent_pool(0);
        let bad = pool.allocate(8192, owner(1)).unwrap();
        let good = pool.allocate(8192, owner(2)).unwrap();
        pool.bytes_mut(bad).fill(b'b');
        pool.publish(good, 3);
        drop(pool);
        let mut entry = fixture.read_entry(bad.unit() as u64);
        damage(&mut entry);
        fixture.overwrite(fixture.entry_at(bad.unit() as u64), &entry);

        let mut pool = fixture.region.extent_pool(0);
        let recovered = pool.recovered();
        assert_eq!(recovered.len(), 1);
        assert_eq!(recovered[0].log, LogUid(2));
        assert_eq!(pool.set_aside().len(), 1);
        assert_eq!(pool.set_aside()[0].reason, reason);
        assert_eq!(pool.usage().set_aside, 1);
        let [file] = &fixture.set_aside_files()[..] else {
            panic!("one file");
        };
        assert_eq!(file[..64], entry);
        assert_eq!(file[64..68], (bad.unit() as u32).to_le_bytes());
        let length = u32::from_le_bytes(file[72..76].try_into().unwrap()) as usize;
        assert!(length >= 4096 && file[76..].len() == length);
        assert!(file[76..76 + 4096].iter().all(|byte| *byte == b'b'));
        // Its place is free again, and the next start finds nothing strange.
        drop(pool);
        let pool = fixture.region.extent_pool(0);
        assert!(pool.set_aside().is_empty());
        assert_eq!(pool.usage().bytes_in_use, 8192);
    }
}

#[test]
fn entries_that_overlap_or_were_copied_are_not_believed() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.extent_pool(0);
    let large = pool.allocate(1 << 20, owner(1)).unwrap();
    drop(pool);
    // As the owner would have written them, but within the large extent.
    let inside = (large.unit() + 4) as u32;
    fixture
        .region
        .extent_pool(0)
        .entry(inside)
        .open(owner(2), 2, 5);
    let copied = fixture.read_entry(large.unit() as u64);
    fixture.overwrite(fixture.entry_at(large.unit() as u64 + 300), &copied);
    let mut pool = fixture.region.extent_pool(0);
    assert_eq!(pool.recovered().len(), 1);
    let reasons: Vec<_> = pool.set_aside().iter().map(|entry| entry.reason).collect();
    assert_eq!(reasons, [SetAsideReason::Overlap, SetAsideReason::Checksum]);
}

#[test]
fn entries_of_impossible_ranges_are_not_believed() {
    let fixture = Fixture::new();
    let pool = fixture.region.extent_pool(0);
    let impossible = |log, segment_base, file_position| ExtentOwner {
        log: LogUid(log),
        segment_base,
        file_position,
    };
    assert!(pool.claim.region().back(fixture.entry_at(0), 4096 * 64));
    pool.entry(0).open(impossible(0, 0, 0), 0, 0);
    pool.entry(1).open(impossible(1, -1, 0), 0, 0);
    pool.entry(2).open(impossible(1, 0, u64::MAX - 5), 0, 0);
    pool.entry(3).open(impossible(1, 0, i64::MAX as u64), 0, 0);
    pool.entry(4).open(impossible(1, 0, 0), 10, 0);
    pool.entry(5).open(impossible(1, 0, 0), 1, 0);
    pool.entry(6).open(impossible(1, 0, 0), 0, 0);
    drop(pool);
    let mut pool = fixture.region.extent_pool(0);
    assert_eq!(pool.recovered().len(), 1);
    assert_eq!(pool.set_aside().len(), 6);
    assert!(
        pool.set_aside()
            .iter()
            .all(|entry| entry.reason == SetAsideReason::Bounds)
    );
}

#[test]
fn where_nothing_can_be_set_aside_the_memory_stays_out_of_use() {
    let fixture = Fixture::new();
    // A file where the directory should be.
    std::fs::write(fixture.data.path().join("set-aside"), b"").unwrap();
    let mut pool = fixture.region.extent_pool(0);
    let id = pool.allocate(2 << 20, owner(1)).unwrap();
    pool.bytes_mut(id).fill(7);
    drop(pool);
    fixture.overwrite(fixture.entry_at(id.unit() as u64), &[0xFF]);
    for _ in 0..2 {
        let mut pool = fixture.region.extent_pool(0);
        assert_eq!(pool.set_aside().len(), 1);
        while let Some(id) = pool.allocate(4096, owner(2)) {
            pool.bytes_mut(id).fill(8);
            assert!(id.unit() >= 512, "the bad entry's memory was lent");
            assert_eq!(pool.backed_chunk(id), id.unit() / 512);
        }
        // Given back, so that the next round starts the same.
        for extent in 512..2048 {
            let generation = pool.generations[extent];
            pool.free(ExtentId {
                unit: extent as u32,
                generation,
            });
        }
    }
    std::fs::remove_file(fixture.data.path().join("set-aside")).unwrap();
    let pool = fixture.region.extent_pool(0);
    assert_eq!(pool.set_aside().len(), 1);
    assert!(fixture.set_aside_files()[0].ends_with(&[7; 2 << 20]));
}

/// Directories of pure noise, and good ones with noise in them: recovery ends, believes only what is
/// within bounds and disjoint, and the pool works afterwards.
#[test]
fn seeded_garbage_in_the_directory_is_survived() {
    let mut state = 0x5EED_0020_u64;
    println!("seed {state:#x}");
    let mut random = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % bound
    };
    let mut believed = 0;
    for round in 0..60 {
        let fixture = Fixture::new();
        let mut pool = fixture.region.extent_pool(0);
        for log in 1..300 {
            if let Some(id) = pool.allocate(4096 << random(6), owner(log)) {
                pool.publish(id, random(4096));
            }
        }
        drop(pool);
        for _ in 0..random(400) {
            let at = fixture.entry_at(random(2048)) + random(64);
            let noise: Vec<u8> = (0..1 + random(8)).map(|_| random(256) as u8).collect();
            fixture.overwrite(at, &noise);
        }
        if round % 5 == 0 {
            let noise: Vec<u8> = (0..2048 * 64).map(|_| random(256) as u8).collect();
            fixture.overwrite(fixture.entry_at(0), &noise);
        }
        let mut pool = fixture.region.extent_pool(0);
        let mut units: BTreeMap<usize, u64> = BTreeMap::new();
        for extent in pool.recovered() {
            believed += 1;
            assert!(extent.committed <= extent.size as u64 && extent.log.0 < 300);
            let first = extent.id.unit();
            for unit in first..first + extent.size / 4096 {
                assert!(unit < 2048);
                assert_eq!(
                    units.insert(unit, extent.log.0),
                    None,
                    "two owners of one unit"
                );
            }
        }
        while let Some(id) = pool.allocate(4096, owner(999)) {
            assert_eq!(units.insert(id.unit(), 999), None, "lent twice");
        }
        drop(pool);
        assert!(fixture.region.extent_pool(0).set_aside().is_empty());
    }
    assert!(believed > 1000, "{believed}");
}

#[derive(Clone, Debug)]
enum Step {
    Allocate(usize, u64),
    Cache(usize),
    Publish(usize, u64),
    Seal(usize),
    Free(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..300_000_usize, 1..50_u64).prop_map(|(bytes, log)| Step::Allocate(bytes, log)),
        2 => (1..300_000_usize).prop_map(Step::Cache),
        4 => (any::<usize>(), any::<u64>()).prop_map(|(pick, bytes)| Step::Publish(pick, bytes)),
        2 => any::<usize>().prop_map(Step::Seal),
        4 => any::<usize>().prop_map(Step::Free),
        1 => Just(Step::Restart),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Lent {
    id: ExtentId,
    log: u64,
    committed: u64,
    sealed: bool,
    cache: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]
    #[test]
    fn what_is_lent_is_what_a_successor_finds(steps in prop::collection::vec(step(), 1..150)) {
        let fixture = Fixture::new();
        let mut pool = fixture.region.extent_pool(0);
        let mut lent: Vec<Lent> = Vec::new();
        for step in steps {
            match step {
                Step::Allocate(bytes, log) => {
                    if let Some(id) = pool.allocate(bytes, owner(log)) {
                        prop_assert!(pool.size(id) >= bytes && pool.committed(id) == 0);
                        pool.bytes_mut(id).fill(log as u8);
                        lent.push(Lent { id, log, committed: 0, sealed: false, cache: false });
                    }
                }
                Step::Cache(bytes) => {
                    if let Some(id) = pool.allocate_cache(bytes) {
                        pool.bytes_mut(id).fill(0xCC);
                        lent.push(Lent { id, log: 0xCC, committed: 0, sealed: false, cache: true });
                    }
                }
                Step::Publish(pick, bytes) if !lent.is_empty() => {
                    let index = pick % lent.len();
                    let extent = &mut lent[index];
                    extent.committed = bytes % (pool.size(extent.id) as u64 + 1);
                    pool.publish(extent.id, extent.committed);
                }
                Step::Seal(pick) if !lent.is_empty() => {
                    let index = pick % lent.len();
                    lent[index].sealed = true;
                    pool.set_state(lent[index].id, ExtentState::Sealed);
                }
                Step::Free(pick) if !lent.is_empty() => {
                    let index = pick % lent.len();
                    pool.free(lent.swap_remove(index).id);
                }
                Step::Restart => {
                    drop(pool);
                    pool = fixture.region.extent_pool(0);
                    lent.retain(|extent| !extent.cache);
                    lent.sort_by_key(|extent| extent.id.unit());
                    let found: Vec<Lent> = pool.recovered().iter().map(|extent| Lent {
                        id: extent.id,
                        log: extent.log.0,
                        committed: extent.committed,
                        sealed: extent.state == ExtentState::Sealed,
                        cache: false,
                    }).collect();
                    prop_assert_eq!(&found, &lent);
                }
                _ => {}
            }
            for extent in &lent {
                prop_assert_eq!(pool.committed(extent.id), extent.committed);
                let bytes = pool.bytes(extent.id);
                prop_assert!(bytes[0] == extent.log as u8 && bytes[bytes.len() - 1] == extent.log as u8);
            }
        }
    }
}

/// Memory that is not lent goes back down to what is to be kept, and comes again with zeroes.
#[test]
fn free_memory_is_given_back_and_taken_again() {
    let fixture = Fixture::with(|options| options.pool_bytes = 32 << 20);
    let mut pool = fixture.region.extent_pool(0);
    pool.prepare(PoolOptions {
        initial_bytes: 4 << 20,
        ..PoolOptions::default()
    });
    let ids: Vec<_> = (0..12)
        .map(|_| pool.allocate(2 << 20, owner(1)).unwrap())
        .collect();
    for id in &ids {
        pool.bytes_mut(*id).fill(9);
    }
    for id in &ids[1..] {
        pool.free(*id);
    }
    let started = std::time::Instant::now();
    while pool.usage().bytes_backed > 4 << 20 || pool.usage().bytes_trimmed < 20 << 20 {
        pool.trim(4 << 20, 3);
        assert!(started.elapsed().as_secs() < 60, "{:?}", pool.usage());
        std::thread::yield_now();
    }
    let usage = pool.usage();
    assert_eq!(usage.bytes_in_use + usage.bytes_free, 4 << 20);
    assert!(usage.trims >= 4, "so many at a time: {usage:?}");
    assert!(!pool.trim(4 << 20, 3), "no more than that");
    assert!(pool.bytes(ids[0]).iter().all(|byte| *byte == 9));
    let again: Vec<_> = std::iter::from_fn(|| pool.allocate(2 << 20, owner(2))).collect();
    assert_eq!(again.len(), 15);
    assert!(pool.bytes(again[14]).iter().all(|byte| *byte == 0));
}
