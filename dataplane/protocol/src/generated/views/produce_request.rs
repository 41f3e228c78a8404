// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ProduceRequest, API key 0, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::produce_request as owned;
use crate::read::{Items, ReadView, Reader};
use precursor_model::TopicId;

/// [`owned::ProduceRequest`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProduceRequestView<'a> {
    pub transactional_id: Option<&'a str>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Items<'a, TopicProduceDataView<'a>>,
}

impl<'a> ReadView<'a> for ProduceRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let transactional_id = r.option_str(true)?;
        let acks = r.int16()?;
        let timeout_ms = r.int32()?;
        let topic_data = r.items()?;
        r.skip_tags()?;
        Ok(Self {
            transactional_id,
            acks,
            timeout_ms,
            topic_data,
        })
    }
}

impl ProduceRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::ProduceRequest {
        owned::ProduceRequest {
            transactional_id: self.transactional_id.map(str::to_owned),
            acks: self.acks,
            timeout_ms: self.timeout_ms,
            topic_data: self.topic_data.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::TopicProduceData`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct TopicProduceDataView<'a> {
    pub name: &'a str,
    pub topic_id: TopicId,
    pub partition_data: Items<'a, PartitionProduceDataView<'a>>,
}

impl<'a> ReadView<'a> for TopicProduceDataView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let name = if version <= 12 { r.str()? } else { "" };
        let topic_id = if version >= 13 {
            r.topic_id()?
        } else {
            TopicId::ZERO
        };
        let partition_data = r.items()?;
        r.skip_tags()?;
        Ok(Self {
            name,
            topic_id,
            partition_data,
        })
    }
}

impl TopicProduceDataView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::TopicProduceData {
        owned::TopicProduceData {
            name: self.name.to_owned(),
            topic_id: self.topic_id,
            partition_data: self.partition_data.map(|item| item.to_message()).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

/// [`owned::PartitionProduceData`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PartitionProduceDataView<'a> {
    pub index: i32,
    pub records: Option<&'a [u8]>,
}

impl<'a> ReadView<'a> for PartitionProduceDataView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let index = r.int32()?;
        let records = r.option_slice(true)?;
        r.skip_tags()?;
        Ok(Self { index, records })
    }
}

impl PartitionProduceDataView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::PartitionProduceData {
        owned::PartitionProduceData {
            index: self.index,
            records: self.records.map(<[u8]>::to_vec),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> ProduceRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::ProduceRequest::VERSION_MIN..=owned::ProduceRequest::VERSION_MAX)
            .contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 9);
        Self::read_view(&mut r)
    }
}
