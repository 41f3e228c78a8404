//! Gives cleaned segments their names, so that a crash at any step leaves either what was there or
//! what is to be there.
//!
//! `.cleaned` files are worth nothing until they are renamed to `.swap`; from the moment that a
//! `.log.swap` exists, the segments whose offsets it covers are worth nothing. Opening a log
//! finishes what was begun.

use crate::compaction::segment_writer::CleanedSegment;
use crate::find_time::rebuild_index;
use crate::layout::{base_of, segment_file};
use crate::scan::walk_headers;
use crate::segment_files::{segment_bases, write_index};
use crate::transactions::{TRANSACTION_INDEX, decode_aborted, write_aborted};
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::Offset;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a segment, the log last: its name decides.
const KINDS: [&str; 3] = ["index", "timeindex", "log"];

/// A cleaned segment that is to take its sources' place.
#[derive(Debug)]
pub(crate) struct SwapRequest {
    pub directory: Arc<PathBuf>,
    /// It has the name of the first of its sources.
    pub cleaned: CleanedSegment,
}

/// Puts a cleaned segment in the place of its sources.
pub(crate) fn swap(files: &dyn FileSystem, request: &SwapRequest) -> io::Result<()> {
    let directory = &*request.directory;
    let Some((first, others)) = request.cleaned.sources.split_first() else {
        return Ok(());
    };
    let (base, others) = (&first.base, others.iter().map(|source| source.base));
    let cleaned = format!("{TRANSACTION_INDEX}.cleaned");
    let cleaned = segment_file(directory, *base, &cleaned);
    let aborted = segment_file(directory, *base, &format!("{TRANSACTION_INDEX}.swap"));
    let has_aborted = rename_if_there(files, &cleaned, &aborted)?;
    if has_aborted {
        // From the log's new name on it is needed.
        files.sync_directory(directory)?;
    }
    for kind in KINDS {
        let from = segment_file(directory, *base, &format!("{kind}.cleaned"));
        let to = segment_file(directory, *base, &format!("{kind}.swap"));
        files.rename(&from, &to)?;
    }
    files.sync_directory(directory)?;
    remove_superseded(files, directory, others)?;
    let own = segment_file(directory, *base, TRANSACTION_INDEX);
    match has_aborted {
        true => files.rename(&aborted, &own)?,
        false => remove_if_there(files, &own)?,
    }
    for kind in KINDS {
        let from = segment_file(directory, *base, &format!("{kind}.swap"));
        files.rename(&from, &segment_file(directory, *base, kind))?;
    }
    files.sync_directory(directory)
}

/// Removes the segments that a cleaned one covers, but for the one whose name it takes. Producer
/// snapshots stay: they are of offsets, not of segments.
fn remove_superseded(
    files: &dyn FileSystem,
    directory: &Path,
    others: impl IntoIterator<Item = Offset>,
) -> io::Result<()> {
    for other in others {
        for kind in ["index", "timeindex", TRANSACTION_INDEX, "log"] {
            remove_if_there(files, &segment_file(directory, other, kind))?;
        }
    }
    Ok(())
}

fn rename_if_there(files: &dyn FileSystem, from: &Path, to: &Path) -> io::Result<bool> {
    match files.rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}

fn remove_if_there(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    match files.remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a cleaned segment that is not wanted any more.
pub(crate) fn discard(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<()> {
    for kind in KINDS.into_iter().chain([TRANSACTION_INDEX]) {
        let path = segment_file(directory, base, &format!("{kind}.cleaned"));
        remove_if_there(files, &path)?;
    }
    Ok(())
}

/// Finishes or undoes what a crash left of cleaning and swapping in a log's directory.
///
/// # Errors
/// `InvalidData`: a `.log.swap` is damaged, and what it replaces may be gone.
pub(crate) fn recover(files: &dyn FileSystem, directory: &Path) -> io::Result<()> {
    let names = files.list(directory)?;
    let mut changed = false;
    for name in &names {
        let cleaned = |kind: &str| base_of(name, &format!("{kind}.cleaned")).is_some();
        if KINDS.into_iter().chain([TRANSACTION_INDEX]).any(cleaned) {
            remove_if_there(files, &directory.join(name))?;
            changed = true;
        }
    }
    let mut swaps: Vec<Offset> = names
        .iter()
        .filter_map(|n| base_of(n, "log.swap"))
        .collect();
    swaps.sort_unstable();
    for base in swaps {
        finish_swap(files, directory, base)?;
        changed = true;
    }
    for name in &names {
        let stray = |kind: &str| base_of(name, &format!("{kind}.swap")).is_some();
        if ["index", "timeindex", TRANSACTION_INDEX]
            .into_iter()
            .any(stray)
        {
            remove_if_there(files, &directory.join(name))?;
            changed = true;
        }
    }
    match changed {
        true => files.sync_directory(directory),
        false => Ok(()),
    }
}

/// The bytes of a `.log.swap` were durable before it had that name.
fn finish_swap(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<()> {
    let path = segment_file(directory, base, "log.swap");
    let file = files.open(&path, OpenMode::Plain)?;
    let size = file.length()?;
    let (mut end, mut walked) = (base, 0);
    let mut markers = Vec::new();
    walk_headers(&file, 0, size, |header, position| {
        end = header.last_offset() + 1;
        if header.is_control() && header.count > 0 {
            markers.push(header.base_offset);
        }
        walked = position + header.total_length().unwrap_or(0) as u64;
        header.base_offset >= base
    })?;
    if walked != size || end == base {
        let message = format!("{} is damaged", path.display());
        return Err(io::Error::new(ErrorKind::InvalidData, message));
    }
    let covered: Vec<Offset> = segment_bases(files, directory)?
        .into_iter()
        .filter(|other| (base + 1..end).contains(other))
        .collect();
    settle_aborted(files, directory, (base, end), &markers)?;
    remove_superseded(files, directory, covered)?;
    // Whose the index files are is not known; the log's name changes when they are its own.
    let index = rebuild_index(&file, base, size)?;
    write_index(files, directory, base, &index)?;
    files.rename(&path, &segment_file(directory, base, "log"))
}

/// The transaction index under the swap's name is the segment's. Without one, the segment's own is
/// either that already, or it is a source's, of which what has no marker any more goes.
fn settle_aborted(
    files: &dyn FileSystem,
    directory: &Path,
    (base, end): (Offset, Offset),
    markers: &[Offset],
) -> io::Result<()> {
    let own = segment_file(directory, base, TRANSACTION_INDEX);
    let swap = segment_file(directory, base, &format!("{TRANSACTION_INDEX}.swap"));
    if rename_if_there(files, &swap, &own)? {
        files.sync_directory(directory)?;
    }
    let bytes = match files.read(&own) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    // What cannot be right is made again when the log is opened.
    let Some(mut aborted) = decode_aborted(&bytes, base, end) else {
        return Ok(());
    };
    aborted.retain(|entry| markers.binary_search(&entry.last_offset).is_ok());
    write_aborted(files, directory, base, 0, &aborted)
}
