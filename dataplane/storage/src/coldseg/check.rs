//! Tells what of a container can be read.

use crate::coldseg::container::Container;
use crate::coldseg::container_path;
use precursor_compression::ColdDecompressor;
use precursor_disk::FileSystem;
use precursor_model::Offset;
use std::io;
use std::path::Path;

/// What was found of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Bytes of the file.
    pub bytes: u64,
    /// Whether both summaries are sound.
    pub summaries_sound: [bool; 2],
    pub index_sound: bool,
    /// The dictionary that it needs; 0: none.
    pub dictionary: u64,
    /// Whether that is there and sound.
    pub dictionary_sound: bool,
    pub chunks: u32,
    /// Chunks that cannot be read, and the first of them.
    pub damaged: u32,
    pub first_damaged: Option<u32>,
}

impl Checked {
    /// Whether the segment comes out whole.
    pub fn is_readable(&self) -> bool {
        self.summaries_sound != [false; 2] && self.damaged == 0
    }
}

/// Reads every chunk of a segment's container.
///
/// # Errors
/// What the disk says; `Unsupported` for a version that is not known here.
pub(crate) fn check(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<Checked> {
    let container = Container::open(files, &container_path(directory, base), base)?;
    let summary = *container.summary();
    let dictionary = match summary.dictionary {
        0 => None,
        _ => container.read_dictionary(files, directory)?,
    };
    // One that zstd refuses is as good as none.
    let prepared = dictionary.and_then(|d| ColdDecompressor::new(Some(&d.bytes)).ok());
    let is_prepared = prepared.is_some();
    let mut decompressor = match prepared {
        Some(decompressor) => decompressor,
        None => ColdDecompressor::new(None)?,
    };
    let mut checked = Checked {
        bytes: container.stored_bytes()?,
        summaries_sound: container.summaries_sound,
        index_sound: container.is_index_sound()?,
        dictionary: summary.dictionary,
        dictionary_sound: summary.dictionary == 0 || is_prepared,
        chunks: summary.chunks(),
        damaged: 0,
        first_damaged: None,
    };
    for chunk in 0..checked.chunks {
        if container.plain_chunk(chunk, &mut decompressor)?.is_none() {
            checked.damaged += 1;
            checked.first_damaged.get_or_insert(chunk);
        }
    }
    Ok(checked)
}
