//! Reads and lookups that wait for the disk.

use crate::api::*;
use crate::cold::{ColdRead, Progress};
use crate::find_time::{FindTime, first_record};
use crate::io::Io;
use crate::jobs::Job;
use crate::log::{Log, SegmentIndex};
use crate::read::{Gather, Read};
use crate::store::Store;
use precursor_model::{ErrorCode, Offset};
use precursor_protocol::records::Codec;

/// Reads that wait for the disk at once; more are asked to come again.
const READS_MAX: usize = 1024;
/// Memory that is made free when a read finds none. More than a window: room for one must be had in
/// one piece.
const READ_BYTES: usize = 2 << 20;

enum WaitingRead {
    Waiting { log: LogId, options: ReadOptions },
    Done(Result<Gather, ReadError>),
}

enum WaitingLookup {
    Waiting {
        log: LogId,
        request: FindTime,
        newest: Option<Newest>,
    },
    Done(Result<Option<TimedOffset>, ReadError>),
    /// Nobody asks any more.
    Cancelled,
}

/// A search for the newest record, by searches for records that are at least so new. The batches'
/// headers tell how new it can be; the record that was meant may be deleted or compacted away.
#[derive(Clone, Copy, Debug)]
struct Newest {
    /// The newest so far.
    found: Option<TimedOffset>,
    /// None is newer than this.
    latest: i64,
    /// What is searched for.
    asked: i64,
}

impl Newest {
    fn of(latest: i64) -> Newest {
        Newest {
            found: None,
            latest,
            asked: latest,
        }
    }

    /// Takes the outcome of the search for `asked`; false when the newest is known.
    fn go_on(&mut self, found: Option<TimedOffset>) -> bool {
        let least = match found {
            // A time can be the last that there is. One that is older than asked for is of bytes that
            // nobody can read, and brings the search no further.
            Some(found) if found.timestamp >= self.latest || found.timestamp < self.asked => {
                self.found = Some(found);
                return false;
            }
            Some(found) => {
                self.found = Some(found);
                found.timestamp + 1
            }
            None => {
                self.latest = self.asked - 1;
                self.found.map_or(0, |found| found.timestamp + 1)
            }
        };
        // From there on upwards, halving.
        self.asked = least + (self.latest.saturating_sub(least) as u64).div_ceil(2) as i64;
        least <= self.latest
    }
}

/// How far a search by timestamp got without the helper.
enum Search {
    Ended(Option<TimedOffset>),
    /// On disk, or in a compressed batch.
    ByHelper(FindTime),
}

/// What a search found in the region.
enum Hot {
    Found(TimedOffset),
    /// It may be in this batch, which is compressed; the next one begins at the position.
    MaybeIn(Vec<u8>, u64),
    Nothing,
}

struct Entry<T> {
    generation: u32,
    value: Option<T>,
}

struct Table<T> {
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
}

impl<T> Table<T> {
    fn with_capacity(entries: usize) -> Table<T> {
        Table {
            entries: Vec::with_capacity(entries),
            free: Vec::with_capacity(entries),
        }
    }

    fn insert(&mut self, value: T) -> (u32, u32) {
        let slot = self.free.pop().unwrap_or(self.entries.len() as u32);
        if slot as usize == self.entries.len() {
            self.entries.push(Entry {
                generation: 0,
                value: None,
            });
        }
        let entry = &mut self.entries[slot as usize];
        entry.value = Some(value);
        (slot, entry.generation)
    }

    fn get(&mut self, slot: u32, generation: u32) -> Option<&mut T> {
        let entry = self.entries.get_mut(slot as usize)?;
        entry
            .value
            .as_mut()
            .filter(|_| entry.generation == generation)
    }

