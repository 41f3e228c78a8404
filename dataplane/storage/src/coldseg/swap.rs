//! Puts containers in the place of segments and segments in the place of containers, so that a crash
//! at any step leaves one of the two, whole.
//!
//! Where both are there, the segment counts and the container is worth nothing: it is the newer
//! where compaction, mending or thawing put it, and as good as the container otherwise.

use crate::coldseg::check::check;
use crate::coldseg::container::Container;
use crate::coldseg::{
    CONTAINER, CONTAINER_BEGUN, THAW_BEGUN, begun_path, container_path, dictionary,
};
use crate::layout::{base_of, segment_file};
use crate::quarantine::keep_copy;
use crate::segment_files::segment_bases;
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::Offset;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Kafka's ending of a file that is about to go.
const DOOMED: &str = "log.deleted";
const BUFFER: usize = 1 << 20;

/// A container that lies ready, and the segment whose place it is to take.
#[derive(Clone, Debug)]
pub(crate) struct PlaceRequest {
    pub directory: Arc<PathBuf>,
    pub base: Offset,
    pub size: u64,
}

/// Puts a container in its segment's place; returns its bytes.
///
/// # Errors
/// `NotFound`: the segment is not what it was, or the container is not ready; it is removed then.
pub(crate) fn place(files: &dyn FileSystem, request: &PlaceRequest) -> io::Result<u64> {
    let placed = try_place(files, request);
    if placed.is_err() {
        let _ = discard(files, &request.directory, request.base);
    }
    placed
}

fn try_place(files: &dyn FileSystem, request: &PlaceRequest) -> io::Result<u64> {
    let (directory, base) = (&**request.directory, request.base);
    let segment = segment_file(directory, base, "log");
    let begun = begun_path(directory, base);
    let is_as_it_was = !is_cold(files, directory, base)?
        && files.open(&segment, OpenMode::Read)?.length()? == request.size;
    let container = Container::open(files, &begun, base)?;
    let summary = container.summary();
    // Its dictionary may have gone with the last segment that needed it.
    let is_whole = container.summaries_sound == [true; 2]
        && summary.plain_bytes == request.size
        && (summary.dictionary == 0 || container.read_dictionary(files, directory)?.is_some());
    if !is_as_it_was || !is_whole {
        return Err(ErrorKind::NotFound.into());
    }
    let bytes = container.stored_bytes()?;
    files.rename(&begun, &container_path(directory, base))?;
    files.sync_directory(directory)?;
    let doomed = segment_file(directory, base, DOOMED);
    files.rename(&segment, &doomed)?;
    files.remove_file(&doomed)?;
    files.sync_directory(directory)?;
    Ok(bytes)
}

/// Removes a container that is not wanted any more, or not finished.
pub(crate) fn discard(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<()> {
    remove_if_there(files, &begun_path(directory, base))
}

fn remove_if_there(files: &dyn FileSystem, path: &Path) -> io::Result<()> {
    match files.remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether a segment has a container.
pub(crate) fn is_cold(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<bool> {
    match files.open(&container_path(directory, base), OpenMode::Read) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Finishes or undoes what a crash left of swaps in a log's directory, thaws the last segment and
/// `wanted` ones, which will be written to, and removes dictionaries that no segment needs.
pub(crate) fn recover(
    files: &dyn FileSystem,
    directory: &Path,
    wanted: impl Iterator<Item = Offset>,
) -> io::Result<()> {
    let names = files.list(directory)?;
    let mut changed = false;
    for name in &names {
        let is = |kind: &str| base_of(name, kind).is_some();
        let superseded = is(CONTAINER) || is(CONTAINER_BEGUN) || is(THAW_BEGUN);
        let replaced = base_of(name, DOOMED).is_some_and(|base| {
            let segment = segment_file(Path::new(""), base, "log");
            names.iter().any(|other| segment == Path::new(other))
        });
        let unfinished = name.strip_suffix(".tmp").and_then(dictionary::id_in);
        if superseded || replaced || unfinished.is_some() {
            remove_if_there(files, &directory.join(name))?;
            changed = true;
        }
    }
    if changed {
        files.sync_directory(directory)?;
    }
    for base in wanted {
        thaw(files, directory, base)?;
    }
    if let Some(last) = segment_bases(files, directory)?.last() {
        thaw(files, directory, *last)?;
    }
    dictionary::prune(files, directory)
}

/// Puts a segment in the place of its container, if it has one. Damaged chunks are zeroes then, and
/// the container is kept in quarantine.
pub(crate) fn thaw(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<()> {
    if !is_cold(files, directory, base)? {
        return Ok(());
    }
    let segment = segment_file(directory, base, "log");
    let source = files.open(&segment, OpenMode::Read)?;
    let begun = segment_file(directory, base, THAW_BEGUN);
    let file = files.open(&begun, OpenMode::Create)?;
    file.set_length(0)?;
    let mut buffer = vec![0; BUFFER];
    let mut position = 0;
    loop {
        let got = source.read_at(&mut buffer, position)?;
        if got == 0 {
            break;
        }
        file.write_at(&buffer[..got], position)?;
        position += got as u64;
    }
    file.sync()?;
    if !check(files, directory, base)?.is_readable() {
        copy_aside(files, directory, base)?;
    }
    files.rename(&begun, &segment)?;
    files.sync_directory(directory)
}

/// Copies a segment's container, and its dictionary, into quarantine: what is taken out of the
/// segment is kept in the form in which it may yet be read.
pub(crate) fn copy_aside(files: &dyn FileSystem, directory: &Path, base: Offset) -> io::Result<()> {
    let path = container_path(directory, base);
    let id = Container::open(files, &path, base)?.summary().dictionary;
    let dictionary = dictionary::path_of(directory, id);
    for path in [path, dictionary] {
        match files.open(&path, OpenMode::Read) {
            Ok(file) => keep_copy(files, directory, &path, &file)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
