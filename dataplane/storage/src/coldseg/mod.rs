//! Cold compression: sealed segments that rest in containers of compressed chunks
//! (`precursor.cold.compression.type`).
//!
//! The shard chooses a segment ([`schedule`]); a thread of its own writes the container and reads it
//! back ([`write`]); the store's helper puts it in the segment's place ([`swap`]). From then on the
//! segment's bytes come out of the container ([`files`]): they are the same, so indexes, positions
//! and what clients get are the same too. Chunks are decompressed on the threads that read files,
//! never on the shard's.

mod check;
mod choose;
mod container;
mod dictionary;
mod files;
mod format;
mod sample;
mod schedule;
mod swap;
mod throttle;
mod write;

pub use files::ColdFiles;
pub use schedule::ColdOptions;

pub(crate) use check::check;
pub(crate) use dictionary::prune;
pub(crate) use files::Shared;
pub(crate) use schedule::{ColdState, Freezer};
pub(crate) use swap::{PlaceRequest, copy_aside, discard, is_cold, place, recover, thaw};

use crate::layout::{base_of, segment_file};
use precursor_model::Offset;
use std::path::{Path, PathBuf};

/// The kind of file that holds a cold segment, and of one that is not finished.
pub(crate) const CONTAINER: &str = "log.cold";
const CONTAINER_BEGUN: &str = "log.cold.tmp";
const THAW_BEGUN: &str = "log.thaw.tmp";

/// The file that holds a segment when it is cold.
pub(crate) fn container_path(directory: &Path, base: Offset) -> PathBuf {
    segment_file(directory, base, CONTAINER)
}

fn begun_path(directory: &Path, base: Offset) -> PathBuf {
    segment_file(directory, base, CONTAINER_BEGUN)
}

/// The directory and the base offset of a path that names a segment's file of this kind.
fn base_in<'a>(path: &'a Path, kind: &str) -> Option<(&'a Path, Offset)> {
    let base = base_of(path.file_name()?.to_str()?, kind)?;
    Some((path.parent()?, base))
}

/// The file of a dictionary.
pub(crate) fn dictionary_file(directory: &Path, id: u64) -> PathBuf {
    dictionary::path_of(directory, id)
}

/// Whether a name in a partition's directory is a dictionary's.
pub(crate) fn is_dictionary(name: &str) -> bool {
    dictionary::id_in(name).is_some()
}
