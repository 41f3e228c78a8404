//! Walks a segment's file past what is damaged in it: sound batches, and the holes between them.
//!
//! A batch's checksum covers all but its first bytes: base offset, length, leader epoch and format.
//! Of these a wrong length or format fails the checksum or the header; a wrong base offset is
//! known by the batches around it.

use crate::batch::{BatchHeader, HEADER_LENGTH};
use precursor_disk::DiskFile;
use precursor_memory::crc32c;
use precursor_model::Offset;
use precursor_protocol::records::MAGIC;
use std::fmt;
use std::io;

const WINDOW: usize = 1 << 20;
/// Where the checksum's coverage begins in a batch (Kafka: `DefaultRecordBatch.ATTRIBUTES_OFFSET`).
const CRC_COVERS_FROM: usize = 21;
/// Bytes that are read of false starts at most, for each byte of the file: a file that is made to
/// be slow ends in one large hole.
const SEARCH_SHARE_MAX: u64 = 8;

/// What is wrong with bytes that should be a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file ends within it.
    Torn,
    /// Nothing but zeroes up to the file's end: room that was made for batches to come.
    Padding,
    /// The header cannot be one's.
    Header {
        length: i32,
        magic: i8,
    },
    Checksum {
        stored: u32,
        computed: u32,
    },
    /// Its offsets were there before, or lie before the segment.
    OffsetsBack {
        base: Offset,
        expected: Offset,
    },
    /// Its offsets belong to the next segment.
    OffsetsBeyond {
        last: Offset,
        next: Offset,
    },
    /// Its base offset is not what the batches around it make it.
    OffsetsMoved {
        base: Offset,
        expected: Offset,
    },
    /// Offsets are missing where no compaction can have been.
    Gap {
        expected: Offset,
        found: Offset,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Torn => f.write_str("the file ends within a batch"),
            Fault::Padding => f.write_str("zeroes up to the end of the file"),
            Fault::Header { length, magic } => {
                write!(f, "no batch has length {length} and format {magic}")
            }
            Fault::Checksum { stored, computed } => write!(
                f,
                "the batch's CRC is {stored:08x}, its bytes make {computed:08x}"
            ),
            Fault::OffsetsBack { base, expected } => write!(
                f,
                "offsets do not increase: the batch begins at {base}, and {expected} or more is due"
            ),
            Fault::OffsetsBeyond { last, next } => write!(
                f,
                "the batch ends at {last}, and the next segment begins at {next}: they overlap"
            ),
            Fault::OffsetsMoved { base, expected } => write!(
                f,
                "the batch says that it begins at {base}; the batches around it say {expected}"
            ),
            Fault::Gap { expected, found } => {
                write!(f, "offsets from {expected} to {} are missing", found - 1)
            }
        }
    }
}

/// Bytes between sound batches, maybe none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub position: u64,
    pub end: u64,
    /// The offset that was due.
    pub first: Offset,
    /// Where the next sound batch begins; `None` when there is none in the file.
    pub next: Option<Offset>,
    pub fault: Fault,
}

/// What comes next in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Batch {
        header: BatchHeader,
        position: u64,
        end: u64,
    },
    Hole(Hole),
}

/// A cursor over a segment's file.
pub(crate) struct SegmentWalk {
    window: Window,
    position: u64,
    expected: Offset,
    /// Where the next segment begins; `None` for the last one.
    next_base: Option<Offset>,
    /// A gap was told; its batch comes next.
    gap_told: bool,
    /// What may still be read in search of the next batch.
    search_left: u64,
}

impl SegmentWalk {
    /// Of the first `size` bytes of the segment at `base`. In the last segment, which compaction
    /// never touches, offsets have no gaps.
    pub fn new(file: DiskFile, size: u64, base: Offset, next_base: Option<Offset>) -> Self {
        SegmentWalk {
            window: Window {
                file,
                size,
                start: 0,
                bytes: Vec::new(),
            },
            position: 0,
            expected: base,
            next_base,
            gap_told: false,
            search_left: SEARCH_SHARE_MAX * size + (64 << 20),
        }
    }

    /// The offset behind the last sound batch.
    pub fn expected(&self) -> Offset {
        self.expected
    }