    fn remove(&mut self, slot: u32, generation: u32) -> Option<T> {
        let entry = self.entries.get_mut(slot as usize)?;
        if entry.generation != generation {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(slot);
        Some(value)
    }
}

pub(crate) struct Tickets {
    reads: Table<WaitingRead>,
    lookups: Table<WaitingLookup>,
    waiting: usize,
}

impl Default for Tickets {
    fn default() -> Self {
        Tickets {
            reads: Table::with_capacity(READS_MAX),
            lookups: Table::with_capacity(0),
            waiting: 0,
        }
    }
}

impl Store {
    pub(crate) fn read_cold(&mut self, id: LogId, options: ReadOptions) -> Result<Read, ReadError> {
        self.count_cold_read(id, options.offset);
        match self.advance_read(id, options) {
            Progress::Done(Ok(gather)) => {
                self.io.stats.cache_hits += gather.chunks.len() as u64;
                Ok(Read::Ready(gather))
            }
            Progress::Done(Err(error)) => Err(error),
            Progress::Waiting if self.tickets.waiting >= READS_MAX => Err(ReadError::Busy),
            Progress::Waiting => {
                let waiting = WaitingRead::Waiting { log: id, options };
                let (slot, generation) = self.tickets.reads.insert(waiting);
                self.tickets.waiting += 1;
                Ok(Read::Pending(ReadTicket { slot, generation }))
            }
        }
    }

    fn count_cold_read(&mut self, id: LogId, offset: Offset) {
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        let segment = log.segments.get(log.segment_at(offset));
        let is_absent =
            segment.is_some_and(|segment| matches!(segment.index, SegmentIndex::Absent));
        io.stats.reads_cold += 1;
        io.stats.index_misses += u64::from(is_absent);
        io.stats.index_hits += u64::from(!is_absent);
    }

    fn advance_read(&mut self, id: LogId, options: ReadOptions) -> Progress {
        let mut progress = self.try_read(id, options);
        let busy = |progress: &Progress| matches!(progress, Progress::Done(Err(ReadError::Busy)));
        if busy(&progress) && self.reclaim(READ_BYTES, None) > 0 {
            progress = self.try_read(id, options);
        }
        // Whatever is under way makes room when it ends.
        if busy(&progress) && self.io.is_busy() {
            return Progress::Waiting;
        }
        progress
    }

    fn try_read(&mut self, id: LogId, options: ReadOptions) -> Progress {
        let slot = self.slots.get_mut(id.slot as usize);
        let slot = slot.filter(|slot| slot.generation == id.generation);
        let Some(log) = slot.and_then(|slot| slot.log.as_deref_mut()) else {
            let code = ErrorCode::UnknownTopicOrPartition;
            return Progress::Done(Err(ReadError::NotOnline(code)));
        };
        let mut gather = self.io.take_gather();
        let read = ColdRead {
            log,
            io: &mut self.io,
            cache: &mut self.cache,
            options,
        };
        let progress = read.advance(&mut gather);
        if gather.chunks.capacity() > 0 {
            // It was not needed.
            self.io.return_gather(gather);
        }
        progress
    }

    /// Tries every waiting read again.
    pub(crate) fn advance_reads(&mut self) {
        if self.tickets.waiting == 0 {
            return;
        }
        for slot in 0..self.tickets.reads.entries.len() {
            let entry = &self.tickets.reads.entries[slot];
            let Some(WaitingRead::Waiting { log, options }) = entry.value else {
                continue;
            };
            let generation = entry.generation;
            if let Progress::Done(result) = self.advance_read(log, options) {
                self.tickets.reads.entries[slot].value = Some(WaitingRead::Done(result));
                self.tickets.waiting -= 1;
                let slot = slot as u32;
                self.io.events.push(StoreEvent::ReadReady {
                    ticket: ReadTicket { slot, generation },
                });
            }
        }
    }

