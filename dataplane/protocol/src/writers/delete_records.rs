//! The response to DeleteRecords.

use super::topics::Topics;
use crate::error::EncodeError;
use precursor_model::ErrorCode;

/// Writes a DeleteRecordsResponse, versions 0 to 2.
#[derive(Debug)]
pub struct DeleteRecordsResponseWriter<'a> {
    topics: Topics<'a>,
}

impl<'a> DeleteRecordsResponseWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>, version: i16, throttle_time_ms: i32, topics: usize) -> Self {
        let mut writer = DeleteRecordsResponseWriter {
            topics: Topics::new(out, version, version >= 2),
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

    /// `low_watermark`: the log's start now, -1 with an error.
    pub fn partition(&mut self, index: i32, low_watermark: i64, error: ErrorCode) {
        self.topics.partition();
        let w = &mut self.topics.w;
        w.int32(index);
        w.int64(low_watermark);
        w.int16(error.code());
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
