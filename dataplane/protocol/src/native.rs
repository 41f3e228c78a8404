//! Frames that are not Kafka's: [`follow`], [`write`](mod@write), and this one: a single record for a single partition, for
//! clients that send records one by one and want each answered. It stands among Kafka's frames,
//! behind the same length and the same first eight bytes, under a key that Kafka has not given to
//! anything.
//!
//! Request, big-endian: length i32, key i16, version i16, correlation i32, topic id (16 bytes),
//! partition i32, timestamp i64 (milliseconds since 1970; -1 = the broker's), length of the key i32
//! (-1 = none), length of the value i32 (-1 = none), key, value.
//!
//! Response: length i32, correlation i32, count i32, error i16, base offset i64, log append time
//! i64, log start offset i64, shard i16. One response answers `count` requests whose correlation ids
//! follow one another, from the one that it names on; their records have offsets that follow one
//! another from the base offset on. `shard` is the one that owns the partition, -1 if unknown.

pub mod follow;
pub mod write;

use precursor_model::{ErrorCode, TopicId};

/// The request's key.
pub const API_KEY: i16 = 0x5072;
/// The only version.
pub const VERSION: i16 = 0;
/// Bytes of a request besides key and value, its length included.
pub const REQUEST_BYTES: usize = 48;
/// Bytes of a response, its length included.
pub const RESPONSE_BYTES: usize = 40;
/// Where the error code stands in a response; base offset, log append time and log start offset
/// follow, as in a Produce response.
pub const RESPONSE_ERROR_AT: usize = 12;

/// A record to append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProduceOne<'a> {
    pub correlation_id: i32,
    pub topic_id: TopicId,
    pub partition: i32,
    /// -1: when the broker takes it.
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// Whether a frame (without its length) is this request, in whatever version.
#[inline]
pub fn is_native(frame: &[u8]) -> bool {
    frame.first_chunk() == Some(&API_KEY.to_be_bytes())
}

impl<'a> ProduceOne<'a> {
    /// Reads a frame without its length; `None` when it is anything else.
    #[inline]
    pub fn parse(frame: &'a [u8]) -> Option<ProduceOne<'a>> {
        let head: &[u8; REQUEST_BYTES - 4] = frame.first_chunk()?;
        let rest = &frame[head.len()..];
        if i16_at(head, 0) != API_KEY || i16_at(head, 2) != VERSION {
            return None;
        }
        let (key, rest) = part(rest, i32_at(head, 36))?;
        let (value, rest) = part(rest, i32_at(head, 40))?;
        rest.is_empty().then_some(ProduceOne {
            correlation_id: i32_at(head, 4),
            topic_id: TopicId(*head[8..].first_chunk()?),
            partition: i32_at(head, 24),
            timestamp: i64_at(head, 28),
            key,
            value,
        })
    }

    /// Bytes of the whole frame; `None` when that is no length.
    pub fn length(&self) -> Option<usize> {
        let bytes = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
        let length = REQUEST_BYTES
            .checked_add(bytes(self.key))?
            .checked_add(bytes(self.value))?;
        i32::try_from(length).ok().map(|_| length)
    }

    /// Appends the whole frame to `out`; false, and nothing, when it is longer than a frame can be.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) -> bool {
        let Some(length) = self.length() else {
            return false;
        };
        let length_of = |part: Option<&[u8]>| part.map_or(-1, |part| part.len() as i32);
        let mut head = [0; REQUEST_BYTES];
        head[..4].copy_from_slice(&(length as i32 - 4).to_be_bytes());
        head[4..6].copy_from_slice(&API_KEY.to_be_bytes());
        head[6..8].copy_from_slice(&VERSION.to_be_bytes());
        head[8..12].copy_from_slice(&self.correlation_id.to_be_bytes());
        head[12..28].copy_from_slice(&self.topic_id.0);
        head[28..32].copy_from_slice(&self.partition.to_be_bytes());
        head[32..40].copy_from_slice(&self.timestamp.to_be_bytes());
        head[40..44].copy_from_slice(&length_of(self.key).to_be_bytes());
        head[44..48].copy_from_slice(&length_of(self.value).to_be_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(self.key.unwrap_or_default());
        out.extend_from_slice(self.value.unwrap_or_default());
        true
    }
}

/// What became of `count` requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducedOne {
    /// The first request's.
    pub correlation_id: i32,
    pub count: u32,
    pub error: ErrorCode,
    pub base_offset: i64,
    /// -1 where the topic keeps the producer's time.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub shard: i16,
}

