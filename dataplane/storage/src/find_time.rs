//! Searches by timestamp on the helper thread, and the rebuilding of an index.

use crate::api::TimedOffset;
use crate::batch::BatchHeader;
use crate::index::{GrowingIndex, IndexEntry, SealedIndex, relative};
use crate::layout::segment_file;
use crate::scan::walk_headers;
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::Offset;
use precursor_protocol::records::BatchView;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Kafka's default for `index.interval.bytes`, for indexes that are made again.
const REBUILT_INTERVAL: u64 = 4096;

/// A search in one segment's file.
#[derive(Clone, Debug)]
pub(crate) struct FindTime {
    pub directory: Arc<PathBuf>,
    pub base: Offset,
    /// Where to begin; 0 lets the time index say.
    pub position: u64,
    /// Bytes of the file that hold batches.
    pub size: u64,
    pub timestamp: i64,
    /// Records below do not exist any more.
    pub start: Offset,
}

/// The first record of the segment that is at least as new as asked.
pub(crate) fn find_time(
    files: &dyn FileSystem,
    request: &FindTime,
) -> io::Result<Option<TimedOffset>> {
    let file = files.open(
        &segment_file(&request.directory, request.base, "log"),
        OpenMode::Plain,
    )?;
    let mut position = request.position;
    if position == 0 {
        let read = |kind| {
            let path = segment_file(&request.directory, request.base, kind);
            files.read(&path).unwrap_or_default()
        };
        let (offsets, times) = (read("index"), read("timeindex"));
        if let Some(index) = SealedIndex::decode(&offsets, &times, request.size, u32::MAX) {
            let before = index.offset_before_time(request.timestamp);
            position = u64::from(index.position_for(before));
        }
    }
    let mut found = None;
    walk_headers(&file, position, request.size, |header, at| {
        let new_enough = header.max_timestamp >= request.timestamp;
        if new_enough && header.last_offset() >= request.start {
            found = Some((*header, at));
        }
        found.is_none()
    })?;
    let Some((header, at)) = found else {
        return Ok(None);
    };
    let mut batch = vec![0; header.total_length().unwrap_or(0)];
    file.read_at(&mut batch, at)?;
    Ok(Some(first_record(
        &header,
        &batch,
        request.timestamp,
        request.start,
    )))
}

/// The first record of a batch that is at least as new as asked and not below `start`; the batch's
/// own first where its records are compressed, since a consumer skips what it did not ask for.
pub(crate) fn first_record(
    header: &BatchHeader,
    batch: &[u8],
    timestamp: i64,
    start: Offset,
) -> TimedOffset {
    let found = |offset: Offset, timestamp| TimedOffset {
        offset: offset.max(start),
        timestamp,
        leader_epoch: header.leader_epoch,
    };
    if header.is_log_append_time() {
        return found(header.base_offset, header.max_timestamp);
    }
    if header.is_compressed() {
        return found(header.base_offset, header.base_timestamp);
    }
    let Ok(view) = BatchView::parse(batch) else {
        return found(header.base_offset, header.base_timestamp);
    };
    for record in view.records() {
        let Ok(record) = record else {
            break;
        };
        let offset = header.base_offset + i64::from(record.offset_delta);
        let time = header.base_timestamp + record.timestamp_delta;
        if time >= timestamp && offset >= start {
            return found(offset, time);
        }
    }
    found(header.base_offset, header.base_timestamp)
}

/// Makes a sealed segment's index from its headers.
pub(crate) fn rebuild_index(
    files: &dyn FileSystem,
    directory: &Path,
    base: Offset,
    size: u64,
) -> io::Result<SealedIndex> {
    let file = files.open(&segment_file(directory, base, "log"), OpenMode::Plain)?;
    let mut growing = GrowingIndex::default();
    let mut spare = Vec::new();
    let mut newest: Option<(i64, u32)> = None;
    let mut since = 0;
    walk_headers(&file, 0, size, |header, position| {
        let Some(last) = relative(header.last_offset(), base) else {
            return false;
        };
        if newest.is_none_or(|known| header.max_timestamp > known.0) {
            newest = Some((header.max_timestamp, last));
        }
        if since > REBUILT_INTERVAL {
            let (timestamp, timestamp_offset) = newest.unwrap_or((-1, 0));
            let entry = IndexEntry {
                relative_offset: last,
                position: position as u32,
                timestamp,
                timestamp_offset,
            };
            growing.push(entry, &mut spare);
            since = 0;
        }
        since += header.total_length().unwrap_or(0) as u64;
        true
    })?;
    Ok(SealedIndex::from_growing(&growing, newest))
}
