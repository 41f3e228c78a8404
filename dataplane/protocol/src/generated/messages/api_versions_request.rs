// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ApiVersionsRequest, API key 18.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// ApiVersionsRequest, versions 0-5.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsRequest {
    /// Versions 3-5.
    pub client_software_name: String,
    /// Versions 3-5.
    pub client_software_version: String,
    /// Versions 5.
    pub cluster_id: Option<String>,
    /// Versions 5.
    pub node_id: i32,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        Self {
            client_software_name: String::new(),
            client_software_version: String::new(),
            cluster_id: None,
            node_id: -1,
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl Read for ApiVersionsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let client_software_name = if version >= 3 {
            r.string()?
        } else {
            String::new()
        };
        let client_software_version = if version >= 3 {
            r.string()?
        } else {
            String::new()
        };
        let cluster_id = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let node_id = if version >= 5 { r.int32()? } else { -1 };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            client_software_name,
            client_software_version,
            cluster_id,
            node_id,
            unknown_tagged_fields,
        })
    }
}

impl Write for ApiVersionsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 3 {
            w.string(&self.client_software_name);
        }
        if version >= 3 {
            w.string(&self.client_software_version);
        }
        if version >= 5 {
            w.option_string(self.cluster_id.as_deref(), true, "ClusterId");
        }
        if version >= 5 {
            w.int32(self.node_id);
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl ApiVersionsRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 5;

    /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
    pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {
        Self::decode_prefix(body, version).map(|(message, _)| message)
    }

    /// Reads a body; gives back the bytes after the message.
    pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 3);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 3);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    const VERSION_MIN: i16 = ApiVersionsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = ApiVersionsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        ApiVersionsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        ApiVersionsRequest::encode(self, out, version)
    }
}

impl Request for ApiVersionsRequest {
    type Response = super::ApiVersionsResponse;
}
