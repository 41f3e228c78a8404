// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FindCoordinatorRequest, API key 10.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// FindCoordinatorRequest, versions 0-6.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FindCoordinatorRequest {
    /// Versions 0-3.
    pub key: String,
    /// Versions 1-6.
    pub key_type: i8,
    /// Versions 4-6.
    pub coordinator_keys: Vec<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for FindCoordinatorRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let key = if version <= 3 {
            r.string()?
        } else {
            String::new()
        };
        let key_type = if version >= 1 { r.int8()? } else { 0 };
        let coordinator_keys = if version >= 4 { r.array()? } else { Vec::new() };
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            key,
            key_type,
            coordinator_keys,
            unknown_tagged_fields,
        })
    }
}

impl Write for FindCoordinatorRequest {
    fn write(&self, w: &mut Writer<'_>) {
        let version = w.version();
        if version <= 3 {
            w.string(&self.key);
        } else if !self.key.is_empty() {
            w.not_in_version("Key");
        }
        if version >= 1 {
            w.int8(self.key_type);
        } else if self.key_type != 0 {
            w.not_in_version("KeyType");
        }
        if version >= 4 {
            w.array(&self.coordinator_keys);
        } else if !self.coordinator_keys.is_empty() {
            w.not_in_version("CoordinatorKeys");
        }
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl FindCoordinatorRequest {
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

impl Message for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    const VERSION_MIN: i16 = FindCoordinatorRequest::VERSION_MIN;
    const VERSION_MAX: i16 = FindCoordinatorRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        FindCoordinatorRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        FindCoordinatorRequest::encode(self, out, version)
    }
}

impl Request for FindCoordinatorRequest {
    type Response = super::FindCoordinatorResponse;
}
