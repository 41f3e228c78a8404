// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterUserScramCredentialsRequest, API key 51.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use crate::message::{Message, Request};
use crate::read::{Read, Reader, TaggedField};
use crate::write::{Write, Writer};

/// AlterUserScramCredentialsRequest, versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlterUserScramCredentialsRequest {
    pub deletions: Vec<ScramCredentialDeletion>,
    pub upsertions: Vec<ScramCredentialUpsertion>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for AlterUserScramCredentialsRequest {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let deletions = r.array()?;
        let upsertions = r.array()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            deletions,
            upsertions,
            unknown_tagged_fields,
        })
    }
}

impl Write for AlterUserScramCredentialsRequest {
    fn write(&self, w: &mut Writer<'_>) {
        w.array(&self.deletions);
        w.array(&self.upsertions);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterUserScramCredentialsRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ScramCredentialDeletion {
    pub name: String,
    pub mechanism: i8,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ScramCredentialDeletion {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let mechanism = r.int8()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            mechanism,
            unknown_tagged_fields,
        })
    }
}

impl Write for ScramCredentialDeletion {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int8(self.mechanism);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

/// Part of [`AlterUserScramCredentialsRequest`], versions 0.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ScramCredentialUpsertion {
    pub name: String,
    pub mechanism: i8,
    pub iterations: i32,
    pub salt: Vec<u8>,
    pub salted_password: Vec<u8>,
    /// Tagged fields that we do not know, by rising tag.
    pub unknown_tagged_fields: Vec<TaggedField>,
}

impl Read for ScramCredentialUpsertion {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let name = r.string()?;
        let mechanism = r.int8()?;
        let iterations = r.int32()?;
        let salt = r.bytes()?;
        let salted_password = r.bytes()?;
        let unknown_tagged_fields = r.unknown_tags()?;
        Ok(Self {
            name,
            mechanism,
            iterations,
            salt,
            salted_password,
            unknown_tagged_fields,
        })
    }
}

impl Write for ScramCredentialUpsertion {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.name);
        w.int8(self.mechanism);
        w.int32(self.iterations);
        w.bytes(&self.salt);
        w.bytes(&self.salted_password);
        w.unknown_tags(&self.unknown_tagged_fields);
    }
}

impl AlterUserScramCredentialsRequest {
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

impl Message for AlterUserScramCredentialsRequest {
    const KEY: ApiKey = ApiKey::AlterUserScramCredentials;
    const VERSION_MIN: i16 = AlterUserScramCredentialsRequest::VERSION_MIN;
    const VERSION_MAX: i16 = AlterUserScramCredentialsRequest::VERSION_MAX;

    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {
        AlterUserScramCredentialsRequest::decode_prefix(body, version)
    }

    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {
        AlterUserScramCredentialsRequest::encode(self, out, version)
    }
}

impl Request for AlterUserScramCredentialsRequest {
    type Response = super::AlterUserScramCredentialsResponse;
}
