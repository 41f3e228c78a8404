//! Which control block belongs to a segment: a hash table over remote and local address and port,
//! with a key that peers do not know, so that they cannot aim at one chain.

use siphasher::sip::SipHasher13;

use crate::list::NONE;
use crate::wire::ip::Address;

/// What names a connection. `local` is the index of the own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub remote: Address,
    pub remote_port: u16,
    pub local_port: u16,
    pub local: u8,
}

/// Chains of slots. The keys themselves are in the control blocks.
pub struct Table {
    hash: SipHasher13,
    /// Slot + 1; 0 is an empty chain, so that untouched memory costs nothing.
    heads: Vec<u32>,
    next: Vec<u32>,
}

impl Table {
    pub fn new(capacity: usize, key: [u8; 16]) -> Table {
        Table {
            hash: SipHasher13::new_with_key(&key),
            heads: vec![0; capacity.next_power_of_two()],
            next: Vec::with_capacity(capacity),
        }
    }

    /// Makes room for one more slot.
    pub fn grow(&mut self) {
        self.next.push(NONE);
    }

    pub fn bytes(&self) -> usize {
        (self.heads.capacity() + self.next.capacity()) * size_of::<u32>()
    }

    fn bucket(&self, key: &Key) -> usize {
        self.hash(key) as usize & (self.heads.len() - 1)
    }

    /// A keyed hash of the connection's name; also the source of other per-connection numbers.
    pub fn hash(&self, key: &Key) -> u64 {
        self.hash.hash(&bytes_of(key))
    }

    pub fn find(&self, key: &Key, is: impl Fn(u32) -> bool) -> Option<u32> {
        let mut slot = self.heads[self.bucket(key)].wrapping_sub(1);
        while slot != NONE {
            if is(slot) {
                return Some(slot);
            }
            slot = self.next[slot as usize];
        }
        None
    }

    pub fn insert(&mut self, key: &Key, slot: u32) {
        let bucket = self.bucket(key);
        self.next[slot as usize] = self.heads[bucket].wrapping_sub(1);
        self.heads[bucket] = slot + 1;
    }

    pub fn remove(&mut self, key: &Key, slot: u32) {
        let bucket = self.bucket(key);
        let after = self.next[slot as usize];
        let mut at = self.heads[bucket].wrapping_sub(1);
        if at == slot {
            self.heads[bucket] = after.wrapping_add(1);
            return;
        }
        while at != NONE {
            let next = self.next[at as usize];
            if next == slot {
                self.next[at as usize] = after;
                return;
            }
            at = next;
        }
        debug_assert!(false, "a slot that is not in its chain");
    }
}

/// The key as bytes, for hashes.
pub fn bytes_of(key: &Key) -> [u8; 21] {
    let mut bytes = [0; 21];
    bytes[..16].copy_from_slice(&key.remote.0);
    bytes[16..18].copy_from_slice(&key.remote_port.to_be_bytes());
    bytes[18..20].copy_from_slice(&key.local_port.to_be_bytes());
    bytes[20] = key.local;
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_survive_removals_in_any_order() {
        let mut table = Table::new(4, [7; 16]);
        let key = |slot: u32| Key {
            remote: Address::v4([10, 0, 0, slot as u8]),
            remote_port: slot as u16,
            local_port: 9092,
            local: 0,
        };
        for slot in 0..64 {
            table.grow();
            table.insert(&key(slot), slot);
        }
        for gone in (0..64).step_by(3).chain((1..64).step_by(3)) {
            assert_eq!(table.find(&key(gone), |slot| slot == gone), Some(gone));
            table.remove(&key(gone), gone);
            assert_eq!(table.find(&key(gone), |slot| slot == gone), None);
        }
        for slot in (2..64).step_by(3) {
            assert_eq!(table.find(&key(slot), |found| found == slot), Some(slot));
        }
    }
}
