//! Appending: validate, one copy into the tail, publish.

use crate::api::{AppendError, AppendOptions, Appended, LogState};
use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::coldseg::ColdState;
use crate::index::{IndexEntry, relative};
use crate::io::Io;
use crate::jobs::Job;
use crate::log::{Log, Segment, SegmentIndex, TailExtent};
use crate::prepare::{Prepared, must_prepare};
use crate::producers::Verdict;
use crate::transactions::{Aborted, Marker};
use precursor_model::{ErrorCode, FlushPolicy, Offset, TimestampType};
use precursor_protocol::records::{Assignment, Limits, validate_produce};
use precursor_shm::{ExtentOwner, ExtentState};
use std::sync::Arc;

/// A log that nothing is written to grows by extents of this size, one under load by up to the
/// largest.
pub(crate) const EXTENT_BYTES_MIN: usize = 16 * 1024;
pub(crate) const EXTENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A log with more extents than these that are not on disk has much to write.
const EXTENTS_UNWRITTEN_FEW: usize = 4;
/// This part of the memory is for logs that have little to write.
const SHARE_FOR_LITTLE: usize = 16;
/// Behind an append, what the next small one writes: its memory is asked for meanwhile.
const SOON_WRITTEN: usize = 256;
/// Segments of one log that wait for the disk at once; more, and appends wait too.
pub(crate) const SEGMENTS_UNWRITTEN_MAX: usize = 4;

/// What is known of a batch that is as it should be.
#[derive(Clone, Copy)]
pub(crate) struct Sound {
    records: u32,
    max_timestamp: i64,
    /// Under LogAppendTime: the batch's time.
    log_append_time_ms: Option<i64>,
    /// The time stands in the batch already.
    is_stamped: bool,
    /// What a control batch says.
    marker: Option<Marker>,
}

impl Log {
    /// Appends one batch of a client.
    pub fn append(
        &mut self,
        io: &mut Io,
        records: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        let sound = self.inspect(records, options)?;
        self.append_sound(io, records, sound, options.now.wall_ms)
    }

    /// Whether a client's batch is as it should be.
    pub(crate) fn inspect(
        &self,
        records: &[u8],
        options: AppendOptions,
    ) -> Result<Sound, AppendError> {
        self.must_be_online()?;
        if must_prepare(&self.config, records) {
            return Err(AppendError::Unprepared);
        }
        let limits = Limits {
            batch_bytes_max: self.config.max_message_bytes as usize,
            produce_version: options.produce_version,
        };
        let valid = validate_produce(Some(records), &limits)?;
        if BatchHeader::parse(valid.header()).is_transactional() && !options.transactional {
            return Err(AppendError::InvalidTransactionState);
        }
        self.must_fit(records)?;
        if self.config.cleanup_policy.compacts() {
            crate::compaction::check_keys(&valid.batch)?;
        }
        Ok(Sound {
            records: valid.records,
            max_timestamp: valid.max_timestamp,
            log_append_time_ms: self.is_log_append_time().then_some(options.now.wall_ms),
            is_stamped: false,
            marker: None,
        })
    }

    /// Appends the marker that ends a producer's transaction.
    pub fn append_marker(
        &mut self,
        io: &mut Io,
        producer: (i64, i16),
        marker: Marker,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        match self.must_be_online() {
            // What is open holds readers back: it can be ended where records cannot be taken.
            Ok(()) | Err(AppendError::NoSpace) => {}
            Err(error) => return Err(error),
        }
        let batch = marker.batch(producer, now_ms);
        let sound = Sound {
            records: 1,
            max_timestamp: now_ms,
            log_append_time_ms: self.is_log_append_time().then_some(now_ms),
            is_stamped: false,
            marker: Some(marker),
        };
        self.append_sound(io, &batch, sound, now_ms)
    }

