//! Bytes that wait to be sent or acknowledged: copied into chunks, or lent by the user.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::chunks::Chunks;
use crate::sequence::{at_least, at_most, before};

/// Memory of the user that stays unchanged until it is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent {
    /// What the user's [`Lender`] knows the memory by.
    pub handle: u64,
    pub length: u32,
}

/// Resolves what was lent, while frames are built.
pub trait Lender {
    /// `length` bytes at `offset` of what was lent as `handle`.
    fn bytes(&self, handle: u64, offset: u32, length: u32) -> &[u8];
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Chunk(u32),
    Lent(u64),
}

/// A run of bytes: `length` from sequence number `start`, at `offset` of its memory.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u32,
    length: u32,
    source: Source,
}

/// What acknowledgment of bytes set free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    pub bytes: u32,
    /// Of these, bytes of the user's own memory that he gets back.
    pub lent: u32,
}

#[derive(Default)]
pub struct SendQueue {
    pieces: VecDeque<Piece>,
    /// First byte that is not acknowledged, and the end of all bytes.
    start: u32,
    bytes: u32,
}

impl SendQueue {
    /// Begins an empty queue at `sequence`.
    pub fn begin(&mut self, sequence: u32) {
        debug_assert!(self.pieces.is_empty());
        self.start = sequence;
        self.bytes = 0;
    }

    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    pub fn end(&self) -> u32 {
        self.start.wrapping_add(self.bytes)
    }

