#![allow(dead_code, reason = "the fuzzer's programs call one each")]
//! What the fuzzer calls, and the tests beside this file: a store that opens a partition of which
//! one file, or the region that a predecessor left, is whatever it is. Opening, reading, looking up,
//! appending and stopping end in an answer; where the records themselves are whole, they are served.

use precursor_disk::sim::SimFileSystem;
use precursor_disk::{FileSystem, OpenMode};
use precursor_memory::crc32c;
use precursor_model::{LogConfig, LogUid, TopicId};
use precursor_protocol::records::BatchBuilder;
use precursor_shm::{Hugepages, Region, RegionOptions};
use precursor_storage::offline::{Finding, Watch, dump_file, verify};
use precursor_storage::{
    AppendOptions, LogDirectories, LogId, LogSpec, LogState, Lookup, Now, Read, ReadOptions,
    SpareRoom, Store, StoreEvent, StoreOptions, TimedOffset,
};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

const DATA: &str = "/data";
const PARTITION: &str = "/data/t-0";
const FIRST_MS: i64 = 1_700_000_000_000;
/// Turns after which the store is said to have come to a standstill.
const TURNS_MAX: u32 = 20_000;

/// The first segment or the last, and the bytes of its `.log`; the broker died. The second bit of the
/// first byte says whether checksums are made right.
pub fn segments(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let whole = whole();
    let mut bytes = bytes.to_vec();
    if how & 2 == 2 {
        set_batches_right(&mut bytes);
    }
    let segment = match how & 1 {
        0 => &whole.segments[0],
        _ => &whole.segments[whole.segments.len() - 1],
    };
    let path = Path::new(PARTITION).join(format!("{segment}.log"));
    let mut bench = Bench::with(&whole.crashed, &[(path.clone(), bytes)]);
    bench.serve(None);
    // Whatever became of it is looked at by a human next.
    let _ = dump_file(&bench.files, &path, true, &mut |_| Ok(()));
    verify(&bench.files, Path::new(DATA), &mut Nobody).unwrap();
}

/// A file of the first segment or the last: its offset index, its time index, its transaction index
/// (the first byte, modulo 6), below the recovery point. The records are whole, and all are served.
pub fn indexes(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let whole = whole();
    let segment = match how % 6 {
        0..3 => &whole.segments[0],
        _ => &whole.segments[whole.segments.len() - 1],
    };
    let kind = ["index", "timeindex", "txnindex"][usize::from(how % 3)];
    let path = Path::new(PARTITION).join(format!("{segment}.{kind}"));
    let mut bench = Bench::with(&whole.stopped, &[(path.clone(), bytes.to_vec())]);
    bench.serve(Some(whole));
    let _ = dump_file(&bench.files, &path, true, &mut |_| Ok(()));
    verify(&bench.files, Path::new(DATA), &mut Nobody).unwrap();
}

/// One of the small files (the first byte, modulo their number).
pub fn checkpoints(data: &[u8]) {
    const FILES: [&str; 7] = [
        "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint",
        "cleaner-offset-checkpoint",
        "t-0/leader-epoch-checkpoint",
        "t-0/partition.metadata",
        ".log-directory",
        "log-directories",
    ];
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let at = usize::from(*how) % FILES.len();
    let whole = whole();
    let files = match how & 0x80 {
        0 => &whole.stopped,
        _ => &whole.crashed,
    };
    let path = Path::new(DATA).join(FILES[at]);
    let mut bench = Bench::with(files, &[(path.clone(), bytes.to_vec())]);
    // The log's start and the topic's id say which records are the log's; the others do not.
    let decides = matches!(
        FILES[at],
        "log-start-offset-checkpoint" | "t-0/partition.metadata"
    );
    bench.serve((!decides).then_some(whole));
    let _ = dump_file(&bench.files, &path, true, &mut |_| Ok(()));
    let registry = Path::new("/data/log-directories");
    let paths = [PathBuf::from(DATA)];
    let files: Arc<dyn FileSystem> = Arc::new(bench.files.clone());
    let how = (SpareRoom::default(), precursor_storage::DISK_WAIT);
    let _ = LogDirectories::open(&files, &paths, Some(registry), how);
}