    /// Appends one batch that a worker has checked, and stamped as the topic wants it.
    pub fn append_prepared(
        &mut self,
        io: &mut Io,
        prepared: Prepared,
        batch: &[u8],
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        self.must_be_online()?;
        self.must_fit(batch)?;
        let header = BatchHeader::parse_prefix(batch).ok_or(AppendError::Corrupt)?;
        let sound = Sound {
            records: prepared.records,
            max_timestamp: header.max_timestamp,
            log_append_time_ms: prepared.log_append_time_ms,
            is_stamped: true,
            marker: None,
        };
        self.append_sound(io, batch, sound, now_ms)
    }

    pub(crate) fn must_be_online(&self) -> Result<(), AppendError> {
        match self.state {
            LogState::Online if self.is_full && !self.is_internal => Err(AppendError::NoSpace),
            LogState::Online => Ok(()),
            LogState::Opening => Err(AppendError::NotOnline(ErrorCode::LeaderNotAvailable)),
            LogState::Offline(code) => Err(AppendError::NotOnline(code)),
        }
    }

    fn must_fit(&self, batch: &[u8]) -> Result<(), AppendError> {
        match batch.len() as u64 > u64::from(self.config.segment_bytes) {
            true => Err(AppendError::TooLarge),
            false => Ok(()),
        }
    }

    /// Appends a batch that is as it should be, unless its producer has sent it before or has missed
    /// one.
    fn append_sound(
        &mut self,
        io: &mut Io,
        records: &[u8],
        sound: Sound,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        let mut header: [u8; HEADER_LENGTH] = *records.first_chunk().ok_or(AppendError::Corrupt)?;
        let sent = BatchHeader::parse(&header);
        if let Some(marker) = sound.marker {
            self.producers.check_marker(&sent, marker)?;
        } else if let Some(duplicate) = self.check_sequence(&sent)? {
            return Ok(duplicate);
        }
        if self.must_roll_for(records.len(), &sent, &sound, now_ms) {
            self.roll(io)?;
        }
        self.reserve(io, records.len())?;

        let stored = self.stamp(&mut header, &records[HEADER_LENGTH..], &sound);
        self.copy_in(io, &header, &records[HEADER_LENGTH..]);
        self.take_note(io, &stored, sound.marker, (records.len() as u64, now_ms));
        Ok(self.appended(&stored, &sound, records.len()))
    }

    /// What was appended, where the producer has sent the batch before.
    pub(crate) fn check_sequence(
        &self,
        sent: &BatchHeader,
    ) -> Result<Option<Appended>, AppendError> {
        if !sent.has_producer() {
            return Ok(None);
        }
        let duplicate = match self.producers.check(sent)? {
            Verdict::Duplicate {
                base_offset,
                last_offset,
                timestamp,
            } => Some(self.duplicate(base_offset, last_offset, timestamp)),
            _ => None,
        };
        Ok(duplicate)
    }

    /// Whether a batch has to begin a segment.
    pub(crate) fn must_roll_for(
        &self,
        bytes: usize,
        sent: &BatchHeader,
        sound: &Sound,
        now_ms: i64,
    ) -> bool {
        // Age is told by timestamps, as Kafka does: old records may be produced today.
        let time = match sound.log_append_time_ms {
            Some(time) => time,
            None if sound.max_timestamp < 0 => now_ms,
            None => sound.max_timestamp,
        };
        self.must_roll(bytes as u64, i64::from(sent.last_offset_delta), time)
    }

    /// Writes into a batch's header what the log gives it.
    pub(crate) fn stamp(
        &self,
        header: &mut [u8; HEADER_LENGTH],
        body: &[u8],
        sound: &Sound,
    ) -> BatchHeader {
        let assignment = Assignment {
            base_offset: self.end,
            leader_epoch: self.leader_epoch,
            log_append_time_ms: sound.log_append_time_ms.filter(|_| !sound.is_stamped),
            max_timestamp: sound.max_timestamp,
        };
        assignment.write(header, body);
        BatchHeader::parse(header)
    }

