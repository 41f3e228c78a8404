//! Memory that a client may write into or read from: what both sides say of it. Pure.

use crate::flow::{MESSAGE_BYTES, Violation};

/// Fewer bytes go by SEND: a request of the device's own would cost more than it saves.
pub(crate) const REACH_MIN: usize = 2 * MESSAGE_BYTES;
/// The least and the most memory of each direction.
pub(crate) const REACH_BYTES_MIN: u32 = 64 << 10;
pub(crate) const REACH_BYTES_MAX: u32 = 16 << 20;
/// Bytes of a message about memory.
pub(crate) const NOTE_BYTES: usize = 40;

/// A piece of the broker's memory, as the client names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Far {
    pub address: u64,
    pub key: u32,
    pub bytes: u32,
}

/// What a message about memory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The broker's first: the client may write there, and read there.
    Granted { landing: Far, shelf: Far },
    /// Bytes of the stream lie there: in the landing ring from the client, on the shelf from the
    /// broker.
    At { position: u32, length: u32 },
}

const GRANTED: u32 = 1;
const AT: u32 = 2;

impl Note {
    pub fn encode(self) -> [u8; NOTE_BYTES] {
        let mut bytes = [0; NOTE_BYTES];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        match self {
            Note::Granted { landing, shelf } => {
                put(0, &GRANTED.to_le_bytes());
                for (at, far) in [(4, landing), (20, shelf)] {
                    put(at, &far.address.to_le_bytes());
                    put(at + 8, &far.key.to_le_bytes());
                    put(at + 12, &far.bytes.to_le_bytes());
                }
            }
            Note::At { position, length } => {
                put(0, &AT.to_le_bytes());
                put(4, &position.to_le_bytes());
                put(8, &length.to_le_bytes());
            }
        }
        bytes
    }

    pub fn decode(bytes: &[u8; NOTE_BYTES]) -> Option<Note> {
        let word = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let far = |at: usize| Far {
            address: u64::from(word(at)) | u64::from(word(at + 4)) << 32,
            key: word(at + 8),
            bytes: word(at + 12),
        };
        let sound = |far: Far| {
            let ends = far.address.checked_add(u64::from(far.bytes)).is_some();
            ends && (REACH_BYTES_MIN..=REACH_BYTES_MAX).contains(&far.bytes)
        };
        match word(0) {
            GRANTED => Some(Note::Granted {
                landing: far(4),
                shelf: far(20),
            })
            .filter(|_| sound(far(4)) && sound(far(20))),
            AT => Some(Note::At {
                position: word(4),
                length: word(8),
            }),
            _ => None,
        }
    }
}

/// A ring's use, as each side counts it: pieces are taken at the head and given back at the tail.
/// A piece never wraps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    bytes: u32,
    head: u32,
    used: u32,
}

impl Ring {
    pub fn new(bytes: u32) -> Ring {
        Ring {
            bytes,
            head: 0,
            used: 0,
        }
    }

    /// Bytes that were put and not given back.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// How many of `wanted` bytes can be put now as one piece; none where it is hardly worth it.
    pub fn room(&self, wanted: usize) -> usize {
        let free = self.bytes - self.used;
        if wanted < REACH_MIN || (free as usize) < REACH_MIN {
            return 0;
        }
        // A quarter, so that the peer takes one while the next is on its way.
        let most = free.min(self.bytes - self.head).min(self.bytes / 4);
        wanted.min(most as usize)
    }

    /// Puts a piece that there is room for; where.
    pub fn put(&mut self, length: u32) -> u32 {
        debug_assert!(length <= (self.bytes - self.used).min(self.bytes - self.head));
        let position = self.head;
        self.head = (self.head + length) % self.bytes;
        self.used += length;
        position
    }

    /// The peer says that it put a piece: it can only be where the last ended, and where nothing
    /// lies that was not given back.
    pub fn expect(&mut self, position: u32, length: u32) -> Result<(), Violation> {
        let most = (self.bytes - self.used).min(self.bytes - self.head);
        if position != self.head || length == 0 || length > most {
            return Err(Violation::Place);
        }
        self.put(length);
        Ok(())
    }

