//! What both sides say with rdma_cm's messages: fixed sizes, little-endian.

/// Both begin with this. The number of the version covers sizes and credits as well.
const MAGIC: [u8; 8] = *b"PRECRDM\x02";
/// Any shard.
const ANY_SHARD: u32 = u32::MAX;

pub(crate) const HELLO_BYTES: usize = 16;
pub(crate) const WELCOME_BYTES: usize = 16;

/// What the client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hello {
    /// The shard to serve it; `None` = whichever has fewest clients.
    pub shard: Option<u16>,
}

/// What the broker answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Connected,
    /// As many clients are connected as may be.
    TooMany,
    /// There is no such shard, or it takes no clients now.
    NoShard,
    /// The device has no queue pairs or memory left.
    Exhausted,
}

/// The broker's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Welcome {
    pub status: Status,
    pub shard: u16,
    pub shards: u16,
}

impl Hello {
    pub fn encode(self) -> [u8; HELLO_BYTES] {
        let mut bytes = [0; HELLO_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let shard = self.shard.map_or(ANY_SHARD, u32::from);
        bytes[8..12].copy_from_slice(&shard.to_le_bytes());
        bytes
    }

    /// rdma_cm pads what it carries.
    pub fn decode(bytes: &[u8]) -> Option<Hello> {
        let bytes: &[u8; HELLO_BYTES] = bytes.first_chunk()?;
        let shard = match u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]) {
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
        bytes[8] = self.status as u8;
        bytes[10..12].copy_from_slice(&self.shard.to_le_bytes());
        bytes[12..14].copy_from_slice(&self.shards.to_le_bytes());
        bytes
    }

    /// rdma_cm pads what it carries.
    pub fn decode(bytes: &[u8]) -> Option<Welcome> {
        let bytes: &[u8; WELCOME_BYTES] = bytes.first_chunk()?;
        let status = match bytes[8] {
            0 => Status::Connected,
            1 => Status::TooMany,
            2 => Status::NoShard,
            3 => Status::Exhausted,
            _ => return None,
        };
        let welcome = Welcome {
            status,
            shard: u16::from_le_bytes([bytes[10], bytes[11]]),
            shards: u16::from_le_bytes([bytes[12], bytes[13]]),
        };
        (bytes[..8] == MAGIC).then_some(welcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_come_back_as_they_were_also_padded() {
        for shard in [None, Some(0), Some(7), Some(u16::MAX)] {
            let hello = Hello { shard };
            let mut bytes = hello.encode().to_vec();
            bytes.resize(56, 0);
            assert_eq!(Hello::decode(&bytes), Some(hello));
        }
        for status in [
            Status::Connected,
            Status::TooMany,
            Status::NoShard,
            Status::Exhausted,
        ] {
            let welcome = Welcome {
                status,
                shard: 3,
                shards: 4,
            };
            let mut bytes = welcome.encode().to_vec();
            bytes.resize(148, 0);
            assert_eq!(Welcome::decode(&bytes), Some(welcome));
        }
    }

    #[test]
    fn other_bytes_are_neither() {
        assert_eq!(Hello::decode(b""), None);
        assert_eq!(Hello::decode(&[0; 56]), None);
        assert_eq!(Hello::decode(&[0xFF; 56]), None);
        let mut hello = Hello { shard: None }.encode();
        hello[10] = 1;
        assert_eq!(Hello::decode(&hello), None, "a shard above 65535");
        assert_eq!(Welcome::decode(&[0xFF; WELCOME_BYTES]), None);
        let mut welcome = [0xFF; WELCOME_BYTES];
        welcome[..8].copy_from_slice(&MAGIC);
        assert_eq!(Welcome::decode(&welcome), None, "an unknown status");
    }
}
