//! Reusable objects in slabs, named by index and generation.

use std::iter;

/// Names an object of one [`Slab`]; stale after the object was given back: then it names nothing,
/// never what the place was lent for next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlabKey {
    index: u32,
    generation: u32,
}

impl SlabKey {
    /// The object's place: no two objects that are in use at once have the same.
    pub fn index(self) -> u32 {
        self.index
    }
}

/// Objects are made so many at a time, and stay where they are.
const CHUNK_OBJECTS: usize = 64;

/// On cache lines of its own, so that what one object is used for does not evict another.
#[repr(align(64))]
struct Slot<T> {
    generation: u32,
    taken: bool,
    value: T,
}

/// How much of a slab is used, and how often it had what was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlabUse {
    /// Objects that are made.
    pub objects: usize,
    /// Objects that are in use.
    pub in_use: usize,
    /// The most that were ever in use at once.
    pub in_use_max: usize,
    /// Times that an object lay ready.
    pub hits: u64,
    /// Times that objects had to be made first.
    pub misses: u64,
}

impl iter::Sum for SlabUse {
    fn sum<I: Iterator<Item = SlabUse>>(all: I) -> SlabUse {
        all.fold(SlabUse::default(), |sum, one| SlabUse {
            objects: sum.objects + one.objects,
            in_use: sum.in_use + one.in_use,
            in_use_max: sum.in_use_max + one.in_use_max,
            hits: sum.hits + one.hits,
            misses: sum.misses + one.misses,
        })
    }
}

/// Objects that keep their own memory (their vectors' capacity) from one use to the next. Owned by
/// one thread.
///
/// The last one given back is the next one taken, because it is the one still in the cache.
pub struct Slab<T> {
    chunks: Vec<Box<[Slot<T>]>>,
    free: Vec<u32>,
    in_use_max: usize,
    hits: u64,
    misses: u64,
}

impl<T: Default> Slab<T> {
    /// A slab that makes more than `prepared` objects (rounded up to whole chunks) only when more
    /// are in use at once.
    pub fn new(prepared: usize) -> Self {
        let mut slab = Slab {
            chunks: Vec::new(),
            free: Vec::new(),
            in_use_max: 0,
            hits: 0,
            misses: 0,
        };
        while slab.objects() < prepared {
            slab.grow();
        }
        slab
    }

    fn grow(&mut self) {
        let first = self.objects() as u32;
        let slots = (0..CHUNK_OBJECTS).map(|_| Slot {
            generation: 0,
            taken: false,
            value: T::default(),
        });
        self.chunks.push(slots.collect());
        // Room for every slot, so that giving back never allocates.
        self.free.reserve(self.objects() - self.free.len());
        self.free
            .extend((first..first + CHUNK_OBJECTS as u32).rev());
    }

    /// Takes an object in whatever state it was given back.
    pub fn take(&mut self) -> SlabKey {
        let index = match self.free.pop() {
            Some(index) => {
                self.hits += 1;
                index
            }
            None => {
                self.misses += 1;
                self.grow();
                self.free.pop().expect("the slab has just grown")
            }
        };
        self.in_use_max = self.in_use_max.max(self.objects() - self.free.len());
        let slot = self.slot_mut(index).expect("a free place is a place");
        slot.taken = true;
        SlabKey {
            index,
            generation: slot.generation,
        }
    }

    /// Gives an object back; its key is stale from now on. A stale key does nothing.
    pub fn give_back(&mut self, key: SlabKey) {
        if let Some(slot) = self.slot_mut(key.index)
            && slot.taken
            && slot.generation == key.generation
        {
            slot.taken = false;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(key.index);
        }
    }

    /// The object, if the key is not stale.
    pub fn get(&self, key: SlabKey) -> Option<&T> {
        let index = key.index as usize;
        let chunk = self.chunks.get(index / CHUNK_OBJECTS)?;
        let slot = &chunk[index % CHUNK_OBJECTS];
        (slot.taken && slot.generation == key.generation).then_some(&slot.value)
    }

    /// As [`Slab::get`], to be changed.
    pub fn get_mut(&mut self, key: SlabKey) -> Option<&mut T> {
        let slot = self.slot_mut(key.index)?;
        (slot.taken && slot.generation == key.generation).then_some(&mut slot.value)
    }