    /// What to say of a batch that is in the log now.
    pub(crate) fn appended(&self, stored: &BatchHeader, sound: &Sound, bytes: usize) -> Appended {
        let every_write = self.config.flush_policy == FlushPolicy::EveryWrite;
        Appended {
            base_offset: stored.base_offset,
            last_offset: stored.last_offset(),
            log_append_time_ms: sound.log_append_time_ms.unwrap_or(-1),
            log_start_offset: self.start,
            records: sound.records,
            bytes: bytes as u32,
            duplicate: false,
            must_be_durable_to: every_write.then_some(self.end),
        }
    }

    fn is_log_append_time(&self) -> bool {
        self.config.message_timestamp_type == TimestampType::LogAppendTime
    }

    fn duplicate(&self, base_offset: Offset, last_offset: Offset, timestamp: i64) -> Appended {
        let every_write = self.config.flush_policy == FlushPolicy::EveryWrite;
        Appended {
            base_offset,
            last_offset,
            log_append_time_ms: if self.is_log_append_time() {
                timestamp
            } else {
                -1
            },
            log_start_offset: self.start,
            records: (last_offset - base_offset + 1) as u32,
            bytes: 0,
            duplicate: true,
            // The first one may still be on its way to disk.
            must_be_durable_to: every_write.then_some(last_offset + 1),
        }
    }

    fn must_roll(&self, bytes: u64, last_delta: i64, time_ms: i64) -> bool {
        let active = self.active();
        if active.size == 0 {
            return false;
        }
        let full = active.size + bytes > u64::from(self.config.segment_bytes);
        let index_full = match &active.index {
            SegmentIndex::Growing(index) => {
                index.file_bytes() + 8 > u64::from(self.config.segment_index_bytes)
            }
            _ => false,
        };
        let old = active
            .first_ms
            .is_some_and(|first| time_ms.saturating_sub(first) >= self.config.segment_age_ms_max());
        full || index_full || old || relative(self.end + last_delta, active.base).is_none()
    }

    /// Ends the active segment and begins the next in memory; its file follows.
    pub fn roll(&mut self, io: &mut Io) -> Result<(), AppendError> {
        let first_unwritten = self.segments.partition_point(|s| s.base < self.writer.base);
        if self.segments.len() - first_unwritten >= SEGMENTS_UNWRITTEN_MAX {
            io.memory_wanted = true;
            io.stats.appends_busy += 1;
            return Err(AppendError::Busy);
        }
        // Nothing is added to the segment: who follows it looks for the next.
        if let Some(last) = self.extents.back() {
            let open = last.segment_base == self.active().base && last.used < last.size;
            if open && self.extents_written < self.extents.len() {
                io.pool_mut().set_state(last.id, ExtentState::Sealed);
            }
        }
        let base = self.end;
        let room = self.roll_room(io);
        let snapshot = self.snapshot(room.producers, room.epochs, self.active().aborted.share());
        let active = self.active_mut();
        active.snapshot = Some(snapshot);
        let index = std::mem::replace(&mut active.index, SegmentIndex::Absent);
        if let SegmentIndex::Growing(index) = index {
            active.index = SegmentIndex::Sealing(index);
        }
        self.parked_block.clear();
        self.segments.push_back(Segment {
            base,
            size: 0,
            newest: None,
            first_ms: None,
            file: None,
            index: SegmentIndex::Growing(room.index),
            loading: false,
            snapshot: None,
            generation: 0,
            cold: ColdState::Plain,
            aborted: Aborted::growing(room.aborted, 0),
        });
        io.stats.segments += 1;
        self.index_bytes = 0;
        self.recovery_position = 0;
        // Before the file, without which the segment is not written: see `room`.
        self.order_roll_room(io);
        io.job(
            self.root,
            Job::Create {
                log: self.id,
                directory: self.directory.clone(),
                base,
            },
        );
        self.pump_writes(io);
        Ok(())
    }

