//! How much a produced batch may decompress to.

/// Bounds of what is decompressed of one batch whose topic takes batches of a given size.
///
/// A compressed batch is bounded by `max.message.bytes`, its plain form by nothing in Kafka's
/// protocol. What clients send stays below these bounds: a producer holds a record whole (in 32 MiB,
/// unless told otherwise) and closes a batch when it is about full after compression; text and
/// serialized objects shrink to a tenth, seldom to a fiftieth. Only batches of one and the same byte
/// go beyond, and Kafka's producer splits a batch that is refused as too large, and sends it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainLimits {
    /// Bytes of all records. They are never in memory together, so this bounds time, not memory.
    pub batch_bytes_max: u64,
    /// Bytes of one record, which is in memory whole.
    pub record_bytes_max: usize,
}

const LEAST_BYTES: u64 = 64 << 20;
const RECORD_BYTES_MOST: u64 = 256 << 20;

impl PlainLimits {
    /// A batch may decompress to 256 times `max.message.bytes`, a record to 64 times as much but
    /// not to more than 256 MiB; both to 64 MiB in any case.
    pub fn of(message_bytes_max: usize) -> PlainLimits {
        let unit = message_bytes_max as u64;
        let record = (unit * 64).clamp(LEAST_BYTES, RECORD_BYTES_MOST);
        PlainLimits {
            batch_bytes_max: (unit * 256).max(LEAST_BYTES),
            record_bytes_max: record as usize,
        }
    }

    /// The same where somebody will want the plain batch in memory as a whole, as compaction does.
    #[must_use]
    pub fn whole(self) -> PlainLimits {
        let most = crate::DECOMPRESSED_BYTES_MAX as u64;
        PlainLimits {
            batch_bytes_max: self.batch_bytes_max.min(most),
            ..self
        }
    }
}
