//! The shard's part of compaction: which log is cleaned next and how far, and taking over what the
//! cleaner made.

use crate::api::{LogId, Now, StoreOptions};
use crate::coldseg::ColdState;
use crate::compaction::groups::{GroupLimits, Source};
use crate::compaction::pace::Pace;
use crate::compaction::run::{Begun, Group, Job, Outcome, Plan, PlanSize, Worker};
use crate::compaction::segment_writer::CleanedSegment;
use crate::compaction::swap::SwapRequest;
use crate::io::Io;
use crate::lanes::lane_name;
use crate::log::{Log, Segment, SegmentIndex};
use crate::room::Garbage;
use crate::store::Store;
use crate::transactions::Aborted;
use precursor_disk::{FileSystem, Helper, Wake};
use precursor_model::Offset;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How long a log whose cleaning failed is left alone.
const RETRY_US: u64 = 60_000_000;

/// How one shard compacts its logs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CleanerOptions {
    pub enabled: bool,
    /// What the table of keys takes at most.
    pub dedupe_buffer_bytes: usize,
    /// Read and written, together.
    pub io_bytes_per_second_max: f64,
    /// Between two looks when there was nothing to clean.
    pub backoff_ms: u64,
}

impl Default for CleanerOptions {
    /// Kafka's defaults.
    fn default() -> Self {
        CleanerOptions {
            enabled: true,
            dedupe_buffer_bytes: 128 << 20,
            io_bytes_per_second_max: f64::MAX,
            backoff_ms: 15_000,
        }
    }
}

/// The run under way.
struct Current {
    log: LogId,
    end: Offset,
    groups_left: usize,
}

/// The cleaner thread of one log directory, so that a disk which never answers holds up compaction on
/// it and nowhere else, and what it is at. Belongs to the shard's thread.
pub(crate) struct Cleaner {
    helper: Option<Helper<Job, Outcome>>,
    options: CleanerOptions,
    stop: Arc<AtomicBool>,
    current: Option<Current>,
    /// Runs under way in all directories: they share the rate.
    active: Arc<AtomicUsize>,
    next_look_us: u64,
}

impl Drop for Cleaner {
    /// Or the thread would be waited for until it comes to an end by itself.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Cleaner {
    /// Starts the threads, if they are to be: one for each of so many lanes of directories.
    pub fn start(
        options: &StoreOptions,
        lanes: usize,
        files: &Arc<dyn FileSystem>,
        wake: &Arc<Wake>,
        now: Now,
    ) -> io::Result<Box<[Cleaner]>> {
        let mut cleaners = Cleaner::without_threads(options.cleaner, lanes, now);
        for (lane, cleaner) in cleaners.iter_mut().enumerate() {
            if !options.cleaner.enabled {
                break;
            }
            let mut worker = cleaner.worker(files.clone());
            let name = lane_name("cleaner", options.shard, lane);
            let taken = options.workers.taken_cpus.clone();
            let settle = move || {
                precursor_disk::give_way();
                precursor_disk::keep_off(&taken);
            };
            let run = move |job| worker.run(job);
            cleaner.helper = Some(Helper::spawn_settled(name, 1, wake.clone(), settle, run)?);
        }
        Ok(cleaners)
    }

    /// For simulations: jobs run within `poll`.
    pub fn inline(
        options: CleanerOptions,
        lanes: usize,
        files: &Arc<dyn FileSystem>,
        now: Now,
    ) -> Box<[Cleaner]> {
        let mut cleaners = Cleaner::without_threads(options, lanes, now);
        for cleaner in cleaners.iter_mut().filter(|_| options.enabled) {
            let mut worker = cleaner.worker(files.clone());
            cleaner.helper = Some(Helper::inline(1, move |job| worker.run(job)));
        }
        cleaners
    }

