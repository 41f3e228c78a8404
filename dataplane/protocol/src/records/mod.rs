//! Record batches, magic 2: what Produce carries, the log stores and Fetch returns.
//!
//! A batch is a header of [`HEADER_LENGTH`] bytes and its records, which may be compressed as one
//! block. The broker reads and patches the header, and looks at records only where they are not
//! compressed.
//!
//! ```text
//!  0 base offset      i64   assigned by the broker
//!  8 batch length     i32   bytes after this field
//! 12 leader epoch     i32   assigned by the broker
//! 16 magic            i8    2
//! 17 CRC-32C          u32   of everything from the attributes on
//! 21 attributes       i16   0-2 codec, 3 LogAppendTime, 4 transactional, 5 control, 6 delete horizon
//! 23 last offset delta i32
//! 27 base timestamp   i64
//! 35 max timestamp    i64
//! 43 producer id      i64
//! 51 producer epoch   i16
//! 53 base sequence    i32
//! 57 record count     i32
//! 61 records
//! ```

mod batch;
mod build;
mod header;
mod patch;
mod record;
mod rewrite;
mod validate;
mod varint;
mod walk;

#[cfg(test)]
mod tests;

pub use batch::{BatchError, BatchView, Batches, Codec, split_batches};
pub use build::BatchBuilder;
pub use header::BatchHeader;
pub use patch::{Assignment, BatchHeaderMut};
pub use record::{Header, Headers, Record, RecordError, Records};
pub use rewrite::{BatchRewriter, write_emptied, write_placeholder};
pub use validate::{InvalidBatch, Limits, ValidBatch, validate_produce};

/// Bytes of a batch before its records.
pub const HEADER_LENGTH: usize = 61;
/// Bytes of a batch that its length field does not count: base offset and the length itself.
pub const LOG_OVERHEAD: usize = 12;
/// The only message format that is written.
pub const MAGIC: i8 = 2;
/// Where the bytes that the CRC covers begin.
const CRC_COVERS_FROM: usize = 21;
/// "No producer id": the batch is not idempotent.
pub const NO_PRODUCER_ID: i64 = -1;
/// "No sequence number", also that of control batches.
pub const NO_SEQUENCE: i32 = -1;
/// "No timestamp".
pub const NO_TIMESTAMP: i64 = -1;

const ATTRIBUTE_CODEC: i16 = 0x07;
const ATTRIBUTE_LOG_APPEND_TIME: i16 = 0x08;
const ATTRIBUTE_TRANSACTIONAL: i16 = 0x10;
const ATTRIBUTE_CONTROL: i16 = 0x20;
const ATTRIBUTE_DELETE_HORIZON: i16 = 0x40;
