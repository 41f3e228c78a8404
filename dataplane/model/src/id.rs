//! Identifiers.

use std::fmt;
use std::str::FromStr;

/// A broker's `node.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokerId(pub i32);

/// A partition's number within its topic, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionIndex(pub i32);

/// A number given once by the control plane to one replica log and never reused: it names the log
/// in the shared region, where a topic's name could be that of a successor. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogUid(pub u64);

/// A topic's UUID (KIP-516), big-endian bytes as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicId(pub [u8; 16]);

impl TopicId {
    /// The id that stands for "no id".
    pub const ZERO: TopicId = TopicId([0; 16]);
}

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Kafka writes ids as unpadded URL-safe base64, 22 characters (`org.apache.kafka.common.Uuid`).
impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for index in 0..22 {
            // 22 sextets hold 132 bits: the last one carries two bits of the id and four zeroes.
            let sextet = if index < 21 {
                (bits >> (122 - 6 * index)) & 63
            } else {
                (bits & 3) << 4
            };
            write!(f, "{}", BASE64_URL[sextet as usize] as char)?;
        }
        Ok(())
    }
}

/// A text that is not 22 characters of URL-safe base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidTopicId(pub String);

impl fmt::Display for InvalidTopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is not a topic id: 22 characters of URL-safe base64",
            self.0
        )
    }
}

impl std::error::Error for InvalidTopicId {}

impl FromStr for TopicId {
    type Err = InvalidTopicId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTopicId(text.to_owned());
        if text.len() != 22 {
            return Err(invalid());
        }
        let mut bits: u128 = 0;
        for (index, byte) in text.bytes().enumerate() {
            let sextet = BASE64_URL
                .iter()
                .position(|b| *b == byte)
                .ok_or_else(invalid)? as u128;
            if index < 21 {
                bits = (bits << 6) | sextet;
            } else if sextet & 15 == 0 {
                bits = (bits << 2) | (sextet >> 4);
            } else {
                return Err(invalid());
            }
        }
        Ok(TopicId(bits.to_be_bytes()))
    }
}

/// A partition by its topic's name, as Kafka's directories and messages write it: `topic-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: PartitionIndex,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_ids_read_and_write_like_kafka() {
        // Kafka: new Uuid(0L, 1L).toString() is "AAAAAAAAAAAAAAAAAAAAAQ".
        let one = TopicId(1u128.to_be_bytes());
        assert_eq!(one.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        for seed in 0..200u128 {
            let id = TopicId((seed.wrapping_mul(0x9e3779b97f4a7c15f39cc0605cedc835)).to_be_bytes());
            assert_eq!(id.to_string().parse::<TopicId>(), Ok(id));
        }
        assert!("AAAAAAAAAAAAAAAAAAAAAR".parse::<TopicId>().is_err());
        assert!("short".parse::<TopicId>().is_err());
        assert!("AAAAAAAAAAAAAAAAAAAA+Q".parse::<TopicId>().is_err());
    }
}