    /// The oldest piece is given back.
    pub fn release(&mut self, length: u32) {
        self.used = self.used.saturating_sub(length);
    }

    /// Whether giving back so many bytes is worth a message.
    pub fn is_worth_telling(&self, released: u32) -> bool {
        released >= self.bytes / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_as_they_were() {
        let far = |n: u32| Far {
            address: u64::from(n) << 33 | 5,
            key: n,
            bytes: REACH_BYTES_MIN + n,
        };
        for note in [
            Note::Granted {
                landing: far(7),
                shelf: far(8),
            },
            Note::At {
                position: 9,
                length: u32::MAX,
            },
        ] {
            assert_eq!(Note::decode(&note.encode()), Some(note));
        }
    }

    #[test]
    fn other_notes_are_none() {
        assert_eq!(Note::decode(&[0; NOTE_BYTES]), None);
        assert_eq!(Note::decode(&[0xFF; NOTE_BYTES]), None);
        for bytes in [0, REACH_BYTES_MIN - 1, REACH_BYTES_MAX + 1, u32::MAX] {
            let good = Far {
                bytes: REACH_BYTES_MIN,
                ..Far::default()
            };
            let (landing, shelf) = (good, Far { bytes, ..good });
            let note = Note::Granted { landing, shelf };
            assert_eq!(Note::decode(&note.encode()), None, "{bytes}");
        }
        let beyond = Far {
            address: u64::MAX - u64::from(REACH_BYTES_MIN) + 1,
            key: 1,
            bytes: REACH_BYTES_MIN,
        };
        let (landing, shelf) = (beyond, beyond);
        let note = Note::Granted { landing, shelf };
        assert_eq!(Note::decode(&note.encode()), None, "past the last address");
    }

    /// Both sides count the same, around the end many times, and never over what was not given back.
    #[test]
    fn pieces_go_round_and_both_sides_agree() {
        let (mut here, mut there) = (Ring::new(REACH_BYTES_MIN), Ring::new(REACH_BYTES_MIN));
        let mut pieces = std::collections::VecDeque::new();
        let mut wanted = 40_000;
        for _ in 0..10_000 {
            wanted = wanted * 31 % 99_991;
            let length = here.room(wanted);
            if length == 0 {
                let Some(oldest) = pieces.pop_front() else {
                    assert!(wanted < REACH_MIN, "an empty ring has room");
                    continue;
                };
                there.release(oldest);
                here.release(oldest);
                continue;
            }
            let position = here.put(length as u32);
            assert_eq!(there.expect(position, length as u32), Ok(()));
            assert!(position + length as u32 <= REACH_BYTES_MIN, "in one piece");
            pieces.push_back(length as u32);
            assert_eq!(here.used(), pieces.iter().sum::<u32>());
        }
    }

    #[test]
    fn a_piece_that_lies_elsewhere_is_found() {
        let ring = |used: u32| {
            let mut ring = Ring::new(REACH_BYTES_MIN);
            ring.expect(0, used).unwrap();
            ring
        };
        let whole = REACH_BYTES_MIN;
        let lies = [
            (0, 1),
            (999, 1),
            (1001, 1),
            (1000, 0),
            (1000, whole - 999),
            (1000, u32::MAX),
            (u32::MAX, 1001),
            (whole, 1),
        ];
        for (position, length) in lies {
            let found = ring(1000).expect(position, length);
            assert_eq!(found, Err(Violation::Place), "{position} {length}");
        }
        // Over what was not taken, after the end.
        assert_eq!(ring(whole).expect(0, 1), Err(Violation::Place));
        let mut half = ring(whole);
        half.release(1000);
        assert_eq!(half.expect(0, 1001), Err(Violation::Place));
        assert_eq!(half.expect(0, 1000), Ok(()));
    }
}
