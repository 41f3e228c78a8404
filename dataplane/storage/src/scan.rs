//! Walks the batches of one segment as disk and region together hold them.
//!
//! What the region holds was published after it was copied, and may be newer than the disk: it is
//! tried first, and the disk's own bytes where it does not hold up.

use crate::ahead::{Ahead, WINDOW, Window};
use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::transactions::Marker;
use precursor_disk::{BLOCK, DiskFile};
use precursor_model::Offset;
use std::io;

/// Published bytes of an extent that was found in the region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemoryPiece {
    pub segment_base: Offset,
    /// In the segment's file.
    pub position: u64,
    pub bytes: Vec<u8>,
}

impl MemoryPiece {
    pub fn end(&self) -> u64 {
        self.position + self.bytes.len() as u64
    }
}

/// A cursor over one segment.
pub(crate) struct SegmentScan<'a> {
    file: DiskFile,
    /// The same, past the page cache where that is possible: everything is read once, as fast as
    /// the disk gives it, and nothing else is to lose its place there.
    reader: Ahead,
    memory: Vec<&'a MemoryPiece>,
    disk_end: u64,
    end: u64,
    window_start: u64,
    window: Window,
    /// Range of the window that came from memory and held up, to be written to the file.
    unwritten: Option<(u64, u64)>,
    /// Bytes that were written because only memory had them, or had them right.
    pub rescued: u64,
}

impl<'a> SegmentScan<'a> {
    /// `memory`: pieces of this segment. `reader`: the file again, opened for data.
    pub fn new(file: DiskFile, reader: DiskFile, memory: Vec<&'a MemoryPiece>) -> io::Result<Self> {
        let disk_end = file.length()?;
        let memory_end = memory.iter().map(|piece| piece.end()).max().unwrap_or(0);
        Ok(SegmentScan {
            file,
            reader: Ahead::new(reader),
            memory,
            disk_end,
            end: disk_end.max(memory_end),
            window_start: 0,
            window: Window::default(),
            unwritten: None,
            rescued: 0,
        })
    }

    /// The sound batch at `position` whose base offset is `expected`, if there is one. With
    /// `gaps_until` it may also begin later, and end below that.
    pub fn batch_at(
        &mut self,
        position: u64,
        expected: Offset,
        gaps_until: Option<Offset>,
    ) -> io::Result<Option<Batch>> {
        let remaining = self.end.saturating_sub(position);
        if remaining < HEADER_LENGTH as u64 {
            return Ok(None);
        }
        self.load(position, HEADER_LENGTH)?;
        let follows = |header: &BatchHeader| match gaps_until {
            Some(end) => header.base_offset >= expected && header.last_offset() < end,
            None => header.base_offset == expected,
        };
        if let Some(length) = plausible(self.view(position), follows, remaining) {
            self.load(position, length)?;
            let batch = &self.view(position)[..length];
            let header = sound(batch);
            if let Some(header) = header {
                let marker = Marker::of_bytes(&header, batch);
                let end = position + length as u64;
                if self.is_from_memory(position, end) {
                    self.note_unwritten(position, end);
                }
                return Ok(Some(Batch {
                    header,
                    marker,
                    end,
                }));
            }
        }
        if !self.is_from_memory(position, self.end) {
            return Ok(None);
        }
        self.disk_batch_at(position, expected)
    }

    fn disk_batch_at(&mut self, position: u64, expected: Offset) -> io::Result<Option<Batch>> {
        self.write_back()?;
        let remaining = self.disk_end.saturating_sub(position);
        if remaining < HEADER_LENGTH as u64 {
            return Ok(None);
        }
        let mut bytes = vec![0; HEADER_LENGTH];
        self.file.read_at(&mut bytes, position)?;
        let follows = |header: &BatchHeader| header.base_offset == expected;
        let Some(length) = plausible(&bytes, follows, remaining) else {
            return Ok(None);
        };
        bytes.resize(length, 0);
        self.file.read_at(&mut bytes, position)?;
        Ok(sound(&bytes).map(|header| Batch {
            marker: Marker::of_bytes(&header, &bytes),
            header,
            end: position + length as u64,
        }))
    }

    fn view(&self, position: u64) -> &[u8] {
        &self.window.bytes()[(position - self.window_start) as usize..]
    }