    /// Keys of all objects in use.
    pub fn keys(&self) -> impl Iterator<Item = SlabKey> + '_ {
        let slots = self.chunks.iter().flat_map(|chunk| chunk.iter());
        slots
            .enumerate()
            .filter(|(_, slot)| slot.taken)
            .map(|(index, slot)| SlabKey {
                index: index as u32,
                generation: slot.generation,
            })
    }

    /// How much is used.
    pub fn usage(&self) -> SlabUse {
        SlabUse {
            objects: self.objects(),
            in_use: self.objects() - self.free.len(),
            in_use_max: self.in_use_max,
            hits: self.hits,
            misses: self.misses,
        }
    }

    fn objects(&self) -> usize {
        self.chunks.len() * CHUNK_OBJECTS
    }

    fn slot_mut(&mut self, index: u32) -> Option<&mut Slot<T>> {
        let index = index as usize;
        let chunk = self.chunks.get_mut(index / CHUNK_OBJECTS)?;
        Some(&mut chunk[index % CHUNK_OBJECTS])
    }
}

impl<T: Default> std::ops::Index<SlabKey> for Slab<T> {
    type Output = T;
    fn index(&self, key: SlabKey) -> &T {
        self.get(key).expect("a live key")
    }
}

impl<T: Default> std::ops::IndexMut<SlabKey> for Slab<T> {
    fn index_mut(&mut self, key: SlabKey) -> &mut T {
        self.get_mut(key).expect("a live key")
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn keys_go_stale_and_memory_is_kept() {
        let mut slab: Slab<Vec<u8>> = Slab::new(1);
        let first = slab.take();
        slab[first].extend_from_slice(b"abc");
        assert_eq!(slab.keys().count(), 1);
        slab.give_back(first);
        assert!(slab.get(first).is_none());
        slab.give_back(first);
        let second = slab.take();
        assert_eq!(second.index, first.index);
        assert_ne!(second, first);
        assert!(slab[second].capacity() >= 3);
        let third = slab.take();
        assert_ne!(third.index, second.index);
        assert_eq!(slab.keys().count(), 2);
    }

    #[test]
    fn objects_lie_on_lines_of_their_own_and_stay_where_they_are() {
        let mut slab: Slab<u64> = Slab::new(1);
        let first = slab.take();
        let place = std::ptr::from_ref(&slab[first]);
        let others: Vec<SlabKey> = (0..1_000).map(|_| slab.take()).collect();
        assert_eq!(std::ptr::from_ref(&slab[first]), place);
        let line = |key| std::ptr::from_ref(&slab[key]) as usize / 64;
        let lines: std::collections::HashSet<usize> = others.iter().map(|key| line(*key)).collect();
        assert_eq!(lines.len(), others.len());
        let used = slab.usage();
        assert_eq!((used.in_use, used.in_use_max), (1_001, 1_001));
        assert_eq!((used.objects, used.hits + used.misses), (1_024, 1_001));
        assert_eq!(used.misses, 15, "one for each chunk after the first");
    }

    proptest! {
        /// Against a map that never forgets a key: a stale one names nothing, a live one its own.
        #[test]
        fn a_key_names_its_own_object_or_nothing(steps in prop::collection::vec(any::<u16>(), 0..600)) {
            let mut slab: Slab<u64> = Slab::new(0);
            let mut all: Vec<SlabKey> = Vec::new();
            let mut live: HashMap<SlabKey, u64> = HashMap::new();
            for (number, step) in steps.into_iter().enumerate() {
                if step % 3 > 0 || all.is_empty() {
                    let key = slab.take();
                    slab[key] = number as u64;
                    prop_assert!(live.insert(key, number as u64).is_none());
                    all.push(key);
                } else {
                    let key = all[usize::from(step) % all.len()];
                    slab.give_back(key);
                    live.remove(&key);
                }
                for key in &all {
                    prop_assert_eq!(slab.get(*key), live.get(key));
                }
                prop_assert_eq!(slab.usage().in_use, live.len());
            }
        }
    }
}
