//! The response to Produce.

use super::CurrentLeader;
use super::topics::Topics;
use crate::error::EncodeError;
use precursor_model::{ErrorCode, TopicId};

/// The answer for one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducePartition<'a> {
    pub index: i32,
    pub error: ErrorCode,
    /// The first record's offset; -1 with an error.
    pub base_offset: i64,
    /// -1 unless the topic has LogAppendTime.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    /// From version 8.
    pub error_message: Option<&'a str>,
    /// From version 10, with NOT_LEADER_OR_FOLLOWER.
    pub current_leader: Option<CurrentLeader>,
}

impl ProducePartition<'_> {
    /// A refusal without a message.
    pub const fn refused(index: i32, error: ErrorCode) -> Self {
        ProducePartition {
            index,
            error,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            error_message: None,
            current_leader: None,
        }
    }
}

/// Writes a ProduceResponse, versions 3 to 13.
#[derive(Debug)]
pub struct ProduceResponseWriter<'a> {
    topics: Topics<'a>,
}

impl<'a> ProduceResponseWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>, version: i16, topics: usize) -> Self {
        let mut writer = ProduceResponseWriter {
            topics: Topics::new(out, version, version >= 9),
        };
        writer.topics.begin(topics);
        writer
    }

    /// Where in the buffer the next byte goes, for a caller that fills in a field later.
    pub fn position(&self) -> usize {
        self.topics.w.position()
    }

    /// Begins a topic: named up to version 12, by its id after that.
    pub fn topic(&mut self, name: &str, id: TopicId, partitions: usize) {
        self.topics.topic();
        let w = &mut self.topics.w;
        if w.version() >= 13 {
            w.topic_id(id);
        } else {
            w.string(name);
        }
        self.topics.partitions(partitions);
        self.end_topic_if_complete();
    }

    pub fn partition(&mut self, partition: &ProducePartition<'_>) {
        self.topics.partition();
        let w = &mut self.topics.w;
        let version = w.version();
        w.int32(partition.index);
        w.int16(partition.error.code());
        w.int64(partition.base_offset);
        w.int64(partition.log_append_time_ms);
        if version >= 5 {
            w.int64(partition.log_start_offset);
        }
        if version >= 8 {
            // Errors of single records (KIP-467): a batch is taken or refused as a whole here.
            w.length(0);
            w.option_string(partition.error_message, true, "ErrorMessage");
        }
        match partition.current_leader {
            Some(leader) if version >= 10 => {
                let mut tags = w.tags(1, &[]);
                w.tagged(&mut tags, 0, |w| {
                    w.int32(leader.leader_id);
                    w.int32(leader.leader_epoch);
                    w.no_tags();
                });
            }
            _ => w.no_tags(),
        }
        self.end_topic_if_complete();
    }

    fn end_topic_if_complete(&mut self) {
        if self.topics.topic_is_complete() {
            self.topics.w.no_tags();
        }
    }

    pub fn finish(mut self, throttle_time_ms: i32) -> Result<(), EncodeError> {
        self.topics.end();
        self.topics.w.int32(throttle_time_ms);
        self.topics.w.no_tags();
        self.topics.w.finish()
    }
}