    fn load(&mut self, position: u64, length: usize) -> io::Result<()> {
        let window_end = self.window_start + self.window.len() as u64;
        if position >= self.window_start && position + length as u64 <= window_end {
            return Ok(());
        }
        self.write_back()?;
        let held = (self.window_start, &mut self.window);
        let start = self.reader.load(held, position, length, self.end)?;
        self.window_start = start;
        let end = start + self.window.len() as u64;
        let window = self.window.bytes_mut();
        for piece in &self.memory {
            let from = piece.position.max(start);
            let to = piece.end().min(end);
            if from < to {
                let source =
                    &piece.bytes[(from - piece.position) as usize..][..(to - from) as usize];
                window[(from - start) as usize..][..source.len()].copy_from_slice(source);
            }
        }
        Ok(())
    }

    fn is_from_memory(&self, from: u64, to: u64) -> bool {
        let overlaps = |piece: &&MemoryPiece| piece.position < to && from < piece.end();
        self.memory.iter().any(overlaps)
    }

    fn note_unwritten(&mut self, from: u64, to: u64) {
        let start = self.unwritten.map_or(from, |range| range.0);
        self.unwritten = Some((start, to));
    }

    /// Writes what held up in memory to the file.
    pub fn write_back(&mut self) -> io::Result<()> {
        let Some((from, to)) = self.unwritten.take() else {
            return Ok(());
        };
        let from_start = (from - self.window_start) as usize;
        let bytes = &self.window.bytes()[from_start..][..(to - from) as usize];
        self.file.write_at(bytes, from)?;
        self.rescued += to - from;
        self.disk_end = self.disk_end.max(to);
        Ok(())
    }

    /// What memory holds past `position`: bytes that did not hold up. A batch that was being copied
    /// when the process died was never acknowledged and is not counted.
    pub fn rejected(&mut self, position: u64, expected: Offset) -> io::Result<Vec<MemoryPiece>> {
        if self.is_incomplete_batch(position, expected)? {
            return Ok(Vec::new());
        }
        Ok(self
            .memory
            .iter()
            .filter(|piece| piece.end() > position)
            .map(|piece| (*piece).clone())
            .collect())
    }

    fn is_incomplete_batch(&mut self, position: u64, expected: Offset) -> io::Result<bool> {
        let memory_end = self.memory.iter().map(|piece| piece.end()).max();
        let held = memory_end.unwrap_or(0).saturating_sub(position);
        if held < HEADER_LENGTH as u64 {
            return Ok(true);
        }
        self.load(position, HEADER_LENGTH)?;
        let header = BatchHeader::parse_prefix(self.view(position));
        let Some(header) = header else {
            return Ok(false);
        };
        let longer = header.total_length().is_some_and(|n| n as u64 > held);
        Ok(longer && header.base_offset == expected)
    }
}

/// A sound batch and where the next one begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub header: BatchHeader,
    /// What a control batch says.
    pub marker: Option<Marker>,
    pub end: u64,
}

fn plausible(
    bytes: &[u8],
    follows: impl Fn(&BatchHeader) -> bool,
    remaining: u64,
) -> Option<usize> {
    let header = BatchHeader::parse_prefix(bytes)?;
    let length = header.total_length()?;
    (follows(&header) && length as u64 <= remaining).then_some(length)
}

fn sound(batch: &[u8]) -> Option<BatchHeader> {
    let header = BatchHeader::parse_prefix(batch)?;
    header.checksum_holds(batch).then_some(header)
}

