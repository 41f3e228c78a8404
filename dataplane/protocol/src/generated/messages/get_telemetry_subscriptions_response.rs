// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! GetTelemetrySubscriptionsResponse, API key 71.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::Message;
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// GetTelemetrySubscriptionsResponse, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct GetTelemetrySubscriptionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub client_instance_id: [u8; 16],
    pub subscription_id: i32,
    pub accepted_compression_types: Vec<i8>,
    pub push_interval_ms: i32,
    pub telemetry_max_bytes: i32,
    pub delta_temporality: bool,
    pub requested_metrics: Vec<String>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for GetTelemetrySubscriptionsResponse {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let throttle_time_ms = r.int32()?;
        let error_code = r.int16()?;
        let client_instance_id = r.uuid()?;
        let subscription_id = r.int32()?;
        let accepted_compression_types = r.array()?;
        let push_interval_ms = r.int32()?;
        let telemetry_max_bytes = r.int32()?;
        let delta_temporality = r.bool()?;
        let requested_metrics = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            throttle_time_ms,
            error_code,
            client_instance_id,
            subscription_id,
            accepted_compression_types,
            push_interval_ms,
            telemetry_max_bytes,
            delta_temporality,
            requested_metrics,
            unknown_tagged_fields,
        })
    }
}

impl Write for GetTelemetrySubscriptionsResponse {
    fn write(&self, w: &mut Writer<'_>) {
        w.int32(self.throttle_time_ms);
        w.int16(self.error_code);
        w.uuid(&self.client_instance_id);
        w.int32(self.subscription_id);
        w.array(&self.accepted_compression_types);
        w.int32(self.push_interval_ms);
        w.int32(self.telemetry_max_bytes);
        w.bool(self.delta_temporality);
        w.array(&self.requested_metrics);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl GetTelemetrySubscriptionsResponse {
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

impl Message for GetTelemetrySubscriptionsResponse {
    const KEY: ApiKey = ApiKey::GetTelemetrySubscriptions;
    const VERSION_MIN: i16 = GetTelemetrySubscriptionsResponse::VERSION_MIN;
    const VERSION_MAX: i16 = GetTelemetrySubscriptionsResponse::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        GetTelemetrySubscriptionsResponse::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        GetTelemetrySubscriptionsResponse::encode(self, out, version)
    }
}