    /// The table of keys is shared evenly, as Kafka's cleaner threads share it.
    fn without_threads(options: CleanerOptions, lanes: usize, now: Now) -> Box<[Cleaner]> {
        let active = Arc::new(AtomicUsize::new(0));
        let cleaner = |_| Cleaner {
            helper: None,
            options: CleanerOptions {
                dedupe_buffer_bytes: options.dedupe_buffer_bytes / lanes,
                ..options
            },
            stop: Arc::default(),
            current: None,
            active: active.clone(),
            next_look_us: now.monotonic_us + options.backoff_ms * 1000,
        };
        (0..lanes).map(cleaner).collect()
    }

    fn worker(&self, files: Arc<dyn FileSystem>) -> Worker {
        let rate = self.options.io_bytes_per_second_max;
        Worker::new(
            files,
            Pace::shared(rate, self.active.clone(), self.stop.clone()),
        )
    }

    /// Begins nothing more and ends what is under way.
    pub fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.next_look_us = u64::MAX;
        self.options.enabled = false;
    }

    /// True while the thread owes an outcome.
    pub fn is_busy(&self) -> bool {
        self.helper.as_ref().is_some_and(Helper::is_busy)
    }

    /// A log is closed: the run over it ends.
    pub fn forget(&mut self, log: LogId) {
        if self.current.as_ref().is_some_and(|run| run.log == log) {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// When to look for something to clean, in microseconds of the monotonic clock.
    pub fn deadline(&self) -> u64 {
        let is_busy = self.helper.as_ref().is_none_or(Helper::is_busy);
        match is_busy || self.current.is_some() {
            true => u64::MAX,
            false => self.next_look_us,
        }
    }

    /// Ends a run whose groups were not all sent for: what the thread holds of it is freed.
    fn abandon(&mut self) {
        self.send(Job::Rest);
    }

    fn send(&mut self, job: Job) {
        if let Some(helper) = &mut self.helper {
            // One job at a time: there is room.
            let _ = helper.try_send(job);
        }
    }

    /// The run is over; `look_us`: when the next may begin.
    fn end_run(&mut self, look_us: u64) {
        if self.current.take().is_some() {
            self.active.fetch_sub(1, Ordering::Relaxed);
        }
        if self.options.enabled {
            self.stop.store(false, Ordering::Relaxed);
            self.next_look_us = look_us;
        }
    }
}

impl Store {
    /// Takes what the cleaner made, and has it begin what is due. True when there was work.
    pub(crate) fn poll_cleaners(&mut self, now: Now) -> bool {
        let mut work = false;
        for lane in 0..self.cleaners.len() {
            let helper = self.cleaners[lane].helper.as_mut();
            let outcome = helper.and_then(Helper::try_receive);
            work |= outcome.is_some();
            match outcome {
                Some(Outcome::Blank(plan)) => self.on_blank(lane, plan),
                Some(Outcome::Begun(result)) => self.on_begun(lane, result),
                Some(Outcome::Group(result)) => self.on_group(lane, result),
                Some(Outcome::Rests) | None => {}
            }
            if now.monotonic_us >= self.cleaners[lane].deadline() {
                self.begin_cleaning(lane, now);
            }
        }
        work
    }

    /// Chooses the log that needs it most (Kafka: `grabFilthiestCompactedLog`).
    fn begin_cleaning(&mut self, lane: usize, now: Now) {
        let backoff_us = self.cleaners[lane].options.backoff_ms * 1000;
        self.cleaners[lane].next_look_us = now.monotonic_us + backoff_us;
        let lanes = self.cleaners.len();
        let filthiest = self
            .logs()
            .filter(|log| usize::from(log.root) % lanes == lane)
            .filter_map(|log| Some((log, log.cleanable(now)?)))
            .max_by(|a, b| a.1.ratio.total_cmp(&b.1.ratio));
        let Some((log, range)) = filthiest else {
            return;
        };
        let job = Job::Blank(log.directory.clone(), log.plan_size());
        self.cleaners[lane].active.fetch_add(1, Ordering::Relaxed);
        self.cleaners[lane].current = Some(Current {
            log: log.id,
            end: range.first_dirty,
            groups_left: 0,
        });
        self.cleaners[lane].send(job);
    }

    /// Says in a plan that the thread made what is to be cleaned, as it is now.
    fn on_blank(&mut self, lane: usize, mut plan: Box<Plan>) {
        let now = self.io.now;
        plan.map_bytes = self.cleaners[lane].options.dedupe_buffer_bytes;
        let run = self.cleaners[lane].current.as_ref();
        let log = run.and_then(|run| self.log(run.log));
        let range = log.and_then(|log| log.cleanable(now).filter(|_| plan.holds(log.plan_size())));
        match (log, range) {
            (Some(log), Some(range)) if self.cleaners[lane].options.enabled => {
                log.plan_cleaning(range, now, &mut plan);
                self.cleaners[lane].send(Job::Begin(plan));
            }
            // There is nothing to clean any more, or the log has outgrown the plan.
            _ => {
                self.io.discard(Garbage::Plan(plan));
                self.end_run(lane, false);
            }
        }
    }

    fn on_begun(&mut self, lane: usize, result: io::Result<Begun>) {
        let begun = match result {
            Ok(begun) => begun,
            Err(error) => return self.fail_run(lane, &error),
        };
        let Some(run) = &mut self.cleaners[lane].current else {
            return;
        };
        if begun.groups == 0 {
            // Nothing is known to be cleanable in what was read: an open transaction, perhaps.
            let look = self.io.now.monotonic_us + self.cleaners[lane].options.backoff_ms * 1000;
            return self.cleaners[lane].end_run(look);
        }
        run.end = begun.end;
        run.groups_left = begun.groups;
        self.cleaners[lane].send(Job::Group);
    }

    fn on_group(&mut self, lane: usize, result: io::Result<Group>) {
        let group = match result {
            Ok(group) => group,
            Err(error) => return self.fail_run(lane, &error),
        };
        let Some(run) = &mut self.cleaners[lane].current else {
            return;
        };
        run.groups_left -= 1;
        let (id, is_last, end) = (run.log, run.groups_left == 0, run.end);
        let stats = &mut self.io.stats;
        stats.cleaner_bytes_read += group.bytes_read;
        stats.cleaner_records_dropped += group.records_dropped;
        let Some((log, io)) = self.log_and_io(id).filter(|(log, _)| log.is_online()) else {
            self.cleaners[lane].abandon();
            return self.end_run(lane, false);
        };
        let clean_to = is_last.then_some(end);
        match group.cleaned {
            Some(cleaned) if log.take_over(io, &cleaned) => {
                io.stats.cleaner_bytes_written += cleaned.size;
                io.job(
                    log.root,
                    crate::jobs::Job::Swap {
                        log: id,
                        request: SwapRequest {
                            directory: log.directory.clone(),
                            cleaned,
                        },
                        clean_to,
                    },
                );
            }
            // Retention was faster; what it left of the group is cleaned the next time.
            Some(cleaned) => {
                io.job(
                    log.root,
                    crate::jobs::Job::DiscardCleaned {
                        directory: log.directory.clone(),
                        base: cleaned.sources[0].base,
                    },
                );
                io.discard(Garbage::Cleaned(cleaned));
                self.cleaners[lane].abandon();
                return self.end_run(lane, true);
            }
            None if is_last => {
                log.clean_to = end;
                return self.end_run(lane, true);
            }
            None => {}
        }
        if !is_last {
            self.cleaners[lane].send(Job::Group);
        }
    }

    /// The helper gave a cleaned segment its name.
    pub(crate) fn on_swapped(
        &mut self,
        id: LogId,
        clean_to: Option<Offset>,
        result: io::Result<()>,
    ) {
        if let Some((log, io)) = self.log_and_io(id) {
            match result {
                Ok(()) => log.clean_to = clean_to.unwrap_or(log.clean_to),
                Err(error) => log.fail_with(io, "put a cleaned segment in place", &error),
            }
        }
        let is_of = |cleaner: &Cleaner| cleaner.current.as_ref().is_some_and(|run| run.log == id);
        let lane = self.cleaners.iter().position(is_of);
        if let Some(lane) = lane.filter(|_| clean_to.is_some()) {
            self.end_run(lane, true);
        }
    }

    /// The run is over; `completed`: there may be more to clean at once.
    fn end_run(&mut self, lane: usize, completed: bool) {
        let now_us = self.io.now.monotonic_us;
        if completed {
            self.io.stats.cleaner_runs += 1;
        }
        self.cleaners[lane].end_run(now_us);
    }

    fn fail_run(&mut self, lane: usize, error: &io::Error) {
        let now_us = self.io.now.monotonic_us;
        let id = self.cleaners[lane].current.as_ref().map(|run| run.log);
        self.cleaners[lane].end_run(now_us);
        // Stopped, or a segment was removed meanwhile: the next look will tell.
        if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::NotFound) {
            return;
        }
        if let Some((log, _)) = id.and_then(|id| self.log_and_io(id)) {
            // Bytes that cannot be read will not be readable later.
            let damaged = error.kind() == ErrorKind::InvalidData;
            log.not_cleaned_before_us = match damaged {
                true => u64::MAX,
                false => now_us + RETRY_US,
            };
            tracing::error!(
                topic = %log.topic,
                partition = log.partition,
                %error,
                "cannot compact the log{}",
                if damaged { "; it is left alone until the next start" } else { "" }
            );
        }
    }
}

