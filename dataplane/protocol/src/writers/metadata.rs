//! The response to Metadata.

use super::topics::Topics;
use crate::error::EncodeError;
use precursor_model::{ErrorCode, TopicId};

/// "Not asked for", where a set of authorised operations would stand.
const NO_OPERATIONS: i32 = i32::MIN;

/// One topic, before its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataTopic<'a> {
    pub error: ErrorCode,
    /// May be `None` from version 12, for a topic that was asked for by an unknown id.
    pub name: Option<&'a str>,
    /// From version 10.
    pub id: TopicId,
    pub is_internal: bool,
    /// From version 8, a set of operations as bits; `None`: not asked for.
    pub authorized_operations: Option<i32>,
}

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataPartition<'a> {
    pub error: ErrorCode,
    pub index: i32,
    /// -1: none.
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replicas: &'a [i32],
    pub in_sync_replicas: &'a [i32],
    pub offline_replicas: &'a [i32],
}

/// Writes a MetadataResponse, versions 0 to 13: brokers, then [`MetadataResponseWriter::cluster`],
/// then topics, each with its partitions.
#[derive(Debug)]
pub struct MetadataResponseWriter<'a> {
    topics: Topics<'a>,
    brokers_left: usize,
    topic_operations: i32,
}

impl<'a> MetadataResponseWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>, version: i16, throttle_time_ms: i32, brokers: usize) -> Self {
        let mut writer = MetadataResponseWriter {
            topics: Topics::new(out, version, version >= 9),
            brokers_left: brokers,
            topic_operations: NO_OPERATIONS,
        };
        let w = &mut writer.topics.w;
        if version >= 3 {
            w.int32(throttle_time_ms);
        }
        w.length(brokers);
        writer
    }

    pub fn broker(&mut self, id: i32, host: &str, port: i32, rack: Option<&str>) {
        let w = &mut self.topics.w;
        match self.brokers_left.checked_sub(1) {
            Some(left) => self.brokers_left = left,
            None => w.fail(EncodeError::Count),
        }
        w.int32(id);
        w.string(host);
        w.int32(port);
        if w.version() >= 1 {
            w.option_string(rack, true, "Rack");
        }
        w.no_tags();
    }

    pub fn cluster(&mut self, cluster_id: Option<&str>, controller_id: i32, topics: usize) {
        let w = &mut self.topics.w;
        if self.brokers_left != 0 {
            w.fail(EncodeError::Count);
        }
        if w.version() >= 2 {
            w.option_string(cluster_id, true, "ClusterId");
        }
        if w.version() >= 1 {
            w.int32(controller_id);
        }
        self.topics.begin(topics);
    }

    pub fn topic(&mut self, topic: &MetadataTopic<'_>, partitions: usize) {
        self.topics.topic();
        let w = &mut self.topics.w;
        let version = w.version();
        w.int16(topic.error.code());
        w.option_string(topic.name, version >= 12, "Name");
        if version >= 10 {
            w.topic_id(topic.id);
        }
        if version >= 1 {
            w.bool(topic.is_internal);
        }
        self.topic_operations = topic.authorized_operations.unwrap_or(NO_OPERATIONS);
        self.topics.partitions(partitions);
        self.end_topic_if_complete();
    }

    pub fn partition(&mut self, partition: &MetadataPartition<'_>) {
        self.topics.partition();
        let w = &mut self.topics.w;
        w.int16(partition.error.code());
        w.int32(partition.index);
        w.int32(partition.leader_id);
        if w.version() >= 7 {
            w.int32(partition.leader_epoch);
        }
        w.array(partition.replicas);
        w.array(partition.in_sync_replicas);
        if w.version() >= 5 {
            w.array(partition.offline_replicas);
        }
        w.no_tags();
        self.end_topic_if_complete();
    }

    fn end_topic_if_complete(&mut self) {
        if self.topics.topic_is_complete() {
            let w = &mut self.topics.w;
            if w.version() >= 8 {
                w.int32(self.topic_operations);
            }
            w.no_tags();
        }
    }

    /// `cluster_operations`: what the principal may do to the cluster, as bits; versions 8 to 10.
    /// `error`: of the whole request, from version 13.
    pub fn finish(
        mut self,
        cluster_operations: Option<i32>,
        error: ErrorCode,
    ) -> Result<(), EncodeError> {
        self.topics.end();
        let mut w = self.topics.w;
        if (8..=10).contains(&w.version()) {
            w.int32(cluster_operations.unwrap_or(NO_OPERATIONS));
        }
        if w.version() >= 13 {
            w.int16(error.code());
        }
        w.no_tags();
        w.finish()
    }
}
