//! The response to OffsetForLeaderEpoch.

use super::topics::Topics;
use crate::error::EncodeError;
use precursor_model::ErrorCode;

/// Where a leader epoch ends in one partition's log; -1 for what is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    pub index: i32,
    pub error: ErrorCode,
    pub leader_epoch: i32,
    pub end_offset: i64,
}

impl EpochEnd {
    /// A refusal.
    pub const fn refused(index: i32, error: ErrorCode) -> Self {
        EpochEnd {
            index,
            error,
            leader_epoch: -1,
            end_offset: -1,
        }
    }
}

/// Writes an OffsetForLeaderEpochResponse, versions 2 to 4.
#[derive(Debug)]
pub struct OffsetForLeaderEpochResponseWriter<'a> {
    topics: Topics<'a>,
}

impl<'a> OffsetForLeaderEpochResponseWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>, version: i16, throttle_time_ms: i32, topics: usize) -> Self {
        let mut writer = OffsetForLeaderEpochResponseWriter {
            topics: Topics::new(out, version, version >= 4),
        };
        writer.topics.w.int32(throttle_time_ms);
        writer.topics.begin(topics);
        writer
    }

    /// Where in the buffer the next byte goes, for a caller that fills in a field later.
    pub fn position(&self) -> usize {
        self.topics.w.position()
    }

    pub fn topic(&mut self, name: &str, partitions: usize) {
        self.topics.topic();
        self.topics.w.string(name);
        self.topics.partitions(partitions);
        self.end_topic_if_complete();
    }

    pub fn partition(&mut self, partition: &EpochEnd) {
        self.topics.partition();
        let w = &mut self.topics.w;
        w.int16(partition.error.code());
        w.int32(partition.index);
        w.int32(partition.leader_epoch);
        w.int64(partition.end_offset);
        w.no_tags();
        self.end_topic_if_complete();
    }

    fn end_topic_if_complete(&mut self) {
        if self.topics.topic_is_complete() {
            self.topics.w.no_tags();
        }
    }

    pub fn finish(mut self) -> Result<(), EncodeError> {
        self.topics.end();
        self.topics.w.no_tags();
        self.topics.w.finish()
    }
}