/// What of a log may be cleaned, and how much it is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub first_dirty: Offset,
    pub uncleanable: Offset,
    pub ratio: f64,
}

impl Log {
    /// `None`: there is nothing to clean, or not enough yet (Kafka:
    /// `LogCleanerManager.cleanableOffsets`, `LogToClean`).
    fn cleanable(&self, now: Now) -> Option<Range> {
        let config = &self.config;
        let rests = now.monotonic_us < self.not_cleaned_before_us;
        if !config.cleanup_policy.compacts() || !self.is_online() || rests {
            return None;
        }
        // A log that was cut behind what was cleaned, or begun anew, is dirty as a whole.
        let first_dirty = match self.clean_to > self.end {
            true => self.start,
            false => self.clean_to.max(self.start),
        };
        let uncleanable = self.uncleanable_from(first_dirty, now.wall_ms);
        let size = |holds: &dyn Fn(usize) -> bool| -> u64 {
            let segments = self.segments.iter().enumerate();
            let held = segments.filter(|(at, _)| holds(*at));
            held.map(|(_, segment)| segment.size).sum()
        };
        let clean = size(&|at| self.segments[at].base < first_dirty);
        let dirty =
            size(&|at| self.segment_end(at) > first_dirty && self.segments[at].base < uncleanable);
        if uncleanable <= first_dirty || dirty == 0 {
            return None;
        }
        let ratio = dirty as f64 / (clean + dirty) as f64;
        let wanted = ratio > config.min_cleanable_dirty_ratio.value()
            || self.lags(first_dirty, uncleanable, now.wall_ms);
        wanted.then_some(Range {
            first_dirty,
            uncleanable,
            ratio,
        })
    }

