//! The internal topic of groups and committed offsets: made on first need.

use crate::api::Api;
use crate::topics::{Count, NewTopicRequest};
use precursor_metadata::Metadata;
use precursor_model::{LogConfig, OFFSETS_TOPIC};

impl Api {
    /// `__consumer_offsets` as the node's options want it; fewer replicas than they say where there
    /// are fewer brokers.
    pub(crate) fn offsets_topic(&self) -> NewTopicRequest {
        let options = &self.settings.node;
        let brokers = self
            .consensus
            .read(|state: &Metadata| state.brokers().len());
        let brokers = i32::try_from(brokers).unwrap_or(i32::MAX);
        let replicas = i32::from(options.offsets_topic_replication_factor).min(brokers);
        let mut configs = vec![(
            "segment.bytes".to_owned(),
            Some(options.offsets_topic_segment_bytes.to_string()),
        )];
        let compact = ("cleanup.policy", "compact");
        // Offsets are kept until they are committed anew, deleted or expired, never by their age. What
        // the coordinator writes, it reads as it wrote it.
        let kept = [
            compact,
            ("compression.type", "producer"),
            ("retention.ms", "-1"),
        ];
        for (name, value) in kept {
            if LogConfig::default().set(name, value).is_ok() {
                configs.push((name.to_owned(), Some(value.to_owned())));
            }
        }
        NewTopicRequest {
            name: OFFSETS_TOPIC.to_owned(),
            partitions: Count::Of(options.offsets_topic_partitions),
            replication_factor: Count::Of(replicas),
            assignments: Vec::new(),
            configs,
        }
    }
}
