//! The shard's part of cold compression: which segment is next, and taking note of what came of it.

use crate::api::{LogId, Now, StoreOptions};
use crate::coldseg::swap::PlaceRequest;
use crate::coldseg::throttle::Throttle;
use crate::coldseg::write::{Made, Plan, Worker};
use crate::jobs::Job;
use crate::lanes::lane_name;
use crate::log::Log;
use crate::room::Garbage;
use crate::store::Store;
use precursor_disk::{FileSystem, Helper, Wake};
use precursor_model::{ColdCompression, Offset};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How long cold compression rests after it failed.
const RETRY_US: u64 = 60_000_000;
/// Segments that are smaller are not worth a container.
const SEGMENT_BYTES_MIN: u64 = 4 << 10;

/// How one shard compresses cold segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColdOptions {
    /// Read and written, together.
    pub io_bytes_per_second_max: f64,
    /// Of one processor.
    pub cpu_percent_max: u32,
    /// Between two looks when there was nothing to compress.
    pub backoff_ms: u64,
}

impl Default for ColdOptions {
    fn default() -> Self {
        ColdOptions {
            io_bytes_per_second_max: f64::MAX,
            cpu_percent_max: 25,
            backoff_ms: 15_000,
        }
    }
}

/// How a segment's bytes lie on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ColdState {
    /// As they are.
    #[default]
    Plain,
    /// As they are, and so they stay: they would gain too little, or cannot be read.
    KeptPlain,
    /// In a container of so many bytes.
    Cold(u64),
}

/// A segment of a log, and the generation of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Target {
    log: LogId,
    base: Offset,
    generation: u32,
    size: u64,
}

/// The thread of one log directory that compresses, so that a disk which never answers holds up none
/// but its own segments, and what it is at. Belongs to the shard's thread.
pub(crate) struct Freezer {
    helper: Option<Helper<Plan, io::Result<Made>>>,
    options: ColdOptions,
    stop: Arc<AtomicBool>,
    current: Option<Target>,
    /// Runs under way in all directories: they share the disk's rate and the processor.
    active: Arc<AtomicUsize>,
    next_look_us: u64,
}

impl Drop for Freezer {
    /// Or the thread would be waited for until it comes to an end by itself.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Freezer {
    /// Starts the threads: one for each of so many lanes of directories.
    pub fn start(
        options: &StoreOptions,
        lanes: usize,
        files: &Arc<dyn FileSystem>,
        wake: &Arc<Wake>,
        now: Now,
    ) -> io::Result<Box<[Freezer]>> {
        let mut freezers = Freezer::without_threads(options.cold, lanes, now);
        for (lane, freezer) in freezers.iter_mut().enumerate() {
            let mut worker = freezer.worker(files.clone(), options.cold.cpu_percent_max);
            let name = lane_name("cold", options.shard, lane);
            let taken = options.workers.taken_cpus.clone();
            let settle = move || {
                precursor_disk::give_way();
                precursor_disk::keep_off(&taken);
            };
            let run = move |plan: Plan| worker.run(&plan);
            freezer.helper = Some(Helper::spawn_settled(name, 1, wake.clone(), settle, run)?);
        }
        Ok(freezers)
    }

    /// For simulations: jobs run within `poll`, without rest.
    pub fn inline(
        options: ColdOptions,
        lanes: usize,
        files: &Arc<dyn FileSystem>,
        now: Now,
    ) -> Box<[Freezer]> {
        let mut freezers = Freezer::without_threads(options, lanes, now);
        for freezer in &mut freezers {
            let mut worker = freezer.worker(files.clone(), 100);
            freezer.helper = Some(Helper::inline(1, move |plan: Plan| worker.run(&plan)));
        }
        freezers
    }

    fn without_threads(options: ColdOptions, lanes: usize, now: Now) -> Box<[Freezer]> {
        let active = Arc::new(AtomicUsize::new(0));
        let freezer = |_| Freezer {
            helper: None,
            options,
            stop: Arc::default(),
            current: None,
            active: active.clone(),
            next_look_us: now.monotonic_us + options.backoff_ms * 1000,
        };
        (0..lanes).map(freezer).collect()
    }

