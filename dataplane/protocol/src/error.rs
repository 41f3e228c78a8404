//! What can be wrong with bytes that came, and with messages that are to go.

use std::fmt;

/// Why bytes from the network are not the message they claim to be. The sender is the culprit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// The bytes end inside a field, or a length or count is larger than the bytes that are there.
    UnexpectedEnd,
    /// A variable-length integer has more bits than its type.
    VarintOverflow,
    /// A length below -1, or -1 where the field has no null.
    NegativeLength,
    /// Null in a field that has no null in this version.
    NullNotAllowed,
    /// A string longer than 32,767 bytes, which Kafka's strings never are.
    StringTooLong,
    NotUtf8,
    /// Tags must rise strictly (KIP-482).
    TagsOutOfOrder,
    /// A tagged field's content is shorter than its size says.
    TaggedFieldSize,
    /// Elements that are many and tiny: decoded they would fill [`crate::read::ELEMENT_BYTES_MAX`].
    TooManyElements,
    /// The message has no such version.
    UnsupportedVersion {
        version: i16,
    },
    /// The request's key is none of ours, so not even its header can be read.
    UnknownApiKey {
        api_key: i16,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnexpectedEnd => f.write_str("the message ends inside a field"),
            DecodeError::VarintOverflow => f.write_str("a variable-length integer is too long"),
            DecodeError::NegativeLength => f.write_str("a length is negative"),
            DecodeError::NullNotAllowed => f.write_str("a field is null that must not be"),
            DecodeError::StringTooLong => f.write_str("a string is longer than 32767 bytes"),
            DecodeError::NotUtf8 => f.write_str("a string is not UTF-8"),
            DecodeError::TagsOutOfOrder => f.write_str("tagged fields are out of order"),
            DecodeError::TaggedFieldSize => f.write_str("a tagged field's size is wrong"),
            DecodeError::TooManyElements => f.write_str("a message has too many elements"),
            DecodeError::UnsupportedVersion { version } => {
                write!(f, "the message has no version {version}")
            }
            DecodeError::UnknownApiKey { api_key } => write!(f, "unknown API key {api_key}"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Why a message cannot be written in a version. We, or our caller, are the culprit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodeError {
    /// The message has no such version.
    UnsupportedVersion { version: i16 },
    /// A field holds something that this version cannot carry and that must not be dropped.
    FieldNotInVersion { field: &'static str },
    /// Null in a field that has no null in this version.
    NullNotAllowed { field: &'static str },
    /// Longer than the wire's length field can say.
    TooLong,
    /// Unknown tagged fields are not sorted by tag, or one has the tag of a known field.
    TagsOutOfOrder,
    /// More or fewer elements were written than had been announced.
    Count,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::UnsupportedVersion { version } => {
                write!(f, "the message has no version {version}")
            }
            EncodeError::FieldNotInVersion { field } => {
                write!(f, "the version has no field {field} to carry its value")
            }
            EncodeError::NullNotAllowed { field } => {
                write!(f, "{field} must not be null in this version")
            }
            EncodeError::TooLong => f.write_str("a string, array or field is too long"),
            EncodeError::TagsOutOfOrder => f.write_str("tagged fields are out of order"),
            EncodeError::Count => f.write_str("an array has another count than announced"),
        }
    }
}

impl std::error::Error for EncodeError {}
