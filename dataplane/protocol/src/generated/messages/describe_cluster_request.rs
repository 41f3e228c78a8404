// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClusterRequest, API key 60.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeClusterRequest, versions 0-2.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    /// Versions 1-2.
    pub endpoint_type: i8,
    /// Versions 2.
    pub include_fenced_brokers: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribeClusterRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let include_cluster_authorized_operations = r.bool()?;
        let endpoint_type = if version >= 1 { r.int8()? } else { 1 };
        let include_fenced_brokers = if version >= 2 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            include_cluster_authorized_operations,
            endpoint_type,
            include_fenced_brokers,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeClusterRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.bool(self.include_cluster_authorized_operations);
        if version >= 1 {
            w.int8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            w.not_in_version("EndpointType");
        }
        if version >= 2 {
            w.bool(self.include_fenced_brokers);
        } else if self.include_fenced_brokers {
            w.not_in_version("IncludeFencedBrokers");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeClusterRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 2;

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

impl Message for DescribeClusterRequest {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    const VERSION_MIN: i16 = DescribeClusterRequest::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeClusterRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeClusterRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeClusterRequest::encode(self, out, version)
    }
}

impl Request for DescribeClusterRequest {
    type Response = super::DescribeClusterResponse;
}
