// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ShareGroupDescribeResponse, API key 77.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};
use precursor_model::TopicId;

/// ShareGroupDescribeResponse, versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ShareGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ShareGroupDescribeResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let groups = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            groups,
            unknown_tagged_fields,
        })
    }
}

impl Write for ShareGroupDescribeResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.array(&self.groups);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareGroupDescribeResponse`], versions 1.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub group_id: String,
    pub group_state: String,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub assignor_name: String,
    pub members: Vec<Member>,
    pub authorized_operations: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: String::new(),
            group_state: String::new(),
            group_epoch: 0,
            assignment_epoch: 0,
            assignor_name: String::new(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribedGroup {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let group_id = r.string()?;
        let group_state = r.string()?;
        let group_epoch = r.int32()?;
        let assignment_epoch = r.int32()?;
        let assignor_name = r.string()?;
        let members = r.array()?;
        let authorized_operations = r.int32()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            error_code,
            error_message,
            group_id,
            group_state,
            group_epoch,
            assignment_epoch,
            assignor_name,
            members,
            authorized_operations,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribedGroup {
    fn write(&self, w: &mut Writer<'_>) {
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.string(&self.group_id);
        w.string(&self.group_state);
        w.int32(self.group_epoch);
        w.int32(self.assignment_epoch);
        w.string(&self.assignor_name);
        w.array(&self.members);
        w.int32(self.authorized_operations);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareGroupDescribeResponse`], versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Member {
    pub member_id: String,
    pub rack_id: Option<String>,
    pub member_epoch: i32,
    pub client_id: String,
    pub client_host: String,
    pub subscribed_topic_names: Vec<String>,
    pub assignment: Assignment,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for Member {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let member_id = r.string()?;
        let rack_id = r.option_string(true)?;
        let member_epoch = r.int32()?;
        let client_id = r.string()?;
        let client_host = r.string()?;
        let subscribed_topic_names = r.array()?;
        let assignment = Assignment::read(r)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            member_id,
            rack_id,
            member_epoch,
            client_id,
            client_host,
            subscribed_topic_names,
            assignment,
            unknown_tagged_fields,
        })
    }
}

impl Write for Member {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.member_id);
        w.option_string(self.rack_id.as_deref(), true, "RackId");
        w.int32(self.member_epoch);
        w.string(&self.client_id);
        w.string(&self.client_host);
        w.array(&self.subscribed_topic_names);
        self.assignment.write(w);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareGroupDescribeResponse`], versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for Assignment {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for Assignment {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.topic_partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`ShareGroupDescribeResponse`], versions 1.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TopicPartitions {
    pub topic_id: TopicId,
    pub topic_name: String,
    pub partitions: Vec<i32>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for TopicPartitions {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let topic_id = r.topic_id()?;
        let topic_name = r.string()?;
        let partitions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            topic_id,
            topic_name,
            partitions,
            unknown_tagged_fields,
        })
    }
}

impl Write for TopicPartitions {
    fn write(&self, w: &mut Writer<'_>) {
        w.topic_id(self.topic_id);
        w.string(&self.topic_name);
        w.array(&self.partitions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ShareGroupDescribeResponse {
    pub const VERSION_MIN: i16 = 1;
    pub const VERSION_MAX: i16 = 1;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, true);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, true);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ShareGroupDescribeResponse {
    const KEY: ApiKey = ApiKey::ShareGroupDescribe;
    const VERSION_MIN: i16 = ShareGroupDescribeResponse::VERSION_MIN;
    const VERSION_MAX: i16 = ShareGroupDescribeResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ShareGroupDescribeResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ShareGroupDescribeResponse::encode(self, out, version)
    }
}
