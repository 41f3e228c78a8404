//! Reading what the region holds: pinned pieces of extents, nothing copied.

use crate::api::{ReadOptions, ReadTicket};
use crate::index::relative;
use crate::io::Io;
use crate::log::Log;
use crate::transactions::AbortedTransaction;
use precursor_model::Offset;
use precursor_shm::ExtentId;

/// A pinned piece of an extent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    pub extent: ExtentId,
    pub start: u32,
    pub length: u32,
}

/// Pinned record bytes: whole batches in order. Give it back by [`crate::Store::release`].
#[derive(Debug, Default)]
pub struct Gather {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) length: usize,
    /// The batches end below this offset.
    pub(crate) end: Offset,
    pub(crate) aborted: Vec<AbortedTransaction>,
}

impl Gather {
    /// An empty one that holds a MiB in small extents before its list grows.
    pub(crate) fn with_room() -> Gather {
        Gather {
            chunks: Vec::with_capacity(64),
            length: 0,
            end: 0,
            aborted: Vec::new(),
        }
    }

    /// Bytes that the gather holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// True when there was nothing to read.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Of a committed read: the aborted transactions that have batches in it, by their first offsets.
    pub fn aborted(&self) -> &[AbortedTransaction] {
        &self.aborted
    }

    /// Appends a piece and pins it.
    pub(crate) fn push(&mut self, io: &mut Io, extent: ExtentId, start: u32, length: u32) {
        io.pin(extent);
        self.length += length as usize;
        self.chunks.push(Chunk {
            extent,
            start,
            length,
        });
    }
}

/// The outcome of a read.
#[derive(Debug)]
pub enum Read {
    Ready(Gather),
    Pending(ReadTicket),
}

/// A run of whole batches in one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub start: u64,
    pub end: u64,
}

impl Log {
    /// Fills `gather` from the region; false when the batch of `options.offset` is not there.
    pub fn read_hot(&mut self, io: &mut Io, options: &ReadOptions, gather: &mut Gather) -> bool {
        let until = self.readable_end(options);
        if options.offset >= until {
            return true;
        }
        let segment = self.segment_at(options.offset);
        let base = self.segments[segment].base;
        let Some((at, position)) = self.hot_start(segment, options.offset) else {
            return false;
        };
        let Some((at, run, end)) = self.hot_run(io, segment, (at, position), until, options) else {
            return false;
        };
        gather.end = end;
        let mut at = at;
        let mut position = run.start;
        while position < run.end {
            let extent = &mut self.extents[at];
            debug_assert_eq!(extent.segment_base, base);
            extent.referenced = true;
            let end = extent.used_end().min(run.end);
            let start = (position - extent.position) as u32;
            gather.push(io, extent.id, start, (end - position) as u32);
            position = end;
            at += 1;
        }
        true
    }

    /// Where a read ends at the latest.
    pub fn readable_end(&self, options: &ReadOptions) -> Offset {
        match options.committed {
            true => self.last_stable(),
            false => self.visible_end(),
        }
    }

    /// Adds the aborted transactions that have batches between `from` and the gather's end. Gives a
    /// segment whose index must be loaded first.
    pub fn gather_aborted(&self, from: Offset, gather: &mut Gather) -> Option<usize> {
        let end = gather.end;
        'segments: for at in self.segment_at(from)..self.segments.len() {
            let segment = &self.segments[at];
            if !segment.aborted.concern(end) {
                continue;
            }
            let Some(aborted) = segment.aborted() else {
                gather.aborted.clear();
                return Some(at);
            };
            let first = aborted.partition_point(|entry| entry.last_offset < from);
            for entry in &aborted[first..] {
                if entry.first_offset < end {
                    gather.aborted.push(*entry);
                }
                // What is aborted later began later.
                if entry.last_stable_offset >= end {
                    break 'segments;
                }
            }
        }
        let aborted = &mut gather.aborted;
        aborted.sort_unstable_by_key(|entry| entry.first_offset);
        None
    }

    /// How much of a segment lies before `until`, in bytes, where the region holds that offset.
    fn size_until(&self, io: &Io, segment: usize, until: Offset) -> Option<u64> {
        let size = self.visible_size(segment);
        if until >= self.visible_end() || until >= self.segment_end(segment) {
            return Some(size);
        }
        let (mut at, mut position) = self.hot_start(segment, until)?;
        loop {
            let header = self.header_in_extents(io, at, position)?;
            if header.last_offset() >= until {
                return Some(position.min(size));
            }
            position += header.total_length()? as u64;
            at = self.extent_from(at, position)?;
        }
    }

    /// A batch at or before `offset` in the region, as near as the index and the extents know.
    pub fn hot_start(&self, segment: usize, offset: Offset) -> Option<(usize, u64)> {
        let base = self.segments[segment].base;
        let begins_before = |first: Option<(u64, Offset)>| first.is_some_and(|f| f.1 <= offset);
        let after = self.extents.partition_point(|extent| {
            extent.segment_base < base
                || (extent.segment_base == base && begins_before(extent.first))
        });
        let at = after.checked_sub(1)?;
        let extent = self.extents[at];
        if extent.segment_base != base {
            return None;
        }
        let first = extent.first?.0;
        let indexed = self.segments[segment]
            .index
            .position_for(relative(offset, base)?);
        let position = indexed.unwrap_or(0).max(first);
        Some((self.extent_at(base, position)?, position))
    }

    /// Whole batches from the one that holds the offset, as many as fit; and the offset that they end
    /// below.
    fn hot_run(
        &self,
        io: &Io,
        segment: usize,
        (at, position): (usize, u64),
        until: Offset,
        options: &ReadOptions,
    ) -> Option<(usize, Run, Offset)> {
        let size = self.size_until(io, segment, until)?;
        let base = self.segments[segment].base;
        let (mut at, mut position) = (at, position);
        let mut header = self.header_in_extents(io, at, position)?;
        if position > 0 && header.base_offset > options.offset {
            // The index points behind the offset: whoever reads the file finds out.
            return None;
        }
        while header.last_offset() < options.offset {
            position += header.total_length()? as u64;
            at = self.extent_from(at, position)?;
            header = self.header_in_extents(io, at, position)?;
        }
        let mut run = Run {
            start: position,
            end: position,
        };
        let limit = position + options.max_bytes as u64;
        if limit >= size {
            run.end = size;
            return Some((at, run, until.min(self.segment_end(segment))));
        }
        let first_end = position + header.total_length()? as u64;
        if first_end > limit {
            if options.at_least_one {
                run.end = first_end;
            }
            return Some((at, run, header.last_offset() + 1));
        }
        // Jump by the index, then go by headers.
        let jump = self.segments[segment].index.batch_at_or_before(limit);
        let mut end = jump.unwrap_or(0).max(first_end).min(limit);
        let mut cursor = self.extent_at(base, end)?;
        loop {
            cursor = self.extent_from(cursor, end)?;
            let header = self.header_in_extents(io, cursor, end)?;
            let length = header.total_length()? as u64;
            if end + length > limit {
                run.end = end;
                return Some((at, run, header.base_offset));
            }
            end += length;
        }
    }

    /// The extent of `position`, at `at` or after it.
    pub(crate) fn extent_from(&self, at: usize, position: u64) -> Option<usize> {
        let mut at = at;
        while position >= self.extents.get(at)?.end() {
            at += 1;
        }
        Some(at)
    }
}