    fn worker(&self, files: Arc<dyn FileSystem>, cpu_percent: u32) -> Worker {
        let rate = self.options.io_bytes_per_second_max;
        Worker {
            files,
            throttle: Throttle::shared(rate, cpu_percent, self.active.clone(), self.stop.clone()),
        }
    }

    /// Begins nothing more and ends what is under way.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.next_look_us = u64::MAX;
    }

    /// True while the thread owes an outcome.
    pub fn is_busy(&self) -> bool {
        self.helper.as_ref().is_some_and(Helper::is_busy)
    }

    /// A log is closed: the run over it ends.
    pub fn forget(&mut self, log: LogId) {
        if self.current.is_some_and(|target| target.log == log) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// When to look for a segment to compress, in microseconds of the monotonic clock.
    pub fn deadline(&self) -> u64 {
        let is_busy = self.helper.as_ref().is_none_or(Helper::is_busy);
        match is_busy || self.current.is_some() {
            true => u64::MAX,
            false => self.next_look_us,
        }
    }

    /// The run is over; `look_us`: when the next may begin.
    fn end_run(&mut self, look_us: u64) {
        if self.current.take().is_some() {
            self.active.fetch_sub(1, Ordering::Relaxed);
        }
        if self.next_look_us < u64::MAX {
            self.stop.store(false, Ordering::Relaxed);
            self.next_look_us = look_us;
        }
    }
}

impl Store {
    /// Takes what was compressed, and has the next segment begun when it is time. True when there
    /// was work.
    pub(crate) fn poll_freezers(&mut self, now: Now) -> bool {
        let mut work = false;
        for lane in 0..self.freezers.len() {
            let helper = self.freezers[lane].helper.as_mut();
            if let Some(made) = helper.and_then(Helper::try_receive) {
                work = true;
                self.on_made(lane, made);
            }
            if now.monotonic_us >= self.freezers[lane].deadline() {
                self.begin_freezing(lane, now);
            }
        }
        work
    }

    /// Chooses the segment whose newest record is oldest.
    fn begin_freezing(&mut self, lane: usize, now: Now) {
        let backoff_us = self.freezers[lane].options.backoff_ms * 1000;
        self.freezers[lane].next_look_us = now.monotonic_us + backoff_us;
        let lanes = self.freezers.len();
        let oldest = self
            .logs()
            .filter(|log| usize::from(log.root) % lanes == lane)
            .filter_map(|log| Some((log, log.freezable(now)?)))
            .min_by_key(|(log, at)| log.segments[*at].newest.map_or(i64::MIN, |n| n.0));
        let Some((log, at)) = oldest else {
            return;
        };
        let segment = &log.segments[at];
        let target = Target {
            log: log.id,
            base: segment.base,
            generation: segment.generation,
            size: segment.size,
        };
        let plan = Plan {
            directory: log.directory.clone(),
            base: segment.base,
            size: segment.size,
            kind: log.config.cold_compression,
            level: log.config.cold_compression_level(),
            chunk_bytes: log.config.cold_compression_chunk_bytes,
        };
        self.freezers[lane].active.fetch_add(1, Ordering::Relaxed);
        self.freezers[lane].current = Some(target);
        if let Some(helper) = &mut self.freezers[lane].helper {
            // One job at a time: there is room.
            let _ = helper.try_send(plan);
        }
    }

