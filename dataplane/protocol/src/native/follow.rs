//! A frame of our own beside [`super::ProduceOne`]: asks for the right to read a partition's newest
//! records where they lie in the broker's memory.
//!
//! Request, big-endian: length i32, key i16, version i16, correlation i32, topic id (16 bytes),
//! partition i32, offset i64, segment i64, position i64. `offset` is the next to be read. Whoever has
//! read the beginning of a batch names the place of its next byte, as the answer before told it; else
//! `segment` is -1. What was granted before over the same connection, for the same partition, ends.
//!
//! Response: length i32, correlation i32, error i16, shard i16, address of the extent u64, its key
//! u32, its bytes u32, address of its words u64, their key u32, generation u32, begin u32, segment
//! i64, position i64. `shard` is the one that owns the partition, -1 if unknown; it alone grants. No
//! bytes: nothing to be read so now, fetch. Reading begins at `begin`; the extent's first byte has
//! that position in that segment. Error codes are those of Fetch.
//!
//! The words are 16 bytes, little-endian: committed u64 (bytes of the extent that are records; they
//! change no more), state u32, generation u32. With a state other than [`OPEN`] nothing is added.

use super::{i16_at, i32_at, i64_at};
use precursor_model::{ErrorCode, TopicId};

/// The request's key.
pub const API_KEY: i16 = 0x5073;
/// The only version.
pub const VERSION: i16 = 0;
/// Bytes of a request, its length included.
pub const REQUEST_BYTES: usize = 56;
/// Bytes of a response, its length included.
pub const RESPONSE_BYTES: usize = 64;
/// Bytes of an extent's words.
pub const WORDS_BYTES: usize = 16;
/// The state of an extent to which records are added.
pub const OPEN: u32 = 1;
/// The largest extent.
pub const EXTENT_BYTES_MAX: u32 = 2 << 20;

/// Whether a frame (without its length) is this request, in whatever version.
#[inline]
pub fn is_follow(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&API_KEY.to_be_bytes())
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    pub correlation_id: i32,
    pub topic_id: TopicId,
    pub partition: i32,
    pub offset: i64,
    /// The segment and the position there to go on at.
    pub place: Option<(i64, u64)>,
}

impl Follow {
    /// The whole frame.
    pub fn encode(&self) -> [u8; REQUEST_BYTES] {
        let (segment, position) = self.place.unwrap_or((-1, 0));
        let mut bytes = [0; REQUEST_BYTES];
        bytes[..4].copy_from_slice(&(REQUEST_BYTES as i32 - 4).to_be_bytes());
        bytes[4..6].copy_from_slice(&API_KEY.to_be_bytes());
        bytes[6..8].copy_from_slice(&VERSION.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.correlation_id.to_be_bytes());
        bytes[12..28].copy_from_slice(&self.topic_id.0);
        bytes[28..32].copy_from_slice(&self.partition.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.offset.to_be_bytes());
        bytes[40..48].copy_from_slice(&segment.to_be_bytes());
        bytes[48..].copy_from_slice(&position.to_be_bytes());
        bytes
    }

    /// Reads a frame without its length; `None` when it is anything else.
    pub fn parse(frame: &[u8]) -> Option<Follow> {
        let frame: &[u8; REQUEST_BYTES - 4] = frame.try_into().ok()?;
        if i16_at(frame, 0) != API_KEY || i16_at(frame, 2) != VERSION {
            return None;
        }
        let place = match (i64_at(frame, 36), i64_at(frame, 44)) {
            (-1, _) => None,
            (0.., position @ 0..) => Some((i64_at(frame, 36), position as u64)),
            _ => return None,
        };
        Some(Follow {
            correlation_id: i32_at(frame, 4),
            topic_id: TopicId(*frame[8..].first_chunk()?),
            partition: i32_at(frame, 24),
            offset: i64_at(frame, 28),
            place,
        })
    }
}

/// What may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted {
    pub address: u64,
    pub key: u32,
    pub bytes: u32,
    pub words_address: u64,
    pub words_key: u32,
    pub generation: u32,
    pub begin: u32,
    pub segment: i64,
    pub position: u64,
}

/// What the broker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    pub correlation_id: i32,
    pub error: ErrorCode,
    pub shard: i16,
    pub granted: Option<Granted>,
}

impl Followed {
    /// The whole frame.
    pub fn encode(&self) -> [u8; RESPONSE_BYTES] {
        let mut bytes = [0; RESPONSE_BYTES];
        bytes[..4].copy_from_slice(&(RESPONSE_BYTES as i32 - 4).to_be_bytes());
        bytes[4..8].copy_from_slice(&self.correlation_id.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.error.code().to_be_bytes());
        bytes[10..12].copy_from_slice(&self.shard.to_be_bytes());
        if let Some(granted) = &self.granted {
            bytes[12..20].copy_from_slice(&granted.address.to_be_bytes());
            bytes[20..24].copy_from_slice(&granted.key.to_be_bytes());
            bytes[24..28].copy_from_slice(&granted.bytes.to_be_bytes());
            bytes[28..36].copy_from_slice(&granted.words_address.to_be_bytes());
            bytes[36..40].copy_from_slice(&granted.words_key.to_be_bytes());
            bytes[40..44].copy_from_slice(&granted.generation.to_be_bytes());
            bytes[44..48].copy_from_slice(&granted.begin.to_be_bytes());
            bytes[48..56].copy_from_slice(&granted.segment.to_be_bytes());
            bytes[56..].copy_from_slice(&granted.position.to_be_bytes());
        }
        bytes
    }

