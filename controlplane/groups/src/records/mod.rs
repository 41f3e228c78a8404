//! The records of `__consumer_offsets`, as Apache Kafka 4 writes and reads them
//! (`OffsetCommitKey`, `OffsetCommitValue`, `GroupMetadataKey`, `GroupMetadataValue`).
//!
//! Keys and values begin with an int16: in a key it is the kind of record, in a value the version.

mod group;
mod offset;

pub use group::{GroupMemberValue, GroupValue};
pub use offset::OffsetValue;

use precursor_protocol::read::Reader;
use precursor_protocol::write::Writer;
use precursor_protocol::{DecodeError, EncodeError};

/// The first two bytes of a key. 0 and 1 are the same: 0 is what brokers before 0.8.2.1 wrote.
const OFFSET_KEY_LEGACY: i16 = 0;
const OFFSET_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;

/// What a record is about. Borrows from the record's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKey<'a> {
    /// A partition's committed offset in a group.
    Offset {
        group_id: &'a str,
        topic: &'a str,
        partition: i32,
    },
    /// A group of the classic protocol.
    Group { group_id: &'a str },
    /// Something this version does not know: groups of newer protocols, say. To be skipped.
    Unknown { kind: i16 },
}

impl<'a> RecordKey<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// When the bytes are not the key that their first two say they are.
    pub fn decode(key: &'a [u8]) -> Result<RecordKey<'a>, DecodeError> {
        let mut r = Reader::new(key, 0, false);
        match r.int16()? {
            OFFSET_KEY_LEGACY | OFFSET_KEY => Ok(RecordKey::Offset {
                group_id: r.str()?,
                topic: r.str()?,
                partition: r.int32()?,
            }),
            GROUP_KEY => Ok(RecordKey::Group { group_id: r.str()? }),
            kind => Ok(RecordKey::Unknown { kind }),
        }
    }

    /// The key's bytes.
    ///
    /// # Errors
    /// A name is longer than Kafka's strings can be, or the kind is unknown.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(48);
        let mut w = Writer::new(&mut out, 0, false);
        match self {
            RecordKey::Offset {
                group_id,
                topic,
                partition,
            } => {
                w.int16(OFFSET_KEY);
                w.string(group_id);
                w.string(topic);
                w.int32(*partition);
            }
            RecordKey::Group { group_id } => {
                w.int16(GROUP_KEY);
                w.string(group_id);
            }
            RecordKey::Unknown { kind } => {
                return Err(EncodeError::UnsupportedVersion { version: *kind });
            }
        }
        w.finish()?;
        Ok(out)
    }
}

/// Begins a value: its version, checked, and a reader for the rest.
fn value_reader<'a>(
    value: &'a [u8],
    version_max: i16,
    flexible_from: i16,
) -> Result<Reader<'a>, DecodeError> {
    let mut prefix = Reader::new(value, 0, false);
    let version = prefix.int16()?;
    if !(0..=version_max).contains(&version) {
        return Err(DecodeError::UnsupportedVersion { version });
    }
    let rest = prefix.remaining();
    Ok(Reader::new(rest, version, version >= flexible_from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_and_damage_is_an_error() {
        let keys = [
            RecordKey::Offset {
                group_id: "g",
                topic: "t",
                partition: 3,
            },
            RecordKey::Group {
                group_id: "größe"
            },
        ];
        for key in keys {
            let bytes = key.encode().unwrap();
            assert_eq!(RecordKey::decode(&bytes), Ok(key));
            for end in 0..bytes.len() {
                assert!(RecordKey::decode(&bytes[..end]).is_err());
            }
        }
        assert_eq!(
            RecordKey::decode(&[0, 3, 0, 1, b'g']),
            Ok(RecordKey::Unknown { kind: 3 })
        );
        let long = "x".repeat(40_000);
        assert!(RecordKey::Group { group_id: &long }.encode().is_err());
    }
}
