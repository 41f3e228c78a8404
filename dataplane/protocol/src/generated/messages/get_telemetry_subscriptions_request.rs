// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! GetTelemetrySubscriptionsRequest, API key 71.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// GetTelemetrySubscriptionsRequest, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct GetTelemetrySubscriptionsRequest {
    pub client_instance_id: [u8; 16],
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for GetTelemetrySubscriptionsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let client_instance_id = r.uuid()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            client_instance_id,
            unknown_tagged_fields,
        })
    }
}

impl Write for GetTelemetrySubscriptionsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.uuid(&self.client_instance_id);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl GetTelemetrySubscriptionsRequest {
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

impl Message for GetTelemetrySubscriptionsRequest {
    const KEY: ApiKey = ApiKey::GetTelemetrySubscriptions;
    const VERSION_MIN: i16 = GetTelemetrySubscriptionsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = GetTelemetrySubscriptionsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        GetTelemetrySubscriptionsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        GetTelemetrySubscriptionsRequest::encode(self, out, version)
    }
}

impl Request for GetTelemetrySubscriptionsRequest {
    type Response = super::GetTelemetrySubscriptionsResponse;
}