impl ProducedOne {
    /// The whole frame.
    pub fn encode(&self) -> [u8; RESPONSE_BYTES] {
        let mut bytes = [0; RESPONSE_BYTES];
        bytes[..4].copy_from_slice(&(RESPONSE_BYTES as i32 - 4).to_be_bytes());
        bytes[4..8].copy_from_slice(&self.correlation_id.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.count.to_be_bytes());
        bytes[12..14].copy_from_slice(&self.error.code().to_be_bytes());
        bytes[14..22].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[22..30].copy_from_slice(&self.log_append_time_ms.to_be_bytes());
        bytes[30..38].copy_from_slice(&self.log_start_offset.to_be_bytes());
        bytes[38..].copy_from_slice(&self.shard.to_be_bytes());
        bytes
    }

    /// Reads a frame without its length.
    pub fn parse(frame: &[u8]) -> Option<ProducedOne> {
        let frame: &[u8; RESPONSE_BYTES - 4] = frame.try_into().ok()?;
        Some(ProducedOne {
            correlation_id: i32_at(frame, 0),
            count: u32::try_from(i32_at(frame, 4)).ok()?,
            error: ErrorCode::from_code(i16_at(frame, 8)).unwrap_or(ErrorCode::UnknownServerError),
            base_offset: i64_at(frame, 10),
            log_append_time_ms: i64_at(frame, 18),
            log_start_offset: i64_at(frame, 26),
            shard: i16_at(frame, 34),
        })
    }
}

/// The first `length` bytes, and the rest; -1 is none.
#[inline]
fn part(bytes: &[u8], length: i32) -> Option<(Option<&[u8]>, &[u8])> {
    match length {
        -1 => Some((None, bytes)),
        length => {
            let (part, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
            Some((Some(part), rest))
        }
    }
}

#[inline]
fn i16_at<const N: usize>(bytes: &[u8; N], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}

#[inline]
fn i32_at<const N: usize>(bytes: &[u8; N], at: usize) -> i32 {
    i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[inline]
fn i64_at<const N: usize>(bytes: &[u8; N], at: usize) -> i64 {
    i64::from(i32_at(bytes, at)) << 32 | i64::from(i32_at(bytes, at + 4) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> ProduceOne<'a> {
        ProduceOne {
            correlation_id: -7,
            topic_id: TopicId(*b"0123456789abcdef"),
            partition: 3,
            timestamp: 1_700_000_000_123,
            key,
            value,
        }
    }

    #[test]
    fn requests_come_back_as_they_were() {
        for (key, value) in [
            (None, None),
            (Some(&b""[..]), Some(&b"value"[..])),
            (Some(b"key"), None),
            (None, Some(b"")),
        ] {
            let request = one(key, value);
            let mut frame = Vec::new();
            assert!(request.encode(&mut frame));
            assert_eq!(Some(frame.len()), request.length());
            assert_eq!(frame[..4], (frame.len() as u32 - 4).to_be_bytes());
            assert!(is_native(&frame[4..]));
            assert_eq!(ProduceOne::parse(&frame[4..]), Some(request));
        }
    }

    #[test]
    fn lengths_that_lie_are_no_request() {
        let mut frame = Vec::new();
        one(Some(b"key"), Some(b"value")).encode(&mut frame);
        for end in 4..frame.len() {
            assert_eq!(ProduceOne::parse(&frame[4..end]), None, "cut at {end}");
        }
        for (at, length) in [
            (40, 4),
            (40, -2),
            (40, i32::MAX),
            (44, 6),
            (44, 4),
            (44, i32::MIN),
        ] {
            let mut lying = frame.clone();
            lying[at..at + 4].copy_from_slice(&i32::to_be_bytes(length));
            assert_eq!(ProduceOne::parse(&lying[4..]), None, "{length} at {at}");
        }
        frame.push(0);
        assert_eq!(
            ProduceOne::parse(&frame[4..]),
            None,
            "bytes behind the value"
        );
    }

    #[test]
    fn responses_come_back_as_they_were() {
        let response = ProducedOne {
            correlation_id: i32::MAX,
            count: 1000,
            error: ErrorCode::NotLeaderOrFollower,
            base_offset: i64::MAX - 1,
            log_append_time_ms: -1,
            log_start_offset: 5,
            shard: 2,
        };
        let frame = response.encode();
        assert_eq!(ProducedOne::parse(&frame[4..]), Some(response));
        assert_eq!(ProducedOne::parse(&frame[5..]), None);
    }
}
