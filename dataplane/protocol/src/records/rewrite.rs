//! Writing a batch again with fewer records, as compaction does: offsets stay, so do producer,
//! sequence and epoch.

use super::batch::{BatchView, Codec};
use super::record::Record;
use super::varint::{VARINT_LENGTH_MAX, length_of_long, option_length, write_long, write_option};
use super::{
    ATTRIBUTE_CODEC, ATTRIBUTE_DELETE_HORIZON, CRC_COVERS_FROM, HEADER_LENGTH, LOG_OVERHEAD, MAGIC,
    NO_PRODUCER_ID, NO_TIMESTAMP,
};
use precursor_memory::crc32c;
use precursor_model::TimestampType;
use std::io;

/// Collects the records of one batch that are kept. Can be used again after
/// [`BatchRewriter::begin`].
#[derive(Debug, Default)]
pub struct BatchRewriter {
    records: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    delete_horizon_ms: Option<i64>,
}

impl BatchRewriter {
    /// Begins a batch anew. With a delete horizon (KIP-534) that takes the base timestamp's place.
    pub fn begin(&mut self, delete_horizon_ms: Option<i64>) {
        self.records.clear();
        self.count = 0;
        self.base_timestamp = delete_horizon_ms.unwrap_or(NO_TIMESTAMP);
        self.max_timestamp = NO_TIMESTAMP;
        self.delete_horizon_ms = delete_horizon_ms;
    }

    /// Keeps a record of `original`.
    pub fn append(&mut self, original: &BatchView<'_>, record: &Record<'_>) {
        let timestamp = original.timestamp_of(record);
        if self.count == 0 && self.delete_horizon_ms.is_none() {
            self.base_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.count += 1;
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let headers = record.headers;
        let length = 1
            + length_of_long(timestamp_delta)
            + length_of_long(i64::from(record.offset_delta))
            + option_length(record.key)
            + option_length(record.value)
            + length_of_long(headers.len() as i64)
            + headers
                .map(|h| option_length(Some(h.key.as_bytes())) + option_length(h.value))
                .sum::<usize>();
        let out = &mut self.records;
        out.reserve(length + VARINT_LENGTH_MAX);
        write_long(out, length as i64);
        out.push(0);
        write_long(out, timestamp_delta);
        write_long(out, i64::from(record.offset_delta));
        write_option(out, record.key);
        write_option(out, record.value);
        write_long(out, headers.len() as i64);
        for header in headers {
            write_option(out, Some(header.key.as_bytes()));
            write_option(out, header.value);
        }
    }

    /// Appends the batch to `out`, its records through `compress`, which appends the compressed
    /// form of its first argument to its second.
    ///
    /// # Errors
    /// What `compress` reports.
    pub fn finish(
        &self,
        original: &BatchView<'_>,
        out: &mut Vec<u8>,
        compress: impl FnOnce(Codec, &[u8], &mut Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let start = out.len();
        out.extend_from_slice(&original.bytes()[..HEADER_LENGTH]);
        compress(original.codec(), &self.records, out)?;
        let horizon = match self.delete_horizon_ms {
            Some(_) => ATTRIBUTE_DELETE_HORIZON,
            None => 0,
        };
        let max_timestamp = match original.timestamp_type() {
            TimestampType::LogAppendTime => original.max_timestamp(),
            TimestampType::CreateTime => self.max_timestamp,
        };
        seal(
            &mut out[start..],
            original.attributes() & !ATTRIBUTE_DELETE_HORIZON | horizon,
            self.base_timestamp,
            max_timestamp,
            self.count,
        );
        Ok(())
    }
}

/// Appends `original` without its records: what remains tells its offsets, its producer's last
/// sequence, its epoch (Kafka: `DefaultRecordBatch.writeEmptyHeader`).
pub fn write_emptied(original: &BatchView<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&original.bytes()[..HEADER_LENGTH]);
    let attributes = original.attributes() & !(ATTRIBUTE_CODEC | ATTRIBUTE_DELETE_HORIZON);
    seal(
        &mut out[start..],
        attributes,
        NO_TIMESTAMP,
        original.max_timestamp(),
        0,
    );
}

/// Appends a batch without records that covers the offsets from `first` up to `last`, as one that
/// lost all of its records leaves: readers go on behind it.
///
/// # Panics
/// `last - first` is not in `0..=i32::MAX`.
pub fn write_placeholder(
    first: i64,
    last: i64,
    leader_epoch: i32,
    max_timestamp: i64,
    out: &mut Vec<u8>,
) {
    let delta = i32::try_from(last - first).expect("a batch's offsets fit 31 bits");
    assert!(delta >= 0);
    let start = out.len();
    out.resize(start + HEADER_LENGTH, 0);
    let batch = &mut out[start..];
    let mut put = |at: usize, field: &[u8]| batch[at..at + field.len()].copy_from_slice(field);
    put(0, &first.to_be_bytes());
    put(12, &leader_epoch.to_be_bytes());
    put(16, &MAGIC.to_be_bytes());
    put(23, &delta.to_be_bytes());
    put(43, &NO_PRODUCER_ID.to_be_bytes());
    // Neither epoch nor sequence.
    put(51, &(-1i16).to_be_bytes());
    put(53, &(-1i32).to_be_bytes());
    seal(batch, 0, NO_TIMESTAMP, max_timestamp, 0);
}

fn seal(batch: &mut [u8], attributes: i16, base_timestamp: i64, max_timestamp: i64, count: i32) {
    let length = (batch.len() - LOG_OVERHEAD) as i32;
    let mut put = |at: usize, field: &[u8]| batch[at..at + field.len()].copy_from_slice(field);
    put(8, &length.to_be_bytes());
    put(21, &attributes.to_be_bytes());
    put(27, &base_timestamp.to_be_bytes());
    put(35, &max_timestamp.to_be_bytes());
    put(57, &count.to_be_bytes());
    let crc = crc32c(&batch[CRC_COVERS_FROM..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}