    /// The first offset that may not be touched yet: the active segment's, one that is not on disk,
    /// one that is not stable, or one that is too new (`min.compaction.lag.ms`).
    fn uncleanable_from(&self, first_dirty: Offset, now_ms: i64) -> Offset {
        let lag_ms = self.config.min_compaction_lag_ms;
        let untouchable = |at: usize| {
            let segment = &self.segments[at];
            let too_new = lag_ms > 0
                && self.segment_end(at) > first_dirty
                && segment
                    .newest
                    .is_some_and(|newest| newest.0 > now_ms.saturating_sub(lag_ms));
            !self.is_settled(segment) || too_new
        };
        let last = self.segments.len() - 1;
        let at = (0..last).find(|at| untouchable(*at)).unwrap_or(last);
        self.segments[at].base.min(self.last_stable())
    }

    /// Whether the segment's file holds all of it and is not written to any more.
    pub(crate) fn is_settled(&self, segment: &Segment) -> bool {
        let sealed = matches!(
            segment.index,
            SegmentIndex::Loaded(_) | SegmentIndex::Absent
        );
        sealed && segment.base < self.writer.base
    }

    /// Whether something dirty is older than `max.compaction.lag.ms`. Of segments of an earlier
    /// life the age is not known: they may be.
    fn lags(&self, first_dirty: Offset, uncleanable: Offset, now_ms: i64) -> bool {
        let lag_ms = self.config.max_compaction_lag_ms;
        let dirty = |segment: &&Segment| (first_dirty..uncleanable).contains(&segment.base);
        lag_ms < i64::MAX
            && self.segments.iter().filter(dirty).any(|segment| {
                let first = segment.first_ms.unwrap_or(i64::MIN);
                first < now_ms.saturating_sub(lag_ms)
            })
    }

