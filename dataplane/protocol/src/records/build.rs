//! Building batches, for clients and tests.

use super::batch::Codec;
use super::varint::{VARINT_LENGTH_MAX, length_of_long, option_length, write_long, write_option};
use super::{
    ATTRIBUTE_CONTROL, ATTRIBUTE_TRANSACTIONAL, CRC_COVERS_FROM, HEADER_LENGTH, LOG_OVERHEAD,
    MAGIC, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP,
};
use precursor_memory::crc32c;

/// Collects records and writes them as one batch. Can be used again after [`BatchBuilder::clear`].
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    records: Vec<u8>,
    count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    attributes: i16,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    pub fn new() -> Self {
        BatchBuilder {
            records: Vec::new(),
            count: 0,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: -1,
            base_sequence: NO_SEQUENCE,
            attributes: 0,
        }
    }

    /// The next batch is one of an idempotent producer.
    pub fn set_producer(&mut self, id: i64, epoch: i16, base_sequence: i32) {
        self.producer_id = id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
    }

    /// The next batch belongs to a transaction.
    pub fn set_transactional(&mut self, transactional: bool) {
        self.set_attribute(ATTRIBUTE_TRANSACTIONAL, transactional);
    }

    /// The next batch is a control batch, as only brokers may write.
    pub fn set_control(&mut self, control: bool) {
        self.set_attribute(ATTRIBUTE_CONTROL, control);
    }

    fn set_attribute(&mut self, attribute: i16, on: bool) {
        if on {
            self.attributes |= attribute;
        } else {
            self.attributes &= !attribute;
        }
    }

    /// Records collected.
    pub fn record_count(&self) -> usize {
        self.count as usize
    }

    /// Bytes that the batch would take without compression.
    pub fn length(&self) -> usize {
        HEADER_LENGTH + self.records.len()
    }

    /// Adds a record. Timestamps are milliseconds since 1970.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
            self.max_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let length = 1
            + length_of_long(timestamp_delta)
            + length_of_long(i64::from(self.count))
            + option_length(key)
            + option_length(value)
            + length_of_long(headers.len() as i64)
            + headers
                .iter()
                .map(|(name, value)| option_length(Some(name.as_bytes())) + option_length(*value))
                .sum::<usize>();
        let out = &mut self.records;
        out.reserve(length + VARINT_LENGTH_MAX);
        write_long(out, length as i64);
        out.push(0);
        write_long(out, timestamp_delta);
        write_long(out, i64::from(self.count));
        write_option(out, key);
        write_option(out, value);
        write_long(out, headers.len() as i64);
        for (name, value) in headers {
            write_option(out, Some(name.as_bytes()));
            write_option(out, *value);
        }
        self.count += 1;
    }

    /// Appends the batch to `out`, uncompressed.
    pub fn build(&self, out: &mut Vec<u8>) {
        self.build_with(out, Codec::None, |records, out| {
            out.extend_from_slice(records)
        });
    }

    /// Appends the batch to `out`; `compress` appends the compressed form of its first argument to
    /// its second, in the codec's format.
    pub fn build_with(
        &self,
        out: &mut Vec<u8>,
        codec: Codec,
        compress: impl FnOnce(&[u8], &mut Vec<u8>),
    ) {
        let start = out.len();
        out.extend_from_slice(&[0; HEADER_LENGTH]);
        compress(&self.records, out);
        let batch = &mut out[start..];
        let length = (batch.len() - LOG_OVERHEAD) as i32;
        let mut put = |at: usize, field: &[u8]| batch[at..at + field.len()].copy_from_slice(field);
        put(8, &length.to_be_bytes());
        // The leader epoch is the broker's to assign.
        put(12, &(-1i32).to_be_bytes());
        put(16, &MAGIC.to_be_bytes());
        put(21, &(self.attributes | codec.bits()).to_be_bytes());
        put(23, &(self.count - 1).to_be_bytes());
        put(27, &self.base_timestamp.to_be_bytes());
        put(35, &self.max_timestamp.to_be_bytes());
        put(43, &self.producer_id.to_be_bytes());
        put(51, &self.producer_epoch.to_be_bytes());
        put(53, &self.base_sequence.to_be_bytes());
        put(57, &self.count.to_be_bytes());
        let crc = crc32c(&batch[CRC_COVERS_FROM..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
    }

    /// Forgets the records, keeps the memory and the producer.
    pub fn clear(&mut self) {
        self.records.clear();
        self.count = 0;
        self.base_timestamp = NO_TIMESTAMP;
        self.max_timestamp = NO_TIMESTAMP;
    }
}
