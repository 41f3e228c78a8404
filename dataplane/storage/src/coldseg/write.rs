//! Writes the container of a segment and reads it back, on a thread of its own.

use crate::coldseg::begun_path;
use crate::coldseg::choose::{Candidates, Choice};
use crate::coldseg::container::Container;
use crate::coldseg::dictionary::present;
use crate::coldseg::format::{ENTRY_BYTES, PREFIX_BYTES, Prefix, SUMMARY_BYTES, Summary};
use crate::coldseg::sample;
use crate::coldseg::throttle::Throttle;
use crate::layout::segment_file;
use precursor_compression::{ColdCodec, ColdDecompressor};
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_memory::{crc32c, crc32c_append};
use precursor_model::{ColdCompression, Offset};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

/// Percent of its bytes that a segment must at least lose, or it stays as it is.
const GAIN_PERCENT_MIN: u64 = 5;
/// Bytes of compressed chunks that are written at once.
const BUFFER: usize = 1 << 20;

/// A segment that is to be compressed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub directory: Arc<PathBuf>,
    pub base: Offset,
    /// Bytes of the file that hold batches: all of them.
    pub size: u64,
    pub kind: ColdCompression,
    /// `None`: the codec's own.
    pub level: Option<i32>,
    pub chunk_bytes: u32,
}

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// A container lies ready to be put in its place.
    Container,
    /// It would gain too little.
    NotWorthwhile,
}

/// The thread's state.
pub(crate) struct Worker {
    pub files: Arc<dyn FileSystem>,
    pub throttle: Throttle,
}

impl Worker {
    /// Compresses a segment, blocking.
    ///
    /// # Errors
    /// What the disk says; `InvalidData` for a segment with damaged batches, which stays as it is.
    pub fn run(&mut self, plan: &Plan) -> io::Result<Made> {
        let made = self.make(plan);
        if !matches!(made, Ok(Made::Container)) {
            // Nobody will ask for it.
            let _ = super::discard(&*self.files, &plan.directory, plan.base);
        }
        made
    }

    fn make(&mut self, plan: &Plan) -> io::Result<Made> {
        let path = segment_file(&plan.directory, plan.base, "log");
        let source = self.files.open(&path, OpenMode::Plain)?;
        let sample = sample::walk(&source, plan.size, &mut self.throttle)?;
        let chunks = sample::chunks(&source, plan.size, plan.chunk_bytes)?;
        let candidates = Candidates {
            kind: plan.kind,
            level: plan.level,
            pieces: &sample.pieces,
            chunks: &chunks,
            size: plan.size,
            dictionaries: present(&*self.files, &plan.directory)?,
        };
        let choice = self.throttle.work(|| candidates.choose())?;
        drop(chunks);
        let stored = self.write(plan, &source, &choice)?;
        if stored > plan.size * (100 - GAIN_PERCENT_MIN) / 100 {
            return Ok(Made::NotWorthwhile);
        }
        self.read_back(plan, &choice, sample.crc)?;
        tracing::debug!(
            segment = %path.display(),
            codec = ?choice.codec,
            level = choice.level,
            dictionary = choice.dictionary.as_ref().map_or(0, |d| d.id),
            before = plan.size,
            after = stored,
            "compressed a cold segment"
        );
        Ok(Made::Container)
    }

