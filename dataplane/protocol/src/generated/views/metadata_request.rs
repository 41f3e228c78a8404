// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! MetadataRequest, API key 3, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::metadata_request as owned;
use crate::read::{Items, ReadView, Reader};
use precursor_model::TopicId;

/// [`owned::MetadataRequest`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct MetadataRequestView<'a> {
    pub topics: Option<Items<'a, MetadataRequestTopicView<'a>>>,
    pub allow_auto_topic_creation: bool,
    pub include_cluster_authorized_operations: bool,
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequestView<'_> {
    fn default() -> Self {
        Self {
            topics: None,
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

impl<'a> ReadView<'a> for MetadataRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topics = r.option_items(version >= 1)?;
        let allow_auto_topic_creation = if version >= 4 { r.bool()? } else { true };
        let include_cluster_authorized_operations = if (8..=10).contains(&version) {
            r.bool()?
        } else {
            false
        };
        let include_topic_authorized_operations = if version >= 8 { r.bool()? } else { false };
        r.skip_tags()?;
        Ok(Self {
            topics,
            allow_auto_topic_creation,
            include_cluster_authorized_operations,
            include_topic_authorized_operations,
        })
    }
}

impl MetadataRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::MetadataRequest {
        owned::MetadataRequest {
            topics: self
                .topics
                .map(|items| items.map(|item| item.to_message()).collect()),
            allow_auto_topic_creation: self.allow_auto_topic_creation,
            include_cluster_authorized_operations: self.include_cluster_authorized_operations,
            include_topic_authorized_operations: self.include_topic_authorized_operations,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::MetadataRequestTopic`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct MetadataRequestTopicView<'a> {
    pub topic_id: TopicId,
    pub name: Option<&'a str>,
}

impl<'a> ReadView<'a> for MetadataRequestTopicView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let topic_id = if version >= 10 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let name = r.option_str(version >= 10)?;
        r.skip_tags()?;
        Ok(Self { topic_id, name })
    }
}

impl MetadataRequestTopicView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::MetadataRequestTopic {
        owned::MetadataRequestTopic {
            topic_id: self.topic_id,
            name: self.name.map(str::to_owned),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> MetadataRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::MetadataRequest::VERSION_MIN..=owned::MetadataRequest::VERSION_MAX)
            .contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 9);
        Self::read_view(&mut r)
    }
}
