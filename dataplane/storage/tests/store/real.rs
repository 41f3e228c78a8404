//! On files of the operating system: io_uring, O_DIRECT where there is, a disk that runs full.

use crate::support::{batch, stored};
use precursor_disk::SystemFileSystem;
use precursor_model::{ErrorCode, FlushPolicy, LogConfig, LogUid, TopicId};
use precursor_shm::{Hugepages, Region, RegionOptions};
use precursor_storage::{
    AppendError, AppendOptions, LogId, LogSpec, LogState, Now, Read, ReadError, ReadOptions, Store,
    StoreOptions,
};
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Real {
    pub store: Store,
    pub region: Region,
    pub begun: Instant,
}

impl Real {
    fn open(data_dir: &Path, region_dir: &Path, io_uring: bool) -> Real {
        let mut options = StoreOptions::new(data_dir, 0);
        options.io_uring = io_uring;
        options.write_behind_ms = 5;
        Self::open_with(data_dir, region_dir, options)
    }

    pub fn open_with(data_dir: &Path, region_dir: &Path, options: StoreOptions) -> Real {
        let mut region_options = RegionOptions::new(1, data_dir);
        region_options.directory = Some(region_dir.to_owned());
        region_options.hugepages = Hugepages::Off;
        region_options.pool_bytes = 16 << 20;
        region_options.buffer_bytes = 2 << 20;
        let (region, _) = Region::create_or_attach(&region_options).unwrap();
        let begun = Instant::now();
        let store = Store::open(options, region.extent_pool(0), clock(begun)).unwrap();
        Real {
            store,
            region,
            begun,
        }
    }

    pub fn log(&mut self, uid: u64, topic: &str, config: &LogConfig) -> LogId {
        let spec = LogSpec {
            uid: LogUid(uid),
            topic_id: TopicId([1; 16]),
            topic,
            partition: 0,
            config: config.clone(),
            leader_epoch: 3,
            is_new: true,
        };
        let id = self.store.ensure_log(spec, clock(self.begun)).unwrap();
        self.wait(|store| store.state(id) != LogState::Opening);
        id
    }

    pub fn wall_ms(&self) -> i64 {
        clock(self.begun).wall_ms
    }

    pub fn wait(&mut self, mut done: impl FnMut(&mut Store) -> bool) {
        let begun = Instant::now();
        let mut events = Vec::new();
        while !done(&mut self.store) {
            self.store.poll(clock(self.begun), &mut events);
            assert!(begun.elapsed() < Duration::from_secs(20), "the store hangs");
        }
    }

    fn append(&mut self, id: LogId, bytes: &[u8]) -> Result<i64, AppendError> {
        let mut events = Vec::new();
        loop {
            let options = AppendOptions::at(clock(self.begun));
            match self.store.append(id, bytes, options) {
                Ok(appended) => return Ok(appended.base_offset),
                Err(AppendError::Busy) => drop(self.store.poll(clock(self.begun), &mut events)),
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&mut self, id: LogId, offset: i64) -> Vec<u8> {
        let options = ReadOptions {
            offset,
            max_bytes: 1 << 20,
            at_least_one: true,
            committed: false,
        };
        let gather = match self.store.read(id, options).unwrap() {
            Read::Ready(gather) => gather,
            Read::Pending(ticket) => {
                let mut taken = Err(ReadError::Busy);
                self.wait(|store| {
                    taken = store.take_read(ticket);
                    !matches!(taken, Err(ReadError::Busy))
                });
                taken.unwrap()
            }
        };
        let bytes = self.store.slices(&gather).collect::<Vec<_>>().concat();
        self.store.release(gather);
        bytes
    }

    fn read_all(&mut self, id: LogId, end: i64) -> Vec<u8> {
        let mut all = Vec::new();
        let mut offset = 0;
        while offset < end {
            let bytes = self.read(id, offset);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let length = i32::from_be_bytes(rest[8..12].try_into().unwrap()) as usize + 12;
                let base = i64::from_be_bytes(rest[..8].try_into().unwrap());
                offset = base + 1 + i64::from(i32::from_be_bytes(rest[23..27].try_into().unwrap()));
                rest = &rest[length..];
            }
            all.extend(bytes);
        }
        all
    }
}

pub fn clock(begun: Instant) -> Now {
    Now {
        monotonic_us: begun.elapsed().as_micros() as u64,
        wall_ms: 1_700_000_000_000 + begun.elapsed().as_millis() as i64,
    }
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 4 << 20,
        ..LogConfig::default()
    }
}

