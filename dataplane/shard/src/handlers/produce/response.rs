//! The response to Produce, with the places of what is still to be settled.

use super::PartitionOutcome;
use precursor_protocol::EncodeError;
use precursor_protocol::views::ProduceRequestView;
use precursor_protocol::writers::{ProducePartition, ProduceResponseWriter};

/// Bytes between the beginning of a partition and its error code: the index.
const ERROR_PLACE: usize = 4;

/// Appends the response's body to `out`; `holes` gets the place of every partition's error code.
pub(super) fn write(
    out: &mut Vec<u8>,
    version: i16,
    view: &ProduceRequestView<'_>,
    outcomes: &[PartitionOutcome],
    holes: &mut Vec<Option<u32>>,
    throttle_ms: i32,
) -> Result<(), EncodeError> {
    let mut w = ProduceResponseWriter::new(out, version, view.topic_data.len());
    let mut outcomes = outcomes.iter();
    for topic in view.topic_data {
        w.topic(topic.name, topic.topic_id, topic.partition_data.len());
        for (partition, outcome) in topic.partition_data.zip(&mut outcomes) {
            holes.push(Some((w.position() + ERROR_PLACE) as u32));
            w.partition(&ProducePartition {
                index: partition.index,
                error: outcome.error,
                base_offset: outcome.base_offset,
                log_append_time_ms: outcome.log_append_time_ms,
                log_start_offset: outcome.log_start_offset,
                error_message: outcome.message,
                current_leader: None,
            });
        }
    }
    w.finish(throttle_ms)
}

/// Puts an error's message into a partition that was written without one; `at` is where its error
/// code is. Returns the bytes by which what is behind it moved.
pub(super) fn insert_message(head: &mut Vec<u8>, at: usize, version: i16, message: &str) -> usize {
    // Code, three offsets, an empty list of errors of single records, the message (KIP-467).
    let (errors_bytes, is_compact) = match version {
        ..8 => return 0,
        8 => (4, false),
        _ => (1, true),
    };
    let place = at + 2 + 3 * 8 + errors_bytes;
    let length = message.len();
    // Messages are our own, and short: a compact length fits one byte up to 126.
    let mut bytes = match (is_compact, u8::try_from(length + 1)) {
        (true, Ok(prefix)) if prefix < 0x80 => vec![prefix],
        (true, _) => vec![(length + 1) as u8 | 0x80, ((length + 1) >> 7) as u8],
        (false, _) => (length as i16).to_be_bytes().to_vec(),
    };
    let replaced = if is_compact { 1 } else { 2 };
    bytes.extend_from_slice(message.as_bytes());
    let grown = bytes.len() - replaced;
    head.splice(place..place + replaced, bytes);
    grown
}
