//! Bytes that wait to be read, and bytes beyond a gap, in chunks that are lent as bytes come.

use std::collections::VecDeque;

use crate::chunks::Chunks;
use crate::list::NONE;
use crate::sequence::{after, at_least, at_most, before, later};
use crate::wire::tcp::SackBlock;

/// Runs of bytes beyond gaps that one connection keeps; what would make more is dropped.
const RANGES_MAX: usize = 32;

#[derive(Default)]
pub struct ReceiveBuffer {
    /// Chunk i holds the bytes from i × size; [`NONE`] where nothing came yet.
    chunks: VecDeque<u32>,
    /// Where in the first chunk the next byte to read is.
    offset: u32,
    /// Bytes in order that can be read.
    unread: u32,
    /// Sorted, apart from each other, all beyond the bytes in order.
    ranges: Vec<SackBlock>,
    /// Most recent first: which ranges to report (RFC 2018, 4).
    recent: [u32; 3],
}

/// What became of arrived bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// So many bytes are in order now, counting earlier ones whose gap was filled.
    InOrder(u32),
    /// Kept beyond a gap.
    Beyond,
    /// Dropped: no memory, or too many gaps.
    Dropped,
}

impl ReceiveBuffer {
    pub fn is_empty(&self) -> bool {
        self.unread == 0 && self.ranges.is_empty()
    }

    pub fn unread(&self) -> u32 {
        self.unread
    }