/// The newest snapshot of producers: ours or Kafka's (the first bit of the first byte), with its
/// checksum made right (the second).
pub fn snapshots(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if how & 2 == 2 && bytes.len() >= 6 {
        let crc = crc32c(&bytes[6..]);
        bytes[2..6].copy_from_slice(&crc.to_be_bytes());
    }
    let whole = whole();
    let kinds = match how & 1 {
        0 => [("producers", bytes), ("snapshot", Vec::new())],
        _ => [("producers", Vec::new()), ("snapshot", bytes)],
    };
    let changes = kinds.map(|(kind, bytes)| {
        (
            PathBuf::from(format!("{}.{kind}", whole.newest_snapshot)),
            bytes,
        )
    });
    let mut bench = Bench::with(&whole.stopped, &changes);
    bench.serve(Some(whole));
    for (path, _) in &changes {
        let _ = dump_file(&bench.files, path, true, &mut |_| Ok(()));
    }
}

/// What compaction or a mend left half done, and what a piece of quarantine is: the bytes of a
/// `.log.cleaned`, a `.log.swap`, a `.log.cold`, or of a file in quarantine (the first byte, modulo 4).
pub fn leftovers(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else {
        return;
    };
    let whole = whole();
    let first = &whole.segments[0];
    let mut bytes = bytes.to_vec();
    if how & 0x80 == 0x80 {
        set_batches_right(&mut bytes);
    }
    let path = match how % 4 {
        0 => format!("{PARTITION}/{first}.log.cleaned"),
        1 => format!("{PARTITION}/{first}.log.swap"),
        2 => format!("{PARTITION}/{first}.log.cold"),
        _ => format!("{DATA}/quarantine/t-0/{first}.log.100-200"),
    };
    let path = PathBuf::from(path);
    let mut bench = Bench::with(&whole.stopped, &[(path.clone(), bytes)]);
    // A swap that was begun stands for the segment.
    bench.serve((how % 4 != 1).then_some(whole));
    let _ = dump_file(&bench.files, &path, true, &mut |_| Ok(()));
    verify(&bench.files, Path::new(DATA), &mut Nobody).unwrap();
}

/// Changes of the region that a dead broker left: of 4 bytes each, where and what. Where: the
/// header, the first entries of the extent directory, or the bytes of the first extents. The first
/// bit of the first byte says whether the entries' checksums are made right.
pub fn regions(data: &[u8]) {
    let Some((how, changes)) = data.split_first() else {
        return;
    };
    let mut bench = Bench::with(&whole().crashed, &[]);
    bench.start().unwrap();
    let log = bench.open();
    for n in 0..6 {
        bench.append(log, &batch(400 + n, 300, false));
    }
    bench.crash_with(|file, (directory, pool)| {
        for change in changes.chunks_exact(4) {
            let at = u64::from(u16::from_le_bytes([change[1], change[2]]));
            let at = match change[0] % 4 {
                0 => at % 72,
                1 | 2 => directory + at % 1024,
                _ => pool + at,
            };
            file.write_all_at(&change[3..], at).unwrap();
        }
        if how & 1 == 1 {
            set_entries_right(file, directory);
        }
    });
    if bench.start().is_ok() {
        bench.serve_opened(None);
    }
}

/// Makes the lengths and checksums of batches what they should be, one behind another.
fn set_batches_right(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + 61) {
        let length = i32::from_be_bytes(header[8..12].try_into().unwrap());
        let end = usize::try_from(length).ok().map(|length| at + 12 + length);
        let Some(end) = end.filter(|end| *end >= at + 61 && *end <= bytes.len()) else {
            return;
        };
        let crc = crc32c(&bytes[at + 21..end]);
        bytes[at + 17..at + 21].copy_from_slice(&crc.to_be_bytes());
        at = end;
    }
}

