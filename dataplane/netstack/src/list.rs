//! First-in-first-out lists of slots without memory of their own per entry.

/// No slot.
pub const NONE: u32 = u32::MAX;
const ABSENT: u32 = u32::MAX - 1;

/// A queue in which each of the slots 0..n stands at most once.
pub struct List {
    next: Vec<u32>,
    first: u32,
    last: u32,
}

impl List {
    pub fn new(capacity: usize) -> List {
        List {
            next: Vec::with_capacity(capacity),
            first: NONE,
            last: NONE,
        }
    }

    /// Makes room for one more slot.
    pub fn grow(&mut self) {
        self.next.push(ABSENT);
    }

    pub fn bytes(&self) -> usize {
        self.next.capacity() * size_of::<u32>()
    }

    /// Puts `slot` at the end, where it does not stand in the list already.
    pub fn push(&mut self, slot: u32) {
        if self.next[slot as usize] != ABSENT {
            return;
        }
        self.next[slot as usize] = NONE;
        match self.last {
            NONE => self.first = slot,
            last => self.next[last as usize] = slot,
        }
        self.last = slot;
    }

    pub fn front(&self) -> Option<u32> {
        Some(self.first).filter(|slot| *slot != NONE)
    }

    /// Whether others wait behind the first.
    pub fn has_several(&self) -> bool {
        self.first != self.last
    }

    pub fn pop(&mut self) -> Option<u32> {
        let slot = self.front()?;
        self.first = self.next[slot as usize];
        if self.first == NONE {
            self.last = NONE;
        }
        self.next[slot as usize] = ABSENT;
        Some(slot)
    }
}
