//! The log against the disk it lies on, one after the other in the same run: appends under each
//! flush policy, group commit, cold reads, recovery, and looking up an index.
//!
//! `cargo run --release -p precursor-storage --example against_disk -- DIRECTORY [MIB] [ROUNDS] [PART]`
//!
//! One line of JSON for each measurement. `raw` is what the same bytes cost without a log: one
//! thread that writes with O_DIRECT to a new file and syncs it in the end, or reads that way.

use precursor_model::{FlushPolicy, LogConfig, LogUid, TopicId};
use precursor_protocol::records::BatchBuilder;
use precursor_shm::{Region, RegionOptions};
use precursor_storage::{
    AppendError, AppendOptions, LogId, LogSpec, LogState, Now, Read, ReadError, ReadOptions,
    SealedIndex, Store, StoreEvent, StoreOptions,
};
use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const POOL_BYTES: u64 = 512 << 20;
const BLOCK: usize = 4096;
const O_DIRECT: i32 = 0o40_000;
const SYNCS: usize = 300;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(directory) = arguments.next().map(PathBuf::from) else {
        eprintln!(
            "against_disk DIRECTORY [MIB] [ROUNDS] [bulk|commit|recovery|index]: the directory is \
             made, and removed again"
        );
        std::process::exit(2);
    };
    let mib: u64 = arguments.next().map_or(2048, |n| n.parse().expect("MiB"));
    let rounds: usize = arguments.next().map_or(3, |n| n.parse().expect("rounds"));
    let part = arguments.next();
    let wanted = |name| part.as_deref().is_none_or(|part| part == name);
    std::fs::create_dir_all(&directory).unwrap();
    for round in 0..rounds {
        let round = Round {
            directory: &directory,
            bytes: mib << 20,
            round,
        };
        if wanted("bulk") {
            round.bulk();
        }
        if wanted("commit") {
            round.group_commit();
        }
        if wanted("recovery") {
            round.recovery();
        }
    }
    if wanted("index") {
        index_lookup();
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

struct Round<'a> {
    directory: &'a Path,
    bytes: u64,
    round: usize,
}

