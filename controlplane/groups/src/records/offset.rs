//! A committed offset.

use super::value_reader;
use precursor_model::TopicId;
use precursor_protocol::write::Writer;
use precursor_protocol::{DecodeError, EncodeError};

const VERSION_MAX: i16 = 4;
const FLEXIBLE_FROM: i16 = 4;
/// Carries the time at which the offset expires, which clients could set before OffsetCommit v5.
const VERSION_WITH_EXPIRY: i16 = 1;
/// The highest version without tagged fields, which brokers since 2.1 can read.
const VERSION_DEFAULT: i16 = 3;
/// Carries the topic's id, which clients tell from OffsetCommit version 10 on.
const VERSION_WITH_TOPIC_ID: i16 = 4;
const TOPIC_ID_TAG: u32 = 0;

/// `OffsetCommitValue`, versions 0 to 4. Borrows the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetValue<'a> {
    pub offset: i64,
    /// -1: not told.
    pub leader_epoch: i32,
    pub metadata: &'a str,
    pub commit_timestamp_ms: i64,
    /// -1: the group's retention decides.
    pub expire_timestamp_ms: i64,
    /// [`TopicId::ZERO`]: not told.
    pub topic_id: TopicId,
}

impl<'a> OffsetValue<'a> {
    /// Reads a value of any version.
    ///
    /// # Errors
    /// When the bytes are not such a value.
    pub fn decode(value: &'a [u8]) -> Result<OffsetValue<'a>, DecodeError> {
        let mut r = value_reader(value, VERSION_MAX, FLEXIBLE_FROM)?;
        let version = r.version();
        let offset = r.int64()?;
        let leader_epoch = if version >= 3 { r.int32()? } else { -1 };
        let metadata = r.str()?;
        let commit_timestamp_ms = r.int64()?;
        let expire_timestamp_ms = if version == VERSION_WITH_EXPIRY {
            r.int64()?
        } else {
            -1
        };
        let mut topic_id = TopicId::ZERO;
        if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(&mut r)? {
                if tag == TOPIC_ID_TAG {
                    topic_id = field.topic_id()?;
                    r.end_tag(&field)?;
                }
            }
        }
        Ok(OffsetValue {
            offset,
            leader_epoch,
            metadata,
            commit_timestamp_ms,
            expire_timestamp_ms,
            topic_id,
        })
    }

    /// The version that carries this value.
    fn version(&self) -> i16 {
        if self.expire_timestamp_ms != -1 {
            VERSION_WITH_EXPIRY
        } else if self.topic_id != TopicId::ZERO {
            VERSION_WITH_TOPIC_ID
        } else {
            VERSION_DEFAULT
        }
    }

    /// The value's bytes: version 1 if it has a time of expiry, 4 if it has a topic id, else 3.
    ///
    /// # Errors
    /// The metadata is longer than Kafka's strings can be.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let version = self.version();
        let mut out = Vec::with_capacity(48 + self.metadata.len());
        out.extend_from_slice(&version.to_be_bytes());
        let mut w = Writer::new(&mut out, version, version >= FLEXIBLE_FROM);
        w.int64(self.offset);
        if version >= 3 {
            w.int32(self.leader_epoch);
        }
        w.string(self.metadata);
        w.int64(self.commit_timestamp_ms);
        if version == VERSION_WITH_EXPIRY {
            w.int64(self.expire_timestamp_ms);
        }
        if w.flexible() {
            let mut tags = w.tags(1, &[]);
            w.tagged(&mut tags, TOPIC_ID_TAG, |w| w.topic_id(self.topic_id));
            w.rest_of_tags(&mut tags);
        }
        w.finish()?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_in_the_version_that_carries_them() {
        let plain = OffsetValue {
            offset: 42,
            leader_epoch: 7,
            metadata: "m",
            commit_timestamp_ms: 1_700_000_000_000,
            expire_timestamp_ms: -1,
            topic_id: TopicId::ZERO,
        };
        let with_id = OffsetValue {
            topic_id: TopicId([9; 16]),
            ..plain
        };
        let expiring = OffsetValue {
            expire_timestamp_ms: 1_800_000_000_000,
            leader_epoch: -1,
            ..plain
        };
        for (value, version) in [(plain, 3), (with_id, 4), (expiring, 1)] {
            let bytes = value.encode().unwrap();
            assert_eq!(bytes[..2], [0, version]);
            assert_eq!(OffsetValue::decode(&bytes), Ok(value));
            for end in 0..bytes.len() {
                assert!(OffsetValue::decode(&bytes[..end]).is_err(), "{end}");
            }
        }
    }

    #[test]
    fn versions_0_and_2_have_neither_epoch_nor_expiry() {
        for version in [0, 2] {
            let mut bytes = vec![0, version];
            bytes.extend_from_slice(&5_i64.to_be_bytes());
            bytes.extend_from_slice(&[0, 1, b'x']);
            bytes.extend_from_slice(&9_i64.to_be_bytes());
            let value = OffsetValue::decode(&bytes).unwrap();
            assert_eq!((value.offset, value.leader_epoch), (5, -1));
            assert_eq!((value.metadata, value.commit_timestamp_ms), ("x", 9));
            assert_eq!(value.expire_timestamp_ms, -1);
        }
        assert!(OffsetValue::decode(&[0, 5]).is_err());
    }
}