    /// The bytes of a piece that was just given.
    pub fn bytes(&mut self, position: u64, end: u64) -> io::Result<&[u8]> {
        let length = usize::try_from(end - position).unwrap_or(usize::MAX);
        match self.window.bytes_at(position, length)? {
            Some(bytes) => Ok(bytes),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The next piece; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Piece>> {
        if self.position >= self.window.size {
            return Ok(None);
        }
        let fault = match self.judge(self.position, self.expected)? {
            Ok((header, end)) => match self.misplaced(&header, end)? {
                None => return Ok(Some(self.take(header, end))),
                Some(fault @ Fault::Gap { found, .. }) => {
                    self.gap_told = true;
                    return Ok(Some(Piece::Hole(Hole {
                        position: self.position,
                        end: self.position,
                        first: self.expected,
                        next: Some(found),
                        fault,
                    })));
                }
                Some(fault) => fault,
            },
            Err(fault) => fault,
        };
        self.hole(fault).map(Some)
    }

    fn take(&mut self, header: BatchHeader, end: u64) -> Piece {
        let position = self.position;
        self.gap_told = false;
        self.position = end;
        self.expected = header.last_offset() + 1;
        Piece::Batch {
            header,
            position,
            end,
        }
    }

    /// Whether a sound batch that leaves a gap is where it belongs.
    fn misplaced(&mut self, header: &BatchHeader, end: u64) -> io::Result<Option<Fault>> {
        let expected = self.expected;
        if header.base_offset == expected || self.gap_told {
            return Ok(None);
        }
        let moved = Fault::OffsetsMoved {
            base: header.base_offset,
            expected,
        };
        let due = expected + i64::from(header.last_offset_delta) + 1;
        let follower = self.judge(end, due)?.ok().map(|(next, _)| next.base_offset);
        match (follower, self.next_base) {
            (Some(base), _) if base == due => Ok(Some(moved)),
            (None, Some(next)) if next == due => Ok(Some(moved)),
            (_, Some(_)) => Ok(None),
            // Nothing behind it says which offset is right.
            (None, None) => Ok(Some(moved)),
            (Some(_), None) => Ok(Some(Fault::Gap {
                expected,
                found: header.base_offset,
            })),
        }
    }

    /// The batch at a position, when it is sound and its offsets lie between `least` and the next
    /// segment.
    fn judge(
        &mut self,
        position: u64,
        least: Offset,
    ) -> io::Result<Result<(BatchHeader, u64), Fault>> {
        let next_base = self.next_base;
        let left = self.window.size - position.min(self.window.size);
        let Some(front) = self.window.bytes_at(position, HEADER_LENGTH)? else {
            return Ok(Err(Fault::Torn));
        };
        let Some(header) = BatchHeader::parse_prefix(front) else {
            return Ok(Err(Fault::Torn));
        };
        let Some(length) = header.total_length() else {
            return Ok(Err(Fault::Header {
                length: header.batch_length,
                magic: header.magic,
            }));
        };
        if length as u64 > left {
            return Ok(Err(Fault::Torn));
        }
        if header.base_offset < least {
            return Ok(Err(Fault::OffsetsBack {
                base: header.base_offset,
                expected: least,
            }));
        }
        if let Some(next) = next_base
            && header.last_offset() >= next
        {
            return Ok(Err(Fault::OffsetsBeyond {
                last: header.last_offset(),
                next,
            }));
        }
        let batch = self.bytes(position, position + length as u64)?;
        let computed = crc32c(&batch[CRC_COVERS_FROM..]);
        if computed != header.crc {
            return Ok(Err(Fault::Checksum {
                stored: header.crc,
                computed,
            }));
        }
        Ok(Ok((header, position + length as u64)))
    }

    /// Goes on to the next sound batch.
    fn hole(&mut self, fault: Fault) -> io::Result<Piece> {
        let (position, first) = (self.position, self.expected);
        let found = match self.window.zeroes_from(position)? {
            true => None,
            false => self.search()?,
        };
        let (end, next) = match found {
            Some((at, header)) => (at, Some(header.base_offset)),
            None => (self.window.size, None),
        };
        let fault = match next {
            None if self.window.zeroes_from(position)? => Fault::Padding,
            _ => fault,
        };
        self.position = end;
        // The batch that was found may leave a gap: the hole is that gap.
        self.gap_told = true;
        Ok(Piece::Hole(Hole {
            position,
            end,
            first,
            next,
            fault,
        }))
    }

    /// The next batch that is sound and is no mere content of a damaged one.
    fn search(&mut self) -> io::Result<Option<(u64, BatchHeader)>> {
        let position = self.position;
        let broken = self.window.bytes_at(position, HEADER_LENGTH)?;
        let broken = broken.and_then(BatchHeader::parse_prefix);
        let claimed = broken.and_then(|header| header.total_length());
        if let Some(length) = claimed {
            let at = position.saturating_add(length as u64);
            if let Ok((header, _)) = self.judge(at, self.expected)? {
                return Ok(Some((at, header)));
            }
        }
        let mut at = position + 1;
        while let Some(candidate) = self.window.candidate_from(at)? {
            if let Ok((header, end)) = self.judge_within_budget(candidate)?
                && self.is_confirmed(broken.as_ref(), &header, end)?
            {
                return Ok(Some((candidate, header)));
            }
            at = candidate + 1;
        }
        Ok(None)
    }

    fn judge_within_budget(&mut self, at: u64) -> io::Result<Result<(BatchHeader, u64), Fault>> {
        let front = self.window.bytes_at(at, HEADER_LENGTH)?;
        let length = front
            .and_then(BatchHeader::parse_prefix)
            .and_then(|header| header.total_length());
        let cost = length.unwrap_or(0) as u64;
        if cost > self.window.size - at || cost > self.search_left {
            return Ok(Err(Fault::Torn));
        }
        let judged = self.judge(at, self.expected)?;
        if judged.is_err() {
            self.search_left -= cost;
        }
        Ok(judged)
    }

    /// Records may hold batches of their own: one that was found by searching must be followed by
    /// another or by the file's end, or follow from what the broken header says.
    fn is_confirmed(
        &mut self,
        broken: Option<&BatchHeader>,
        header: &BatchHeader,
        end: u64,
    ) -> io::Result<bool> {
        let delta = broken.map(|broken| i64::from(broken.last_offset_delta));
        let follows = delta.is_some_and(|delta| {
            (0..=i64::from(i32::MAX)).contains(&delta)
                && header.base_offset == self.expected + delta + 1
        });
        if follows || end == self.window.size {
            return Ok(true);
        }
        let due = header.last_offset() + 1;
        let next = self.window.bytes_at(end, HEADER_LENGTH)?;
        let next = next.and_then(BatchHeader::parse_prefix);
        if next.is_some_and(|next| next.base_offset == due && next.magic == MAGIC) {
            return Ok(true);
        }
        Ok(self.window.zeroes_from(end)? || self.judge(end, due)?.is_ok())
    }
}

/// A piece of the file in memory.
struct Window {
    file: DiskFile,
    size: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// Bytes at a position; `None` when the file has fewer.
    fn bytes_at(&mut self, position: u64, length: usize) -> io::Result<Option<&[u8]>> {
        let end = position.saturating_add(length as u64);
        if end > self.size {
            return Ok(None);
        }
        let held = self.start + self.bytes.len() as u64;
        if position < self.start || end > held {
            let most = usize::try_from(self.size - position).unwrap_or(usize::MAX);
            self.bytes.clear();
            self.bytes.resize(length.max(WINDOW).min(most), 0);
            self.start = position;
            let got = self.file.read_at(&mut self.bytes, position)?;
            self.bytes.truncate(got);
            if got < length {
                return Ok(None);
            }
        }
        let from = (position - self.start) as usize;
        Ok(self.bytes.get(from..from + length))
    }

    /// The first position from `at` on where a header could begin.
    fn candidate_from(&mut self, at: u64) -> io::Result<Option<u64>> {
        let mut at = at;
        while at + HEADER_LENGTH as u64 <= self.size {
            let most = (self.size - at).min(WINDOW as u64) as usize;
            let Some(bytes) = self.bytes_at(at, most)? else {
                return Ok(None);
            };
            let plausible = |front: &[u8]| {
                front[16] == MAGIC as u8
                    && BatchHeader::parse_prefix(front)
                        .is_some_and(|header| header.total_length().is_some())
            };
            if let Some(found) = bytes.windows(HEADER_LENGTH).position(plausible) {
                return Ok(Some(at + found as u64));
            }
            at += (most - HEADER_LENGTH + 1) as u64;
        }
        Ok(None)
    }

    /// Whether nothing but zeroes comes from a position on.
    fn zeroes_from(&mut self, position: u64) -> io::Result<bool> {
        let mut at = position;
        while at < self.size {
            let most = (self.size - at).min(WINDOW as u64) as usize;
            match self.bytes_at(at, most)? {
                Some(bytes) if bytes.iter().all(|byte| *byte == 0) => at += most as u64,
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
