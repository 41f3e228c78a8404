//! The two messages by which a client attaches: fixed sizes, little-endian.

/// Both begin with this.
const MAGIC: [u8; 8] = *b"PRECSHM\x01";

/// Any shard.
const ANY_SHARD: u32 = u32::MAX;

pub(crate) const HELLO_BYTES: usize = 16;
pub(crate) const WELCOME_BYTES: usize = 24;

/// What the client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The shard to serve it; `None` = whichever has fewest clients.
    pub shard: Option<u16>,
}

/// What the broker answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Attached,
    /// As many clients are attached as may be.
    TooMany,
    /// The client's user may not attach.
    Forbidden,
    /// There is no such shard, or it takes no clients now.
    NoShard,
    /// The host has no memory or descriptors left.
    Exhausted,
}

/// The broker's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub status: Status,
    pub shard: u16,
    pub shards: u16,
    /// Bytes of each direction's ring.
    pub ring_bytes: u32,
}

impl Hello {
    pub fn encode(self) -> [u8; HELLO_BYTES] {
        let mut bytes = [0; HELLO_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let shard = self.shard.map_or(ANY_SHARD, u32::from);
        bytes[8..12].copy_from_slice(&shard.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Hello> {
        let bytes: &[u8; HELLO_BYTES] = bytes.try_into().ok()?;
        let shard = match word(bytes, 8) {
            ANY_SHARD => None,
            shard => Some(u16::try_from(shard).ok()?),
        };
        (bytes[..8] == MAGIC).then_some(Hello { shard })
    }
}

impl Welcome {
    pub fn encode(self) -> [u8; WELCOME_BYTES] {
        let mut bytes = [0; WELCOME_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&(self.status as u32).to_le_bytes());
        bytes[12..14].copy_from_slice(&self.shard.to_le_bytes());
        bytes[14..16].copy_from_slice(&self.shards.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.ring_bytes.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Option<Welcome> {
        let bytes: &[u8; WELCOME_BYTES] = bytes.try_into().ok()?;
        let status = match word(bytes, 8) {
            0 => Status::Attached,
            1 => Status::TooMany,
            2 => Status::Forbidden,
            3 => Status::NoShard,
            4 => Status::Exhausted,
            _ => return None,
        };
        let welcome = Welcome {
            status,
            shard: u16::from_le_bytes([bytes[12], bytes[13]]),
            shards: u16::from_le_bytes([bytes[14], bytes[15]]),
            ring_bytes: word(bytes, 16),
        };
        (bytes[..8] == MAGIC).then_some(welcome)
    }
}

fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn both_messages_come_back_as_they_were() {
        for shard in [None, Some(0), Some(7), Some(u16::MAX)] {
            let hello = Hello { shard };
            assert_eq!(Hello::decode(&hello.encode()), Some(hello));
        }
        let statuses = [
            Status::Attached,
            Status::TooMany,
            Status::Forbidden,
            Status::NoShard,
            Status::Exhausted,
        ];
        for status in statuses {
            let welcome = Welcome {
                status,
                shard: 3,
                shards: 4,
                ring_bytes: 1 << 18,
            };
            assert_eq!(Welcome::decode(&welcome.encode()), Some(welcome));
        }
    }

    #[test]
    fn other_bytes_are_neither() {
        assert_eq!(Hello::decode(b""), None);
        assert_eq!(Hello::decode(&[0; HELLO_BYTES]), None);
        assert_eq!(Hello::decode(&[0xFF; HELLO_BYTES + 1]), None);
        let mut hello = Hello { shard: None }.encode();
        hello[10] = 1;
        assert_eq!(Hello::decode(&hello), None, "a shard above 65535");
        assert_eq!(Welcome::decode(&[0xFF; WELCOME_BYTES]), None);
        let mut welcome = [0xFF; WELCOME_BYTES];
        welcome[..8].copy_from_slice(&MAGIC);
        assert_eq!(Welcome::decode(&welcome), None, "an unknown status");
    }
}
