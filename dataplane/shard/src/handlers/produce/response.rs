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
                error_message: None,
                current_leader: None,
            });
        }
    }
    w.finish(throttle_ms)
}
