//! A pool of reusable objects named by index and generation.

/// Names an object of one [`Pool`]; stale after the object was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub index: u32,
    generation: u32,
}

struct Slot<T> {
    generation: u32,
    taken: bool,
    value: T,
}

/// Objects that keep their own memory (their vectors' capacity) from one use to the next.
///
/// The last one given back is the next one taken, because it is the one still in the cache.
pub(crate) struct Pool<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T: Default> Pool<T> {
    /// A pool that grows past `prepared` objects only when more are in use at once.
    pub fn new(prepared: usize) -> Self {
        let mut pool = Pool {
            slots: Vec::with_capacity(prepared),
            free: Vec::with_capacity(prepared),
        };
        for _ in 0..prepared {
            pool.grow();
        }
        pool
    }

    fn grow(&mut self) {
        let index = self.slots.len() as u32;
        self.slots.push(Slot {
            generation: 0,
            taken: false,
            value: T::default(),
        });
        // Room for every slot, so that giving back never allocates.
        self.free.reserve(self.slots.len() - self.free.len());
        self.free.push(index);
    }

    /// Takes an object in whatever state it was given back.
    pub fn take(&mut self) -> Key {
        if self.free.is_empty() {
            self.grow();
        }
        let index = self.free.pop().expect("the pool has just grown");
        let slot = &mut self.slots[index as usize];
        slot.taken = true;
        Key {
            index,
            generation: slot.generation,
        }
    }

    /// Gives an object back; its key is stale from now on. A stale key does nothing.
    pub fn give_back(&mut self, key: Key) {
        if self.get(key).is_some() {
            let slot = &mut self.slots[key.index as usize];
            slot.taken = false;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(key.index);
        }
    }

    pub fn get(&self, key: Key) -> Option<&T> {
        self.slots
            .get(key.index as usize)
            .filter(|slot| slot.taken && slot.generation == key.generation)
            .map(|slot| &slot.value)
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        self.slots
            .get_mut(key.index as usize)
            .filter(|slot| slot.taken && slot.generation == key.generation)
            .map(|slot| &mut slot.value)
    }

    /// Keys of all objects in use.
    pub fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.taken)
            .map(|(index, slot)| Key {
                index: index as u32,
                generation: slot.generation,
            })
    }
}

impl<T: Default> std::ops::Index<Key> for Pool<T> {
    type Output = T;
    fn index(&self, key: Key) -> &T {
        self.get(key).expect("a live key")
    }
}

impl<T: Default> std::ops::IndexMut<Key> for Pool<T> {
    fn index_mut(&mut self, key: Key) -> &mut T {
        self.get_mut(key).expect("a live key")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_stale_and_memory_is_kept() {
        let mut pool: Pool<Vec<u8>> = Pool::new(1);
        let first = pool.take();
        pool[first].extend_from_slice(b"abc");
        assert_eq!(pool.keys().count(), 1);
        pool.give_back(first);
        assert!(pool.get(first).is_none());
        pool.give_back(first);
        let second = pool.take();
        assert_eq!(second.index, first.index);
        assert_ne!(second, first);
        assert!(pool[second].capacity() >= 3);
        let third = pool.take();
        assert_ne!(third.index, second.index);
        assert_eq!(pool.keys().count(), 2);
    }
}
