//! Receive buffers that are registered with the ring: the kernel takes one per arrival, and it
//! comes back when the shard has copied its bytes out.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

/// The only group of buffers.
pub(crate) const BUFFER_GROUP: u16 = 0;
pub(crate) const BUFFER_BYTES: usize = 16 * 1024;
/// A power of two.
const BUFFER_COUNT: u16 = 256;
const NONE: u16 = u16::MAX;

const _: () = assert!(BUFFER_COUNT.is_power_of_two());

/// Anonymous zeroed memory; pages exist once touched.
struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping is plain memory that this value alone owns.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(bytes: usize) -> io::Result<Mapping> {
        // SAFETY: asks for a new mapping wherever there is room.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(address.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { base, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this value made the mapping, and nothing borrows from it any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

/// The buffers and the ring in which they are offered to the kernel. A buffer is either offered
/// or in one connection's [`Queue`].
pub(crate) struct BufferRing {
    entries: Mapping,
    memory: Mapping,
    tail: u16,
    /// Buffers in queues now.
    held: usize,
    /// Per buffer in a queue: the one after it, and how many bytes it holds.
    next: Box<[u16]>,
    length: Box<[u32]>,
}

/// Buffers with bytes that one connection received, oldest first.
pub(crate) struct Queue {
    first: u16,
    last: u16,
    count: u16,
    /// Bytes of `first` that were copied out already.
    taken: u32,
}

impl Queue {
    pub(crate) const EMPTY: Queue = Queue {
        first: NONE,
        last: NONE,
        count: 0,
        taken: 0,
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn count(&self) -> u16 {
        self.count
    }
}

impl BufferRing {
    pub(crate) fn new() -> io::Result<BufferRing> {
        let count = usize::from(BUFFER_COUNT);
        let mut buffers = BufferRing {
            entries: Mapping::new(count * size_of::<BufRingEntry>())?,
            memory: Mapping::new(count * BUFFER_BYTES)?,
            tail: 0,
            held: 0,
            next: vec![NONE; count].into_boxed_slice(),
            length: vec![0; count].into_boxed_slice(),
        };
        for buffer in 0..BUFFER_COUNT {
            buffers.offer(buffer);
        }
        Ok(buffers)
    }

    /// Address and number of entries, for the registration.
    pub(crate) fn location(&self) -> (u64, u16) {
        (self.entries.base.as_ptr() as u64, BUFFER_COUNT)
    }

    /// Buffers that hold bytes which no shard has read yet.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Gives a buffer to the kernel.
    fn offer(&mut self, buffer: u16) {
        let ring = self.entries.base.as_ptr().cast::<BufRingEntry>();
        let place = usize::from(self.tail & (BUFFER_COUNT - 1));
        // SAFETY: `place` is within the ring of entries, and the kernel reads an entry only once
        // the tail has passed it.
        let entry = unsafe { &mut *ring.add(place) };
        // SAFETY: the offset is within the buffers' memory.
        let address = unsafe { self.memory.base.add(usize::from(buffer) * BUFFER_BYTES) };
        entry.set_addr(address.as_ptr() as u64);
        entry.set_len(BUFFER_BYTES as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `ring` is the first entry, where the tail lives in a field that the setters do
        // not touch; it is aligned for a u16 and shared with the kernel, which only loads it.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(ring).cast_mut()) };
        // Pairs with the kernel's acquire load of the tail.
        tail.store(self.tail, Ordering::Release);
    }

    /// Appends a buffer that the kernel filled with `length` bytes. What the kernel names is
    /// checked, as everything from beyond a border.
    pub(crate) fn append(&mut self, queue: &mut Queue, buffer: u16, length: usize) {
        assert!(buffer < BUFFER_COUNT && length > 0 && length <= BUFFER_BYTES);
        self.length[usize::from(buffer)] = length as u32;
        self.next[usize::from(buffer)] = NONE;
        match queue.last {
            NONE => queue.first = buffer,
            last => self.next[usize::from(last)] = buffer,
        }
        queue.last = buffer;
        queue.count += 1;
        self.held += 1;
    }

    /// Gives a buffer back unread.
    pub(crate) fn discard(&mut self, buffer: u16) {
        assert!(buffer < BUFFER_COUNT);
        self.offer(buffer);
    }

    /// Copies queued bytes into `into` and gives emptied buffers back; returns how many bytes.
    pub(crate) fn take(&mut self, queue: &mut Queue, into: &mut [u8]) -> usize {
        let mut copied = 0;
        while copied < into.len() && queue.count > 0 {
            let buffer = usize::from(queue.first);
            let left = (self.length[buffer] - queue.taken) as usize;
            let part = left.min(into.len() - copied);
            let offset = buffer * BUFFER_BYTES + queue.taken as usize;
            // SAFETY: the kernel wrote `length` bytes into this buffer and does not touch it until
            // it is offered again; the range lies within them.
            let bytes =
                unsafe { std::slice::from_raw_parts(self.memory.base.add(offset).as_ptr(), part) };
            into[copied..copied + part].copy_from_slice(bytes);
            copied += part;
            queue.taken += part as u32;
            if part == left {
                self.drop_first(queue);
            }
        }
        copied
    }

    /// Gives all of a queue's buffers back.
    pub(crate) fn clear(&mut self, queue: &mut Queue) {
        while queue.count > 0 {
            self.drop_first(queue);
        }
    }

    fn drop_first(&mut self, queue: &mut Queue) {
        let buffer = queue.first;
        queue.first = self.next[usize::from(buffer)];
        queue.count -= 1;
        queue.taken = 0;
        self.held -= 1;
        if queue.count == 0 {
            queue.last = NONE;
        }
        self.offer(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_share_the_buffers_and_give_them_back() {
        let mut buffers = BufferRing::new().unwrap();
        let offered = buffers.tail;
        let (mut one, mut two) = (Queue::EMPTY, Queue::EMPTY);
        buffers.append(&mut one, 3, 10);
        buffers.append(&mut two, 4, 7);
        buffers.append(&mut one, 5, BUFFER_BYTES);
        assert_eq!(one.count(), 2);
        let mut room = vec![1; 4];
        assert_eq!(buffers.take(&mut one, &mut room), 4);
        let mut room = vec![1; 2 * BUFFER_BYTES];
        assert_eq!(buffers.take(&mut one, &mut room), 6 + BUFFER_BYTES);
        assert!(one.is_empty());
        assert_eq!(buffers.take(&mut one, &mut room), 0);
        buffers.clear(&mut two);
        assert!(two.is_empty());
        assert_eq!(buffers.tail.wrapping_sub(offered), 3);
    }
}