    fn on_made(&mut self, lane: usize, made: io::Result<Made>) {
        let now_us = self.io.now.monotonic_us;
        let Some(target) = self.freezers[lane].current else {
            return;
        };
        let Some((log, io)) = self.log_and_io(target.log) else {
            return self.freezers[lane].end_run(now_us);
        };
        let is_online = log.is_online();
        let (directory, root) = (log.directory.clone(), log.root);
        let segment = log.segment_of_mut(target.base);
        let segment = segment.filter(|segment| {
            let same = (segment.generation, segment.size) == (target.generation, target.size);
            // A segment whose file is being mended may be another one in a moment.
            same && is_online && !segment.loading
        });
        let look_us = match (made, segment) {
            (Ok(Made::Container), Some(_)) => {
                io.job(
                    root,
                    Job::Place {
                        log: target.log,
                        generation: target.generation,
                        request: PlaceRequest {
                            directory,
                            base: target.base,
                            size: target.size,
                        },
                    },
                );
                return;
            }
            (Ok(Made::Container), None) => {
                io.job(
                    root,
                    Job::DiscardContainer {
                        directory,
                        base: target.base,
                    },
                );
                now_us
            }
            (Ok(Made::NotWorthwhile), segment) => {
                if let Some(segment) = segment {
                    segment.cold = ColdState::KeptPlain;
                }
                now_us
            }
            // Stopped, or the segment was removed meanwhile: the next look will tell.
            (Err(error), _)
                if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::NotFound) =>
            {
                now_us
            }
            (Err(error), segment) => {
                io.stats.cold_failures += 1;
                // Bytes that cannot be read will not be readable later.
                if let Some(segment) = segment.filter(|_| error.kind() == ErrorKind::InvalidData) {
                    segment.cold = ColdState::KeptPlain;
                }
                tracing::error!(
                    topic = %log.topic,
                    partition = log.partition,
                    segment = target.base,
                    %error,
                    "cannot compress a cold segment"
                );
                now_us + RETRY_US
            }
        };
        self.freezers[lane].end_run(look_us);
    }

    /// The helper has put a container in a segment's place, or has not.
    pub(crate) fn on_placed(
        &mut self,
        id: LogId,
        (base, generation): (Offset, u32),
        placed: io::Result<u64>,
    ) {
        let now_us = self.io.now.monotonic_us;
        let mut look_us = now_us;
        if let Some((log, io)) = self.log_and_io(id) {
            let (topic, partition, root) = (log.topic.clone(), log.partition, log.root);
            let segment = log.segment_of_mut(base);
            let segment = segment.filter(|segment| segment.generation == generation);
            match (placed, segment) {
                (Ok(bytes), Some(segment)) => {
                    segment.cold = ColdState::Cold(bytes);
                    io.stats.cold_segments += 1;
                    io.stats.cold_bytes_before += segment.size;
                    io.stats.cold_bytes_after += bytes;
                    // As long as the file is open, its bytes take up room.
                    if let Some(file) = segment.file.take() {
                        io.close(root, Garbage::File(file));
                    }
                }
                (Ok(_), None) => {}
                (Err(error), _) if error.kind() == ErrorKind::NotFound => {}
                (Err(error), _) => {
                    look_us = now_us + RETRY_US;
                    io.stats.cold_failures += 1;
                    tracing::error!(
                        %topic,
                        partition,
                        segment = base,
                        %error,
                        "cannot put the container of a cold segment in place"
                    );
                }
            }
        }
        let is_of = |freezer: &&mut Freezer| freezer.current.is_some_and(|one| one.log == id);
        if let Some(freezer) = self.freezers.iter_mut().find(is_of) {
            freezer.end_run(look_us);
        }
    }
}

impl Log {
    /// The oldest segment that is to be compressed now. Topics that are compacted are left out:
    /// compaction would undo it.
    fn freezable(&self, now: Now) -> Option<usize> {
        let config = &self.config;
        if config.cold_compression == ColdCompression::None
            || config.cleanup_policy.compacts()
            || !self.is_online()
        {
            return None;
        }
        let last = self.segments.len().saturating_sub(1);
        let youngest_ms = now
            .wall_ms
            .saturating_sub(config.cold_compression_min_age_ms);
        (0..last).find(|at| {
            let segment = &self.segments[*at];
            let end = self.segment_end(*at);
            segment.cold == ColdState::Plain
                && segment.size >= SEGMENT_BYTES_MIN
                && !segment.loading
                && end > self.start
                && end <= self.durable
                && self.is_settled(segment)
                && !self.unmended.contains(&segment.base)
                && segment.newest.is_none_or(|newest| newest.0 <= youngest_ms)
        })
    }
}