    /// The outcome of a read that was `Pending`, after `StoreEvent::ReadReady`; before that it is
    /// `Busy` and the ticket stays good.
    ///
    /// # Errors
    /// As for [`Store::read`].
    pub fn take_read(&mut self, ticket: ReadTicket) -> Result<Gather, ReadError> {
        let ReadTicket { slot, generation } = ticket;
        if let Some(WaitingRead::Waiting { .. }) = self.tickets.reads.get(slot, generation) {
            return Err(ReadError::Busy);
        }
        match self.tickets.reads.remove(slot, generation) {
            Some(WaitingRead::Done(result)) => result,
            _ => Err(ReadError::NotOnline(ErrorCode::UnknownServerError)),
        }
    }

    /// Forgets a read. Its event may still come; its memory is given back.
    pub fn cancel_read(&mut self, ticket: ReadTicket) {
        match self.tickets.reads.remove(ticket.slot, ticket.generation) {
            Some(WaitingRead::Done(Ok(gather))) => self.release(gather),
            Some(WaitingRead::Waiting { .. }) => self.tickets.waiting -= 1,
            _ => {}
        }
    }

    /// The first record with a timestamp of at least `timestamp`.
    ///
    /// # Errors
    /// The log is not online.
    pub fn offset_for_time(&mut self, id: LogId, timestamp: i64) -> Result<Lookup, ReadError> {
        match self.search(id, timestamp, 0)? {
            Search::Ended(found) => Ok(Lookup::Ready(found)),
            Search::ByHelper(request) => Ok(self.begin_lookup(id, request, None)),
        }
    }

    /// The first of the records with the newest timestamp (ListOffsets, KIP-734).
    ///
    /// # Errors
    /// The log is not online.
    pub fn newest_record(&mut self, id: LogId) -> Result<Lookup, ReadError> {
        let latest = self.log(id).and_then(Log::latest_time);
        let mut newest = Newest::of(latest.unwrap_or(-1));
        if newest.latest < 0 {
            return self.search(id, i64::MAX, 0).map(|_| Lookup::Ready(None));
        }
        match self.search_newest(id, &mut newest)? {
            Search::Ended(found) => Ok(Lookup::Ready(found)),
            Search::ByHelper(request) => Ok(self.begin_lookup(id, request, Some(newest))),
        }
    }

    /// Searches until the helper is needed or the newest record is found.
    fn search_newest(&mut self, id: LogId, newest: &mut Newest) -> Result<Search, ReadError> {
        loop {
            match self.search(id, newest.asked, 0)? {
                Search::Ended(found) if newest.go_on(found) => {}
                Search::Ended(_) => return Ok(Search::Ended(newest.found)),
                by_helper => return Ok(by_helper),
            }
        }
    }

    fn begin_lookup(&mut self, id: LogId, request: FindTime, newest: Option<Newest>) -> Lookup {
        let (slot, generation) = self.tickets.lookups.insert(WaitingLookup::Cancelled);
        let ticket = LookupTicket { slot, generation };
        let waiting = self.ask_helper(id, ticket, request, newest);
        if let Some(entry) = self.tickets.lookups.get(slot, generation) {
            *entry = waiting;
        }
        Lookup::Pending(ticket)
    }

    /// Hands a search on; what is remembered of it.
    fn ask_helper(
        &mut self,
        id: LogId,
        ticket: LookupTicket,
        search: FindTime,
        newest: Option<Newest>,
    ) -> WaitingLookup {
        let request = FindTime {
            batch: search.batch.is_some().then(Vec::new),
            directory: search.directory.clone(),
            ..search
        };
        let root = self.directory_of(id).unwrap_or(0);
        self.io.job(root, Job::FindTime(ticket, search));
        WaitingLookup::Waiting {
            log: id,
            request,
            newest,
        }
    }

