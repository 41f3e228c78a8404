//! What all messages have in common, for code that is generic over them.

use crate::api::ApiKey;
use crate::error::{DecodeError, EncodeError};
use std::fmt::Debug;

/// A request or a response.
pub trait Message: Clone + Debug + Default + PartialEq {
    const KEY: ApiKey;
    /// The versions that can be read and written.
    const VERSION_MIN: i16;
    const VERSION_MAX: i16;

    /// Reads a body; gives back the bytes after the message.
    fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError>;

    /// Appends the body to `out`; on an error `out` is as it was.
    fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError>;
}

/// A request, and what answers it.
pub trait Request: Message {
    type Response: Message;
}
