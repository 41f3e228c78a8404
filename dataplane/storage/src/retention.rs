//! What leaves a log at its start: retention by time and size, DeleteRecords.

use crate::api::*;
use crate::io::Io;
use crate::jobs::{Bases, Job};
use crate::log::{Log, SegmentIndex};
use crate::room::Garbage;
use crate::store::Store;
use precursor_model::{ErrorCode, Offset};

impl Store {
    /// Removes segments past retention, forgets silent producers.
    pub(crate) fn check_retention(&mut self, now: Now) {
        let expiration = self.options.producer_id_expiration_ms;
        for slot in 0..self.slots.len() {
            let Some(id) = self.slots[slot].log.as_ref().map(|log| log.id) else {
                continue;
            };
            let Some((log, io)) = self.log_and_io(id) else {
                continue;
            };
            if log.is_online() {
                log.producers.expire(now.wall_ms, expiration);
                if log.active_is_expired(now.wall_ms) {
                    let _ = log.roll(io);
                }
                log.retain(now.wall_ms);
            }
            self.remove_old_segments(id);
        }
    }

    /// Moves the log's start to `before` (-1: the high watermark); returns the start.
    ///
    /// # Errors
    /// The offset is past the end, or the log is not online.
    pub fn delete_records(&mut self, id: LogId, before: Offset) -> Result<Offset, ErrorCode> {
        let Some((log, _)) = self.log_and_io(id) else {
            return Err(ErrorCode::UnknownTopicOrPartition);
        };
        match log.state {
            LogState::Online => {}
            LogState::Opening => return Err(ErrorCode::LeaderNotAvailable),
            LogState::Offline(code) => return Err(code),
        }
        let before = if before == -1 { log.end } else { before };
        if before < 0 || before > log.end {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        if before > log.start {
            log.set_start(before);
            self.timers.checkpoint_now();
            self.remove_old_segments(id);
        }
        Ok(self.log(id).map_or(before, |log| log.start))
    }

    /// Removes the files of segments that end at or before the log's start.
    fn remove_old_segments(&mut self, id: LogId) {
        let Some((log, io)) = self.log_and_io(id) else {
            return;
        };
        if !log.is_online() {
            return;
        }
        let mut bases = Bases::default();
        while log.segments.len() > 1
            && !bases.is_full()
            && !io.is_behind(log.root)
            && log.segments[1].base <= log.start
            && log.segments[0].base < log.writer.base
            && matches!(
                log.segments[0].index,
                SegmentIndex::Loaded(_) | SegmentIndex::Absent
            )
        {
            if let Some(segment) = log.segments.pop_front() {
                bases.push(segment.base);
                io.stats.segments -= 1;
                io.close(log.root, Garbage::Segment(segment));
            }
        }
        let Some(last) = bases.as_slice().last().copied() else {
            return;
        };
        let more = log.segments.len() > 1 && log.segments[1].base <= log.start;
        log.drop_extents_through(io, last);
        io.job(
            log.root,
            Job::RemoveSegments {
                log: log.id,
                directory: log.directory.clone(),
                bases,
            },
        );
        if more {
            self.timers.retain_soon(self.io.now);
        }
    }
}

impl Log {
    /// Frees the extents of segments up to `base`, all of which are on disk.
    pub fn drop_extents_through(&mut self, io: &mut Io, base: Offset) {
        let front = |log: &Log| log.extents.front().map(|extent| extent.segment_base);
        while front(self).is_some_and(|of| of <= base) {
            if let Some(extent) = self.extents.pop_front() {
                self.forget_front(io, extent.size as usize);
                io.free(extent.id);
            }
        }
    }

    fn set_start(&mut self, start: Offset) {
        self.start = start;
        self.epochs_changed |= self.epochs.truncate_start(start);
    }

    fn active_is_expired(&self, now_ms: i64) -> bool {
        let active = self.active();
        let by_time = self.config.cleanup_policy.deletes()
            && self.config.retention_ms >= 0
            && active
                .newest
                .is_some_and(|newest| now_ms - newest.0 > self.config.retention_ms);
        active.size > 0 && by_time
    }

    /// Moves the start past segments that are too old or too many (`retention.ms`,
    /// `retention.bytes`).
    fn retain(&mut self, now_ms: i64) {
        if !self.config.cleanup_policy.deletes() {
            return;
        }
        let mut bytes = self.bytes();
        let mut start = self.start;
        for at in 0..self.segments.len() - 1 {
            let segment = &self.segments[at];
            let keep_ms = self.config.retention_ms;
            let newest = segment.newest.map_or(i64::MIN, |newest| newest.0);
            let old = keep_ms >= 0 && now_ms.saturating_sub(newest) > keep_ms;
            let keep_bytes = self.config.retention_bytes;
            let many =
                keep_bytes >= 0 && bytes.saturating_sub(segment.stored()) >= keep_bytes as u64;
            if !old && !many {
                break;
            }
            bytes -= segment.stored();
            start = start.max(self.segment_end(at));
        }
        if start > self.start {
            self.set_start(start);
        }
    }
}