/// Calls `visit` for each batch from `position` to `end` by headers alone, as long as they make
/// sense. For bytes that were validated when they were written.
pub(crate) fn walk_headers(
    file: &DiskFile,
    mut position: u64,
    end: u64,
    mut visit: impl FnMut(&BatchHeader, u64) -> bool,
) -> io::Result<()> {
    let mut window = vec![0; WINDOW];
    let mut start = 0;
    let mut held = 0;
    while position + HEADER_LENGTH as u64 <= end {
        if position < start || position + HEADER_LENGTH as u64 > start + held as u64 {
            start = position / BLOCK * BLOCK;
            held = file.read_at(&mut window, start)?;
        }
        let bytes = &window[(position - start) as usize..held];
        let Some(header) = BatchHeader::parse_prefix(bytes) else {
            return Ok(());
        };
        let Some(length) = header.total_length() else {
            return Ok(());
        };
        if !visit(&header, position) {
            return Ok(());
        }
        position += length as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_disk::sim::Random;
    use precursor_disk::{FileSystem, OpenMode, RandomFile, SystemFileSystem};
    use precursor_protocol::records::BatchBuilder;
    use std::os::fd::RawFd;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::ThreadId;

    /// Counts reads by another thread than the one that made it.
    struct Watched {
        file: DiskFile,
        own: ThreadId,
        by_others: AtomicUsize,
    }

    impl RandomFile for Watched {
        fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
            let is_other = std::thread::current().id() != self.own;
            self.by_others
                .fetch_add(usize::from(is_other), Ordering::Relaxed);
            self.file.read_at(buffer, offset)
        }
        fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            self.file.write_at(bytes, offset)
        }
        fn length(&self) -> io::Result<u64> {
            self.file.length()
        }
        fn set_length(&self, length: u64) -> io::Result<()> {
            self.file.set_length(length)
        }
        fn reserve(&self, end: u64) -> io::Result<()> {
            self.file.reserve(end)
        }
        fn sync(&self) -> io::Result<()> {
            self.file.sync()
        }
        fn descriptor(&self) -> Option<RawFd> {
            self.file.descriptor()
        }
    }

    /// Batches one after another, some longer than a window, up to about `bytes`; where each begins.
    fn segment(random: &mut Random, bytes: usize) -> (Vec<u8>, Vec<usize>) {
        let (mut all, mut starts) = (Vec::new(), Vec::new());
        while all.len() < bytes {
            let length = match random.below(20) {
                0 => 3 * WINDOW as u64 / 2 + random.below(100_000),
                1..5 => 400_000 + random.below(600_000),
                _ => 100 + random.below(60_000),
            };
            let mut builder = BatchBuilder::new();
            builder.append(
                1,
                None,
                Some(&vec![random.number() as u8; length as usize]),
                &[],
            );
            let start = all.len();
            builder.build(&mut all);
            all[start..start + 8].copy_from_slice(&(starts.len() as i64).to_be_bytes());
            starts.push(start);
        }
        (all, starts)
    }

    #[test]
    fn what_is_read_ahead_is_what_the_file_and_memory_hold() {
        for seed in 0..6 {
            let mut random = Random::new(seed);
            let (bytes, starts) = segment(&mut random, 24 << 20);
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("log");
            // Every other time the last batches are on disk in part, and two in the middle are damaged
            // there: memory has them.
            let remembered = seed % 2 == 1;
            let lost = random.below(3 << 20) as usize;
            let on_disk = bytes.len() - if remembered { lost } else { 0 };
            let mut damaged = bytes[..on_disk].to_vec();
            let middle = starts.len() / 2;
            damaged[starts[middle] + 70] ^= u8::from(remembered);
            damaged[starts[middle + 1] + 70] ^= u8::from(remembered);
            std::fs::write(&path, &damaged).unwrap();
            let files = SystemFileSystem::new(true);
            let watched = Arc::new(Watched {
                file: files.open(&path, OpenMode::Data).unwrap(),
                own: std::thread::current().id(),
                by_others: AtomicUsize::new(0),
            });
            let piece = |from: usize, to: usize| MemoryPiece {
                segment_base: 0,
                position: from as u64,
                bytes: bytes[from..to].to_vec(),
            };
            let end = starts.iter().rfind(|start| **start < on_disk).unwrap();
            let pieces = [
                piece(starts[middle], starts[middle + 2]),
                piece(*end, bytes.len()),
            ];
            let plain = files.open(&path, OpenMode::Plain).unwrap();
            let pieces = if remembered { &pieces[..] } else { &[] };
            let mut scan =
                SegmentScan::new(plain, watched.clone(), pieces.iter().collect()).unwrap();
            let (mut position, mut found) = (0, Vec::new());
            while let Some(batch) = scan.batch_at(position, found.len() as i64, None).unwrap() {
                found.push(position as usize);
                position = batch.end;
            }
            scan.write_back().unwrap();
            assert_eq!(found, starts, "seed {seed}");
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "seed {seed}");
            let ahead = watched.by_others.load(Ordering::Relaxed);
            assert!(ahead >= 12, "seed {seed}: {ahead} pieces were read ahead");
        }
    }
}