    /// Reads a frame without its length; `None` when it is anything else, or grants what cannot be.
    pub fn parse(frame: &[u8]) -> Option<Followed> {
        let frame: &[u8; RESPONSE_BYTES - 4] = frame.try_into().ok()?;
        let u32_at = |at| i32_at(frame, at) as u32;
        let granted = Granted {
            address: i64_at(frame, 8) as u64,
            key: u32_at(16),
            bytes: u32_at(20),
            words_address: i64_at(frame, 24) as u64,
            words_key: u32_at(32),
            generation: u32_at(36),
            begin: u32_at(40),
            segment: i64_at(frame, 44),
            position: u64::try_from(i64_at(frame, 52)).ok()?,
        };
        let ends = granted.address.checked_add(u64::from(granted.bytes));
        let sound = granted.bytes <= EXTENT_BYTES_MAX
            && granted.begin <= granted.bytes
            && granted.segment >= 0
            && ends.is_some();
        sound.then(|| Followed {
            correlation_id: i32_at(frame, 0),
            error: ErrorCode::from_code(i16_at(frame, 4)).unwrap_or(ErrorCode::UnknownServerError),
            shard: i16_at(frame, 6),
            granted: (granted.bytes > 0).then_some(granted),
        })
    }
}

/// What the words of an extent say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    pub committed: u64,
    pub state: u32,
    pub generation: u32,
}

impl Words {
    /// Reads them as they lie in memory.
    pub fn parse(bytes: &[u8; WORDS_BYTES]) -> Words {
        let word =
            |at| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        Words {
            committed: u64::from(word(0)) | u64::from(word(4)) << 32,
            state: word(8),
            generation: word(12),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANTED: Granted = Granted {
        address: 0x7F12_3456_7000,
        key: 0xFFFF_FF01,
        bytes: EXTENT_BYTES_MAX,
        words_address: 0x7F99_0000_0018,
        words_key: 7,
        generation: u32::MAX,
        begin: EXTENT_BYTES_MAX,
        segment: 1 << 40,
        position: 3 << 21,
    };

    #[test]
    fn requests_come_back_as_they_were() {
        for place in [None, Some((0, 0)), Some((77, 1 << 40))] {
            let request = Follow {
                correlation_id: -3,
                topic_id: TopicId(*b"0123456789abcdef"),
                partition: 9,
                offset: 1 << 50,
                place,
            };
            let frame = request.encode();
            assert_eq!(frame[..4], (frame.len() as u32 - 4).to_be_bytes());
            assert!(is_follow(&frame[4..]) && !super::super::is_native(&frame[4..]));
            assert_eq!(Follow::parse(&frame[4..]), Some(request));
            assert_eq!(Follow::parse(&frame[5..]), None, "cut");
            assert_eq!(Follow::parse(&frame), None, "too long");
        }
    }

    #[test]
    fn a_place_that_cannot_be_is_no_request() {
        let request = Follow {
            correlation_id: 1,
            topic_id: TopicId([1; 16]),
            partition: 0,
            offset: 5,
            place: Some((3, 4)),
        };
        for (at, lie) in [(40, -2_i64), (40, i64::MIN), (48, -1), (48, i64::MIN)] {
            let mut frame = request.encode();
            frame[at..at + 8].copy_from_slice(&lie.to_be_bytes());
            assert_eq!(Follow::parse(&frame[4..]), None, "{lie} at {at}");
        }
    }

    #[test]
    fn responses_come_back_as_they_were() {
        for granted in [None, Some(GRANTED)] {
            let response = Followed {
                correlation_id: 8,
                error: ErrorCode::None,
                shard: -1,
                granted,
            };
            let frame = response.encode();
            assert_eq!(Followed::parse(&frame[4..]), Some(response));
            assert_eq!(Followed::parse(&frame[5..]), None);
        }
    }

    #[test]
    fn grants_that_cannot_be_are_none() {
        let response = |granted| Followed {
            correlation_id: 8,
            error: ErrorCode::None,
            shard: 0,
            granted: Some(granted),
        };
        for granted in [
            Granted {
                bytes: EXTENT_BYTES_MAX + 1,
                ..GRANTED
            },
            Granted {
                bytes: 4096,
                begin: 4097,
                ..GRANTED
            },
            Granted {
                address: u64::MAX - 5,
                ..GRANTED
            },
            Granted {
                segment: -1,
                ..GRANTED
            },
            Granted {
                position: u64::MAX,
                ..GRANTED
            },
        ] {
            let frame = response(granted).encode();
            assert_eq!(Followed::parse(&frame[4..]), None, "{granted:?}");
        }
    }

    #[test]
    fn words_are_read_as_they_lie() {
        let mut bytes = [0; WORDS_BYTES];
        bytes[..8].copy_from_slice(&0x1_0000_0002_u64.to_le_bytes());
        bytes[8] = 3;
        bytes[12..].copy_from_slice(&u32::MAX.to_le_bytes());
        let words = Words {
            committed: 0x1_0000_0002,
            state: 3,
            generation: u32::MAX,
        };
        assert_eq!(Words::parse(&bytes), words);
    }
}
