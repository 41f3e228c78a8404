//! Regions found, made, refused and removed.

use std::io::{Seek, SeekFrom, Write};
use std::mem::offset_of;

use super::*;
use crate::ProcessState;
use crate::layout::{ABI_VERSION, Header};
use crate::region::place::Place;

pub(crate) fn small(data_dir: &Path) -> RegionOptions {
    RegionOptions {
        directory: Some(PathBuf::from("/dev/shm")),
        hugepages: Hugepages::Off,
        pool_bytes: 8 << 20,
        buffer_bytes: 4 << 20,
        control_ring_bytes: 1 << 16,
        ..RegionOptions::new(7, data_dir)
    }
}

/// A region that is removed whatever happens.
pub(crate) struct Fixture {
    pub data: tempfile::TempDir,
    pub options: RegionOptions,
    pub region: Region,
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut RegionOptions)) -> Fixture {
        let data = tempfile::tempdir().unwrap();
        let mut options = small(data.path());
        change(&mut options);
        let (region, found) = Region::create_or_attach(&options).unwrap();
        assert_eq!(found, Found::Created);
        Fixture {
            data,
            options,
            region,
        }
    }

    /// Writes over bytes of the region's file.
    pub fn overwrite(&self, at: u64, bytes: &[u8]) {
        let mut file = open(self.region.path()).unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(bytes).unwrap();
    }

    fn refusal(&self) -> RegionError {
        let refused = Region::create_or_attach(&self.options).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains(self.region.path().to_str().unwrap()),
            "{refused}"
        );
        refused
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.region.unlink();
    }
}

#[test]
fn the_first_makes_it_and_the_next_finds_it() {
    let fixture = Fixture::new();
    let first = &fixture.region;
    assert_eq!(first.kind(), RegionKind::Tmpfs);
    first.status().begin_data(99);
    first.status().set_kafka_port(9092);
    let (second, found) = Region::create_or_attach(&fixture.options).unwrap();
    assert_eq!(found, Found::Existing);
    assert_eq!(second.status().data_pid(), 99);
    assert_eq!(second.status().kafka_port(), 9092);
    assert_eq!(second.status().begin_data(100), 2);
    assert_eq!(first.status().kafka_port(), 0);
    assert_eq!(first.status().data_state(), ProcessState::Starting);
    let mut producer = first.to_control_producer(0);
    let mut consumer = second.to_control_consumer(0);
    assert!(consumer.announce_sleep());
    producer.try_push(&[b"hel", b"lo"]).unwrap();
    assert!(producer.publish());
    assert_eq!(consumer.peek().unwrap(), Some(&b"hello"[..]));
    consumer.release();
    assert_eq!(consumer.peek().unwrap(), None);
    second.unlink().unwrap();
    assert!(!first.path().parent().unwrap().exists());
    assert!(matches!(
        Region::attach_existing(&fixture.options),
        Err(RegionError::NotFound { node_id: 7, .. })
    ));
}

#[test]
fn shards_have_rings_and_pools_of_their_own() {
    let fixture = Fixture::with(|options| options.shards = 3);
    let region = &fixture.region;
    let mut ends: Vec<_> = (0..3)
        .map(|shard| {
            (
                region.to_data_producer(shard),
                region.to_data_consumer(shard),
            )
        })
        .collect();
    for (shard, (producer, _)) in ends.iter_mut().enumerate() {
        producer.try_push(&[&[shard as u8]]).unwrap();
        let _ = producer.publish();
    }
    for (shard, (_, consumer)) in ends.iter_mut().enumerate() {
        assert_eq!(consumer.peek().unwrap(), Some(&[shard as u8][..]));
    }
    let pools: Vec<_> = (0..3).map(|shard| region.extent_pool(shard)).collect();
    let (first, bytes) = pools[0].region_bytes();
    assert_eq!(bytes, 2 << 20, "8 MiB for three, in whole chunks");
    assert_eq!(pools[2].region_bytes().0.addr(), first.addr() + 2 * bytes);
}

