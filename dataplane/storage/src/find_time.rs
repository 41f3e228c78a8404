//! Searches by timestamp on the helper thread, which decompresses too, and the rebuilding of an index.

use crate::api::TimedOffset;
use crate::batch::BatchHeader;
use crate::index::SealedIndex;
use crate::index_builder::{INDEX_INTERVAL, IndexBuilder};
use crate::layout::segment_file;
use crate::scan::walk_headers;
use precursor_compression::decompress;
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_model::Offset;
use precursor_protocol::records::{BatchView, Codec, Records};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// A search in one segment's file.
#[derive(Clone, Debug)]
pub(crate) struct FindTime {
    pub directory: Arc<PathBuf>,
    pub base: Offset,
    /// Of the segment, when the search began.
    pub generation: u32,
    /// Where to begin; 0 lets the time index say. Of a search in `batch`: where the next one begins.
    pub position: u64,
    /// A compressed batch from the region, which alone is searched.
    pub batch: Option<Vec<u8>>,
    /// Bytes of the file that hold batches.
    pub size: u64,
    /// The offset behind the segment's last.
    pub end: Offset,
    pub timestamp: i64,
    /// Records below do not exist any more.
    pub start: Offset,
}

/// The first record of the segment that is at least as new as asked.
pub(crate) fn find_time(
    files: &dyn FileSystem,
    request: &FindTime,
) -> io::Result<Option<TimedOffset>> {
    if let Some(batch) = &request.batch {
        let header = BatchHeader::parse_prefix(batch);
        let search = |header| first_record(&header, batch, request.timestamp, request.start);
        return Ok(header.and_then(search));
    }
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
    let mut found = Ok(None);
    walk_headers(&file, position, request.size, |header, at| {
        if header.base_offset < request.base || header.last_offset() >= request.end {
            // No batch of this segment: bytes that are damaged, or that a damaged index points to.
            return false;
        }
        if header.max_timestamp >= request.timestamp && header.last_offset() >= request.start {
            found = record_in(&file, header, at, request);
        }
        matches!(found, Ok(None))
    })?;
    found
}

fn record_in(
    file: &DiskFile,
    header: &BatchHeader,
    at: u64,
    request: &FindTime,
) -> io::Result<Option<TimedOffset>> {
    let length = header.total_length().unwrap_or(0) as u64;
    if at + length > request.size {
        return Ok(None);
    }
    let mut batch = vec![0; length as usize];
    file.read_at(&mut batch, at)?;
    let is_sound = BatchView::parse(&batch).is_ok_and(|view| view.crc_is_right());
    if !is_sound {
        return Ok(None);
    }
    Ok(first_record(
        header,
        &batch,
        request.timestamp,
        request.start,
    ))
}

/// The first record of a batch that is at least as new as asked and not below `start`; `None` when
/// compaction took it.
pub(crate) fn first_record(
    header: &BatchHeader,
    batch: &[u8],
    timestamp: i64,
    start: Offset,
) -> Option<TimedOffset> {
    let view = BatchView::parse(batch).ok()?;
    let plain;
    let bytes = match view.codec() {
        _ if header.count == 0 => return None,
        Codec::None => view.record_bytes(),
        // What nobody can decompress is answered with the batch's own first offset and its newest
        // time: one older than was asked for would be searched for again and again.
        codec => match decompress(codec, view.record_bytes()) {
            Ok(decompressed) => {
                plain = decompressed;
                &plain
            }
            Err(_) => {
                return Some(TimedOffset {
                    offset: header.base_offset.max(start),
                    timestamp: header.max_timestamp,
                    leader_epoch: header.leader_epoch,
                });
            }
        },
    };
    for record in Records::new(bytes, header.count) {
        let record = record.ok()?;
        let offset = header.base_offset + i64::from(record.offset_delta);
        let time = view.timestamp_of(&record);
        if time >= timestamp && offset >= start {
            return Some(TimedOffset {
                offset,
                timestamp: time,
                leader_epoch: header.leader_epoch,
            });
        }
    }
    None
}

/// Makes a sealed segment's index from its headers.
pub(crate) fn rebuild_index(file: &DiskFile, base: Offset, size: u64) -> io::Result<SealedIndex> {
    let mut index = IndexBuilder::new(base, INDEX_INTERVAL);
    walk_headers(file, 0, size, |header, position| {
        index.note(header, position)
    })?;
    Ok(index.finish())
}
