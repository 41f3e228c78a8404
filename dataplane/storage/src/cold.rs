//! Reading what only the disk holds, through windows of the segment files in cache extents.

use crate::api::{LogId, LogState, ReadError, ReadOptions};
use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::index::relative;
use crate::io::Io;
use crate::jobs::Job;
use crate::log::{Log, Segment, SegmentIndex};
use crate::read::Gather;
use crate::room::Garbage;
use precursor_memory::crc32c_append;
use precursor_model::{ErrorCode, Offset};
use precursor_shm::ExtentId;
use std::collections::{HashMap, VecDeque};

/// Bytes of a window; windows of a file are aligned to their size.
pub(crate) const WINDOW_BYTES: u64 = 256 * 1024;
/// What a scan from an index entry to its batch usually needs.
const SCAN_BYTES: u64 = 16 * 1024;
/// What is read ahead for a reader that goes on where its last read ended, at least: twice what it
/// asks for, so that the disk is busy while it takes one part. At most, this part of the cache.
const AHEAD_BYTES_MIN: u64 = 1 << 20;
const AHEAD_SHARE: usize = 8;
/// Readers of one log that are recognised.
pub(crate) const COLD_READERS: usize = 4;

/// Log, segment and its generation, number.
type WindowKey = (LogId, (Offset, u32), u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowState {
    Loading,
    Loaded,
    Failed,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    key: WindowKey,
    extent: ExtentId,
    state: WindowState,
    /// Bytes of whole batches when it was read: more may have been written since.
    valid: u32,
    referenced: bool,
}

/// Windows in memory, bounded by a share of the pool.
pub(crate) struct WindowCache {
    windows: Vec<Option<Window>>,
    free: Vec<u32>,
    by_key: HashMap<WindowKey, u32>,
    /// Oldest first, for eviction.
    order: VecDeque<u32>,
}

impl WindowCache {
    /// A cache of at most a quarter of a pool.
    pub fn new(pool_bytes: usize) -> WindowCache {
        let most = (pool_bytes as u64 / 4 / WINDOW_BYTES).max(4) as usize;
        WindowCache {
            windows: vec![None; most],
            free: (0..most as u32).rev().collect(),
            by_key: HashMap::with_capacity(most),
            order: VecDeque::with_capacity(most),
        }
    }

    fn bytes_max(&self) -> usize {
        self.windows.len() * WINDOW_BYTES as usize
    }

    /// A read of a window ended.
    pub fn on_read(&mut self, window: u32, result: Result<u32, i32>) {
        if let Some(Some(window)) = self.windows.get_mut(window as usize) {
            match result {
                Ok(count) => {
                    window.state = WindowState::Loaded;
                    window.valid = window.valid.min(count);
                }
                Err(_) => window.state = WindowState::Failed,
            }
        }
    }

    /// The window of a key, loading it if it is not there and memory and disk allow.
    fn ensure(
        &mut self,
        io: &mut Io,
        root: u16,
        key: WindowKey,
        file: &precursor_disk::DiskFile,
        limit: u64,
    ) -> Option<u32> {
        let start = u64::from(key.2) * WINDOW_BYTES;
        let valid = (limit - start).min(WINDOW_BYTES) as u32;
        if let Some(&index) = self.by_key.get(&key) {
            let window = self.windows[index as usize].as_mut()?;
            let stale = window.state == WindowState::Failed || window.valid < valid;
            if !(stale && window.state != WindowState::Loading) {
                window.referenced = true;
                return Some(index);
            }
            self.drop_window(io, index);
        }
        if self.free.is_empty() {
            self.evict(io);
        }
        let mut extent = io.pool_mut().allocate_cache(WINDOW_BYTES as usize);
        if extent.is_none() && self.evict(io) > 0 {
            extent = io.pool_mut().allocate_cache(WINDOW_BYTES as usize);
        }
        let extent = extent?;
        // Only now: evicting frees indexes too.
        let index = self.free.last().copied();
        let begun = index.is_some_and(|index| io.read(root, file, index, start, extent));
        let (Some(index), true) = (index, begun) else {
            io.free(extent);
            return None;
        };
        io.stats.cache_misses += 1;
        self.free.pop();
        self.windows[index as usize] = Some(Window {
            key,
            extent,
            state: WindowState::Loading,
            valid,
            referenced: true,
        });
        self.by_key.insert(key, index);
        self.order.push_back(index);
        Some(index)
    }

    /// Frees one window, by second chance; returns its bytes.
    pub fn evict(&mut self, io: &mut Io) -> usize {
        for _ in 0..2 * self.order.len() {
            let Some(index) = self.order.pop_front() else {
                break;
            };
            let Some(window) = self.windows[index as usize].as_mut() else {
                continue;
            };
            let loading = window.state == WindowState::Loading;
            if loading || window.referenced || io.is_pinned(window.extent) {
                window.referenced = false;
                self.order.push_back(index);
                continue;
            }
            self.order.push_back(index);
            self.drop_window(io, index);
            return WINDOW_BYTES as usize;
        }
        0
    }

    /// Frees the windows of a log, but for those that are being read.
    pub fn drop_log(&mut self, io: &mut Io, log: LogId) {
        for index in 0..self.windows.len() as u32 {
            let window = self.windows[index as usize];
            if window.is_some_and(|w| w.key.0 == log && w.state != WindowState::Loading) {
                self.drop_window(io, index);
            }
        }
    }

    fn drop_window(&mut self, io: &mut Io, index: u32) {
        if let Some(window) = self.windows[index as usize].take() {
            self.by_key.remove(&window.key);
            self.order.retain(|other| *other != index);
            io.free(window.extent);
            self.free.push(index);
        }
    }

    /// The CRC-32C of bytes that are loaded; `None` when a window is not.
    pub fn checksum(
        &self,
        io: &Io,
        log: LogId,
        segment: (Offset, u32),
        bytes: std::ops::Range<u64>,
    ) -> Option<u32> {
        let mut crc = 0;
        let mut at = bytes.start;
        while at < bytes.end {
            let key = (log, segment, (at / WINDOW_BYTES) as u32);
            let window = self.windows[*self.by_key.get(&key)? as usize]?;
            let start = (at % WINDOW_BYTES) as usize;
            let loaded = io.pool().bytes(window.extent);
            let loaded = loaded.get(start..window.valid as usize)?;
            let count = loaded.len().min((bytes.end - at) as usize);
            if count == 0 || window.state != WindowState::Loaded {
                return None;
            }
            crc = crc32c_append(crc, &loaded[..count]);
            at += count as u64;
        }
        Some(crc)
    }

    /// Copies bytes at a position; `None` when a window is not loaded.
    fn copy(
        &self,
        io: &Io,
        log: LogId,
        segment: (Offset, u32),
        position: u64,
        out: &mut [u8],
    ) -> Option<()> {
        let mut filled = 0;
        while filled < out.len() {
            let at = position + filled as u64;
            let key = (log, segment, (at / WINDOW_BYTES) as u32);
            let window = self.windows[*self.by_key.get(&key)? as usize]?;
            if window.state != WindowState::Loaded {
                return None;
            }
            let start = (at % WINDOW_BYTES) as usize;
            let source = io
                .pool()
                .bytes(window.extent)
                .get(start..window.valid as usize)?;
            let count = source.len().min(out.len() - filled);
            if count == 0 {
                return None;
            }
            out[filled..filled + count].copy_from_slice(&source[..count]);
            filled += count;
        }
        Some(())
    }
}

/// What a cold read came to.
pub(crate) enum Progress {
    Done(Result<Gather, ReadError>),
    /// Waits for the disk or the helper.
    Waiting,
}

/// One cold read, tried again whenever something it may wait for has happened.
pub(crate) struct ColdRead<'a> {
    pub log: &'a mut Log,
    pub io: &'a mut Io,
    pub cache: &'a mut WindowCache,
    pub options: ReadOptions,
}

