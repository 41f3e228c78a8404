//! Our side of the rings: each position is written by one side and read by the other.
//!
//! A position that we publish with Release pairs with the kernel's Acquire, and the other way round.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;

use crate::sys::RingMemory;

/// A ring that the kernel fills: received frames, or chunks that were sent.
pub(crate) struct ConsumerRing {
    memory: RingMemory,
    /// What we have taken, and what we have seen of the kernel's position.
    taken: u32,
    filled: u32,
}

impl ConsumerRing {
    pub(crate) fn new(memory: RingMemory) -> ConsumerRing {
        let taken = memory.consumer().load(Ordering::Relaxed);
        ConsumerRing {
            memory,
            taken,
            filled: taken,
        }
    }

    /// Entries that can be taken; looks at the kernel's position only when none is known.
    pub(crate) fn available(&mut self) -> u32 {
        if self.filled == self.taken {
            self.filled = self.memory.producer().load(Ordering::Acquire);
        }
        self.filled.wrapping_sub(self.taken)
    }

    /// The memory, and the position of the first entry.
    pub(crate) fn entries(&self) -> (&RingMemory, u32) {
        (&self.memory, self.taken)
    }

    /// Gives the room of `count` entries back.
    pub(crate) fn release(&mut self, count: u32) {
        assert!(count <= self.filled.wrapping_sub(self.taken));
        self.taken = self.taken.wrapping_add(count);
        self.memory.consumer().store(self.taken, Ordering::Release);
    }
}

/// A ring that we fill: chunks to receive into, or frames to send.
pub(crate) struct ProducerRing {
    memory: RingMemory,
    /// What we have written, what of it is published, and what we have seen the kernel take.
    written: u32,
    published: u32,
    taken: u32,
}

impl ProducerRing {
    pub(crate) fn new(memory: RingMemory) -> ProducerRing {
        let written = memory.producer().load(Ordering::Relaxed);
        ProducerRing {
            memory,
            written,
            published: written,
            taken: written,
        }
    }

    /// Room as last seen.
    pub(crate) fn room(&self) -> u32 {
        self.memory.entries() - self.written.wrapping_sub(self.taken)
    }

    /// Looks how far the kernel is.
    pub(crate) fn refresh(&mut self) {
        self.taken = self.memory.consumer().load(Ordering::Acquire);
    }

    /// Writes one entry with `write`, which gets the memory and the position. There must be room.
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut RingMemory, u32)) {
        assert!(self.room() > 0, "room is looked for first");
        write(&mut self.memory, self.written);
        self.written = self.written.wrapping_add(1);
    }

    /// Lets the kernel see what was written; returns how many entries are new to it.
    pub(crate) fn publish(&mut self) -> u32 {
        let count = self.written.wrapping_sub(self.published);
        if count > 0 {
            self.published = self.written;
            self.memory
                .producer()
                .store(self.written, Ordering::Release);
        }
        count
    }

    /// Whether the kernel has yet to take something that was published.
    pub(crate) fn has_backlog(&mut self) -> bool {
        if self.taken != self.published {
            self.refresh();
        }
        self.taken != self.published
    }

    /// Whether the kernel sleeps and wants to be woken.
    pub(crate) fn needs_wakeup(&self) -> bool {
        self.memory.flags().load(Ordering::Relaxed) & libc::XDP_RING_NEED_WAKEUP != 0
    }
}

/// Maps one ring of a socket.
pub(crate) fn map(
    socket: BorrowedFd<'_>,
    offsets: libc::xdp_ring_offset,
    page_offset: u64,
    entries: u32,
    entry_bytes: usize,
) -> io::Result<RingMemory> {
    let page_offset = page_offset as libc::off_t;
    RingMemory::map(socket, offsets, page_offset, entries, entry_bytes)
}