    /// Searches the segments from `from` on as far as the region holds them.
    fn search(&mut self, id: LogId, timestamp: i64, from: Offset) -> Result<Search, ReadError> {
        let Some((log, io)) = self.log_and_io(id) else {
            let code = ErrorCode::UnknownTopicOrPartition;
            return Err(ReadError::NotOnline(code));
        };
        if !log.is_online() {
            return Err(ReadError::NotOnline(ErrorCode::LeaderNotAvailable));
        }
        let start = log.start;
        for at in log.segment_at(from)..log.segments.len() {
            let segment = &log.segments[at];
            // The newest of its batches may be deleted, and others not.
            let may_hold = log.segment_end(at) > start
                && segment.newest.is_some_and(|newest| newest.0 >= timestamp);
            if !may_hold || segment.base < from {
                continue;
            }
            let position = log.position_before_time(at, timestamp);
            if let Some(search) = log.search_segment(io, at, position, timestamp) {
                return Ok(search);
            }
        }
        Ok(Search::Ended(None))
    }

    /// The helper searched what is on disk of a segment; the rest of it is in the region, and what
    /// it did not find may be in a later one.
    pub(crate) fn on_found(
        &mut self,
        ticket: LookupTicket,
        result: std::io::Result<Option<TimedOffset>>,
    ) {
        let LookupTicket { slot, generation } = ticket;
        let entry = self.tickets.lookups.get(slot, generation);
        let Some(WaitingLookup::Waiting {
            log,
            request,
            newest,
        }) = entry
        else {
            self.tickets.lookups.remove(slot, generation);
            return;
        };
        let (id, request, mut newest) = (*log, request.clone(), *newest);
        let next = match result {
            Ok(Some(found)) => Ok(Search::Ended(Some(found))),
            Err(_) if self.is_current(id, &request) => {
                Err(ReadError::NotOnline(ErrorCode::KafkaStorageError))
            }
            // Compaction or retention took the file away while it was searched.
            _ if !self.is_current(id, &request) => self.search(id, request.timestamp, request.base),
            _ => self.search_behind(id, &request),
        };
        let next = match (next, &mut newest) {
            (Ok(Search::Ended(found)), Some(newest)) => match newest.go_on(found) {
                true => self.search_newest(id, newest),
                false => Ok(Search::Ended(newest.found)),
            },
            (next, _) => next,
        };
        let waiting = match next {
            Ok(Search::ByHelper(request)) => self.ask_helper(id, ticket, request, newest),
            Ok(Search::Ended(found)) => WaitingLookup::Done(Ok(found)),
            Err(error) => WaitingLookup::Done(Err(error)),
        };
        let is_done = matches!(waiting, WaitingLookup::Done(_));
        if let Some(entry) = self.tickets.lookups.get(slot, generation) {
            *entry = waiting;
        }
        if is_done {
            self.io.events.push(StoreEvent::LookupReady { ticket });
        }
    }

    /// Whether a search went through the segment that the log has.
    fn is_current(&self, id: LogId, request: &FindTime) -> bool {
        let segment = self.log(id).and_then(|log| log.segment_of(request.base));
        segment.is_some_and(|segment| segment.generation == request.generation)
    }

    fn search_behind(&mut self, id: LogId, request: &FindTime) -> Result<Search, ReadError> {
        if let Some((log, io)) = self.log_and_io(id) {
            let segment = log.segment_at(request.base);
            let from = match request.batch {
                Some(_) => Some(request.position),
                None => log.hot_from(request.base),
            };
            let search =
                from.and_then(|from| log.search_segment(io, segment, from, request.timestamp));
            if let Some(search) = search {
                return Ok(search);
            }
        }
        self.search(id, request.timestamp, request.base + 1)
    }

    /// The outcome of a lookup that was `Pending`, after `StoreEvent::LookupReady`.
    ///
    /// # Errors
    /// The disk failed, or the ticket is stale or not ready.
    pub fn take_lookup(&mut self, ticket: LookupTicket) -> Result<Option<TimedOffset>, ReadError> {
        let LookupTicket { slot, generation } = ticket;
        if let Some(WaitingLookup::Waiting { .. }) = self.tickets.lookups.get(slot, generation) {
            return Err(ReadError::Busy);
        }
        match self.tickets.lookups.remove(slot, generation) {
            Some(WaitingLookup::Done(result)) => result,
            _ => Err(ReadError::NotOnline(ErrorCode::UnknownServerError)),
        }
    }

