//! `precursor storage dump`: what the files of a partition say, entry by entry.

use crate::coldseg::{CONTAINER, ColdFiles};
use crate::epochs::LeaderEpochs;
use crate::index::{OFFSET_ENTRY, TIME_ENTRY, offset_entry, time_entry};
use crate::layout::base_of;
use crate::producers::{ActiveProducer, ProducerState};
use crate::segment_walk::{Fault, Piece, SegmentWalk};
use crate::transactions::{ABORTED_ENTRY, AbortedTransaction, TRANSACTION_INDEX};
use precursor_compression::decompress;
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::Offset;
use precursor_protocol::records::{BatchHeader, BatchView, Codec, Record, Records};
use std::io::{self, ErrorKind};
use std::path::Path;

/// One thing that a file says, in the file's order.
#[derive(Clone, Copy, Debug)]
pub enum Dumped<'a> {
    Batch {
        position: u64,
        end: u64,
        header: &'a BatchHeader,
    },
    /// Of the batch before it.
    Record {
        offset: Offset,
        /// Milliseconds since 1970.
        timestamp: i64,
        record: &'a Record<'a>,
    },
    /// The records of the batch before it cannot be read, though its checksum is right.
    Unreadable {
        why: &'a str,
    },
    /// Bytes without a sound batch.
    Hole {
        position: u64,
        end: u64,
        first: Offset,
        next: Option<Offset>,
        fault: &'a Fault,
    },
    /// An entry of an offset index.
    Position {
        offset: Offset,
        position: u32,
    },
    /// An entry of a time index.
    Time {
        timestamp: i64,
        offset: Offset,
    },
    /// An entry of a transaction index.
    Aborted(&'a AbortedTransaction),
    Producer(&'a ActiveProducer),
    /// An entry of `leader-epoch-checkpoint`.
    Epoch {
        epoch: i32,
        start: Offset,
    },
    /// A line of another text file of a data directory.
    Line(&'a str),
}

/// Takes what a file says.
pub type Dumper<'a> = &'a mut dyn FnMut(Dumped<'_>) -> io::Result<()>;

/// Tells what a file of a data directory says. `records`: what is in the batches too.
///
/// # Errors
/// `InvalidInput`: it is no such file, or its content makes no sense; what the file system or the
/// dumper reports.
pub fn dump_file(
    files: &dyn FileSystem,
    path: &Path,
    records: bool,
    dumper: Dumper<'_>,
) -> io::Result<()> {
    let files: &dyn FileSystem = &ColdFiles::on(files);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if let Some(base) = base_of(&name, CONTAINER) {
        // What it holds, by the name that it holds it under.
        return dump_log(files, &path.with_extension(""), base, records, dumper);
    }
    let name = ["cleaned", "swap", "deleted"]
        .iter()
        .find_map(|end| name.strip_suffix(end)?.strip_suffix('.'))
        .unwrap_or(&name);
    if let Some(base) = base_of(name, "log") {
        return dump_log(files, path, base, records, dumper);
    }
    let bytes = files.read(path)?;
    if let Some(base) = base_of(name, "index") {
        return dump_index(&bytes, base, dumper);
    }
    if let Some(base) = base_of(name, "timeindex") {
        return dump_times(&bytes, base, dumper);
    }
    let nonsense = |what: &str| {
        let text = format!("{} {what}", path.display());
        io::Error::new(ErrorKind::InvalidInput, text)
    };
    if base_of(name, TRANSACTION_INDEX).is_some() {
        return bytes
            .as_chunks::<ABORTED_ENTRY>()
            .0
            .iter()
            .try_for_each(|entry| {
                let entry = AbortedTransaction::decode(entry);
                let entry = entry.ok_or_else(|| nonsense("has an entry of another version"))?;
                dumper(Dumped::Aborted(&entry))
            });
    }
    let state = match (base_of(name, "producers"), base_of(name, "snapshot")) {
        (Some(_), _) => ProducerState::decode_whole(&bytes).map(Some),
        (_, Some(_)) => ProducerState::decode_snapshot(&bytes).map(Some),
        _ => Some(None),
    };
    match state {
        None => return Err(nonsense("does not fit its checksum or format")),
        Some(Some(state)) => {
            let active = state.active();
            return active.iter().try_for_each(|p| dumper(Dumped::Producer(p)));
        }
        Some(None) => {}
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(nonsense("is no file of a partition"));
    };
    if name == crate::layout::LEADER_EPOCHS {
        let epochs = LeaderEpochs::decode(text).ok_or_else(|| nonsense("is no list of epochs"))?;
        let mut entries = epochs.entries().iter();
        return entries.try_for_each(|(epoch, start)| {
            dumper(Dumped::Epoch {
                epoch: *epoch,
                start: *start,
            })
        });
    }
    text.lines().try_for_each(|line| dumper(Dumped::Line(line)))
}

/// A log may be written to while it is read: what is there when it is opened is told.
fn dump_log(
    files: &dyn FileSystem,
    path: &Path,
    base: Offset,
    records: bool,
    dumper: Dumper<'_>,
) -> io::Result<()> {
    let file = files.open(path, OpenMode::Read)?;
    let size = file.length()?;
    // Whether there is a next segment is not asked: gaps are as they may be.
    let mut walk = SegmentWalk::new(file, size, base, Some(Offset::MAX));
    while let Some(piece) = walk.next()? {
        match piece {
            Piece::Batch {
                header,
                position,
                end,
            } => {
                dumper(Dumped::Batch {
                    position,
                    end,
                    header: &header,
                })?;
                if records {
                    dump_records(walk.bytes(position, end)?, dumper)?;
                }
            }
            Piece::Hole(hole) => dumper(Dumped::Hole {
                position: hole.position,
                end: hole.end,
                first: hole.first,
                next: hole.next,
                fault: &hole.fault,
            })?,
        }
    }
    Ok(())
}

fn dump_records(batch: &[u8], dumper: Dumper<'_>) -> io::Result<()> {
    let Ok(view) = BatchView::parse(batch) else {
        return Ok(());
    };
    let plain;
    let bytes = match view.codec() {
        _ if view.record_count() == 0 => return Ok(()),
        Codec::None => view.record_bytes(),
        codec => match decompress(codec, view.record_bytes()) {
            Ok(decompressed) => {
                plain = decompressed;
                &plain
            }
            Err(error) => {
                return dumper(Dumped::Unreadable {
                    why: &error.to_string(),
                });
            }
        },
    };
    for record in Records::new(bytes, view.record_count()) {
        match record {
            Ok(record) => dumper(Dumped::Record {
                offset: view.base_offset() + i64::from(record.offset_delta),
                timestamp: view.timestamp_of(&record),
                record: &record,
            })?,
            Err(error) => {
                return dumper(Dumped::Unreadable {
                    why: &error.to_string(),
                });
            }
        }
    }
    Ok(())
}

fn dump_index(bytes: &[u8], base: Offset, dumper: Dumper<'_>) -> io::Result<()> {
    for entry in bytes.as_chunks::<OFFSET_ENTRY>().0 {
        let (relative, position) = offset_entry(entry);
        dumper(Dumped::Position {
            offset: base + i64::from(relative),
            position,
        })?;
    }
    Ok(())
}

fn dump_times(bytes: &[u8], base: Offset, dumper: Dumper<'_>) -> io::Result<()> {
    for entry in bytes.as_chunks::<TIME_ENTRY>().0 {
        let (timestamp, relative) = time_entry(entry);
        dumper(Dumped::Time {
            timestamp,
            offset: base + i64::from(relative),
        })?;
    }
    Ok(())
}