impl ColdRead<'_> {
    /// Fills `gather`, which is taken when the read is done.
    pub fn advance(mut self, gather: &mut Gather) -> Progress {
        match self.log.state {
            LogState::Online => {}
            LogState::Opening => {
                return Progress::Done(Err(ReadError::NotOnline(ErrorCode::LeaderNotAvailable)));
            }
            LogState::Offline(code) => return Progress::Done(Err(ReadError::NotOnline(code))),
        }
        let offset = self.options.offset;
        if offset < self.log.start || offset > self.log.end {
            return Progress::Done(Err(ReadError::OffsetOutOfRange));
        }
        if self.log.read_hot(self.io, &self.options, gather) {
            return self.finish(gather);
        }
        let until = self.log.readable_end(&self.options);
        let at = self.log.segment_at(offset);
        let base = self.log.segments[at].base;
        let segment = (base, self.log.segments[at].generation);
        let indexed = relative(offset, base)
            .and_then(|relative| self.log.segments[at].index.position_for(relative));
        let (Some(position), Some(_)) = (indexed, &self.log.segments[at].file) else {
            self.load_segment(at);
            return Progress::Waiting;
        };
        let limit = self.limit(at);
        self.options.max_bytes = self.options.max_bytes.min(self.cache.bytes_max() / 4);
        let mut wanted = (position + SCAN_BYTES + self.options.max_bytes as u64).min(limit);
        loop {
            match self.ensure(at, position, wanted, limit) {
                Ensured::Loaded => {}
                Ensured::Loading => return Progress::Waiting,
                Ensured::Failed(code) => {
                    return Progress::Done(Err(ReadError::NotOnline(code)));
                }
                Ensured::NoMemory => return Progress::Done(Err(ReadError::Busy)),
            }
            match self.run((at, segment), position, (wanted, limit), until) {
                Scan::Run(start, end) => {
                    let (sound, end_offset) = self.sound_until(at, start, end);
                    if sound == start && start < end {
                        return self.take_out(at);
                    }
                    let end = sound;
                    gather.end = end_offset;
                    self.gather(segment, start, end, gather);
                    if start < end && self.log.goes_on(offset, end_offset) {
                        self.read_ahead(at, end, limit);
                    }
                    return self.finish(gather);
                }
                Scan::Needs(more) if more > wanted && more <= limit => {
                    if (more - position) as usize > self.cache.bytes_max() / 2 {
                        // One batch that would push its own windows out, or that says so.
                        if let waiting @ Progress::Waiting = self.take_out(at) {
                            return waiting;
                        }
                        return Progress::Done(Err(ReadError::TooLarge));
                    }
                    wanted = more;
                }
                // Headers that make no sense: the file is not what was written.
                _ => return self.take_out(at),
            }
        }
    }

    /// What was read is complete once it is known which transactions of it were aborted.
    fn finish(&mut self, gather: &mut Gather) -> Progress {
        if self.options.committed
            && let Some(at) = self.log.gather_aborted(self.options.offset, gather)
        {
            self.load_segment(at);
            return Progress::Waiting;
        }
        Progress::Done(Ok(std::mem::take(gather)))
    }

    /// Where the disk's part of a segment ends: at the first batch that the region holds.
    fn limit(&self, at: usize) -> u64 {
        let segment = &self.log.segments[at];
        let size = match segment.base.cmp(&self.log.writer.base) {
            std::cmp::Ordering::Less => segment.size,
            _ => self.log.writer.written,
        };
        let hot = self.log.hot_from(segment.base);
        hot.unwrap_or(segment.size)
            .min(size)
            .min(self.log.visible_size(at))
    }

    fn load_segment(&mut self, at: usize) {
        let end = self.log.segment_end(at);
        let segment = &mut self.log.segments[at];
        if segment.loading {
            return;
        }
        segment.loading = true;
        let job = Job::Load {
            log: self.log.id,
            directory: self.log.directory.clone(),
            base: segment.base,
            generation: segment.generation,
            size: segment.size,
            end,
            aborted: segment.aborted.count,
        };
        self.io.job(self.log.root, job);
    }

    /// Begins to load what the reader will ask for next, if memory and disk allow.
    fn read_ahead(&mut self, at: usize, from: u64, limit: u64) {
        let most = (self.cache.bytes_max() / AHEAD_SHARE) as u64;
        let twice = 2 * (self.options.max_bytes as u64 + SCAN_BYTES);
        let ahead = AHEAD_BYTES_MIN.max(twice).min(most);
        if from < limit {
            self.ensure(at, from, (from + ahead).min(limit), limit);
        }
        let is_near_end = from + ahead >= self.log.segments[at].size;
        let next = self.log.segments.get(at + 1);
        let is_absent = |next: &Segment| matches!(next.index, SegmentIndex::Absent);
        if is_near_end && next.is_some_and(is_absent) {
            self.load_segment(at + 1);
        }
    }

    /// Has every window from `from` to `to` loaded, or begins to load what is missing.
    fn ensure(&mut self, at: usize, from: u64, to: u64, limit: u64) -> Ensured {
        let segment = &self.log.segments[at];
        let Some(file) = segment.file.clone() else {
            return Ensured::Loading;
        };
        let mut outcome = Ensured::Loaded;
        let windows = from / WINDOW_BYTES..to.div_ceil(WINDOW_BYTES);
        for number in windows {
            let key = (
                self.log.id,
                (segment.base, segment.generation),
                number as u32,
            );
            let Some(index) = self.cache.ensure(self.io, self.log.root, key, &file, limit) else {
                return Ensured::NoMemory;
            };
            match self.cache.windows[index as usize].map(|window| window.state) {
                Some(WindowState::Loaded) => {}
                Some(WindowState::Loading) => outcome = Ensured::Loading,
                _ => return Ensured::Failed(ErrorCode::KafkaStorageError),
            }
        }
        outcome
    }

    /// Finds the batch of the offset and those behind it that fit, in `position..loaded` and below
    /// the offset `until`.
    fn run(
        &self,
        (at, segment): (usize, (Offset, u32)),
        position: u64,
        (loaded, limit): (u64, u64),
        until: Offset,
    ) -> Scan {
        let indexed = position;
        let mut position = position;
        let mut start = None;
        loop {
            if position >= limit {
                return start.map_or(Scan::Broken, |start| Scan::Run(start, position));
            }
            let needed = position + HEADER_LENGTH as u64;
            let Some(header) = self.header(segment, position) else {
                return match start {
                    Some(start) if needed > loaded => Scan::Run(start, position),
                    _ => Scan::Needs(needed.max(loaded + 1).min(limit)),
                };
            };
            let Some(length) = header.total_length() else {
                return Scan::Broken;
            };
            // An index that points behind the offset would have records left out, and nobody told.
            let misled = position == indexed && header.base_offset > self.options.offset;
            let within = segment.0..self.log.segment_end(at);
            if (misled && position > 0) || !within.contains(&header.base_offset) {
                return match start {
                    Some(start) => Scan::Run(start, position),
                    None => Scan::Broken,
                };
            }
            let end = position + length as u64;
            if header.base_offset >= until {
                return Scan::Run(start.unwrap_or(position), position);
            }
            if start.is_none() {
                if header.last_offset() < self.options.offset {
                    position = end;
                    continue;
                }
                let too_large = length > self.options.max_bytes;
                if too_large && !self.options.at_least_one {
                    return Scan::Run(position, position);
                }
                if end > loaded {
                    return Scan::Needs(end);
                }
                start = Some(position);
            } else if let Some(first) = start
                && (end > loaded || end - first > self.options.max_bytes as u64)
            {
                return Scan::Run(first, position);
            }
            position = end;
        }
    }

    pub fn header(&self, segment: (Offset, u32), position: u64) -> Option<BatchHeader> {
        let mut bytes = [0; HEADER_LENGTH];
        self.cache
            .copy(self.io, self.log.id, segment, position, &mut bytes)?;
        Some(BatchHeader::parse(&bytes))
    }

    fn gather(&mut self, segment: (Offset, u32), start: u64, end: u64, gather: &mut Gather) {
        let mut position = start;
        while position < end {
            let key = (self.log.id, segment, (position / WINDOW_BYTES) as u32);
            let window = self.cache.by_key.get(&key);
            let window = window.and_then(|at| self.cache.windows[*at as usize]);
            let Some(window) = window else {
                return;
            };
            let offset = position % WINDOW_BYTES;
            let length = (WINDOW_BYTES - offset).min(end - position);
            gather.push(self.io, window.extent, offset as u32, length as u32);
            position += length;
        }
    }
}