    /// Copies as much as memory and `room` allow; returns how many bytes.
    pub fn copy(&mut self, slices: &[IoSlice<'_>], mut room: usize, chunks: &mut Chunks) -> usize {
        let mut taken = 0;
        for slice in slices {
            let mut rest = &slice[..];
            while !rest.is_empty() && room > 0 {
                let Some((chunk, used)) = self.open_chunk(chunks) else {
                    return taken;
                };
                let target = &mut chunks.bytes_mut(chunk)[used..];
                let count = rest.len().min(target.len()).min(room);
                target[..count].copy_from_slice(&rest[..count]);
                if let Some(last) = self.pieces.back_mut() {
                    last.length += count as u32;
                }
                self.bytes += count as u32;
                rest = &rest[count..];
                room -= count;
                taken += count;
            }
        }
        taken
    }

    /// The last chunk where it has room, or a new one; and how much of it is in use.
    fn open_chunk(&mut self, chunks: &mut Chunks) -> Option<(u32, usize)> {
        if let Some(last) = self.pieces.back()
            && let Source::Chunk(chunk) = last.source
            && (last.length as usize) < chunks.size()
        {
            return Some((chunk, last.length as usize));
        }
        let chunk = chunks.take()?;
        self.pieces.push_back(Piece {
            start: self.end(),
            length: 0,
            source: Source::Chunk(chunk),
        });
        Some((chunk, 0))
    }

    pub fn lend(&mut self, lent: Lent) {
        self.pieces.push_back(Piece {
            start: self.end(),
            length: lent.length,
            source: Source::Lent(lent.handle),
        });
        self.bytes += lent.length;
    }

    /// Lets go of everything before `acknowledged`, whole pieces at a time.
    pub fn release(&mut self, acknowledged: u32, chunks: &mut Chunks) -> Freed {
        let mut freed = Freed::default();
        while let Some(piece) = self.pieces.front() {
            let end = piece.start.wrapping_add(piece.length);
            if !at_most(end, acknowledged) || piece.length == 0 {
                break;
            }
            match piece.source {
                Source::Chunk(chunk) => chunks.give_back(chunk),
                Source::Lent(handle) => {
                    freed.lent += piece.length;
                    chunks.return_lent(handle);
                }
            }
            self.pieces.pop_front();
        }
        let all = acknowledged.wrapping_sub(self.start).min(self.bytes);
        freed.bytes = all;
        self.start = self.start.wrapping_add(all);
        self.bytes -= all;
        freed
    }

    /// Appends the slices of `length` bytes from `sequence`; returns how many bytes found room.
    pub fn gather<'a>(
        &self,
        sequence: u32,
        length: u32,
        chunks: &'a Chunks,
        lender: &'a dyn Lender,
        slices: &mut [IoSlice<'a>],
    ) -> (usize, u32) {
        let mut index = self.piece_of(sequence, chunks.size());
        let (mut count, mut gathered) = (0, 0);
        while gathered < length && count < slices.len() {
            let Some(piece) = self.pieces.get(index) else {
                break;
            };
            let at = sequence.wrapping_add(gathered);
            debug_assert!(at_least(at, piece.start));
            let offset = at.wrapping_sub(piece.start);
            let run = (piece.length - offset).min(length - gathered);
            slices[count] = IoSlice::new(match piece.source {
                Source::Chunk(chunk) => {
                    &chunks.bytes(chunk)[offset as usize..(offset + run) as usize]
                }
                Source::Lent(handle) => lender.bytes(handle, offset, run),
            });
            gathered += run;
            count += 1;
            index += 1;
        }
        (count, gathered)
    }

    /// The piece that holds `sequence`, or the number of pieces.
    fn piece_of(&self, sequence: u32, chunk_bytes: usize) -> usize {
        let ends = |piece: &Piece| piece.start.wrapping_add(piece.length);
        // Copied bytes fill their chunks, so its place can be told from the first.
        if let Some(first) = self.pieces.front() {
            let guess = sequence.wrapping_sub(first.start) as usize / chunk_bytes;
            let holds =
                |piece: &Piece| at_least(sequence, piece.start) && before(sequence, ends(piece));
            if self.pieces.get(guess).is_some_and(holds) {
                return guess;
            }
        }
        self.pieces
            .partition_point(|piece| at_most(ends(piece), sequence))
    }

    pub fn clear(&mut self, chunks: &mut Chunks) {
        for piece in self.pieces.drain(..) {
            match piece.source {
                Source::Chunk(chunk) => chunks.give_back(chunk),
                Source::Lent(handle) => chunks.return_lent(handle),
            }
        }
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Memory(Vec<u8>);

    impl Lender for Memory {
        fn bytes(&self, handle: u64, offset: u32, length: u32) -> &[u8] {
            &self.0[handle as usize + offset as usize..][..length as usize]
        }
    }

    #[test]
    fn gathers_what_was_put_in_and_gives_all_memory_back() {
        let memory = Memory((0..200).collect());
        let mut chunks = Chunks::new(8, 16);
        let mut queue = SendQueue::default();
        let first = u32::MAX - 20;
        queue.begin(first);
        let mut expected = Vec::new();
        for (at, length) in [(0, 10), (10, 30), (40, 7)] {
            let bytes = &memory.0[at..at + length];
            assert_eq!(
                queue.copy(&[IoSlice::new(bytes)], 1000, &mut chunks),
                length
            );
            expected.extend_from_slice(bytes);
            queue.lend(Lent {
                handle: 100 + at as u64,
                length: 9,
            });
            expected.extend_from_slice(&memory.0[100 + at..][..9]);
        }
        for from in 0..expected.len() {
            let mut slices = [IoSlice::new(&[]); 3];
            let start = first.wrapping_add(from as u32);
            let (count, length) = queue.gather(start, 25, &chunks, &memory, &mut slices);
            let bytes: Vec<u8> = slices[..count].iter().flat_map(|s| s.to_vec()).collect();
            assert_eq!(bytes.len(), length as usize);
            assert_eq!(bytes, expected[from..from + length as usize]);
        }
        let mut lent = 0;
        for step in (0..=expected.len()).step_by(5).chain([expected.len()]) {
            lent += queue
                .release(first.wrapping_add(step as u32), &mut chunks)
                .lent;
        }
        assert_eq!((lent, queue.bytes(), chunks.lent()), (27, 0, 0));
    }

    #[test]
    fn takes_no_more_than_room_and_memory() {
        let mut chunks = Chunks::new(2, 16);
        let mut queue = SendQueue::default();
        queue.begin(5);
        assert_eq!(queue.copy(&[IoSlice::new(&[1; 50])], 20, &mut chunks), 20);
        assert_eq!(queue.copy(&[IoSlice::new(&[1; 50])], 50, &mut chunks), 12);
        queue.clear(&mut chunks);
        assert_eq!(chunks.free(), 2);
    }
}
