//! Random values, from a seed.

use precursor_model::TopicId;
use precursor_protocol::TaggedField;

/// A message, or a part of one, with random content that its version can carry.
pub trait Random {
    fn random(s: &mut Source, version: i16) -> Self;
}

/// A stream of random values (SplitMix64); the same seed gives the same stream.
pub struct Source {
    state: u64,
    /// Tagged fields have a stream of their own, so that the rest of a message is the same with
    /// and without them.
    tag_state: u64,
    /// Whether to make tagged fields that nobody knows.
    pub unknown_tags: bool,
}

fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Source {
    pub fn new(seed: u64) -> Source {
        Source {
            state: seed,
            tag_state: !seed,
            unknown_tags: true,
        }
    }

    fn next(&mut self) -> u64 {
        mix(&mut self.state)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An integer: often one at the edge of something.
    pub fn int64(&mut self) -> i64 {
        match self.below(8) {
            0 => 0,
            1 => -1,
            2 => i64::MAX,
            3 => i64::MIN,
            4 => self.below(300) as i64,
            _ => self.next() as i64 >> self.below(64),
        }
    }

    pub fn int32(&mut self) -> i32 {
        match self.below(8) {
            0 => i32::MAX,
            1 => i32::MIN,
            _ => self.int64() as i32,
        }
    }

    pub fn int16(&mut self) -> i16 {
        self.int64() as i16
    }

    pub fn int8(&mut self) -> i8 {
        self.int64() as i8
    }

    pub fn bool(&mut self) -> bool {
        self.below(2) == 1
    }

    /// Never a NaN: those differ from themselves.
    pub fn float64(&mut self) -> f64 {
        self.int64() as f64 / 7.0
    }

    pub fn uuid(&mut self) -> [u8; 16] {
        if self.below(4) == 0 {
            return [0; 16];
        }
        let mut uuid = [0; 16];
        uuid[..8].copy_from_slice(&self.next().to_be_bytes());
        uuid[8..].copy_from_slice(&self.next().to_be_bytes());
        uuid
    }

    pub fn topic_id(&mut self) -> TopicId {
        TopicId(self.uuid())
    }

    /// Mostly short; sometimes past the lengths at which a compact length takes another byte.
    fn length(&mut self) -> usize {
        match self.below(4096) {
            0 => 16_382 + self.below(4) as usize,
            1..100 => 126 + self.below(4) as usize,
            _ => self.below(12) as usize,
        }
    }

    pub fn string(&mut self) -> String {
        let characters = ['a', 'Z', '0', '.', '-', '_', ' ', '\0', 'é', '水', '🦀'];
        // At most 8,000 characters: with four bytes each that is just below Kafka's 32,767.
        (0..self.length().min(8_000))
            .map(|_| characters[self.below(characters.len() as u64) as usize])
            .collect()
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        (0..self.length()).map(|_| self.next() as u8).collect()
    }

    pub fn option<T>(
        &mut self,
        null_allowed: bool,
        value: impl FnOnce(&mut Self) -> T,
    ) -> Option<T> {
        if null_allowed && self.below(3) == 0 {
            None
        } else {
            Some(value(self))
        }
    }

    pub fn array<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| element(self)).collect()
    }

    /// Tagged fields with tags from `tag_min` on, by rising tag.
    pub fn tags(&mut self, flexible: bool, tag_min: u32) -> Vec<TaggedField> {
        if !flexible || !self.unknown_tags || !mix(&mut self.tag_state).is_multiple_of(4) {
            return Vec::new();
        }
        let mut tag = tag_min;
        (0..=mix(&mut self.tag_state) % 3)
            .map(|_| {
                tag += (mix(&mut self.tag_state) % 200) as u32;
                let data = (0..mix(&mut self.tag_state) % 9)
                    .map(|_| mix(&mut self.tag_state) as u8)
                    .collect();
                tag += 1;
                TaggedField { tag: tag - 1, data }
            })
            .collect()
    }
}