    fn plan_size(&self) -> PlanSize {
        PlanSize {
            sources: self.segments.len(),
            producers: self.producers.len(),
        }
    }

    /// Fills a plan that has room.
    fn plan_cleaning(&self, range: Range, now: Now, plan: &mut Plan) {
        let within = |at: &usize| self.segments[*at].base < range.uncleanable;
        let sources = (0..self.segments.len()).take_while(within);
        plan.sources.extend(sources.map(|at| Source {
            base: self.segments[at].base,
            size: self.segments[at].size,
            end: self.segment_end(at),
        }));
        plan.first_dirty = range.first_dirty;
        plan.uncleanable = range.uncleanable;
        plan.limits = GroupLimits {
            bytes: u64::from(self.config.segment_bytes),
            index_bytes: u64::from(self.config.segment_index_bytes),
        };
        plan.index_interval = self.config.index_interval_bytes;
        plan.rules.now_ms = now.wall_ms;
        plan.rules.delete_retention_ms = self.config.delete_retention_ms;
        plan.rules.producers.extend(self.producers.last_batches());
    }

    /// Puts a cleaned segment in its sources' place; false when those are not what they were. From
    /// now on whoever looks for the segment's file gets into the helper's queue behind the swap.
    fn take_over(&mut self, io: &mut Io, cleaned: &CleanedSegment) -> bool {
        let sources = &cleaned.sources;
        let base = sources[0].base;
        let at = self.segments.partition_point(|segment| segment.base < base);
        let known = self.segments.range(at..).zip(sources);
        let same = |(segment, source): (&Segment, &Source)| {
            (segment.base, segment.size) == (source.base, source.size)
        };
        let behind = at + sources.len();
        if behind >= self.segments.len() || !known.into_iter().all(same) {
            return false;
        }
        for segment in self.segments.drain(at + 1..behind) {
            io.stats.segments -= 1;
            io.close(self.root, Garbage::Segment(segment));
        }
        self.generation += 1;
        let size = cleaned.size;
        let cleaned = Segment {
            base,
            size,
            newest: cleaned.newest,
            first_ms: cleaned.first_ms,
            file: None,
            index: SegmentIndex::Absent,
            loading: false,
            snapshot: None,
            generation: self.generation,
            cold: ColdState::Plain,
            aborted: Aborted::of(&cleaned.aborted),
        };
        let source = std::mem::replace(&mut self.segments[at], cleaned);
        io.close(self.root, Garbage::Segment(source));
        let last = sources[sources.len() - 1].base;
        if (base..=last).contains(&self.durable_base) {
            self.durable_base = base;
            self.durable_position = size;
        }
        self.drop_extents_through(io, last);
        true
    }
}
