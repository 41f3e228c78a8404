//! Directories and first segments of new logs, made many at a time.
//!
//! A log is online only when its name, the name of its first segment and the bytes that say whose
//! it is are durable; from then on a sync of the segment's file alone keeps what is promised of its
//! records. None of the three has to wait for another: until all are durable the log has no records
//! and nobody was told of it, and whatever part of it a power cut leaves is made whole by the next
//! attempt, because the topic is in the metadata log. So all logs of a batch are made first, and
//! one round of syncs that wait together makes them durable.

use super::OpenRequest;
use crate::layout::{
    PARTITION_METADATA, SET_ASIDE, decode_partition_metadata, encode_partition_metadata,
    segment_file,
};
use precursor_disk::{DiskFile, FileSystem, OpenMode, Unsynced};
use precursor_model::{LogUid, Offset};
use std::io::{self, ErrorKind};
use std::path::Path;

/// What was found or done for one log.
enum Prepared {
    /// It was there.
    Present,
    /// Its directory is new, with this `partition.metadata`.
    Made(DiskFile),
    /// Its directory has another or a better `partition.metadata` than it had.
    Claimed,
}

/// Makes what these logs lack, durably; one result for each.
pub(crate) fn prepare<'a>(
    files: &dyn FileSystem,
    requests: impl Iterator<Item = &'a OpenRequest> + Clone,
) -> Vec<io::Result<()>> {
    let prepared: Vec<_> = requests.clone().map(|r| prepare_one(files, r)).collect();
    let mut unsynced = Vec::new();
    // The names of new directories, once for each directory that they are in.
    let mut parents: Vec<&Path> = Vec::new();
    let is_unsynced =
        |prepared: &io::Result<Prepared>| !matches!(prepared, Ok(Prepared::Present) | Err(_));
    for (request, prepared) in requests.clone().zip(&prepared) {
        if is_unsynced(prepared) && !parents.contains(&&*request.data_dir) {
            parents.push(&request.data_dir);
        }
    }
    unsynced.extend(parents.iter().map(|path| Unsynced::Directory(path)));
    for (request, prepared) in requests.clone().zip(&prepared) {
        if is_unsynced(prepared) {
            unsynced.push(Unsynced::Directory(&request.directory));
        }
        if let Ok(Prepared::Made(metadata)) = prepared {
            unsynced.push(Unsynced::File(metadata.clone()));
        }
    }
    let mut synced = files.sync_all(&unsynced).into_iter();
    drop(unsynced);
    let names: Vec<io::Result<()>> = synced.by_ref().take(parents.len()).collect();
    let names_of = |request: &OpenRequest| {
        let at = parents.iter().position(|path| *path == request.data_dir);
        at.map_or(Ok(()), |at| again(&names[at]))
    };
    let mut next = || synced.next().unwrap_or(Ok(()));
    prepared
        .into_iter()
        .zip(requests)
        .map(|(prepared, request)| match prepared? {
            Prepared::Present => Ok(()),
            Prepared::Claimed => next().and(names_of(request)),
            Prepared::Made(_) => {
                let (directory, metadata) = (next(), next());
                directory.and(metadata).and(names_of(request))
            }
        })
        .collect()
}

/// An outcome that several logs share.
fn again(outcome: &io::Result<()>) -> io::Result<()> {
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => Err(match error.raw_os_error() {
            Some(errno) => io::Error::from_raw_os_error(errno),
            None => error.kind().into(),
        }),
    }
}

fn prepare_one(files: &dyn FileSystem, request: &OpenRequest) -> io::Result<Prepared> {
    let directory = &request.directory;
    let path = directory.join(PARTITION_METADATA);
    let text = match files.read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let wanted = encode_partition_metadata(request.topic_id, request.uid);
    match decode_partition_metadata(&text) {
        Some((topic, Some(uid))) if topic == request.topic_id && uid == request.uid => {
            return Ok(Prepared::Present);
        }
        Some((topic, None)) if topic == request.topic_id => {
            // Kafka wrote it: the old or the new content, never a part.
            files.replace(&path, wanted.as_bytes())?;
            return Ok(Prepared::Claimed);
        }
        // An earlier topic of this name, whose removal did not come to its end.
        Some((_, uid)) => set_directory_aside(files, request, uid)?,
        None => {}
    }
    make(files, request, wanted.as_bytes())
}

/// Makes directory, metadata and, where there is nothing else, the first segment. Metadata that
/// were not whole when power failed are written anew: nobody was told of the log.
fn make(files: &dyn FileSystem, request: &OpenRequest, metadata: &[u8]) -> io::Result<Prepared> {
    let directory = &request.directory;
    files.create_directory(directory)?;
    let file = files.open(&directory.join(PARTITION_METADATA), OpenMode::Create)?;
    file.set_length(0)?;
    file.write_at(metadata, 0)?;
    let names = files.list(directory)?;
    if names
        .iter()
        .all(|name| name.starts_with(PARTITION_METADATA))
    {
        let path = segment_file(directory, first_base(request), "log");
        drop(files.open(&path, OpenMode::Create)?);
    }
    Ok(Prepared::Made(file))
}

/// A new log begins at its start offset, or where the region's first extent says.
pub(super) fn first_base(request: &OpenRequest) -> Offset {
    let remembered = request.memory.iter().map(|piece| piece.segment_base).min();
    remembered.unwrap_or(request.log_start).max(0)
}

fn set_directory_aside(
    files: &dyn FileSystem,
    request: &OpenRequest,
    uid: Option<LogUid>,
) -> io::Result<()> {
    let place = request.data_dir.join(SET_ASIDE);
    files.create_directory(&place)?;
    let name = request.directory.file_name().unwrap_or_default();
    let uid = uid.map_or(0, |uid| uid.0);
    let target = place.join(format!("{}.{uid}", name.to_string_lossy()));
    files.rename(&request.directory, &target)
}
