//! The response to ListOffsets.

use super::topics::Topics;
use crate::error::EncodeError;
use precursor_model::ErrorCode;

/// The answer for one partition; -1 for what was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListOffsetsPartition {
    pub index: i32,
    pub error: ErrorCode,
    pub timestamp: i64,
    pub offset: i64,
    /// From version 4.
    pub leader_epoch: i32,
}

impl ListOffsetsPartition {
    /// A refusal.
    pub const fn refused(index: i32, error: ErrorCode) -> Self {
        ListOffsetsPartition {
            index,
            error,
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

/// Writes a ListOffsetsResponse, versions 1 to 11.
#[derive(Debug)]
pub struct ListOffsetsResponseWriter<'a> {
    topics: Topics<'a>,
}

impl<'a> ListOffsetsResponseWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>, version: i16, throttle_time_ms: i32, topics: usize) -> Self {
        let mut writer = ListOffsetsResponseWriter {
            topics: Topics::new(out, version, version >= 6),
        };
        if version >= 2 {
            writer.topics.w.int32(throttle_time_ms);
        }
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

    pub fn partition(&mut self, partition: &ListOffsetsPartition) {
        self.topics.partition();
        let w = &mut self.topics.w;
        w.int32(partition.index);
        w.int16(partition.error.code());
        w.int64(partition.timestamp);
        w.int64(partition.offset);
        if w.version() >= 4 {
            w.int32(partition.leader_epoch);
        }
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
