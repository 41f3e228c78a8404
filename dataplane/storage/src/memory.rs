//! Giving extents back: the hot cache by second chance, the tails of idle logs at last.

use crate::api::LogState;
use crate::io::Io;
use crate::log::{Log, SyncState};
use precursor_disk::BLOCK;
use precursor_shm::ExtentState;

/// What came of asking a log for its oldest extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evicted {
    Bytes(usize),
    /// Not now: it is read, or was read lately, or the disk lacks the end of its last batch.
    Kept,
    /// The log has no extent that is on disk.
    Nothing,
}

impl Log {
    /// Takes note of extents that are on disk now.
    pub fn mark_written(&mut self, io: &mut Io) {
        while let Some(extent) = self.extents.get(self.extents_written) {
            let same = extent.segment_base == self.writer.base;
            let complete = same
                && extent.segment_base != self.active().base
                && self
                    .segment_of(extent.segment_base)
                    .is_none_or(|s| self.writer.written >= s.size);
            let passed = extent.segment_base < self.writer.base;
            if !(passed || complete || same && self.writer.written >= extent.end()) {
                return;
            }
            io.pool_mut().set_state(extent.id, ExtentState::Written);
            io.take_unwritten(self.root, extent.size as usize);
            self.evictable += 1;
            io.evictable.push_back(self.id);
            self.extents_written += 1;
        }
    }

    /// Frees the log's oldest extent. `force` passes over recent reads.
    pub fn evict_front(&mut self, io: &mut Io, force: bool) -> Evicted {
        if self.extents_written == 0 {
            return Evicted::Nothing;
        }
        let Some(front) = self.extents.front_mut() else {
            return Evicted::Nothing;
        };
        if io.is_pinned(front.id) {
            return Evicted::Kept;
        }
        if front.referenced && !force {
            front.referenced = false;
            return Evicted::Kept;
        }
        let (id, base, size) = (front.id, front.segment_base, front.size as usize);
        let next = self.extents.get(1).filter(|next| next.segment_base == base);
        if let Some(next) = next {
            // A batch may begin in this extent and end in the next: all of it must be on disk.
            let on_disk = |position| self.writer.base > base || self.writer.written >= position;
            if !next.first.is_some_and(|first| on_disk(first.0)) {
                return Evicted::Kept;
            }
        }
        self.extents.pop_front();
        self.extents_written -= 1;
        io.free(id);
        Evicted::Bytes(size)
    }

    /// The oldest extent is let go of, written or not.
    pub fn forget_front(&mut self, io: &mut Io, bytes: usize) {
        match self.extents_written.checked_sub(1) {
            Some(written) => self.extents_written = written,
            None => io.take_unwritten(self.root, bytes),
        }
    }

    /// Gives back the tail of a log that is on disk as a whole; returns the bytes freed.
    pub fn park(&mut self, io: &mut Io) -> usize {
        let settled = self.state == LogState::Online
            && matches!(self.sync, SyncState::Idle)
            && self.writer.base == self.active().base
            && self.writer.in_flight.is_empty()
            && self.writer.written == self.active().size;
        if !settled || self.extents.is_empty() {
            return 0;
        }
        let position = self.active().size / BLOCK * BLOCK;
        let mut block = io.take_block();
        block.resize((self.active().size - position) as usize, 0);
        let base = self.active().base;
        let held = self
            .copy_from_extents(io, base, position, &mut block)
            .is_some();
        if !held && !block.is_empty() {
            io.return_block(block);
            return 0;
        }
        io.return_block(std::mem::replace(&mut self.parked_block, block));
        self.free_extents(io)
    }

    /// Frees every extent of the log.
    pub fn free_extents(&mut self, io: &mut Io) -> usize {
        let mut freed = 0;
        while let Some(extent) = self.extents.pop_front() {
            freed += extent.size as usize;
            self.forget_front(io, extent.size as usize);
            io.free(extent.id);
        }
        freed
    }
}
