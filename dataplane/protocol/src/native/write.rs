//! Frames of our own beside [`super::ProduceOne`]: a batch that is written straight into memory of the
//! log.
//!
//! The first request, [`Lend`], asks for room. Big-endian: length i32, key i16, version i16, correlation
//! i32, topic id (16 bytes), partition i32, bytes u32. What was lent before over the same connection,
//! for the same partition, ends.
//!
//! Its response: length i32, correlation i32, error i16, shard i16, number u32, generation u32, address
//! u64, key u32, bytes u32. `shard` is the one that owns the partition, -1 if unknown; it alone lends.
//! No bytes: nothing is lent now, send the batch.
//!
//! The second, [`Commit`], says that one whole batch lies there, as a Produce would bring it. From when
//! it is read nobody can write there. Length i32, key i16, version i16, correlation i32, number u32,
//! generation u32, length of the batch u32. Its response is [`super::ProducedOne`]; INVALID_REQUEST:
//! nothing is lent so (any more), and nothing was appended.

use super::{i16_at, i32_at, i64_at};
use precursor_model::{ErrorCode, TopicId};

/// The requests' keys.
pub const LEND_KEY: i16 = 0x5074;
pub const COMMIT_KEY: i16 = 0x5075;
/// The only version of both.
pub const VERSION: i16 = 0;
/// Bytes of the requests and of the first one's response, their lengths included.
pub const LEND_BYTES: usize = 36;
pub const COMMIT_BYTES: usize = 24;
pub const LENT_BYTES: usize = 36;
/// The longest batch that there may be room for.
pub const BATCH_BYTES_MAX: u32 = 2 << 20;

/// Whether a frame (without its length) is one of these requests, in whatever version.
#[inline]
pub fn is_lend(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&LEND_KEY.to_be_bytes())
}

#[inline]
pub fn is_commit(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&COMMIT_KEY.to_be_bytes())
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lend {
    pub correlation_id: i32,
    pub topic_id: TopicId,
    pub partition: i32,
    pub bytes: u32,
}

impl Lend {
    /// The whole frame.
    pub fn encode(&self) -> [u8; LEND_BYTES] {
        let mut bytes = [0; LEND_BYTES];
        bytes[..4].copy_from_slice(&(LEND_BYTES as i32 - 4).to_be_bytes());
        bytes[4..6].copy_from_slice(&LEND_KEY.to_be_bytes());
        bytes[6..8].copy_from_slice(&VERSION.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.correlation_id.to_be_bytes());
        bytes[12..28].copy_from_slice(&self.topic_id.0);
        bytes[28..32].copy_from_slice(&self.partition.to_be_bytes());
        bytes[32..].copy_from_slice(&self.bytes.to_be_bytes());
        bytes
    }

    /// Reads a frame without its length; `None` when it is anything else.
    pub fn parse(frame: &[u8]) -> Option<Lend> {
        let frame: &[u8; LEND_BYTES - 4] = frame.try_into().ok()?;
        if i16_at(frame, 0) != LEND_KEY || i16_at(frame, 2) != VERSION {
            return None;
        }
        Some(Lend {
            correlation_id: i32_at(frame, 4),
            topic_id: TopicId(*frame[8..].first_chunk()?),
            partition: i32_at(frame, 24),
            bytes: i32_at(frame, 28) as u32,
        })
    }
}

/// Where to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub number: u32,
    pub generation: u32,
    pub address: u64,
    pub key: u32,
    pub bytes: u32,
}

/// What the broker says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent {
    pub correlation_id: i32,
    pub error: ErrorCode,
    pub shard: i16,
    pub room: Option<Room>,
}