/// Makes the checksums of the directory's first entries what they should be.
fn set_entries_right(file: &std::fs::File, directory: u64) {
    for place in 0..16u32 {
        let mut entry = [0; 64];
        let at = directory + u64::from(place) * 64;
        file.read_exact_at(&mut entry, at).unwrap();
        let mut covered = entry[..24].to_vec();
        covered.extend(&entry[36..44]);
        covered.extend((place % 64).to_le_bytes());
        covered.resize(40, 0);
        file.write_all_at(&crc32c(&covered).to_le_bytes(), at + 44)
            .unwrap();
    }
}

/// What a broker left, once stopped and once dead, and what it held.
struct Whole {
    stopped: Vec<(PathBuf, Vec<u8>)>,
    crashed: Vec<(PathBuf, Vec<u8>)>,
    /// Names of the segments, without a kind.
    segments: Vec<String>,
    /// The path of the newest snapshot without its kind.
    newest_snapshot: String,
    log: Vec<u8>,
    end: i64,
}

fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let mut bench = Bench::with(&[], &[]);
        bench.start().unwrap();
        let log = bench.open();
        for n in 0..14 {
            bench.append(log, &batch(n, 300, n % 4 == 1));
            if n % 4 == 3 {
                let now = bench.now;
                let marked = bench.store().append_marker(log, (1, 0), n % 8 == 3, 5, now);
                marked.unwrap();
            }
            bench.turns(200);
        }
        bench.now.monotonic_us += 5_000_000;
        bench.turns(200);
        let crashed = bench.files.contents();
        let end = bench.store().offsets(log).end;
        let bytes = bench.read_all(log);
        bench.stop();
        let stopped = bench.files.contents();
        let stems = |kind: &str| {
            let of_kind = stopped
                .iter()
                .filter(|(path, _)| path.extension().is_some_and(|found| found == kind));
            let mut stems: Vec<String> = of_kind
                .map(|(path, _)| path.file_stem().unwrap().to_string_lossy().into_owned())
                .collect();
            stems.sort();
            stems
        };
        let (segments, snapshots) = (stems("log"), stems("producers"));
        assert!(segments.len() > 2, "{segments:?}");
        Whole {
            segments,
            newest_snapshot: format!("{PARTITION}/{}", snapshots.last().unwrap()),
            stopped,
            crashed,
            log: bytes,
            end,
        }
    })
}

