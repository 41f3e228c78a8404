// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! FindCoordinatorRequest, API key 10, borrowed.

use crate::error::DecodeError;
use crate::generated::messages::find_coordinator_request as owned;
use crate::read::{Items, ReadView, Reader};

/// [`owned::FindCoordinatorRequest`], borrowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct FindCoordinatorRequestView<'a> {
    pub key: &'a str,
    pub key_type: i8,
    pub coordinator_keys: Items<'a, &'a str>,
}

impl<'a> ReadView<'a> for FindCoordinatorRequestView<'a> {
    #[inline]
    fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = r.version();
        let key = if version <= 3 { r.str()? } else { "" };
        let key_type = if version >= 1 { r.int8()? } else { 0 };
        let coordinator_keys = if version >= 4 {
            r.items()?
        } else {
            Items::default()
        };
        r.skip_tags()?;
        Ok(Self {
            key,
            key_type,
            coordinator_keys,
        })
    }
}

impl FindCoordinatorRequestView<'_> {
    /// An owned copy; unknown tagged fields are not in it.
    pub fn to_message(&self) -> owned::FindCoordinatorRequest {
        owned::FindCoordinatorRequest {
            key: self.key.to_owned(),
            key_type: self.key_type,
            coordinator_keys: self.coordinator_keys.map(str::to_owned).collect(),
            unknown_tagged_fields: Vec::new(),
        }
    }
}

impl<'a> FindCoordinatorRequestView<'a> {
    /// Takes a body apart. The whole of it is walked here, so that no iteration over its
    /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
    pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {
        if !(owned::FindCoordinatorRequest::VERSION_MIN
            ..=owned::FindCoordinatorRequest::VERSION_MAX)
            .contains(&version)
        {
            return Err(DecodeError::UnsupportedVersion { version });
        }
        let mut r = Reader::new(body, version, version >= 3);
        Self::read_view(&mut r)
    }
}
