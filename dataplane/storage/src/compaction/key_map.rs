//! Where each key was last written: a bounded table from a key's hash to an offset.

use precursor_model::Offset;
use siphasher::sip128::{Hasher128, SipHasher};
use std::hash::{BuildHasher, Hasher, RandomState};

/// Bytes of a slot: 16 of hash, 8 of offset.
pub(crate) const SLOT_BYTES: usize = size_of::<Slot>();
const _: () = assert!(SLOT_BYTES == 24);

const FREE: Offset = -1;

#[derive(Clone, Copy)]
struct Slot {
    hash: [u64; 2],
    /// [`FREE`] when the slot is.
    offset: Offset,
}

/// Keys are told apart by 128 bits of a hash under a secret of this table's own: two keys of a log
/// that meet are less likely than a disk that lies, and nobody can look for such a pair.
pub(crate) struct KeyMap {
    secret: SipHasher,
    slots: Vec<Slot>,
    used: usize,
}

impl KeyMap {
    /// A table that takes `keys` different keys, or as many as `bytes_max` allow.
    pub fn new(bytes_max: usize, keys: u64) -> KeyMap {
        let secret = RandomState::new();
        let secret = SipHasher::new_with_keys(secret.hash_one(0), secret.hash_one(1));
        let most = (bytes_max / SLOT_BYTES).max(16);
        let wanted = usize::try_from(keys).map_or(most, slots_for);
        KeyMap {
            secret,
            slots: free_slots(wanted.clamp(16, most)),
            used: 0,
        }
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        let mut hasher = self.secret;
        hasher.write(key);
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }

    /// Keys that have room (Kafka: `log.cleaner.io.buffer.load.factor`, 0.9).
    pub fn room(&self) -> usize {
        (self.slots.len() / 10 * 9).saturating_sub(self.used)
    }

    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Makes an empty table large enough for one batch, whatever the bound says: without it a log
    /// could not be cleaned at all.
    pub fn grow_for(&mut self, keys: usize) {
        debug_assert!(self.is_empty());
        self.slots = free_slots(slots_for(keys));
    }

    /// Notes that a key was written at `offset`, which is larger than all before.
    pub fn put(&mut self, key: &[u8], offset: Offset) {
        let hash = self.hash(key);
        let at = self.find(hash);
        let slot = &mut self.slots[at];
        if slot.offset == FREE {
            self.used += 1;
        }
        *slot = Slot { hash, offset };
    }

    /// The last offset of a key.
    pub fn last_offset(&self, key: &[u8]) -> Option<Offset> {
        let offset = self.slots[self.find(self.hash(key))].offset;
        (offset != FREE).then_some(offset)
    }

    /// The slot of a hash, or the free one where it belongs. There is always a free one.
    fn find(&self, hash: [u64; 2]) -> usize {
        let slots = self.slots.len();
        let mut at = ((u128::from(hash[0]) * slots as u128) >> 64) as usize;
        while self.slots[at].offset != FREE && self.slots[at].hash != hash {
            at += 1;
            if at == slots {
                at = 0;
            }
        }
        at
    }
}

fn slots_for(keys: usize) -> usize {
    (keys / 9).saturating_mul(10).saturating_add(20)
}

fn free_slots(count: usize) -> Vec<Slot> {
    let free = Slot {
        hash: [0; 2],
        offset: FREE,
    };
    vec![free; count]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_offset_of_each_key_is_found() {
        let mut map = KeyMap::new(1 << 20, 1000);
        assert!(map.room() >= 1000);
        for offset in 0..5000i64 {
            map.put(&(offset % 1000).to_be_bytes(), offset);
        }
        for key in 0..1000i64 {
            assert_eq!(map.last_offset(&key.to_be_bytes()), Some(4000 + key));
        }
        assert_eq!(map.last_offset(b"absent"), None);
        assert_eq!(map.used, 1000);
    }

    #[test]
    fn the_bound_holds_and_a_single_batch_fits_all_the_same() {
        let mut map = KeyMap::new(24 * 100, u64::MAX);
        assert_eq!(map.room(), 90);
        for key in 0..90i64 {
            map.put(&key.to_be_bytes(), key);
        }
        assert_eq!(map.room(), 0);
        let mut map = KeyMap::new(24 * 100, 10);
        assert!(map.room() >= 10);
        map.grow_for(5000);
        assert!(map.room() >= 5000);
    }
}