    pub fn has_gaps(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Stores bytes from `sequence`, which is `next` (the first byte not received in order) or
    /// beyond. The caller keeps them within the window.
    pub fn store(&mut self, next: u32, sequence: u32, bytes: &[u8], chunks: &mut Chunks) -> Stored {
        let end = sequence.wrapping_add(bytes.len() as u32);
        let in_order = sequence == next;
        if !in_order && !self.can_add_range(sequence, end) {
            return Stored::Dropped;
        }
        if !self.write(self.unread + sequence.wrapping_sub(next), bytes, chunks) {
            return Stored::Dropped;
        }
        if !in_order {
            self.add_range(sequence, end);
            return Stored::Beyond;
        }
        let mut reached = end;
        while let Some(first) = self.ranges.first()
            && at_most(first.start, reached)
        {
            reached = later(reached, first.end);
            self.ranges.remove(0);
        }
        let ready = reached.wrapping_sub(next);
        self.unread += ready;
        Stored::InOrder(ready)
    }

    fn can_add_range(&self, start: u32, end: u32) -> bool {
        self.ranges.len() < RANGES_MAX || self.ranges.iter().any(|range| touches(range, start, end))
    }

    fn add_range(&mut self, start: u32, end: u32) {
        let mut joined = SackBlock { start, end };
        self.ranges.retain(|range| {
            let touching = touches(range, start, end);
            if touching {
                joined.start = crate::sequence::earlier(joined.start, range.start);
                joined.end = later(joined.end, range.end);
            }
            !touching
        });
        let at = self
            .ranges
            .partition_point(|range| before(range.start, joined.start));
        self.ranges.insert(at, joined);
        if self.recent[0] != joined.start {
            self.recent = [joined.start, self.recent[0], self.recent[1]];
        }
    }

    /// Copies to `position` (bytes from the next one to read); false without memory for all.
    fn write(&mut self, position: u32, bytes: &[u8], chunks: &mut Chunks) -> bool {
        let size = chunks.size();
        let first = (self.offset + position) as usize;
        let needed = (first + bytes.len()).div_ceil(size);
        while self.chunks.len() < needed {
            self.chunks.push_back(NONE);
        }
        let mut at = first;
        let mut rest = bytes;
        while !rest.is_empty() {
            let entry = &mut self.chunks[at / size];
            if *entry == NONE {
                let Some(chunk) = chunks.take() else {
                    return false;
                };
                *entry = chunk;
            }
            let target = &mut chunks.bytes_mut(*entry)[at % size..];
            let count = target.len().min(rest.len());
            target[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            at += count;
        }
        true
    }

    /// Moves bytes in order to `buffer`; returns how many.
    pub fn read(&mut self, buffer: &mut [u8], chunks: &mut Chunks) -> usize {
        let size = chunks.size();
        let mut copied = 0;
        while copied < buffer.len() && self.unread > 0 {
            let Some(chunk) = self.chunks.front().copied().filter(|chunk| *chunk != NONE) else {
                debug_assert!(false, "bytes in order without memory");
                break;
            };
            let start = self.offset as usize;
            let count = (size - start)
                .min(self.unread as usize)
                .min(buffer.len() - copied);
            buffer[copied..copied + count].copy_from_slice(&chunks.bytes(chunk)[start..][..count]);
            copied += count;
            self.unread -= count as u32;
            self.offset += count as u32;
            if self.offset as usize == size {
                chunks.give_back(chunk);
                self.chunks.pop_front();
                self.offset = 0;
            }
        }
        if self.is_empty() {
            self.clear(chunks);
        }
        copied
    }

    /// The ranges to report: the most recent first, the others in order.
    pub fn report(&self, mut push: impl FnMut(SackBlock)) {
        let mut told = [u32::MAX as usize; 3];
        for (place, start) in self.recent.iter().enumerate() {
            let found = self
                .ranges
                .iter()
                .position(|range| at_most(range.start, *start) && after(range.end, *start));
            if let Some(index) = found
                && !told.contains(&index)
            {
                told[place] = index;
                push(self.ranges[index]);
            }
        }
        for (index, range) in self.ranges.iter().enumerate().take(4) {
            if !told.contains(&index) {
                push(*range);
            }
        }
    }

    /// Whether `sequence..end` is already held beyond a gap.
    pub fn holds(&self, sequence: u32, end: u32) -> bool {
        let held = |range: &SackBlock| at_most(range.start, sequence) && at_least(range.end, end);
        self.ranges.iter().any(held)
    }

    pub fn clear(&mut self, chunks: &mut Chunks) {
        for chunk in self.chunks.drain(..).filter(|chunk| *chunk != NONE) {
            chunks.give_back(chunk);
        }
        self.offset = 0;
        self.unread = 0;
        self.ranges.clear();
    }
}

fn touches(range: &SackBlock, start: u32, end: u32) -> bool {
    at_most(range.start, end) && at_least(range.end, start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::Random;

    #[test]
    fn pieces_in_any_order_become_the_stream() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let total = 1 + random.below(3000) as usize;
            let stream: Vec<u8> = (0..total).map(|_| random.next() as u8).collect();
            let mut chunks = Chunks::new(64, 64);
            let mut buffer = ReceiveBuffer::default();
            let origin = random.next() as u32;
            let (mut next, mut read) = (origin, Vec::new());
            while read.len() < total {
                let done = next.wrapping_sub(origin) as usize;
                let from = done + random.below(400.min(total as u64 - done as u64)) as usize;
                let to = from + random.below((total - from) as u64 + 1).min(100) as usize;
                let from = if random.below(3) == 0 { done } else { from }.min(to);
                if to > done && to > from {
                    let sequence = origin.wrapping_add(from as u32);
                    match buffer.store(next, sequence, &stream[from..to], &mut chunks) {
                        Stored::InOrder(bytes) => next = next.wrapping_add(bytes),
                        Stored::Beyond => assert_ne!(from, done),
                        Stored::Dropped => {}
                    }
                }
                let mut out = [0; 70];
                let count = buffer.read(&mut out[..random.below(71) as usize], &mut chunks);
                read.extend_from_slice(&out[..count]);
                assert_eq!(
                    buffer.unread() as usize,
                    next.wrapping_sub(origin) as usize - read.len()
                );
            }
            assert_eq!(read, stream, "seed {seed}");
            buffer.clear(&mut chunks);
            assert_eq!(chunks.lent(), 0);
        }
    }

    #[test]
    fn gaps_are_bounded_and_the_most_recent_is_reported_first() {
        let mut chunks = Chunks::new(64, 64);
        let mut buffer = ReceiveBuffer::default();
        for gap in 0..RANGES_MAX as u32 {
            let stored = buffer.store(0, 10 + gap * 10, &[1], &mut chunks);
            assert_eq!(stored, Stored::Beyond);
        }
        assert_eq!(buffer.store(0, 1000, &[1], &mut chunks), Stored::Dropped);
        assert_eq!(buffer.store(0, 51, &[1], &mut chunks), Stored::Beyond);
        let mut told = Vec::new();
        buffer.report(|block| told.push((block.start, block.end)));
        assert_eq!(told[0], (50, 52));
        assert_eq!(told[1], (320, 321));
        assert!(buffer.holds(50, 52) && !buffer.holds(50, 53));
    }
}
