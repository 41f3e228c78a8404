//! Reads a container: chunk by chunk, each checked, found by the index or without it.

use crate::coldseg::dictionary::Dictionary;
use crate::coldseg::format::{
    ENTRY_BYTES, NoSummary, PREFIX_BYTES, Prefix, SUMMARY_BYTES, Summary,
};
use precursor_compression::{ColdCodec, ColdDecompressor};
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_memory::crc32c_append;
use precursor_model::Offset;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Bytes of the index that are read at once.
const INDEX_PIECE: usize = 64 << 10;

/// An open container.
pub(crate) struct Container {
    file: DiskFile,
    summary: Summary,
    /// What of the file's two summaries is sound.
    pub summaries_sound: [bool; 2],
    /// A chunk whose place is known, for when the index is no help.
    hint: Mutex<(u32, u64)>,
}

/// A chunk as it is stored.
pub(crate) type StoredChunk = (ColdCodec, Vec<u8>);

impl Container {
    /// Opens the container at `path`, which is of the segment that begins at `base`. One of which
    /// both summaries are damaged holds nothing.
    ///
    /// # Errors
    /// What the disk says; `Unsupported` for a version that is not known here.
    pub fn open(files: &dyn FileSystem, path: &Path, base: Offset) -> io::Result<Container> {
        let file = files.open(path, OpenMode::Read)?;
        let length = file.length()?;
        let last = length.saturating_sub(SUMMARY_BYTES as u64);
        let first = read_summary(&file, 0)?;
        let second = read_summary(&file, last)?;
        let mut summaries_sound = [false; 2];
        let mut summary = None;
        for (at, found) in [first, second].into_iter().enumerate() {
            match found {
                Ok(found) if found.base == base => {
                    summaries_sound[at] = true;
                    summary.get_or_insert(found);
                }
                Err(NoSummary::Version(version)) => {
                    let message = format!(
                        "{} is a container of version {version}; this program knows them up to {}",
                        path.display(),
                        super::format::VERSION
                    );
                    return Err(io::Error::new(ErrorKind::Unsupported, message));
                }
                _ => {}
            }
        }
        Ok(Container {
            file,
            summary: summary.unwrap_or(Summary {
                base,
                plain_bytes: 0,
                chunk_bytes: *super::format::CHUNK_BYTES.start(),
                dictionary: 0,
                index_position: SUMMARY_BYTES as u64,
                index_crc: 0,
            }),
            summaries_sound,
            hint: Mutex::new((0, SUMMARY_BYTES as u64)),
        })
    }

    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Bytes of the file.
    pub fn stored_bytes(&self) -> io::Result<u64> {
        self.file.length()
    }

    /// Whether the file has the length that it says, and its index is as it was written.
    pub fn is_index_sound(&self) -> io::Result<bool> {
        if self.file.length()? != self.summary.file_bytes() {
            return Ok(false);
        }
        let mut left = self.summary.chunks() as usize * ENTRY_BYTES;
        let mut at = self.summary.index_position;
        let mut crc = 0;
        let mut piece = vec![0; INDEX_PIECE.min(left)];
        while left > 0 {
            let count = piece.len().min(left);
            if self.file.read_at(&mut piece[..count], at)? < count {
                return Ok(false);
            }
            crc = crc32c_append(crc, &piece[..count]);
            at += count as u64;
            left -= count;
        }
        Ok(crc == self.summary.index_crc)
    }

    /// A chunk as it is stored; `None` when it is damaged.
    pub fn stored_chunk(&self, chunk: u32) -> io::Result<Option<StoredChunk>> {
        if let Some(position) = self.indexed(chunk)?
            && let Some(found) = self.chunk_at(chunk, position)?
        {
            return Ok(Some(found));
        }
        match self.walk_to(chunk)? {
            Some(position) => self.chunk_at(chunk, position),
            None => Ok(None),
        }
    }

    /// Where the index says that a chunk is.
    fn indexed(&self, chunk: u32) -> io::Result<Option<u64>> {
        let at = self.summary.index_position + u64::from(chunk) * ENTRY_BYTES as u64;
        let mut entry = [0; ENTRY_BYTES];
        let got = self.file.read_at(&mut entry, at)?;
        let position = u64::from_le_bytes(entry);
        let within = (SUMMARY_BYTES as u64..self.summary.index_position).contains(&position);
        Ok((got == ENTRY_BYTES && within).then_some(position))
    }