impl Lent {
    /// The whole frame.
    pub fn encode(&self) -> [u8; LENT_BYTES] {
        let mut bytes = [0; LENT_BYTES];
        bytes[..4].copy_from_slice(&(LENT_BYTES as i32 - 4).to_be_bytes());
        bytes[4..8].copy_from_slice(&self.correlation_id.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.error.code().to_be_bytes());
        bytes[10..12].copy_from_slice(&self.shard.to_be_bytes());
        if let Some(room) = &self.room {
            bytes[12..16].copy_from_slice(&room.number.to_be_bytes());
            bytes[16..20].copy_from_slice(&room.generation.to_be_bytes());
            bytes[20..28].copy_from_slice(&room.address.to_be_bytes());
            bytes[28..32].copy_from_slice(&room.key.to_be_bytes());
            bytes[32..].copy_from_slice(&room.bytes.to_be_bytes());
        }
        bytes
    }

    /// Reads a frame without its length; `None` when it is anything else, or lends what cannot be.
    pub fn parse(frame: &[u8]) -> Option<Lent> {
        let frame: &[u8; LENT_BYTES - 4] = frame.try_into().ok()?;
        let u32_at = |at| i32_at(frame, at) as u32;
        let room = Room {
            number: u32_at(8),
            generation: u32_at(12),
            address: i64_at(frame, 16) as u64,
            key: u32_at(24),
            bytes: u32_at(28),
        };
        let ends = room.address.checked_add(u64::from(room.bytes)).is_some();
        if room.bytes > BATCH_BYTES_MAX || !ends {
            return None;
        }
        Some(Lent {
            correlation_id: i32_at(frame, 0),
            error: ErrorCode::from_code(i16_at(frame, 4)).unwrap_or(ErrorCode::UnknownServerError),
            shard: i16_at(frame, 6),
            room: (room.bytes > 0).then_some(room),
        })
    }
}

/// A batch was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    pub correlation_id: i32,
    pub number: u32,
    pub generation: u32,
    pub length: u32,
}