impl Log {
    /// Notes where a cold read ended; true when it began where another had ended.
    fn goes_on(&mut self, from: Offset, end: Offset) -> bool {
        let known = self.cold_ends.iter().position(|other| *other == from);
        let place = known.unwrap_or(COLD_READERS - 1);
        // The last one that was heard of comes first.
        self.cold_ends[..=place].rotate_right(1);
        self.cold_ends[0] = end;
        known.is_some()
    }
}

enum Ensured {
    Loaded,
    Loading,
    NoMemory,
    Failed(ErrorCode),
}

enum Scan {
    Run(u64, u64),
    /// Bytes up to here must be loaded to go on.
    Needs(u64),
    Broken,
}

/// Takes in a loaded segment; false when it is not wanted any more.
pub(crate) fn on_loaded(
    log: &mut Log,
    io: &mut Io,
    base: Offset,
    generation: u32,
    result: std::io::Result<(
        precursor_disk::DiskFile,
        std::sync::Arc<crate::index::SealedIndex>,
    )>,
) -> bool {
    let root = log.root;
    let segment = log.segment_of_mut(base);
    // Removed by retention or replaced by compaction meanwhile.
    let Some(segment) = segment.filter(|segment| segment.generation == generation) else {
        return false;
    };
    match result {
        Ok((file, index)) => {
            segment.loading = false;
            if segment.file.is_none() {
                segment.file = Some(file);
            } else {
                io.close(root, Garbage::File(file));
            }
            let mut index = SegmentIndex::Loaded(index);
            if matches!(segment.index, SegmentIndex::Absent) {
                std::mem::swap(&mut segment.index, &mut index);
            }
            io.retire_index(index);
            true
        }
        Err(error) => {
            log.fail_with(io, "read a segment", &error);
            false
        }
    }
}