impl Round<'_> {
    fn tell(&self, what: &str, figures: &[(&str, f64)]) {
        let figures: Vec<_> = figures
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value:.3}"))
            .collect();
        println!(
            "{{\"round\":{},\"what\":\"{what}\",{}}}",
            self.round,
            figures.join(",")
        );
    }

    /// Bytes a second through each policy and to the file alone, cold reads of both.
    fn bulk(&self) {
        let raw = self.directory.join("raw");
        let (seconds, cpu) = raw_write(&raw, self.bytes).unwrap();
        self.tell("raw write", &speed(self.bytes, seconds, cpu));
        for policy in [FlushPolicy::Os, FlushPolicy::Interval] {
            let mut log = Bench::open(&self.directory.join("log"), self.bytes, policy);
            let measured = Measured::start();
            let bytes = log.append_until(self.bytes);
            let until_appended = measured.begun.elapsed().as_secs_f64();
            log.wait_until_written(bytes);
            let (seconds, cpu) = measured.end();
            let name = format!("append, {policy:?}");
            self.tell(&name, &speed(bytes, seconds, cpu));
            self.tell(
                &format!("{name}, without waiting for the disk in the end"),
                &speed(bytes, until_appended, cpu),
            );
            if policy == FlushPolicy::Interval {
                let (seconds, cpu) = raw_read(&raw, self.bytes).unwrap();
                self.tell("raw read", &speed(self.bytes, seconds, cpu));
                let measured = Measured::start();
                // The end of the log is still in memory.
                let cold = log.read_from_the_beginning(self.bytes - POOL_BYTES);
                let (seconds, cpu) = measured.end();
                self.tell("cold read", &speed(cold, seconds, cpu));
            }
            log.remove();
        }
        std::fs::remove_file(raw).unwrap();
    }

    /// Time from an append to its promise, with so many producers who each wait for theirs.
    fn group_commit(&self) {
        let record = batch(1, 100);
        for producers in [1, 8, 64] {
            // As many bytes for each sync.
            let together = record.repeat(producers);
            let mut bare = bare_syncs(&self.directory.join("bare"), &together).unwrap();
            let bare = middle(&mut bare);
            self.tell("bare write and fdatasync", &[("p50_us", bare)]);
            let place = self.directory.join("log");
            let mut log = Bench::open(&place, 64 << 20, FlushPolicy::EveryWrite);
            let mut waits = log.commit(&record, producers, SYNCS * producers);
            let rate = waits.len() as f64 / log.elapsed_in_commit;
            let commit = middle(&mut waits);
            self.tell(
                &format!("every-write, {producers} producers"),
                &[
                    ("p50_us", commit),
                    ("appends_per_s", rate),
                    ("of_bare", commit / bare),
                    // A sync for all who wait: so many appends at the cost of one.
                    ("of_bare_by_rate", producers as f64 * 1e6 / bare / rate),
                ],
            );
            log.remove();
        }
    }

    /// A log whose every byte has to be looked at again, after a power cut.
    fn recovery(&self) {
        let place = self.directory.join("log");
        let mut log = Bench::open(&place, self.bytes, FlushPolicy::Os);
        let bytes = log.append_until(self.bytes);
        log.wait_until_written(bytes);
        let end = log.store.offsets(log.id).end;
        let segment = log.first_segment();
        // The file has room reserved behind them, which costs no reading.
        let written = bytes.min(std::fs::metadata(&segment).unwrap().len());
        let raw_bytes = written >> 20 << 20;
        log.lose();
        // Before and after: the disk's own speed changes from one second to the next.
        let raw = || {
            let (seconds, cpu) = raw_read(&segment, raw_bytes).unwrap();
            self.tell("raw read", &speed(raw_bytes, seconds, cpu));
            raw_bytes as f64 / 1e9 / seconds
        };
        let before = raw();
        let measured = Measured::start();
        let log = Bench::open(&place, self.bytes, FlushPolicy::Os);
        let (seconds, cpu) = measured.end();
        assert_eq!(log.store.offsets(log.id).end, end, "all of it was found");
        let after = raw();
        let of_raw = bytes as f64 / 1e9 / seconds / (before + after) * 2.0;
        let [rate, cpu] = speed(bytes, seconds, cpu);
        self.tell("recovery", &[rate, cpu, ("of_raw", of_raw)]);
        log.remove();
    }
}

fn speed(bytes: u64, seconds: f64, cpu: f64) -> [(&'static str, f64); 2] {
    let gigabytes = bytes as f64 / 1e9;
    [
        ("gb_per_s", gigabytes / seconds),
        ("cpu_s_per_gb", cpu / gigabytes),
    ]
}

/// Microseconds.
fn middle(waits: &mut [Duration]) -> f64 {
    waits.sort_unstable();
    waits[waits.len() / 2].as_secs_f64() * 1e6
}

struct Measured {
    begun: Instant,
    cpu: f64,
}

impl Measured {
    fn start() -> Measured {
        Measured {
            begun: Instant::now(),
            cpu: cpu_seconds(),
        }
    }

    /// Seconds, and processor seconds of all threads, the kernel's part too.
    fn end(self) -> (f64, f64) {
        (self.begun.elapsed().as_secs_f64(), cpu_seconds() - self.cpu)
    }
}

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = text.rsplit_once(") ").unwrap().1;
    let field = |n: usize| after.split(' ').nth(n).unwrap().parse::<f64>().unwrap();
    (field(11) + field(12)) / 100.0
}

/// Memory that O_DIRECT takes.
struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl Aligned {
    fn new(length: usize) -> Aligned {
        let bytes: Vec<u8> = (0..length + BLOCK).map(|n| n as u8).collect();
        let start = bytes.as_ptr().align_offset(BLOCK);
        Aligned {
            bytes,
            start,
            length,
        }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..][..self.length]
    }

    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..][..self.length]
    }
}

