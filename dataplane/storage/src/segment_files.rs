//! The files of a segment: made, listed, indexed, removed; and bytes that are set aside.

use crate::index::SealedIndex;
use crate::layout::{SET_ASIDE, base_of, segment_file};
use crate::scan::MemoryPiece;
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_model::{LogUid, Offset};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Makes a segment's file and makes its name durable.
pub(crate) fn create_segment(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
) -> io::Result<DiskFile> {
    let path = segment_file(directory, base, "log");
    drop(files.open(&path, OpenMode::Create)?);
    files.sync_directory(directory)?;
    files.open(&path, OpenMode::Data)
}

/// The base offsets of a directory's segments, ascending.
pub(crate) fn segment_bases(files: &dyn FileSystem, directory: &Path) -> io::Result<Vec<Offset>> {
    let names = files.list(directory)?;
    let mut bases: Vec<Offset> = names.iter().filter_map(|n| base_of(n, "log")).collect();
    bases.sort_unstable();
    Ok(bases)
}

/// Writes the two index files of a segment. They are checked when they are read, so they need no
/// sync of their own.
pub(crate) fn write_index(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    index: &SealedIndex,
) -> io::Result<()> {
    for (kind, bytes) in [
        ("index", index.offset_bytes()),
        ("timeindex", index.time_bytes()),
    ] {
        let file = files.open(&segment_file(directory, base, kind), OpenMode::Create)?;
        file.set_length(bytes.len() as u64)?;
        file.write_at(&bytes, 0)?;
    }
    Ok(())
}

/// Removes every file of the segments.
pub(crate) fn remove_segments(
    files: &dyn FileSystem,
    directory: &Path,
    bases: &[Offset],
) -> io::Result<()> {
    for base in bases {
        for kind in [
            "log",
            "index",
            "timeindex",
            "txnindex",
            "snapshot",
            "producers",
        ] {
            match files.remove_file(&segment_file(directory, *base, kind)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    files.sync_directory(directory)
}

/// Keeps bytes of the region that are not believed, for a human to look at.
pub(crate) fn set_extent_aside(
    files: &dyn FileSystem,
    data_dir: &Path,
    uid: LogUid,
    piece: &MemoryPiece,
) -> io::Result<()> {
    let place = data_dir.join(SET_ASIDE);
    files.create_directory(&place)?;
    let name = format!(
        "extent-{}-{:020}-{}.bin",
        uid.0, piece.segment_base, piece.position
    );
    files.replace(&place.join(name), &piece.bytes)
}