/// A batch of two records, idempotent or of a transaction.
fn batch(n: i32, bytes: usize, transactional: bool) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    match transactional {
        true => builder.set_producer(1, 0, n / 4 * 2),
        false => builder.set_producer(10 + i64::from(n), 0, 0),
    }
    builder.set_transactional(transactional);
    for at in 0..2 {
        let time = FIRST_MS + i64::from(n) * 10 + at;
        builder.append(time, Some(b"k"), Some(&vec![n as u8; bytes / 2]), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

/// A store on a double of the disk, and a region of its own.
struct Bench {
    files: SimFileSystem,
    store: Option<Store>,
    region: Option<Region>,
    region_options: RegionOptions,
    now: Now,
    events: Vec<StoreEvent>,
    _directory: tempfile::TempDir,
}

impl Bench {
    /// These files, with changes; the store is not open yet.
    fn with(files: &[(PathBuf, Vec<u8>)], changes: &[(PathBuf, Vec<u8>)]) -> Bench {
        let place = tempfile::Builder::new()
            .prefix("precursor-hostile-")
            .tempdir_in("/dev/shm")
            .unwrap();
        let mut region_options = RegionOptions::new(1, place.path().join("data"));
        region_options.directory = Some(place.path().to_owned());
        region_options.hugepages = Hugepages::Off;
        region_options.pool_bytes = 8 << 20;
        region_options.buffer_bytes = 2 << 20;
        region_options.control_ring_bytes = 4096;
        let sim = SimFileSystem::new();
        sim.restore(files);
        let root: &dyn FileSystem = &sim;
        root.create_directory(Path::new(DATA)).unwrap();
        for (path, bytes) in changes {
            root.create_directory(path.parent().unwrap()).unwrap();
            let file = root.open(path, OpenMode::Create).unwrap();
            file.set_length(0).unwrap();
            file.write_at(bytes, 0).unwrap();
        }
        Bench {
            files: sim,
            store: None,
            region: None,
            region_options,
            now: Now {
                monotonic_us: 1_000_000,
                wall_ms: FIRST_MS + 1_000,
            },
            events: Vec::new(),
            _directory: place,
        }
    }

    /// Opens the store; a region that is there and is refused is an error.
    fn start(&mut self) -> Result<(), String> {
        let attached = Region::create_or_attach(&self.region_options);
        let (region, _) = attached.map_err(|refused| refused.to_string())?;
        let pool = region.extent_pool(0);
        self.region = Some(region);
        let files = Arc::new(self.files.clone());
        let mut options = StoreOptions::new(DATA, 0);
        options.checkpoint_interval_ms = 1;
        let opened = Store::open_simulated(options, files, pool, self.now, 1);
        self.store = Some(opened.map_err(|refused| refused.to_string())?);
        Ok(())
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    fn turn(&mut self) {
        self.now.monotonic_us += 100;
        let now = self.now;
        let mut events = std::mem::take(&mut self.events);
        self.store().poll(now, &mut events);
        self.events = events;
    }

    fn turns(&mut self, count: u32) {
        for _ in 0..count {
            self.turn();
        }
    }

    fn until<T>(&mut self, mut found: impl FnMut(&mut Bench) -> Option<T>) -> T {
        for _ in 0..TURNS_MAX {
            if let Some(found) = found(self) {
                return found;
            }
            self.turn();
        }
        panic!("the store does not come to it");
    }

    fn open(&mut self) -> LogId {
        let spec = LogSpec {
            uid: LogUid(1),
            topic_id: TopicId([1; 16]),
            topic: "t",
            partition: 0,
            config: LogConfig {
                segment_bytes: 1800,
                index_interval_bytes: 300,
                ..LogConfig::default()
            },
            leader_epoch: 3,
            is_new: true,
        };
        let now = self.now;
        let id = self.store().ensure_log(spec, now).unwrap();
        self.until(|bench| (bench.store().state(id) != LogState::Opening).then_some(()));
        id
    }

    fn append(&mut self, log: LogId, batch: &[u8]) {
        self.until(|bench| {
            let options = AppendOptions {
                transactional: true,
                ..AppendOptions::at(bench.now)
            };
            match bench.store().append(log, batch, options) {
                Err(precursor_storage::AppendError::Busy) => None,
                other => Some(other),
            }
        })
        .unwrap();
    }

    /// Opens the store and the partition, and does with it what clients do. `whole`: what must be
    /// there.
    fn serve(&mut self, whole: Option<&Whole>) {
        self.start().unwrap();
        self.serve_opened(whole);
    }

    fn serve_opened(&mut self, whole: Option<&Whole>) {
        let log = self.open();
        if self.store().state(log) != LogState::Online {
            assert!(whole.is_none(), "the records are whole, and offline");
            return;
        }
        let read = self.read_all(log);
        let offsets = self.store().offsets(log);
        if let Some(whole) = whole {
            assert_eq!((offsets.start, offsets.end), (0, whole.end));
            assert!(read == whole.log, "other records than were written");
            for offset in (0..whole.end).rev() {
                let got = self.read(log, offset, false).unwrap_or_default();
                let (base, last) = (first_offset(&got), last_offset(&got));
                assert!((base..=last).contains(&offset), "{base}..={last}: {offset}");
            }
        }
        for time in [
            i64::MIN,
            0,
            FIRST_MS,
            FIRST_MS + 65,
            FIRST_MS + 131,
            i64::MAX,
        ] {
            let found = self.look_up(|store| store.offset_for_time(log, time));
            let within = offsets.start..offsets.end;
            let is_known = |found: TimedOffset| within.contains(&found.offset);
            assert!(found.is_none_or(is_known), "{time}: {found:?}");
        }
        self.look_up(|store| store.newest_record(log));
        let _ = self.read(log, offsets.start, true);
        self.append(log, &plain());
        let after = self.read_all(log);
        if let Some(whole) = whole {
            assert!(after.starts_with(&whole.log) && after.len() > read.len());
        }
        self.stop();
    }

    fn look_up(
        &mut self,
        look_up: impl FnOnce(&mut Store) -> Result<Lookup, precursor_storage::ReadError>,
    ) -> Option<TimedOffset> {
        match look_up(self.store()) {
            Ok(Lookup::Ready(found)) => found,
            Ok(Lookup::Pending(ticket)) => {
                let ready = StoreEvent::LookupReady { ticket };
                self.until(|bench| bench.events.contains(&ready).then_some(()));
                self.store().take_lookup(ticket).unwrap_or(None)
            }
            Err(_) => None,
        }
    }

    /// Everything from the log's start, as far as it can be read.
    fn read_all(&mut self, log: LogId) -> Vec<u8> {
        let mut all = Vec::new();
        let offsets = self.store().offsets(log);
        let mut next = offsets.start;
        while next < offsets.end {
            let Some(got) = self.read(log, next, false).filter(|got| !got.is_empty()) else {
                break;
            };
            let end = last_offset(&got) + 1;
            assert!(end > next, "a read does not come forward");
            next = end;
            all.extend(got);
        }
        all
    }

    fn read(&mut self, log: LogId, offset: i64, committed: bool) -> Option<Vec<u8>> {
        let options = ReadOptions {
            offset,
            max_bytes: 700,
            at_least_one: true,
            committed,
        };
        let gather = match self.store().read(log, options) {
            Ok(Read::Ready(gather)) => gather,
            Ok(Read::Pending(ticket)) => {
                let ready = StoreEvent::ReadReady { ticket };
                self.until(|bench| bench.events.contains(&ready).then_some(()));
                self.events.retain(|event| *event != ready);
                self.store().take_read(ticket).ok()?
            }
            Err(_) => return None,
        };
        let bytes = self.store().slices(&gather).collect::<Vec<_>>().concat();
        self.store().release(gather);
        Some(bytes)
    }

    fn stop(&mut self) {
        let now = self.now;
        // What was damaged may keep it from being a clean stop.
        let _ = self.store.take().unwrap().shutdown(now);
    }

    /// The process dies, and the region's file is changed: given where the shard's extent directory
    /// and pool are.
    fn crash_with(&mut self, change: impl FnOnce(&std::fs::File, (u64, u64))) {
        self.files.kill_process();
        self.store = None;
        self.events.clear();
        let region = self.region.take().unwrap();
        let pool = region.bytes() - region.pool_bytes() - region.buffer_bytes();
        let directory = pool - region.pool_bytes() / 4096 * 64;
        let directory = directory / 4096 * 4096;
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(region.path())
            .unwrap();
        drop(region);
        change(&file, (find_directory(&file, directory), pool));
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.store = None;
        if let Some(region) = self.region.take() {
            let _ = region.unlink();
        }
    }
}

/// The first page at or below `from` in which an entry of the extent directory is in use.
fn find_directory(file: &std::fs::File, from: u64) -> u64 {
    let mut page = [0; 4096];
    let mut at = from;
    while at >= 4096 {
        file.read_exact_at(&mut page, at).unwrap();
        // The log's uid is 1 in all that this broker lends.
        let is_entry = |entry: &[u8]| entry[..8] == 1u64.to_le_bytes() && entry[32] != 0;
        if page.chunks_exact(64).any(is_entry) {
            return at;
        }
        at -= 4096;
    }
    from
}

/// A batch of nobody.
fn plain() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.append(FIRST_MS + 500, None, Some(b"behind"), &[]);
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

fn first_offset(batches: &[u8]) -> i64 {
    let first = batches.first_chunk().copied();
    first.map_or(-1, i64::from_be_bytes)
}

fn last_offset(batches: &[u8]) -> i64 {
    let (mut at, mut last) = (0, -1);
    while let Some(header) = batches.get(at..at + 61) {
        let base = i64::from_be_bytes(header[..8].try_into().unwrap());
        last = base + i64::from(i32::from_be_bytes(header[23..27].try_into().unwrap()));
        at += 12 + i32::from_be_bytes(header[8..12].try_into().unwrap()) as usize;
    }
    last
}

struct Nobody;

impl Watch for Nobody {
    fn found(&mut self, _finding: Finding) {}
}
