//! A directory whose disk never answers: what is not on it goes on.

use crate::support::Bench;
use precursor_disk::sim::SimFileSystem;
use precursor_disk::{DiskFile, FileSystem, OpenMode, RandomFile, Unsynced, Volume};
use precursor_model::{
    CleanupPolicy, ColdCompression, ErrorCode, LogConfig, LogUid, Ratio, TopicId,
};
use precursor_protocol::records::BatchBuilder;
use precursor_storage::{
    AppendError, AppendOptions, DirectoryWatch, LogDirectories, LogId, LogSpec, LogState,
    SpareRoom, Store,
};
use std::any::Any;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// The double of the disk, of which one place may hang for whoever is not the engine.
#[derive(Clone)]
struct Hanging {
    files: SimFileSystem,
    hangs: Arc<(Mutex<Option<PathBuf>>, Condvar)>,
}

impl Hanging {
    fn set(&self, place: Option<&str>) {
        *self.hangs.0.lock().unwrap() = place.map(PathBuf::from);
        self.hangs.1.notify_all();
    }

    /// Returns when the disk answers.
    fn ask(&self, path: &Path) -> &SimFileSystem {
        let hangs = |place: &mut Option<PathBuf>| {
            place.as_ref().is_some_and(|place| path.starts_with(place))
        };
        let (state, answers) = &*self.hangs;
        drop(answers.wait_while(state.lock().unwrap(), hangs).unwrap());
        &self.files
    }
}

struct HangingFile {
    disk: Hanging,
    path: PathBuf,
    file: DiskFile,
}

impl HangingFile {
    fn ask(&self) -> &DiskFile {
        self.disk.ask(&self.path);
        &self.file
    }
}

impl RandomFile for HangingFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.ask().read_at(buffer, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.ask().write_at(bytes, offset)
    }
    fn length(&self) -> io::Result<u64> {
        self.ask().length()
    }
    fn set_length(&self, length: u64) -> io::Result<()> {
        self.ask().set_length(length)
    }
    fn reserve(&self, end: u64) -> io::Result<()> {
        self.ask().reserve(end)
    }
    fn sync(&self) -> io::Result<()> {
        self.ask().sync()
    }
    fn descriptor(&self) -> Option<RawFd> {
        None
    }
}

impl FileSystem for Hanging {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<DiskFile> {
        let file = self.ask(path).open(path, mode)?;
        Ok(match mode {
            OpenMode::Data => file,
            _ => Arc::new(HangingFile {
                disk: self.clone(),
                path: path.to_owned(),
                file,
            }),
        })
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask(from).rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.ask(path).remove_file(path)
    }
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.ask(path).create_directory(path)
    }
    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.ask(path).remove_directory(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        self.ask(path).list(path)
    }
    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.ask(path).sync_directory(path)
    }
    fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Vec<io::Result<()>> {
        let sync = |one: &Unsynced<'_>| match one {
            Unsynced::File(file) => file.sync(),
            Unsynced::Directory(path) => self.sync_directory(path),
        };
        unsynced.iter().map(sync).collect()
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>> {
        self.ask(path).lock(path)
    }
    fn volume(&self, directory: &Path) -> io::Result<Volume> {
        self.ask(directory).volume(directory)
    }
}

const PLACES: [&str; 2] = ["/disk-a", "/disk-b"];

/// A store with the threads of a broker on two directories.
struct Two {
    bench: Bench,
    disk: Hanging,
}

impl Drop for Two {
    /// Threads that hang would be waited for.
    fn drop(&mut self) {
        self.disk.set(None);
    }
}

impl Two {
    fn new(wait: Duration) -> Two {
        let mut bench = Bench::new(16 << 20, 1);
        bench.shutdown();
        let disk = Hanging {
            files: bench.files.clone(),
            hangs: Arc::default(),
        };
        bench.options.cleaner.backoff_ms = 1;
        bench.options.cold.backoff_ms = 1;
        bench.options.cold.cpu_percent_max = 100;
        bench.options.checkpoint_interval_ms = 50;
        bench.options.disk_wait = wait;
        let mut two = Two { bench, disk };
        two.start();
        two
    }