#[test]
fn rings_tell_who_watches_how_full_they_are() {
    let fixture = Fixture::with(|options| options.shards = 2);
    let region = &fixture.region;
    let capacity_bytes = 1 << 16;
    let empty = RingUsage {
        capacity_bytes,
        ..RingUsage::default()
    };
    let of = || region.ring_usage(1).0;
    assert_eq!(of(), empty);
    let mut producer = region.to_control_producer(1);
    producer.try_push(&[b"hel", b"lo"]).unwrap();
    producer.try_push(&[b"!"]).unwrap();
    assert_eq!(of(), empty, "nothing of it is published");
    let _ = producer.publish();
    let mut expected = RingUsage {
        bytes: 32,
        records: 2,
        bytes_max: 32,
        ..empty
    };
    assert_eq!(of(), expected, "with their headers, aligned");
    let mut consumer = region.to_control_consumer(1);
    assert!(consumer.peek().unwrap().is_some());
    consumer.release();
    consumer.release();
    (expected.bytes, expected.records) = (16, 1);
    assert_eq!(of(), expected, "one was let go, once");
    // Full: one stall, however often it is tried, until there was room.
    let long = vec![0; producer.record_length_max()];
    while producer.try_push(&[&long]).is_ok() {}
    assert!(producer.try_push(&[&long]).is_err());
    let _ = producer.publish();
    assert_eq!((of().records, of().stalls), (2, 1));
    for _ in 0..2 {
        assert!(consumer.peek().unwrap().is_some());
        consumer.release();
    }
    assert_eq!((of().bytes, of().records), (0, 0));
    let most = of().bytes_max;
    assert!(
        (capacity_bytes / 2..=capacity_bytes).contains(&most),
        "{most}"
    );
    while producer.try_push(&[&long]).is_ok() {}
    let _ = producer.publish();
    assert_eq!((of().records, of().stalls), (1, 2));
    consumer.reset();
    assert_eq!((of().bytes, of().records), (0, 0), "skipped");
    producer.try_push(&[b"lost"]).unwrap();
    let _ = producer.publish();
    assert_eq!((of().bytes, of().records), (16, 1), "counted on");
    producer.reset();
    assert_eq!((of().bytes, of().records), (0, 0), "begun anew");
    producer.try_push(&[b"next"]).unwrap();
    let _ = producer.publish();
    assert_eq!((of().bytes, of().records), (16, 1), "counted on");
    assert_eq!(region.ring_usage(1).1, empty, "the way back");
    assert_eq!(region.ring_usage(0), (empty, empty), "another shard's");
}

#[test]
#[should_panic(expected = "has an owner already")]
fn two_owners_of_one_end_are_a_misuse() {
    let fixture = Fixture::new();
    let _first = fixture.region.to_data_consumer(0);
    let _second = fixture.region.to_data_consumer(0);
}

#[test]
fn an_end_can_be_taken_again_when_it_was_given_back() {
    let fixture = Fixture::new();
    drop(fixture.region.to_data_consumer(0));
    drop(fixture.region.to_data_consumer(0));
    let buffer = fixture.region.buffer_pool(0).take(1);
    let taken = std::panic::catch_unwind(|| fixture.region.buffer_pool(0));
    assert!(taken.is_err(), "a buffer of the old pool is still out");
    drop(buffer);
    drop(fixture.region.buffer_pool(0));
}

#[test]
fn another_version_is_refused_with_what_to_do() {
    let fixture = Fixture::new();
    let at = offset_of!(Header, abi_version) as u64;
    fixture.overwrite(at, &(ABI_VERSION + 1).to_le_bytes());
    let refused = fixture.refusal();
    assert!(
        matches!(refused, RegionError::Version { found, .. } if found == ABI_VERSION + 1),
        "{refused}"
    );
    assert!(refused.to_string().contains("start that version once"));
    // A version that was never published.
    fixture.overwrite(at, &[0; 4]);
    assert!(matches!(
        fixture.refusal(),
        RegionError::Version { found: 0, .. }
    ));
}