impl Commit {
    /// The whole frame.
    pub fn encode(&self) -> [u8; COMMIT_BYTES] {
        let mut bytes = [0; COMMIT_BYTES];
        bytes[..4].copy_from_slice(&(COMMIT_BYTES as i32 - 4).to_be_bytes());
        bytes[4..6].copy_from_slice(&COMMIT_KEY.to_be_bytes());
        bytes[6..8].copy_from_slice(&VERSION.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.correlation_id.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.generation.to_be_bytes());
        bytes[20..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// Reads a frame without its length; `None` when it is anything else.
    pub fn parse(frame: &[u8]) -> Option<Commit> {
        let frame: &[u8; COMMIT_BYTES - 4] = frame.try_into().ok()?;
        if i16_at(frame, 0) != COMMIT_KEY || i16_at(frame, 2) != VERSION {
            return None;
        }
        Some(Commit {
            correlation_id: i32_at(frame, 4),
            number: i32_at(frame, 8) as u32,
            generation: i32_at(frame, 12) as u32,
            length: i32_at(frame, 16) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_as_they_were() {
        let lend = Lend {
            correlation_id: -5,
            topic_id: TopicId(*b"0123456789abcdef"),
            partition: 3,
            bytes: u32::MAX,
        };
        assert_eq!(Lend::parse(&lend.encode()[4..]), Some(lend));
        let commit = Commit {
            correlation_id: i32::MAX,
            number: 255,
            generation: u32::MAX,
            length: 77,
        };
        assert_eq!(Commit::parse(&commit.encode()[4..]), Some(commit));
        let room = Room {
            number: 255,
            generation: 9,
            address: 0x7FFF_1234_5678_9000,
            key: u32::MAX,
            bytes: BATCH_BYTES_MAX,
        };
        for room in [Some(room), None] {
            let lent = Lent {
                correlation_id: 1,
                error: ErrorCode::NotLeaderOrFollower,
                shard: 2,
                room,
            };
            assert_eq!(Lent::parse(&lent.encode()[4..]), Some(lent));
        }
    }

    /// Clients in other languages have only the description above.
    #[test]
    fn frames_are_laid_out_as_they_are_described() {
        let lend = Lend {
            correlation_id: 0x0102_0304,
            topic_id: TopicId(*b"0123456789abcdef"),
            partition: 0x0506_0708,
            bytes: 0x090a_0b0c,
        };
        let head = b"\0\0\0\x20\x50\x74\0\0\x01\x02\x03\x04";
        let rest = b"0123456789abcdef\x05\x06\x07\x08\x09\x0a\x0b\x0c";
        assert_eq!(lend.encode()[..], [&head[..], rest].concat());
        let commit = Commit {
            correlation_id: 0x0102_0304,
            number: 0x0506_0708,
            generation: 0x090a_0b0c,
            length: 0x0d0e_0f10,
        };
        let head = b"\0\0\0\x14\x50\x75\0\0\x01\x02\x03\x04";
        let rest = b"\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
        assert_eq!(commit.encode()[..], [&head[..], rest].concat());
        let room = Room {
            number: 0x0506_0708,
            generation: 0x090a_0b0c,
            address: 0x1112_1314_1516_1718,
            key: 0x191a_1b1c,
            bytes: 0x0010_1e1f,
        };
        let mut lent = Lent {
            correlation_id: 0x0102_0304,
            error: ErrorCode::NotLeaderOrFollower,
            shard: -1,
            room: Some(room),
        };
        let head = b"\0\0\0\x20\x01\x02\x03\x04\0\x06\xff\xff";
        let place = b"\x05\x06\x07\x08\x09\x0a\x0b\x0c\x11\x12\x13\x14\x15\x16\x17\x18";
        let rest = b"\x19\x1a\x1b\x1c\0\x10\x1e\x1f";
        assert_eq!(lent.encode()[..], [&head[..], place, rest].concat());
        lent.room = None;
        assert_eq!(lent.encode()[..], [&head[..], &[0; 24]].concat());
    }

    #[test]
    fn other_frames_are_none() {
        let lend = Lend {
            correlation_id: 1,
            topic_id: TopicId([1; 16]),
            partition: 0,
            bytes: 1,
        };
        let frame = lend.encode();
        assert!(is_lend(&frame[4..]) && !is_commit(&frame[4..]));
        for end in 4..frame.len() {
            assert_eq!(Lend::parse(&frame[4..end]), None, "cut at {end}");
        }
        let (mut other, mut version) = (frame, frame);
        (other[5], version[7]) = (0x73, 1);
        assert_eq!(Lend::parse(&other[4..]), None);
        assert_eq!(Lend::parse(&version[4..]), None);
        assert_eq!(Commit::parse(&frame[4..]), None);
        let commit = Commit {
            correlation_id: 1,
            number: 1,
            generation: 1,
            length: 1,
        };
        let frame = commit.encode();
        assert!(is_commit(&frame[4..]) && !is_lend(&frame[4..]));
        for end in 4..frame.len() {
            assert_eq!(Commit::parse(&frame[4..end]), None, "cut at {end}");
        }
        let (mut other, mut version) = (frame, frame);
        (other[5], version[7]) = (0x74, 1);
        assert_eq!(Commit::parse(&other[4..]), None);
        assert_eq!(Commit::parse(&version[4..]), None);
        for end in 4..LENT_BYTES {
            assert_eq!(Lent::parse(&[0; LENT_BYTES][4..end]), None, "cut at {end}");
        }
        let lent = |address: u64, bytes: u32| {
            let room = Room {
                number: 0,
                generation: 0,
                address,
                key: 0,
                bytes,
            };
            let lent = Lent {
                correlation_id: 1,
                error: ErrorCode::None,
                shard: 0,
                room: Some(room),
            };
            Lent::parse(&lent.encode()[4..])
        };
        assert!(lent(4096, BATCH_BYTES_MAX).is_some());
        assert_eq!(lent(4096, BATCH_BYTES_MAX + 1), None);
        assert!(lent(u64::MAX - 7, 7).is_some());
        assert_eq!(lent(u64::MAX - 6, 7), None, "past the last address");
    }
}