    fn start(&mut self) {
        let paths = PLACES.map(PathBuf::from);
        let files: Arc<dyn FileSystem> = Arc::new(self.disk.clone());
        let wait = self.bench.options.disk_wait;
        let opened = LogDirectories::open(&files, &paths, None, (SpareRoom::default(), wait));
        self.bench.options.directories = Some(Arc::new(opened.unwrap()));
        let (options, now) = (self.bench.options.clone(), self.bench.now);
        let pool = self.bench.pool();
        self.bench.store = Some(Store::open_on(options, files, pool, now, 1).unwrap());
    }

    /// Turns until something is so, within a while.
    fn until(&mut self, mut is_so: impl FnMut(&mut Bench) -> bool) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            if is_so(&mut self.bench) {
                return true;
            }
            self.bench.pass(1);
            if !self.bench.poll() {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        false
    }

    fn ensure(&mut self, uid: u64, config: &LogConfig, is_new: bool) -> LogId {
        let now = self.bench.now;
        let topic = format!("t{uid}");
        let spec = LogSpec {
            uid: LogUid(uid),
            topic_id: TopicId([uid as u8; 16]),
            topic: &topic,
            partition: 0,
            config: config.clone(),
            leader_epoch: 3,
            is_new,
        };
        self.bench.store().ensure_log(spec, now).unwrap()
    }

    /// Makes log 1 on the first directory and log 2 on the second, each with a few segments.
    fn fill(&mut self, config: &LogConfig) -> [LogId; 2] {
        let logs = [1, 2].map(|uid| self.ensure(uid, config, true));
        let online = |bench: &mut Bench, log| bench.store().state(log) == LogState::Online;
        assert!(self.until(|bench| logs.iter().all(|log| online(bench, *log))));
        for n in 0..60 {
            // What the second one holds is older: cold compression comes to it first.
            for (log, time) in logs.iter().zip([2_000, 1_000]) {
                self.append(*log, time + n);
            }
        }
        let settled = |bench: &mut Bench| logs.iter().all(|log| segments(bench, *log) >= 4);
        assert!(self.until(settled));
        logs
    }

    fn append(&mut self, log: LogId, time: i64) {
        let mut builder = BatchBuilder::new();
        builder.append(time, Some(b"key"), Some(&[b'v'; 900]), &[]);
        let mut batch = Vec::new();
        builder.build(&mut batch);
        let mut outcome = Err(AppendError::Busy);
        assert!(self.until(|bench| {
            let options = AppendOptions::at(bench.now);
            outcome = bench.store().append(log, &batch, options);
            !matches!(outcome, Err(AppendError::Busy))
        }));
        outcome.unwrap();
    }
}

/// Of small segments.
fn plain() -> LogConfig {
    LogConfig {
        segment_bytes: 8 << 10,
        min_cleanable_dirty_ratio: Ratio::new(0.0).unwrap(),
        ..LogConfig::default()
    }
}

/// Segments of a log whose files are on disk.
fn segments(bench: &Bench, log: LogId) -> usize {
    let topic = format!("t{}-0", log.slot + 1);
    let is_segment = |path: &&PathBuf| {
        path.extension().is_some_and(|kind| kind == "log")
            && path.parent().is_some_and(|place| place.ends_with(&topic))
    };
    bench.files.paths().iter().filter(is_segment).count()
}

/// Bytes of a log's segments.
fn bytes(bench: &Bench, log: LogId) -> usize {
    let topic = format!("t{}-0", log.slot + 1);
    let files = bench.files.contents().into_iter();
    let segments = files.filter(|(path, _)| {
        path.extension().is_some_and(|kind| kind == "log")
            && path.parent().is_some_and(|place| place.ends_with(&topic))
    });
    segments.map(|(_, bytes)| bytes.len()).sum()
}

