// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! PushTelemetryRequest, API key 72.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// PushTelemetryRequest, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PushTelemetryRequest {
    pub client_instance_id: [u8; 16],
    pub subscription_id: i32,
    pub terminating: bool,
    pub compression_type: i8,
    pub metrics: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for PushTelemetryRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let client_instance_id = r.uuid()?;
        let subscription_id = r.int32()?;
        let terminating = r.bool()?;
        let compression_type = r.int8()?;
        let metrics = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            client_instance_id,
            subscription_id,
            terminating,
            compression_type,
            metrics,
            unknown_tagged_fields,
        })
    }
}

impl Write for PushTelemetryRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.uuid(&self.client_instance_id);
        w.int32(self.subscription_id);
        w.bool(self.terminating);
        w.int8(self.compression_type);
        w.bytes(&self.metrics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl PushTelemetryRequest {
    pub const VERSION_MIN: i16 = 0;
    pub const VERSION_MAX: i16 = 0;

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

impl Message for PushTelemetryRequest {
    const KEY: ApiKey = ApiKey::PushTelemetry;
    const VERSION_MIN: i16 = PushTelemetryRequest::VERSION_MIN;
    const VERSION_MAX: i16 = PushTelemetryRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        PushTelemetryRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        PushTelemetryRequest::encode(self, out, version)
    }
}

impl Request for PushTelemetryRequest {
    type Response = super::PushTelemetryResponse;
}