    /// Makes room for `bytes` at the end of the tail, or changes nothing that matters.
    fn reserve(&mut self, io: &mut Io, bytes: usize) -> Result<(), AppendError> {
        let base = self.active().base;
        let needed = self.active().size + bytes as u64;
        let mut end = match self.extents.back() {
            Some(last) if last.segment_base == base => last.end(),
            _ => self.active().size / 4096 * 4096,
        };
        while end < needed {
            let wanted = self.extent_bytes.max((needed - end) as usize);
            // No more than the segment can come to.
            let left = u64::from(self.config.segment_bytes).max(needed) - end;
            let wanted = wanted.min(left as usize).next_power_of_two();
            let wanted = wanted.clamp(4096, EXTENT_BYTES_MAX);
            let may_hold = io.may_hold(self.root);
            let to_be_had = self.to_be_had(io).min(may_hold);
            let extent = match wanted.min(to_be_had) {
                0..4096 => None,
                wanted => self.allocate(io, base, end, 1 << wanted.ilog2()),
            };
            let Some(extent) = extent else {
                io.memory_wanted = true;
                io.memory_short = match to_be_had {
                    // There may be enough, but not for a disk that does not answer.
                    _ if may_hold < wanted => 0,
                    // The share of the others has to be whole again before this log gets any.
                    0..4096 => bytes + io.pool().usage().bytes / SHARE_FOR_LITTLE,
                    _ => bytes,
                };
                io.stats.appends_busy += 1;
                return Err(AppendError::Busy);
            };
            end = extent.end();
            self.push_extent(io, extent);
        }
        Ok(())
    }

    /// Bytes that this log may still take. One that has much to write leaves the last of the memory
    /// to those that have little: they need not wait for its disk.
    pub(crate) fn to_be_had(&self, io: &Io) -> usize {
        if self.extents.len() - self.extents_written <= EXTENTS_UNWRITTEN_FEW {
            return usize::MAX;
        }
        let usage = io.pool().usage();
        (usage.bytes - usage.bytes_in_use).saturating_sub(usage.bytes / SHARE_FOR_LITTLE)
    }

    /// An extent of at most `wanted` bytes that begins at a position.
    fn allocate(
        &mut self,
        io: &mut Io,
        base: Offset,
        position: u64,
        wanted: usize,
    ) -> Option<TailExtent> {
        let aligned = 1
            << position
                .trailing_zeros()
                .min(EXTENT_BYTES_MAX.trailing_zeros());
        let mut size = wanted.min(aligned);
        loop {
            let owner = ExtentOwner {
                log: self.uid,
                segment_base: base,
                file_position: position,
            };
            let found = io.pool_mut().allocate(size, owner);
            if let Some(id) = found {
                return Some(TailExtent {
                    id,
                    segment_base: base,
                    position,
                    size: size as u32,
                    used: 0,
                    first: None,
                    referenced: false,
                    wiped: false,
                });
            }
            // Small extents are for when nothing larger can be had by evicting either.
            if !io.small_extents || size == 4096 {
                return None;
            }
            size /= 2;
        }
    }

    fn push_extent(&mut self, io: &mut Io, mut extent: TailExtent) {
        let size = self.active().size;
        if extent.position < size {
            // The extent begins with the part of a block that is on disk already.
            let block = std::mem::take(&mut self.parked_block);
            let used = (size - extent.position) as usize;
            io.pool_mut().bytes_mut(extent.id)[..used].copy_from_slice(&block[..used]);
            io.pool_mut().publish(extent.id, used as u64);
            extent.used = used as u32;
            io.return_block(block);
        }
        if self.extents.len() == self.extents.capacity() {
            io.stats.made_in_place += 1;
        }
        io.add_unwritten(self.root, extent.size as usize);
        self.extents.push_back(extent);
        let grown = self.extent_bytes * 2;
        if extent.size as usize >= self.extent_bytes {
            self.extent_bytes = grown.min(EXTENT_BYTES_MAX);
        }
    }