#[test]
fn compaction_and_cold_compression_go_on_in_other_directories() {
    let mut two = Two::new(Duration::from_secs(10));
    let logs = two.fill(&plain());
    two.disk.set(Some(PLACES[1]));
    for log in logs {
        let compacted = LogConfig {
            cleanup_policy: CleanupPolicy::Compact,
            ..plain()
        };
        two.bench.store().set_config(log, compacted);
    }
    // Both are begun; the one that hangs is chosen first.
    let whole = logs.map(|log| bytes(&two.bench, log));
    let cleaned = |bench: &mut Bench| bytes(bench, logs[0]) < whole[0] / 2;
    assert!(two.until(cleaned), "held up by another directory's disk");
    // The end of the last segment may have been written meanwhile.
    assert!(bytes(&two.bench, logs[1]) >= whole[1]);
    two.disk.set(None);
    assert!(two.until(|bench| bytes(bench, logs[1]) < whole[1] / 2));
    two.bench.shutdown();

    let mut two = Two::new(Duration::from_secs(10));
    let cold = LogConfig {
        segment_bytes: 8 << 10,
        cold_compression: ColdCompression::Zstd,
        cold_compression_min_age_ms: 2_000_000_000_000,
        ..LogConfig::default()
    };
    let logs = two.fill(&cold);
    two.disk.set(Some(PLACES[1]));
    for log in logs {
        let now = LogConfig {
            cold_compression_min_age_ms: 0,
            ..cold.clone()
        };
        two.bench.store().set_config(log, now);
    }
    let frozen = |place: &'static str| {
        move |bench: &mut Bench| {
            let paths = bench.files.paths();
            let is_cold = |path: &PathBuf| path.to_string_lossy().ends_with(".log.cold");
            paths
                .iter()
                .any(|path| path.starts_with(place) && is_cold(path))
        }
    };
    assert!(two.until(frozen(PLACES[0])), "held up by another's disk");
    two.disk.set(None);
    assert!(two.until(frozen(PLACES[1])));
    two.bench.shutdown();
}

#[test]
fn a_stop_and_a_start_do_not_wait_for_a_disk_that_hangs() {
    let wait = Duration::from_millis(400);
    let mut two = Two::new(wait);
    let logs = two.fill(&plain());
    two.disk.set(Some(PLACES[1]));
    for log in logs {
        two.append(log, 5_000);
    }
    let begun = Instant::now();
    let stopped = two.bench.store.take().unwrap().shutdown(two.bench.now);
    let said = stopped.unwrap_err().to_string();
    assert!(said.contains(PLACES[1]), "{said}");
    assert!(begun.elapsed() < 8 * wait, "{:?}", begun.elapsed());
    // The other's was written whole: a start reads nothing but its end.
    let points = two.bench.files.contents();
    let point = |place: &str| {
        let path = Path::new(place).join("recovery-point-offset-checkpoint");
        let found = points.iter().find(|(found, _)| *found == path);
        String::from_utf8(found.map_or(Vec::new(), |(_, bytes)| bytes.clone())).unwrap()
    };
    assert_eq!(point(PLACES[0]), "0\n1\nt1 0 61\n");
    assert!(!point(PLACES[1]).contains("t2 0 61"));

    // The process is gone, and with it the region's users; the disk still hangs.
    two.bench.files.kill_process();
    two.bench.forget_region();
    let begun = Instant::now();
    two.start();
    let first = two.ensure(1, &plain(), false);
    let second = two.ensure(2, &plain(), false);
    assert!(two.until(|bench| bench.store().state(first) == LogState::Online));
    assert!(begun.elapsed() < 8 * wait, "{:?}", begun.elapsed());
    let offline = LogState::Offline(ErrorCode::KafkaStorageError);
    assert_eq!(two.bench.store().state(second), offline);
    two.append(first, 6_000);
    // A disk that hangs once the broker runs keeps nobody from being opened elsewhere.
    two.disk.set(None);
    drop(two.bench.store.take());
}

#[test]
fn a_file_system_that_hangs_keeps_nobody_from_looking_at_another() {
    let disk = Hanging {
        files: SimFileSystem::new(),
        hangs: Arc::default(),
    };
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    let how = (SpareRoom::default(), Duration::from_secs(10));
    let directories = LogDirectories::open(&files, &PLACES.map(PathBuf::from), None, how);
    let directories = Arc::new(directories.unwrap());
    let has_failed = |number: u16| {
        let begun = Instant::now();
        while directories.error(number).is_none() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(1));
        }
        directories.error(number).is_some()
    };
    // The one that comes first in every list.
    disk.set(Some(PLACES[0]));
    let _watch = DirectoryWatch::start(&directories, &files).unwrap();
    disk.files.fail(PLACES[1], 5);
    assert!(has_failed(1), "held up by another directory");
    assert_eq!(directories.error(0), None);
    // It is seen as soon as it answers.
    disk.files.fail(PLACES[0], 5);
    disk.set(None);
    assert!(has_failed(0));
}
