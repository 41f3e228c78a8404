//! What a shard says of a log that it holds, and of the directories that hold logs.

use super::codec::{Malformed, Reader, Writer};
use precursor_model::{LogUid, Offset};

/// Bytes of one description in a message.
const ENCODED_BYTES: usize = 10 * 8 + 4 + 2;

/// Most descriptions in one [`super::ToControl::LogDescriptions`].
pub const LOG_DESCRIPTIONS_PER_MESSAGE_MAX: usize = super::FRAGMENT_LENGTH_MAX / ENCODED_BYTES;

/// One log of a shard, as it is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogDescription {
    pub log: LogUid,
    pub log_start_offset: Offset,
    pub high_watermark: Offset,
    /// The next offset.
    pub log_end_offset: Offset,
    /// Bytes of all segments, those included that are on their way to disk.
    pub size_bytes: u64,
    /// Bytes of the region that hold the log's tail.
    pub memory_bytes: u64,
    pub segments: u32,
    /// Of the node's log directories, in the order of its configuration.
    pub directory: u16,
    // Since the data plane started:
    pub records_in: u64,
    pub batches_in: u64,
    pub bytes_in: u64,
    /// Bytes of record batches sent to whoever fetches.
    pub bytes_out: u64,
}

impl LogDescription {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        w.u64(self.log.0);
        for offset in [
            self.log_start_offset,
            self.high_watermark,
            self.log_end_offset,
        ] {
            w.u64(offset as u64);
        }
        w.u64(self.size_bytes);
        w.u64(self.memory_bytes);
        w.u32(self.segments);
        w.u16(self.directory);
        w.u64(self.records_in);
        w.u64(self.batches_in);
        w.u64(self.bytes_in);
        w.u64(self.bytes_out);
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(LogDescription {
            log: LogUid(r.u64()?),
            log_start_offset: r.u64()? as i64,
            high_watermark: r.u64()? as i64,
            log_end_offset: r.u64()? as i64,
            size_bytes: r.u64()?,
            memory_bytes: r.u64()?,
            segments: r.u32()?,
            directory: r.u16()?,
            records_in: r.u64()?,
            batches_in: r.u64()?,
            bytes_in: r.u64()?,
            bytes_out: r.u64()?,
        })
    }
}

/// A log directory, as it is at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryDescription {
    /// 0: it can be used. Else the system's error number, or a negative one of the store.
    pub error: i32,
    /// Producers are refused, for want of room.
    pub is_full: bool,
    pub partitions: u32,
    pub total_bytes: u64,
    pub usable_bytes: u64,
}

impl DirectoryDescription {
    pub(super) fn write(&self, w: &mut Writer<'_>) {
        w.i32(self.error);
        w.u8(u8::from(self.is_full));
        w.u32(self.partitions);
        w.u64(self.total_bytes);
        w.u64(self.usable_bytes);
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(DirectoryDescription {
            error: r.i32()?,
            is_full: r.bool()?,
            partitions: r.u32()?,
            total_bytes: r.u64()?,
            usable_bytes: r.u64()?,
        })
    }
}