    /// Extents without a batch that begins in them learn of the first one after them, which is about to
    /// be published.
    pub(crate) fn note_first(&mut self, base: Offset, position: u64) {
        let offset = self.end;
        for extent in self.extents.iter_mut().rev() {
            if extent.segment_base != base || extent.first.is_some() {
                break;
            }
            if extent.position <= position {
                extent.first = Some((position, offset));
            }
        }
    }

    /// Copies a batch to the end of the tail and publishes it.
    fn copy_in(&mut self, io: &mut Io, header: &[u8; HEADER_LENGTH], body: &[u8]) {
        let position = self.active().size;
        let base = self.active().base;
        let first = self
            .extent_at(base, position)
            .expect("room was reserved at the end of the tail");
        self.note_first(base, position);
        let mut at = first;
        // Whoever follows the tail reads the batch soon, while it is in the caches: otherwise it
        // need not pass through them.
        let mut newest = self.extents.range(first.saturating_sub(1)..=first);
        let copy = match newest.any(|extent| extent.referenced) {
            true => <[u8]>::copy_from_slice,
            false => precursor_memory::copy_to_cold,
        };
        let mut sources = [&header[..], body].into_iter();
        let mut source = sources.next().unwrap_or(&[]);
        loop {
            let extent = &mut self.extents[at];
            let bytes = &mut io.pool_mut().bytes_mut(extent.id)[extent.used as usize..];
            let count = bytes.len().min(source.len());
            copy(&mut bytes[..count], &source[..count]);
            extent.used += count as u32;
            source = &source[count..];
            let full = extent.used == extent.size;
            if source.is_empty() {
                match sources.next() {
                    Some(next) => source = next,
                    None => {
                        precursor_memory::prefetch_to_write(
                            bytes[count..].as_ptr(),
                            SOON_WRITTEN.min(bytes.len() - count),
                        );
                        publish(io, extent);
                        return;
                    }
                }
            }
            if full && !source.is_empty() {
                publish(io, extent);
                at += 1;
            }
        }
    }

    /// Index, producers, epochs and offsets after a batch was published.
    pub(crate) fn take_note(
        &mut self,
        io: &mut Io,
        stored: &BatchHeader,
        marker: Option<Marker>,
        (bytes, now_ms): (u64, i64),
    ) {
        let interval = u64::from(self.config.index_interval_bytes);
        let index_bytes = self.index_bytes;
        let active = self
            .segments
            .back_mut()
            .expect("an online log has a segment");
        let last_offset = stored.last_offset();
        if active
            .newest
            .is_none_or(|known| stored.max_timestamp > known.0)
        {
            active.newest = Some((stored.max_timestamp, last_offset));
        }
        if active.size == 0 {
            let timestamp = stored.max_timestamp;
            active.first_ms = Some(if timestamp >= 0 { timestamp } else { now_ms });
        }
        let due = index_bytes > interval;
        if let (true, SegmentIndex::Growing(index)) = (due, &mut active.index) {
            let (timestamp, offset) = active.newest.unwrap_or((-1, active.base));
            let entry = IndexEntry {
                relative_offset: relative(last_offset, active.base).unwrap_or(0),
                position: active.size as u32,
                timestamp,
                timestamp_offset: relative(offset, active.base).unwrap_or(0),
            };
            let made = Arc::make_mut(index).push(entry, &mut io.stock.chunks);
            io.stats.made_in_place += u64::from(made);
        }
        self.index_bytes = if due { bytes } else { index_bytes + bytes };
        active.size += bytes;
        if let Some(aborted) = self.producers.record(stored, marker, now_ms) {
            io.stats.made_in_place += u64::from(active.aborted.push(aborted));
        }
        self.epochs_changed |= self.epochs.assign(stored.leader_epoch, stored.base_offset);
        self.end = last_offset + 1;
        if marker.is_some() {
            self.producers.forget_decided(self.visible_end());
        }
    }
}

pub(crate) fn publish(io: &mut Io, extent: &TailExtent) {
    io.pool_mut().publish(extent.id, u64::from(extent.used));
    if extent.used == extent.size {
        io.pool_mut().set_state(extent.id, ExtentState::Sealed);
    }
}