/// A log under load writes into reserved room: what is reserved and not written looks like no batch
/// after a crash, and is given back by a stop.
#[test]
fn reserved_room_survives_a_crash_and_is_given_back_by_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let config = LogConfig {
        segment_bytes: 48 << 20,
        ..LogConfig::default()
    };
    let file = data.path().join("t-0/00000000000000000000.log");
    let length = || std::fs::metadata(&file).unwrap().len();
    let is_direct = precursor_disk::direct_io_works(data.path());
    let mut all = Vec::new();
    let mut next = 0;
    for round in 0..3 {
        let mut real = Real::open(data.path(), region_dir.path(), true);
        let id = real.log(1, "t", &config);
        assert_eq!(real.store.offsets(id).end, next, "round {round}");
        assert!(real.read_all(id, next) == all, "round {round}");
        for n in 0..50 {
            let sent = batch(10, 200_000 + n * 10, n as i64, None);
            next = real.append(id, &sent).unwrap() + 10;
            all.extend(stored(&sent, next - 10));
        }
        let written = all.len() as u64;
        if is_direct && has_room(&file, 2 * written) {
            real.wait(|_| length() > written + (1 << 20));
            assert!(length() <= written / 4 * 5 + 4096, "a quarter at most");
        }
        match round {
            0 => drop(real),
            _ => {
                real.store.shutdown(clock(real.begun)).unwrap();
                assert_eq!(length(), all.len() as u64, "round {round}");
            }
        }
    }
}

/// A disk that is nearly full is left alone: no room is reserved there.
fn has_room(file: &Path, bytes: u64) -> bool {
    let file = std::fs::File::open(file).unwrap();
    precursor_disk::may_reserve(&file, bytes).unwrap()
}

fn through_restarts(io_uring: bool) {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut all = Vec::new();
    let mut next = 0;
    for round in 0..3 {
        let mut real = Real::open(data.path(), region_dir.path(), io_uring);
        let id = real.log(1, "t", &config());
        assert_eq!(real.store.offsets(id).end, next, "round {round}");
        assert!(real.read_all(id, next) == all, "round {round}");
        for n in 0..300 {
            let sent = batch(10, 30_000 + n * 10, n as i64, None);
            let base = real.append(id, &sent).unwrap();
            assert_eq!(base, next);
            all.extend(stored(&sent, base));
            next += 10;
        }
        assert!(real.read_all(id, next) == all, "round {round}");
        match round {
            // A process that dies: the region stays.
            0 => {
                let Real { store, .. } = real;
                drop(store);
            }
            _ => {
                let (store, begun, region) = (real.store, real.begun, real.region);
                store.shutdown(clock(begun)).unwrap();
                region.unlink().unwrap();
                let bytes: u64 = std::fs::read_dir(data.path().join("t-0"))
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| path.extension().is_some_and(|e| e == "log"))
                    .map(|path| path.metadata().unwrap().len())
                    .sum();
                assert_eq!(bytes, all.len() as u64, "true sizes after a clean stop");
            }
        }
    }
}

#[test]
fn records_survive_restarts_through_io_uring() {
    through_restarts(true);
}

#[test]
fn records_survive_restarts_through_the_thread() {
    through_restarts(false);
}

#[test]
fn every_write_becomes_durable_on_real_files() {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mut real = Real::open(data.path(), region_dir.path(), true);
    let every = LogConfig {
        flush_policy: FlushPolicy::EveryWrite,
        ..config()
    };
    let id = real.log(1, "t", &every);
    for n in 0..20 {
        real.append(id, &batch(1, 1000, 1, None)).unwrap();
        real.wait(|store| store.offsets(id).durable == n + 1);
    }
    let region = real.region;
    drop(real.store);
    region.unlink().unwrap();
}

struct Mount<'a>(&'a Path);

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.0)
            .status();
    }
}

/// Needs root to mount; says so and passes elsewhere, where the double's ENOSPC test stands in.
#[test]
fn a_full_file_system_is_an_answer() {
    let data = tempfile::tempdir().unwrap();
    let region_dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
        .arg(data.path())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        println!("cannot mount a tmpfs here: not tried");
        return;
    }
    let _mount = Mount(data.path());
    let mut real = Real::open(data.path(), region_dir.path(), true);
    let full = real.log(1, "full", &config());
    let mut acknowledged = 0;
    let refused = loop {
        match real.append(full, &batch(1, 50_000, 1, None)) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        let mut events = Vec::new();
        real.store.poll(clock(real.begun), &mut events);
        assert!(acknowledged < 1000, "3 MiB never run full");
    };
    assert_eq!(refused, AppendError::NoSpace);
    assert_eq!(refused.code(), ErrorCode::KafkaStorageError);
    assert_eq!(real.store.state(full), LogState::Online);
    let files = SystemFileSystem::new(false);
    real.store.directories().look(0, &files);
    // Room again: it goes on where it stopped.
    let grown = std::process::Command::new("mount")
        .args(["-o", "remount,size=64m"])
        .arg(data.path())
        .status();
    assert!(grown.unwrap().success());
    let given_up = Instant::now() + Duration::from_secs(10);
    let mut events = Vec::new();
    loop {
        // A write that was under way may still tell of what was before.
        real.store.directories().look(0, &files);
        real.store.poll(clock(real.begun), &mut events);
        match real.append(full, &batch(1, 50_000, 1, None)) {
            Ok(_) => break,
            Err(error) => assert_eq!(error, AppendError::NoSpace),
        }
        assert!(
            Instant::now() < given_up,
            "there is room, and it is not used"
        );
    }
    acknowledged += 1;
    // And after a restart what was acknowledged is there.
    let region = real.region;
    drop(real.store);
    drop(region);
    let mut real = Real::open(data.path(), region_dir.path(), true);
    let full = real.log(1, "full", &config());
    assert_eq!(real.store.offsets(full).end, acknowledged);
    let region = real.region;
    drop(real.store);
    region.unlink().unwrap();
}