#[test]
fn another_nodes_or_data_directorys_region_is_refused() {
    let fixture = Fixture::new();
    let other = Fixture::with(|options| options.node_id = 8);
    // As if the names had been mixed up: the other's bytes in this one's place.
    std::fs::copy(other.region.path(), fixture.region.path()).unwrap();
    let refused = fixture.refusal();
    assert!(
        matches!(
            refused,
            RegionError::Node {
                found: 8,
                expected: 7,
                ..
            }
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("set node.id=8"));
    let elsewhere = Fixture::new();
    std::fs::copy(elsewhere.region.path(), fixture.region.path()).unwrap();
    let refused = fixture.refusal();
    assert!(
        matches!(refused, RegionError::DataDirectoryDiffers { .. }),
        "{refused}"
    );
}

#[test]
fn other_sizes_are_refused_and_automatic_ones_taken_as_found() {
    let mut fixture = Fixture::new();
    fixture.options.pool_bytes = 16 << 20;
    let refused = fixture.refusal();
    assert!(
        refused.to_string().contains("memory.region.bytes=8388608"),
        "{refused}"
    );
    fixture.options.pool_bytes = 0;
    fixture.options.buffer_bytes = 0;
    fixture.options.control_ring_bytes = 0;
    let (region, found) = Region::create_or_attach(&fixture.options).unwrap();
    assert_eq!((found, region.pool_bytes()), (Found::Existing, 8 << 20));
    fixture.options.shards = 2;
    let refused = fixture.refusal();
    assert!(
        refused.to_string().contains("dataplane.shards=1, and 2"),
        "{refused}"
    );
}

#[test]
fn impossible_options_are_refused() {
    let data = tempfile::tempdir().unwrap();
    for change in [
        |o: &mut RegionOptions| o.shards = 0,
        |o: &mut RegionOptions| o.control_ring_bytes = 5000,
        |o: &mut RegionOptions| o.control_ring_bytes = 2048,
        |o: &mut RegionOptions| o.pool_bytes = u64::MAX,
    ] {
        let mut options = small(data.path());
        change(&mut options);
        let refused = Region::create_or_attach(&options).unwrap_err();
        assert!(matches!(refused, RegionError::Options { .. }), "{refused}");
    }
}

#[test]
fn files_that_are_no_region_are_refused_and_left_alone() {
    let fixture = Fixture::new();
    let path = fixture.region.path();
    let good = std::fs::read(path).unwrap();
    let damaged = |bytes: &[u8]| {
        std::fs::write(path, bytes).unwrap();
        let refused = fixture.refusal();
        assert!(matches!(refused, RegionError::Damaged { .. }), "{refused}");
        assert_eq!(std::fs::read(path).unwrap(), bytes);
    };
    damaged(b"");
    damaged(b"short");
    damaged(&[0; 100_000]);
    damaged(&good[..good.len() - 4096]);
    // Every bit of the header but the version's: none may be believed. (The rest of the header's page
    // is not in use.)
    for bit in 0..std::mem::size_of::<Header>() * 8 - 32 {
        let version = offset_of!(Header, abi_version) * 8;
        if (version..version + 32).contains(&bit) {
            continue;
        }
        let mut byte = good[bit / 8];
        byte ^= 1 << (bit % 8);
        std::fs::write(path, &good[..4096]).unwrap();
        open(path).unwrap().set_len(good.len() as u64).unwrap();
        fixture.overwrite(bit as u64 / 8, &[byte]);
        let refused = fixture.refusal();
        assert!(
            matches!(refused, RegionError::Damaged { .. }),
            "bit {bit}: {refused}"
        );
    }
    std::fs::write(path, &good).unwrap();
    Region::attach_existing(&fixture.options).unwrap();
}

#[test]
fn half_a_region_of_a_dead_maker_is_made_anew() {
    let data = tempfile::tempdir().unwrap();
    let options = small(data.path());
    let places = place::places(&options, &data.path().canonicalize().unwrap()).unwrap();
    places[0].make().unwrap();
    std::fs::write(places[0].directory.join("region.new"), [0; 10_000]).unwrap();
    let (region, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!(found, Found::Created);
    region.unlink().unwrap();
}

#[test]
fn removing_leaves_a_successor_and_strange_files_alone() {
    let fixture = Fixture::new();
    let old = fixture.region.clone();
    old.unlink().unwrap();
    let (new, found) = Region::create_or_attach(&fixture.options).unwrap();
    assert_eq!(found, Found::Created);
    old.unlink().unwrap();
    assert!(new.path().exists());
    new.doorbell(DoorbellName::Shard(0)).unwrap();
    let strange = new.path().with_file_name("notes");
    std::fs::write(&strange, b"of the operator").unwrap();
    new.unlink().unwrap();
    assert!(strange.exists());
    std::fs::remove_dir_all(strange.parent().unwrap()).unwrap();
    new.unlink().unwrap();
}

#[test]
fn a_memfd_serves_where_nothing_else_can_be_had() {
    let data = tempfile::tempdir().unwrap();
    let data_dir = data.path().canonicalize().unwrap();
    let mut options = small(&data_dir);
    options.directory = None;
    let place = Place {
        kind: RegionKind::Memfd,
        directory: data_dir.join(".region"),
    };
    let first = create::create_in(&options, &data_dir, &place).unwrap();
    assert_eq!(first.kind(), RegionKind::Memfd);
    assert!(first.kind().to_string().contains("lost"));
    // Found like any other, because the places are always searched all.
    let (second, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!((found, second.kind()), (Found::Existing, RegionKind::Memfd));
    first.status().set_admin_port(4444);
    assert_eq!(second.status().admin_port(), 4444);
    let bell = first.doorbell(DoorbellName::Control).unwrap();
    second.doorbell(DoorbellName::Control).unwrap().ring();
    assert!(bell.drain());
    let mut pool = first.extent_pool(0);
    let owner = crate::ExtentOwner {
        log: precursor_model::LogUid(1),
        segment_base: 0,
        file_position: 0,
    };
    pool.allocate(4096, owner).unwrap();
    drop(pool);
    assert_eq!(second.extent_pool(0).recovered().len(), 1);
    drop(second);
    // Its holder gone, there is none.
    drop((first, bell));
    options.directory = Some(PathBuf::from("/dev/shm"));
    assert!(Region::attach_existing(&options).is_err());
    options.directory = None;
    assert!(matches!(
        Region::attach_existing(&options),
        Err(RegionError::NotFound { .. })
    ));
}

#[test]
fn a_region_is_found_after_another_directory_was_configured() {
    let mut fixture = Fixture::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let before = fixture.region.path().to_owned();
    for directory in [Some(elsewhere.path().to_owned()), None] {
        fixture.options.directory = directory;
        let (region, found) = Region::create_or_attach(&fixture.options).unwrap();
        assert_eq!((found, region.path()), (Found::Existing, &*before));
    }
    // And the other way round: one in the named directory, which is not named any more.
    fixture.region.unlink().unwrap();
    fixture.options.directory = Some(elsewhere.path().to_owned());
    let (region, found) = Region::create_or_attach(&fixture.options).unwrap();
    assert_eq!(found, Found::Created);
    assert!(region.path().starts_with(elsewhere.path()));
    fixture.options.directory = None;
    let again = Region::attach_existing(&fixture.options).unwrap();
    assert_eq!(again.path(), region.path());
    // A copy of the data directory has a region of its own.
    let copy = tempfile::tempdir().unwrap();
    let name = ".region.lock";
    std::fs::copy(fixture.data.path().join(name), copy.path().join(name)).unwrap();
    fixture.options.data_dir = copy.path().to_owned();
    let (own, found) = Region::create_or_attach(&fixture.options).unwrap();
    assert_eq!(found, Found::Created);
    own.unlink().unwrap();
    region.unlink().unwrap();
}

#[test]
fn two_regions_of_one_node_are_told_and_not_chosen_from() {
    let fixture = Fixture::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut options = fixture.options.clone();
    options.directory = Some(elsewhere.path().to_owned());
    let data_dir = options.data_dir.canonicalize().unwrap();
    let places = place::places(&options, &data_dir).unwrap();
    let second = create::create_in(&options, &data_dir, &places[0]).unwrap();
    let refused = Region::create_or_attach(&options).unwrap_err();
    assert!(
        matches!(refused, RegionError::Ambiguous { .. }),
        "{refused}"
    );
    assert!(fixture.region.path().exists() && second.path().exists());
}