    /// Bytes of the container, which is durable then.
    fn write(&mut self, plan: &Plan, source: &DiskFile, choice: &Choice) -> io::Result<u64> {
        let path = begun_path(&plan.directory, plan.base);
        let file = self.files.open(&path, OpenMode::Create)?;
        file.set_length(0)?;
        let mut summary = Summary {
            base: plan.base,
            plain_bytes: plan.size,
            chunk_bytes: plan.chunk_bytes,
            dictionary: choice.dictionary.as_ref().map_or(0, |d| d.id),
            index_position: 0,
            index_crc: 0,
        };
        let prefixes = u64::from(summary.chunks()) * PREFIX_BYTES as u64;
        summary.index_position = SUMMARY_BYTES as u64 + prefixes;
        // The dictionary is kept from here on: whoever removes those that are not needed sees
        // what this file names.
        file.write_at(&summary.encode(), 0)?;
        if let Some(dictionary) = &choice.dictionary {
            dictionary.write(&*self.files, &plan.directory)?;
        }
        let mut writer = Writer {
            file: file.clone(),
            position: SUMMARY_BYTES as u64,
            buffer: Vec::with_capacity(BUFFER + plan.chunk_bytes as usize),
            index: Vec::with_capacity(summary.chunks() as usize * ENTRY_BYTES),
        };
        let mut compressor = choice.compressor()?;
        let mut plain = vec![0; plan.chunk_bytes as usize];
        for chunk in 0..summary.chunks() {
            let plain = &mut plain[..summary.plain_bytes_of(chunk)];
            let at = u64::from(chunk) * u64::from(plan.chunk_bytes);
            if source.read_at(plain, at)? < plain.len() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.throttle.pace().spend(plain.len())?;
            let compressed = self.throttle.work(|| compressor.compress(plain))?;
            let written = match compressed.len() < plain.len() {
                true => writer.chunk(chunk, choice.codec, &compressed)?,
                false => writer.chunk(chunk, ColdCodec::Stored, plain)?,
            };
            self.throttle.pace().spend(written)?;
        }
        writer.finish(summary)
    }

    /// Reads the finished container as fetches will, and compares it with what was compressed.
    fn read_back(&mut self, plan: &Plan, choice: &Choice, crc: u32) -> io::Result<()> {
        let wrong = |what: &str| {
            let message = format!("the container of segment {} {what}", plan.base);
            io::Error::other(message)
        };
        let path = begun_path(&plan.directory, plan.base);
        let container = Container::open(&*self.files, &path, plan.base)?;
        if container.summaries_sound != [true; 2] || !container.is_index_sound()? {
            return Err(wrong("was not written as it should be"));
        }
        let dictionary = match &choice.dictionary {
            None => None,
            Some(_) => {
                let found = container.read_dictionary(&*self.files, &plan.directory)?;
                Some(found.ok_or_else(|| wrong("lacks its dictionary"))?)
            }
        };
        let bytes = dictionary.as_ref().map(|dictionary| &dictionary.bytes[..]);
        let mut decompressor = ColdDecompressor::new(bytes)?;
        let mut found = 0;
        for chunk in 0..container.summary().chunks() {
            let read = || container.plain_chunk(chunk, &mut decompressor);
            let plain = self.throttle.work(read)?;
            let plain = plain.ok_or_else(|| wrong("does not give back a chunk"))?;
            found = crc32c_append(found, &plain);
            self.throttle.pace().spend(plain.len())?;
        }
        match found == crc {
            true => Ok(()),
            false => Err(wrong("gives back other bytes")),
        }
    }
}

struct Writer {
    file: DiskFile,
    /// Of what is not in the buffer.
    position: u64,
    buffer: Vec<u8>,
    index: Vec<u8>,
}

impl Writer {
    /// Bytes that were handed to the disk.
    fn chunk(&mut self, chunk: u32, codec: ColdCodec, bytes: &[u8]) -> io::Result<usize> {
        let at = self.position + self.buffer.len() as u64;
        self.index.extend_from_slice(&at.to_le_bytes());
        let prefix = Prefix::of(chunk, codec, bytes);
        self.buffer.extend_from_slice(&prefix.encode());
        self.buffer.extend_from_slice(bytes);
        match self.buffer.len() >= BUFFER {
            true => self.flush(),
            false => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<usize> {
        self.file.write_at(&self.buffer, self.position)?;
        let written = self.buffer.len();
        self.position += written as u64;
        self.buffer.clear();
        Ok(written)
    }

    fn finish(mut self, mut summary: Summary) -> io::Result<u64> {
        self.flush()?;
        summary.index_position = self.position;
        summary.index_crc = crc32c(&self.index);
        self.buffer = std::mem::take(&mut self.index);
        self.buffer.extend_from_slice(&summary.encode());
        self.flush()?;
        self.file.write_at(&summary.encode(), 0)?;
        self.file.sync()?;
        Ok(self.position)
    }
}
