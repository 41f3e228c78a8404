//! The table of connections: allocated once, with generations against stale ids.

use precursor_transport_port::ConnectionId;

const END: u32 = u32::MAX;

struct Slot<T> {
    generation: u32,
    next_free: u32,
    value: Option<T>,
}

/// At most `capacity` values named by [`ConnectionId`]. Address space for all of them is taken at
/// the start, memory as they come; nothing is ever moved.
pub(crate) struct Slots<T> {
    slots: Vec<Slot<T>>,
    capacity: usize,
    first_free: u32,
    taken: usize,
}

impl<T> Slots<T> {
    pub(crate) fn new(capacity: usize) -> Slots<T> {
        assert!(capacity < 0xFFFF_0000, "slot numbers above are reserved");
        Slots {
            slots: Vec::with_capacity(capacity),
            capacity,
            first_free: END,
            taken: 0,
        }
    }

    /// Takes a slot, or gives the value back when all are taken.
    pub(crate) fn insert(&mut self, value: T) -> Result<ConnectionId, T> {
        if self.is_full() {
            return Err(value);
        }
        if self.first_free == END {
            self.first_free = self.slots.len() as u32;
            self.slots.push(Slot {
                generation: 0,
                next_free: END,
                value: None,
            });
        }
        let slot = self.first_free;
        let entry = &mut self.slots[slot as usize];
        self.first_free = entry.next_free;
        entry.value = Some(value);
        self.taken += 1;
        Ok(ConnectionId {
            slot,
            generation: entry.generation,
        })
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        let entry = self.slots.get_mut(id.slot as usize)?;
        if entry.generation != id.generation {
            return None;
        }
        entry.value.as_mut()
    }

    /// Frees the slot and makes `id` stale.
    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<T> {
        let entry = self.slots.get_mut(id.slot as usize)?;
        if entry.generation != id.generation {
            return None;
        }
        let value = entry.value.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        entry.next_free = self.first_free;
        self.first_free = id.slot;
        self.taken -= 1;
        Some(value)
    }

    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    pub(crate) fn is_full(&self) -> bool {
        self.taken == self.capacity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_id_names_nothing() {
        let mut slots = Slots::new(2);
        let first = slots.insert('a').unwrap();
        let second = slots.insert('b').unwrap();
        assert!(slots.is_full());
        assert_eq!(slots.insert('c'), Err('c'));
        assert_eq!(slots.remove(first), Some('a'));
        assert_eq!(slots.remove(first), None);
        let third = slots.insert('c').unwrap();
        assert_eq!(third.slot, first.slot);
        assert_ne!(third, first);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.get_mut(third), Some(&mut 'c'));
        assert_eq!(slots.get_mut(second), Some(&mut 'b'));
        assert_eq!(slots.len(), 2);
        let beyond = ConnectionId {
            slot: 9,
            generation: 0,
        };
        assert_eq!(slots.get_mut(beyond), None);
    }

    #[test]
    fn an_empty_table_takes_nothing() {
        let mut slots = Slots::new(0);
        assert!(slots.is_full());
        assert_eq!(slots.insert(1), Err(1));
    }
}
