// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FindCoordinatorResponse, API key 10.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// FindCoordinatorResponse, versions 0-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FindCoordinatorResponse {
    /// Versions 1-6.
    pub throttle_time_ms: i32,
    /// Versions 0-3.
    pub error_code: i16,
    /// Versions 1-3.
    pub error_message: Option<String>,
    /// Versions 0-3.
    pub node_id: i32,
    /// Versions 0-3.
    pub host: String,
    /// Versions 0-3.
    pub port: i32,
    /// Versions 4-6.
    pub coordinators: Vec<Coordinator>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FindCoordinatorResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let throttle_time_ms = if version >= 1 { r.int32()? } else { 0 };
        let error_code = if version <= 3 { r.int16()? } else { 0 };
        let error_message = if (1..=3).contains(&version) {
            r.option_string(true)?
        } else {
            None
        };
        let node_id = if version <= 3 { r.int32()? } else { 0 };
        let host = if version <= 3 {
            r.string()?
        } else {
            String::new()
        };
        let port = if version <= 3 { r.int32()? } else { 0 };
        let coordinators = if version >= 4 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            error_message,
            node_id,
            host,
            port,
            coordinators,
            unknown_tagged_fields,
        })
    }
}

impl Write for FindCoordinatorResponse {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version >= 1 {
            w.int32(self.throttle_time_ms);
        }
        if version <= 3 {
            w.int16(self.error_code);
        } else if self.error_code != 0 {
            w.not_in_version("ErrorCode");
        }
        if (1..=3).contains(&version) {
            w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        }
        if version <= 3 {
            w.int32(self.node_id);
        } else if self.node_id != 0 {
            w.not_in_version("NodeId");
        }
        if version <= 3 {
            w.string(&self.host);
        } else if !self.host.is_empty() {
            w.not_in_version("Host");
        }
        if version <= 3 {
            w.int32(self.port);
        } else if self.port != 0 {
            w.not_in_version("Port");
        }
        if version >= 4 {
            w.array(&self.coordinators);
        } else if !self.coordinators.is_empty() {
            w.not_in_version("Coordinators");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`FindCoordinatorResponse`], versions 4-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Coordinator {
    pub key: String,
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for Coordinator {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = r.string()?;
        let node_id = r.int32()?;
        let host = r.string()?;
        let port = r.int32()?;
        let error_code = r.int16()?;
        let error_message = r.option_string(true)?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            key,
            node_id,
            host,
            port,
            error_code,
            error_message,
            unknown_tagged_fields,
        })
    }
}

impl Write for Coordinator {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.key);
        w.int32(self.node_id);
        w.string(&self.host);
        w.int32(self.port);
        w.int16(self.error_code);
        w.option_string(self.error_message.as_deref(), true, "ErrorMessage");
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl FindCoordinatorResponse {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 6;

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

impl Message for FindCoordinatorResponse {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    const VERSION_MIN: i16 = FindCoordinatorResponse::VERSION_MIN;
    const VERSION_MAX: i16 = FindCoordinatorResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        FindCoordinatorResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        FindCoordinatorResponse::encode(self, out, version)
    }
}
