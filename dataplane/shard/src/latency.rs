//! How long requests took, told when their answers have been handed to the transport.

use crate::answer::Answer;
use precursor_shm::ShardLatency;

/// Counts a request whose answer has left.
pub(crate) fn answered(latency: &ShardLatency, answer: &Answer, left_us: u64) {
    let Some(key) = latency.key(answer.api_key) else {
        return;
    };
    let took_us = left_us.saturating_sub(answer.began_us);
    key.record(took_us);
    if answer.waited {
        key.waited.add(1);
        key.waited_us.add(took_us);
    }
    if answer.failed {
        key.errors.add(1);
    }
}
