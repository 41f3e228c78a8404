// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SyncGroupResponse, API key 14.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// SyncGroupResponse, versions 0-5.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SyncGroupResponse {
    /// Versions 1-5.
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Versions 5.
    pub protocol_type: Option<String>,
    /// Versions 5.
    pub protocol_name: Option<String>,
    pub assignment: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for SyncGroupResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 1 { r.int32()? } else { 0 };
        let error_code = r.int16()?;
        let protocol_type = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let protocol_name = if version >= 5 {
            r.option_string(true)?
        } else {
            None
        };
        let assignment = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            protocol_type,
            protocol_name,
            assignment,
            unknown_tagged_fields,
        })
    }
}

impl Write for SyncGroupResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.int32(self.throttle_time_ms);
        }
        w.int16(self.error_code);
        if version >= 5 {
            w.option_string(self.protocol_type.as_deref(), true, "ProtocolType");
        }
        if version >= 5 {
            w.option_string(self.protocol_name.as_deref(), true, "ProtocolName");
        }
        w.bytes(&self.assignment);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl SyncGroupResponse {
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
        let mut r = Reader::new(body, version, version >= 4);
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining()))
    }

    /// Appends the body to `out`; on an error `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(EncodeError::UnsupportedVersion { version });
        }
        let mut w = Writer::new(out, version, version >= 4);
        self.write(&mut w);
        w.finish()
    }
}

impl Message for SyncGroupResponse {
    const KEY: ApiKey = ApiKey::SyncGroup;
    const VERSION_MIN: i16 = SyncGroupResponse::VERSION_MIN;
    const VERSION_MAX: i16 = SyncGroupResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        SyncGroupResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        SyncGroupResponse::encode(self, out, version)
    }
}
