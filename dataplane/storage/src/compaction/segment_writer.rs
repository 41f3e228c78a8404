//! Writes what stays of a group of segments into one new segment.

use crate::batch::BatchHeader;
use crate::compaction::groups::Source;
use crate::compaction::pace::Pace;
use crate::index_builder::IndexBuilder;
use crate::layout::segment_file;
use crate::transactions::{AbortedTransaction, TRANSACTION_INDEX, read_aborted, write_entries};
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_model::Offset;
use std::io::{self, ErrorKind};
use std::path::Path;

const BUFFER: usize = 1 << 20;

/// A segment that is to take the place of others; its files end in `.cleaned`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CleanedSegment {
    pub sources: Vec<Source>,
    pub size: u64,
    pub newest: Option<(i64, Offset)>,
    /// Timestamp of the first batch.
    pub first_ms: Option<i64>,
    /// Those whose markers stay.
    pub aborted: Vec<AbortedTransaction>,
}

/// Takes the batches of a group in order.
pub(crate) struct SegmentWriter<'a> {
    files: &'a dyn FileSystem,
    directory: &'a Path,
    sources: &'a [Source],
    /// A single segment of which everything stayed so far: nothing is written yet.
    unchanged: Option<DiskFile>,
    file: Option<DiskFile>,
    buffer: Vec<u8>,
    /// Bytes of the new segment, written or in the buffer.
    size: u64,
    /// The offset behind the last batch.
    end: Offset,
    index: IndexBuilder,
    /// Offsets of control batches that stay with their records.
    markers: Vec<Offset>,
}

impl<'a> SegmentWriter<'a> {
    /// `only`: the file of a group that is a single segment.
    pub fn new(
        files: &'a dyn FileSystem,
        directory: &'a Path,
        sources: &'a [Source],
        only: Option<DiskFile>,
        index_interval: u32,
    ) -> Self {
        let base = sources[0].base;
        SegmentWriter {
            files,
            directory,
            sources,
            unchanged: only,
            file: None,
            buffer: Vec::new(),
            size: 0,
            end: base,
            index: IndexBuilder::new(base, index_interval),
            markers: Vec::new(),
        }
    }

    /// The next batch stays as it is.
    pub fn keep(&mut self, batch: &[u8], pace: &mut Pace) -> io::Result<()> {
        self.note(batch)?;
        match self.unchanged {
            Some(_) => Ok(()),
            None => self.write(batch, pace),
        }
    }

    /// Something else, or nothing, comes in the place of the next batch.
    pub fn change(&mut self, batch: Option<&[u8]>, pace: &mut Pace) -> io::Result<()> {
        self.copy_unchanged(pace)?;
        match batch {
            Some(batch) => {
                self.note(batch)?;
                self.write(batch, pace)
            }
            None => Ok(()),
        }
    }

    fn note(&mut self, batch: &[u8]) -> io::Result<()> {
        let header = BatchHeader::parse_prefix(batch).ok_or(ErrorKind::InvalidData)?;
        let size = self.size + batch.len() as u64;
        // Positions are 32 bits with a sign in Kafka's index.
        let fits = size <= i32::MAX as u64 && self.index.note(&header, self.size);
        if !fits {
            let message = "what stays does not fit into a segment";
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        if header.is_control() && header.count > 0 {
            self.markers.push(header.base_offset);
        }
        self.size = size;
        self.end = header.last_offset() + 1;
        Ok(())
    }

    /// From here on the new segment differs from the only source.
    fn copy_unchanged(&mut self, pace: &mut Pace) -> io::Result<()> {
        let Some(source) = self.unchanged.take() else {
            return Ok(());
        };
        let mut copied = 0;
        while copied < self.size {
            let count = (self.size - copied).min(BUFFER as u64);
            let mut piece = vec![0; count as usize];
            if source.read_at(&mut piece, copied)? < piece.len() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.open()?.write_at(&piece, copied)?;
            pace.spend(2 * piece.len())?;
            copied += count;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<&DiskFile> {
        if self.file.is_none() {
            let path = segment_file(self.directory, self.sources[0].base, "log.cleaned");
            let file = self.files.open(&path, OpenMode::Create)?;
            file.set_length(0)?;
            self.file = Some(file);
        }
        self.file.as_ref().ok_or(ErrorKind::NotFound.into())
    }

    fn write(&mut self, batch: &[u8], pace: &mut Pace) -> io::Result<()> {
        self.buffer.extend_from_slice(batch);
        if self.buffer.len() >= BUFFER {
            self.flush(pace)?;
        }
        Ok(())
    }

    /// `size` counts what the buffer holds.
    fn flush(&mut self, pace: &mut Pace) -> io::Result<()> {
        let start = self.size - self.buffer.len() as u64;
        let bytes = std::mem::take(&mut self.buffer);
        self.open()?.write_at(&bytes, start)?;
        pace.spend(bytes.len())?;
        self.buffer = bytes;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the new segment's bytes durable and writes its indexes; `None` when the only source
    /// is what it would be.
    ///
    /// # Errors
    /// `InvalidData` when the last batch does not reach the next segment.
    pub fn finish(mut self, pace: &mut Pace) -> io::Result<Option<CleanedSegment>> {
        if self.unchanged.is_some() {
            return Ok(None);
        }
        let last = self.sources[self.sources.len() - 1];
        if self.end != last.end {
            let message = format!("a segment ends at {} and not {}", self.end, last.end);
            return Err(io::Error::new(ErrorKind::InvalidData, message));
        }
        self.flush(pace)?;
        self.open()?.sync()?;
        let index = self.index.finish();
        for (kind, bytes) in [
            ("index.cleaned", index.offset_bytes()),
            ("timeindex.cleaned", index.time_bytes()),
        ] {
            let path = segment_file(self.directory, self.sources[0].base, kind);
            let file = self.files.open(&path, OpenMode::Create)?;
            file.set_length(bytes.len() as u64)?;
            file.write_at(&bytes, 0)?;
        }
        let aborted = self.aborted()?;
        if !aborted.is_empty() {
            let kind = format!("{TRANSACTION_INDEX}.cleaned");
            let path = segment_file(self.directory, self.sources[0].base, &kind);
            write_entries(self.files, &path, 0, &aborted)?;
        }
        Ok(Some(CleanedSegment {
            sources: self.sources.to_vec(),
            size: self.size,
            newest: self.index.newest,
            first_ms: self.index.first_ms,
            aborted,
        }))
    }

    /// A marker that goes must not leave its entry behind: a reader would wait for the marker, and
    /// pass over whatever its producer committed later.
    fn aborted(&self) -> io::Result<Vec<AbortedTransaction>> {
        let mut stays = Vec::new();
        for source in self.sources {
            let aborted = read_aborted(self.files, self.directory, source.base, source.end)?;
            let Some(aborted) = aborted else {
                let message = format!(
                    "the transaction index of segment {} is damaged",
                    source.base
                );
                return Err(io::Error::new(ErrorKind::InvalidData, message));
            };
            let kept =
                |entry: &AbortedTransaction| self.markers.binary_search(&entry.last_offset).is_ok();
            stays.extend(aborted.into_iter().filter(kept));
        }
        Ok(stays)
    }
}
