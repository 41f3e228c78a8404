// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClusterResponse, API key 60.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// DescribeClusterResponse, versions 0-2.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Versions 1-2.
    pub endpoint_type: i8,
    pub cluster_id: String,
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker>,
    pub cluster_authorized_operations: i32,
    /// Tag 10000.
    pub admin_address: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: String::new(),
            controller_id: -1,
            brokers: Vec::new(),
            cluster_authorized_operations: i32::MIN,
            admin_address: None,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for DescribeClusterResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let endpoint_type = if version >= 1 { r.int8()? } else { 1 };
        let cluster_id = r.string()?;
        let controller_id = r.int32()?;
        let brokers = r.array()?;
        let cluster_authorized_operations = r.int32()?;
        let mut admin_address = None;
        let mut unknown_tagged_fields = Vec::new();
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
                match tag {
                    10000 => {
                        admin_address = field.option_string(true)?;
                        r.end_tag(&field)?;
                    }
                    tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),
                }
            }
        }
        Ok(Self {
            throttle_time_ms,
            error_code,
            error_message,
            endpoint_type,
            cluster_id,
            controller_id,
            brokers,
            cluster_authorized_operations,
            admin_address,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeClusterResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        if version >= 1 {
            w.int8(self.endpoint_type);
        } else if self.endpoint_type != 1 {
            w.not_in_version("EndpointType");
        }
        w.string(&self.cluster_id);
        w.int32(self.controller_id);
        w.array(&self.brokers);
        w.int32(self.cluster_authorized_operations);
        let has_admin_address = self.admin_address.is_some();
        if w.flexible() {
            let mut tags = w.tags(u32::from(has_admin_address), &self.unknown_tagged_fields);
            if has_admin_address {
                w.tagged(&mut tags, 10000, |w| {
                    w.option_string(self.admin_address.as_deref(), true, "AdminAddress");
                });
            }
            w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
            w.not_in_version("tagged fields");
        }
    }
}

/// Part of [`DescribeClusterResponse`], versions 0-2.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct DescribeClusterBroker {
    pub broker_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
    /// Versions 2.
    pub is_fenced: bool,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for DescribeClusterBroker {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let broker_id = r.int32()?;
        let host = r.string()?;
        let port = r.int32()?;
        let rack = r.option_string(true)?;
        let is_fenced = if version >= 2 { r.bool()? } else { false };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            broker_id,
            host,
            port,
            rack,
            is_fenced,
            unknown_tagged_fields,
        })
    }
}

impl Write for DescribeClusterBroker {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        w.int32(self.broker_id);
        w.string(&self.host);
        w.int32(self.port);
        w.option_string(self.rack.as_deref(), true, "Rack");
        if version >= 2 {
            w.bool(self.is_fenced);
        } else if self.is_fenced {
            w.not_in_version("IsFenced");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl DescribeClusterResponse {
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

impl Message for DescribeClusterResponse {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    const VERSION_MIN: i16 = DescribeClusterResponse::VERSION_MIN;
    const VERSION_MAX: i16 = DescribeClusterResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        DescribeClusterResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        DescribeClusterResponse::encode(self, out, version)
    }
}