    fn prefix_at(&self, chunk: u32, position: u64) -> io::Result<Option<Prefix>> {
        let mut bytes = [0; PREFIX_BYTES];
        let got = self.file.read_at(&mut bytes, position)?;
        let prefix = Prefix::decode(&bytes, chunk, self.summary.plain_bytes_of(chunk));
        Ok(prefix.filter(|prefix| {
            let end = position + PREFIX_BYTES as u64 + u64::from(prefix.length);
            got == PREFIX_BYTES && end <= self.summary.index_position
        }))
    }

    fn chunk_at(&self, chunk: u32, position: u64) -> io::Result<Option<StoredChunk>> {
        let Some(prefix) = self.prefix_at(chunk, position)? else {
            return Ok(None);
        };
        let mut bytes = vec![0; prefix.length as usize];
        let got = self
            .file
            .read_at(&mut bytes, position + PREFIX_BYTES as u64)?;
        let sound = got == bytes.len() && prefix.crc_with(&bytes) == prefix.crc;
        Ok(sound.then_some((prefix.codec, bytes)))
    }

    /// Where a chunk is by the lengths of those before it.
    fn walk_to(&self, chunk: u32) -> io::Result<Option<u64>> {
        let hint = *self.hint.lock().unwrap_or_else(PoisonError::into_inner);
        let start = match hint.0 <= chunk {
            true => hint,
            false => (0, SUMMARY_BYTES as u64),
        };
        let (mut at, mut position) = start;
        while at < chunk {
            let Some(prefix) = self.prefix_at(at, position)? else {
                return Ok(None);
            };
            position += PREFIX_BYTES as u64 + u64::from(prefix.length);
            at += 1;
        }
        *self.hint.lock().unwrap_or_else(PoisonError::into_inner) = (at, position);
        Ok(Some(position))
    }

    /// The dictionary that the chunks need, checked: `Ok(None)` when it is missing or damaged.
    pub fn read_dictionary(
        &self,
        files: &dyn FileSystem,
        directory: &Path,
    ) -> io::Result<Option<Dictionary>> {
        match self.open_dictionary(files, directory)? {
            Some(file) => self.dictionary_in(&file),
            None => Ok(None),
        }
    }

    /// The file of the dictionary that the chunks need; `None` when it is missing.
    pub fn open_dictionary(
        &self,
        files: &dyn FileSystem,
        directory: &Path,
    ) -> io::Result<Option<DiskFile>> {
        let path = super::dictionary::path_of(directory, self.summary.dictionary);
        match files.open(&path, OpenMode::Read) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The dictionary in a file, if it is the one that the chunks need.
    pub fn dictionary_in(&self, file: &DiskFile) -> io::Result<Option<Dictionary>> {
        let found = Dictionary::read(file)?;
        Ok(found.filter(|dictionary| dictionary.id == self.summary.dictionary))
    }

    /// A chunk as it was; `None` when it is damaged.
    pub fn plain_chunk(
        &self,
        chunk: u32,
        decompressor: &mut ColdDecompressor,
    ) -> io::Result<Option<Vec<u8>>> {
        let Some((codec, bytes)) = self.stored_chunk(chunk)? else {
            return Ok(None);
        };
        let length = self.summary.plain_bytes_of(chunk);
        Ok(decompressor.decompress(codec, &bytes, length).ok())
    }
}

/// The dictionary that a container names; `None` when its summary cannot be read.
pub(crate) fn dictionary_of(files: &dyn FileSystem, path: &Path) -> io::Result<Option<u64>> {
    let file = files.open(path, OpenMode::Read)?;
    let last = file.length()?.saturating_sub(SUMMARY_BYTES as u64);
    let first = read_summary(&file, 0)?;
    let found = match first {
        Ok(summary) => Ok(summary),
        Err(_) => read_summary(&file, last)?,
    };
    Ok(found.ok().map(|summary| summary.dictionary))
}

fn read_summary(file: &DiskFile, at: u64) -> io::Result<Result<Summary, NoSummary>> {
    let mut bytes = [0; SUMMARY_BYTES];
    let got = file.read_at(&mut bytes, at)?;
    Ok(match got == SUMMARY_BYTES {
        true => Summary::decode(&bytes),
        false => Err(NoSummary::Damaged),
    })
}