    /// Forgets a lookup.
    pub fn cancel_lookup(&mut self, ticket: LookupTicket) {
        let LookupTicket { slot, generation } = ticket;
        match self.tickets.lookups.get(slot, generation) {
            // The slot is used again only after the helper's answer.
            Some(entry @ WaitingLookup::Waiting { .. }) => *entry = WaitingLookup::Cancelled,
            Some(_) => drop(self.tickets.lookups.remove(slot, generation)),
            None => {}
        }
    }
}

impl Log {
    /// No record of the log is newer.
    fn latest_time(&self) -> Option<i64> {
        let ends = |at: &usize| self.segment_end(*at) > self.start;
        let segments = (0..self.segments.len()).filter(ends);
        let newest = segments.filter_map(|at| self.segments[at].newest);
        newest.map(|newest| newest.0).max()
    }

    /// A batch from which a search of a segment for a timestamp may begin; 0 when only the files
    /// know.
    fn position_before_time(&self, segment: usize, timestamp: i64) -> u64 {
        let in_growing = |index: &crate::index::GrowingIndex| {
            let after = index.partition_point(|entry| entry.timestamp < timestamp);
            after.checked_sub(1).map_or(0, |at| index.get(at).position)
        };
        let position = match &self.segments[segment].index {
            SegmentIndex::Growing(index) => in_growing(index),
            SegmentIndex::Sealing(index) => in_growing(index),
            SegmentIndex::Loaded(index) => index.position_for(index.offset_before_time(timestamp)),
            SegmentIndex::Absent => 0,
        };
        u64::from(position)
    }

    /// Searches a segment from a batch on, as far as that can be done here; `None` when the record is
    /// in a later segment, if anywhere: of a compacted batch the newest one may be gone.
    fn search_segment(
        &self,
        io: &Io,
        segment: usize,
        position: u64,
        timestamp: i64,
    ) -> Option<Search> {
        let (base, size) = (self.segments[segment].base, self.segments[segment].size);
        let request = |position, size, batch| {
            Search::ByHelper(FindTime {
                directory: self.directory.clone(),
                base,
                generation: self.segments[segment].generation,
                position,
                batch,
                size,
                end: self.segment_end(segment),
                timestamp,
                start: self.start,
            })
        };
        if self.hot_from(base).is_none_or(|hot| position < hot) {
            let on_disk = match base < self.writer.base {
                true => size,
                false => self.writer.written,
            };
            return Some(request(position, on_disk, None));
        }
        match self.find_time_in_extents(io, segment, position, timestamp)? {
            Hot::Found(found) => Some(Search::Ended(Some(found))),
            Hot::MaybeIn(batch, next) => Some(request(next, size, Some(batch))),
            Hot::Nothing => None,
        }
    }

    /// Searches the part of a segment that the region holds.
    fn find_time_in_extents(
        &self,
        io: &Io,
        segment: usize,
        from: u64,
        timestamp: i64,
    ) -> Option<Hot> {
        let (base, size) = (self.segments[segment].base, self.segments[segment].size);
        let mut position = from;
        while position < size {
            let at = self.extent_at(base, position)?;
            let header = self.header_in_extents(io, at, position)?;
            let length = header.total_length()?;
            let end = position + length as u64;
            if header.max_timestamp >= timestamp && header.last_offset() >= self.start {
                let mut batch = vec![0; length];
                self.copy_from_extents(io, base, position, &mut batch)?;
                if Codec::from_attributes(header.attributes) != Codec::None {
                    return Some(Hot::MaybeIn(batch, end));
                }
                if let Some(found) = first_record(&header, &batch, timestamp, self.start) {
                    return Some(Hot::Found(found));
                }
            }
            position = end;
        }
        Some(Hot::Nothing)
    }
}