fn direct(path: &Path, write: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(O_DIRECT);
    options.write(write).create(write).truncate(write);
    options.open(path)
}

fn raw_write(path: &Path, bytes: u64) -> io::Result<(f64, f64)> {
    let file = direct(path, true)?;
    let piece = Aligned::new(1 << 20);
    let measured = Measured::start();
    for at in (0..bytes).step_by(piece.length) {
        file.write_all_at(piece.as_slice(), at)?;
    }
    file.sync_data()?;
    Ok(measured.end())
}

fn raw_read(path: &Path, bytes: u64) -> io::Result<(f64, f64)> {
    let file = direct(path, false)?;
    let mut piece = Aligned::new(1 << 20);
    let measured = Measured::start();
    for at in (0..bytes).step_by(piece.length) {
        file.read_exact_at(piece.as_mut(), at)?;
        black_box(piece.as_slice());
    }
    Ok(measured.end())
}

/// How long a small write at the end of a file and its fdatasync take.
fn bare_syncs(path: &Path, record: &[u8]) -> io::Result<Vec<Duration>> {
    let file = File::create(path)?;
    let mut waits = Vec::new();
    for n in 0..SYNCS {
        let begun = Instant::now();
        file.write_all_at(record, (n * record.len()) as u64)?;
        file.sync_data()?;
        waits.push(begun.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(waits)
}

fn batch(records: usize, bytes: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    let value = vec![b'x'; bytes];
    for _ in 0..records {
        builder.append(1_700_000_000_000, None, Some(&value), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

/// A store with one log.
struct Bench {
    place: PathBuf,
    begun: Instant,
    region: Region,
    store: Store,
    id: LogId,
    events: Vec<StoreEvent>,
    elapsed_in_commit: f64,
}

impl Bench {
    fn open(place: &Path, bytes: u64, flush_policy: FlushPolicy) -> Bench {
        std::fs::create_dir_all(place).unwrap();
        let begun = Instant::now();
        let mut region_options = RegionOptions::new(1, place);
        region_options.pool_bytes = POOL_BYTES;
        let (region, _) = Region::create_or_attach(&region_options).unwrap();
        let mut options = StoreOptions::new(place, 0);
        // Recovery is to find everything to do.
        options.recovery_bytes_max = u64::MAX;
        options.checkpoint_interval_ms = 3_600_000;
        let mut store = Store::open(options, region.extent_pool(0), now(begun)).unwrap();
        let config = LogConfig {
            flush_policy,
            segment_bytes: bytes.saturating_add(1 << 20).min(1 << 30) as u32,
            ..LogConfig::default()
        };
        let spec = LogSpec {
            uid: LogUid(1),
            topic_id: TopicId([1; 16]),
            topic: "bench",
            partition: 0,
            config,
            leader_epoch: 0,
            is_new: false,
        };
        let id = store.ensure_log(spec, now(begun)).unwrap();
        let mut events = Vec::with_capacity(64);
        // As a shard does that has nothing to do but wait: what recovers wants the processors.
        while store.state(id) == LogState::Opening {
            if !store.poll(now(begun), &mut events) {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        Bench {
            place: place.to_owned(),
            begun,
            region,
            store,
            id,
            events,
            elapsed_in_commit: 0.0,
        }
    }

    fn poll(&mut self) -> bool {
        self.events.clear();
        self.store.poll(now(self.begun), &mut self.events)
    }

    fn append(&mut self, batch: &[u8]) -> i64 {
        loop {
            let options = AppendOptions::at(now(self.begun));
            match self.store.append(self.id, batch, options) {
                Ok(appended) => return appended.last_offset,
                Err(AppendError::Busy) => {
                    if !self.poll() {
                        std::thread::sleep(Duration::from_micros(20));
                    }
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    fn append_until(&mut self, bytes: u64) -> u64 {
        let sent = batch(1000, 100);
        let mut total = 0;
        for n in 0.. {
            if total >= bytes {
                break;
            }
            self.append(&sent);
            total += sent.len() as u64;
            if n % 4 == 0 {
                self.poll();
            }
        }
        total
    }

    /// Until the disk has all of it; under `os` without a sync.
    fn wait_until_written(&mut self, bytes: u64) {
        while self.store.stats().disk_write_bytes < bytes {
            if !self.poll() {
                std::thread::sleep(Duration::from_micros(20));
            }
        }
    }

    /// Producers who each wait for their record's promise before they send the next.
    fn commit(&mut self, record: &[u8], producers: usize, appends: usize) -> Vec<Duration> {
        let mut waits = Vec::with_capacity(appends);
        let mut waiting: Vec<(i64, Instant)> = Vec::new();
        let begun = Instant::now();
        while waits.len() < appends {
            while waiting.len() < producers {
                let at = Instant::now();
                let last = self.append(record);
                waiting.push((last, at));
            }
            self.poll();
            let durable = self.store.offsets(self.id).durable;
            waiting.retain(|(last, at)| {
                let kept = *last >= durable;
                if !kept {
                    waits.push(at.elapsed());
                }
                kept
            });
        }
        self.elapsed_in_commit = begun.elapsed().as_secs_f64();
        waits
    }

    fn read_from_the_beginning(&mut self, bytes: u64) -> u64 {
        let batch_bytes = batch(1000, 100).len();
        let (mut offset, mut total) = (0, 0);
        while total < bytes {
            let options = ReadOptions {
                offset,
                max_bytes: 1 << 20,
                at_least_one: true,
                committed: false,
            };
            let gather = match self.store.read(self.id, options).unwrap() {
                Read::Ready(gather) => gather,
                Read::Pending(ticket) => loop {
                    self.poll();
                    match self.store.take_read(ticket) {
                        Err(ReadError::Busy) => {}
                        taken => break taken.unwrap(),
                    }
                },
            };
            for slice in self.store.slices(&gather) {
                black_box(slice);
            }
            total += gather.len() as u64;
            offset += (gather.len() / batch_bytes) as i64 * 1000;
            self.store.release(gather);
        }
        total
    }

    fn first_segment(&self) -> PathBuf {
        self.place.join("bench-0/00000000000000000000.log")
    }

    /// As a power cut: no stop, and no region afterwards.
    fn lose(self) {
        self.region.unlink().unwrap();
        drop(self.store);
    }

    fn remove(self) {
        self.store.shutdown(now(self.begun)).unwrap();
        self.region.unlink().unwrap();
        std::fs::remove_dir_all(&self.place).unwrap();
    }
}

fn now(begun: Instant) -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Now {
        monotonic_us: begun.elapsed().as_micros() as u64,
        wall_ms: wall.as_millis() as i64,
    }
}

/// In the index of a segment of 1 GiB with an entry for every 4 KiB, all over it.
fn index_lookup() {
    const ENTRIES: u32 = 1 << 18;
    let offsets: Vec<u8> = (1..ENTRIES)
        .flat_map(|n| [(n * 40).to_be_bytes(), (n * 4096).to_be_bytes()].concat())
        .collect();
    let index = SealedIndex::decode(&offsets, &[], 1 << 30, ENTRIES * 40).unwrap();
    let mut at = 1u32;
    let mut found = 0u64;
    const LOOKUPS: u32 = 2_000_000;
    let begun = Instant::now();
    for _ in 0..LOOKUPS {
        at = at.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        found += u64::from(index.position_for(black_box(at % (ENTRIES * 40))));
    }
    let each = begun.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKUPS);
    black_box(found);
    println!("{{\"what\":\"index lookup\",\"ns\":{each:.1}}}");
}
