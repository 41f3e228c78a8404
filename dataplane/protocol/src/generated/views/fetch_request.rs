// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FetchRequest, API key 1, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::fetch_request as owned;
use crate::read::{Items, ReadView, Reader};
use precursor_model::TopicId;

/// [`owned::FetchRequest`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequestView<'a> {
    pub cluster_id: Option<&'a str>,
    pub replica_id: i32,
    pub replica_state: ReplicaStateView,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub topics: Items<'a, FetchTopicView<'a>>,
    pub forgotten_topics_data: Items<'a, ForgottenTopicView<'a>>,
    pub rack_id: &'a str,
}

impl Default for FetchRequestView<'_> {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaStateView::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Items::default(),
            forgotten_topics_data: Items::default(),
            rack_id: "",
        }
    }
}

impl<'a> ReadView<'a> for FetchRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let mut cluster_id = None;
        let replica_id = if version <= 14 { r.int32()? } else { -1 };
        let mut replica_state = ReplicaStateView::default();
        let max_wait_ms = r.int32()?;
        let min_bytes = r.int32()?;
        let max_bytes = r.int32()?;
        let isolation_level = r.int8()?;
        let session_id = if version >= 7 { r.int32()? } else { 0 };
        let session_epoch = if version >= 7 { r.int32()? } else { -1 };
        let topics = r.items()?;
        let forgotten_topics_data = if version >= 7 {
            r.items()?
        } else {
            Items::default()
        };
        let rack_id = if version >= 11 { r.str()? } else { "" };
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 12 => {
                        cluster_id = field.option_str(true)?;
                        r.end_tag(&field)?;
                    }
                    1 if version >= 15 => {
                        replica_state = ReplicaStateView::read_view(&mut field)?;
                        r.end_tag(&field)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(Self {
            cluster_id,
            replica_id,
            replica_state,
            max_wait_ms,
            min_bytes,
            max_bytes,
            isolation_level,
            session_id,
            session_epoch,
            topics,
            forgotten_topics_data,
            rack_id,
        })
    }
}

impl FetchRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::FetchRequest {
        owned::FetchRequest {
            cluster_id: self.cluster_id.map(str::to_owned),
            replica_id: self.replica_id,
            replica_state: self.replica_state.to_message(),
            max_wait_ms: self.max_wait_ms,
            min_bytes: self.min_bytes,
            max_bytes: self.max_bytes,
            isolation_level: self.isolation_level,
            session_id: self.session_id,
            session_epoch: self.session_epoch,
            topics: self.topics.map(|item| item.to_message()).collect(),
            forgotten_topics_data: self
                .forgotten_topics_data
                .map(|item| item.to_message())
                .collect(),
            rack_id: self.rack_id.to_owned(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::ReplicaState`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct ReplicaStateView {
    pub replica_id: i32,
    pub replica_epoch: i64,
}

impl Default for ReplicaStateView {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
        }
    }
}

impl<'a> ReadView<'a> for ReplicaStateView {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let replica_id = r.int32()?;
        let replica_epoch = r.int64()?;
        r.skip_tags()?;
        Ok(Self {
            replica_id,
            replica_epoch,
        })
    }
}

impl ReplicaStateView {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::ReplicaState {
        owned::ReplicaState {
            replica_id: self.replica_id,
            replica_epoch: self.replica_epoch,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::FetchTopic`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchTopicView<'a> {
    pub topic: &'a str,
    pub topic_id: TopicId,
    pub partitions: Items<'a, FetchPartitionView>,
}

impl<'a> ReadView<'a> for FetchTopicView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topic = if version <= 12 { r.str()? } else { "" };
        let topic_id = if version >= 13 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partitions = r.items()?;
        r.skip_tags()?;
        Ok(Self {
            topic,
            topic_id,
            partitions,
        })
    }
}

impl FetchTopicView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::FetchTopic {
        owned::FetchTopic {
            topic: self.topic.to_owned(),
            topic_id: self.topic_id,
            partitions: self.partitions.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::FetchPartition`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct FetchPartitionView {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: [u8; 16],
    pub high_watermark: i64,
}

impl Default for FetchPartitionView {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: [0; 16],
            high_watermark: i64::MAX,
        }
    }
}

impl<'a> ReadView<'a> for FetchPartitionView {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let partition = r.int32()?;
        let current_leader_epoch = if version >= 9 { r.int32()? } else { -1 };
        let fetch_offset = r.int64()?;
        let last_fetched_epoch = if version >= 12 { r.int32()? } else { -1 };
        let log_start_offset = if version >= 5 { r.int64()? } else { -1 };
        let partition_max_bytes = r.int32()?;
        let mut replica_directory_id = [0; 16];
        let mut high_watermark = i64::MAX;
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    0 if version >= 17 => {
                        replica_directory_id = field.uuid()?;
                        r.end_tag(&field)?;
                    }
                    1 if version >= 18 => {
                        high_watermark = field.int64()?;
                        r.end_tag(&field)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(Self {
            partition,
            current_leader_epoch,
            fetch_offset,
            last_fetched_epoch,
            log_start_offset,
            partition_max_bytes,
            replica_directory_id,
            high_watermark,
        })
    }
}

impl FetchPartitionView {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::FetchPartition {
        owned::FetchPartition {
            partition: self.partition,
            current_leader_epoch: self.current_leader_epoch,
            fetch_offset: self.fetch_offset,
            last_fetched_epoch: self.last_fetched_epoch,
            log_start_offset: self.log_start_offset,
            partition_max_bytes: self.partition_max_bytes,
            replica_directory_id: self.replica_directory_id,
            high_watermark: self.high_watermark,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::ForgottenTopic`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForgottenTopicView<'a> {
    pub topic: &'a str,
    pub topic_id: TopicId,
    pub partitions: Items<'a, i32>,
}

impl<'a> ReadView<'a> for ForgottenTopicView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topic = if version <= 12 { r.str()? } else { "" };
        let topic_id = if version >= 13 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partitions = r.items()?;
        r.skip_tags()?;
        Ok(Self {
            topic,
            topic_id,
            partitions,
        })
    }
}

impl ForgottenTopicView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::ForgottenTopic {
        owned::ForgottenTopic {
            topic: self.topic.to_owned(),
            topic_id: self.topic_id,
            partitions: self.partitions.collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> FetchRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::FetchRequest::VERSION_MIN..=owned::FetchRequest::VERSION_MAX).contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 12);
        Self::read_view(&mut r)
    }
}
