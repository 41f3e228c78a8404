//! A ring in the region.

use std::mem::{offset_of, size_of};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::RingUsage;
use super::cursor::{Cell, HEADER_BYTES, RingMemory};

/// The cursors of a ring. Each line has one writer (two lines: the neighbour is prefetched with it),
/// but for `sleeping`, which the producer clears.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct RingControl {
    written: AtomicU64,
    /// What the producer tells whoever watches; no rule of the ring depends on it.
    records_written: AtomicU64,
    bytes_waiting_max: AtomicU64,
    stalls: AtomicU64,
    _producer_line: [u64; 12],
    read: AtomicU64,
    /// What the consumer tells whoever watches.
    records_read: AtomicU64,
    _consumer_line: [u64; 14],
    sleeping: AtomicU32,
}

const _: () = {
    assert!(size_of::<RingControl>() == 384);
    assert!(offset_of!(RingControl, written) == 0);
    assert!(offset_of!(RingControl, read) == 128);
    assert!(offset_of!(RingControl, sleeping) == 256);
};

impl Cell<u64> for AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        AtomicU64::load(self, order)
    }
    fn store(&self, value: u64, order: Ordering) {
        AtomicU64::store(self, value, order);
    }
}

impl Cell<u32> for AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }
    fn store(&self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }
}

/// Adds to a number that has one writer, which therefore needs no atomic addition.
fn add(counter: &AtomicU64, amount: u64) {
    let value = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(value, Ordering::Relaxed);
}

/// One side's view of a ring in a mapping that outlives it (the side holds the region).
#[derive(Debug)]
pub(crate) struct SharedMemory {
    control: NonNull<RingControl>,
    bytes: NonNull<u8>,
    capacity: usize,
}

// SAFETY: the pointers are into a shared mapping, not tied to a thread; each side is owned by one
// thread at a time, and the cursors order the two.
unsafe impl Send for SharedMemory {}

impl SharedMemory {
    /// # Safety
    /// `control` points to a control block and `bytes` to `capacity` (a power of two) bytes of a ring
    /// in memory that stays mapped as long as this lives; `bytes` is 8-byte aligned.
    pub unsafe fn new(
        control: NonNull<RingControl>,
        bytes: NonNull<u8>,
        capacity: usize,
    ) -> SharedMemory {
        assert!(capacity.is_power_of_two());
        SharedMemory {
            control,
            bytes,
            capacity,
        }
    }

    fn control(&self) -> &RingControl {
        // SAFETY: `new`'s caller promised a control block that lives as long as this; it consists of
        // atomics, and any bytes are values of them.
        unsafe { self.control.as_ref() }
    }

    /// The ring as somebody sees it who is neither side: each number a moment after the other.
    pub fn usage(&self) -> RingUsage {
        let control = self.control();
        // The reader's first: what is read was written before.
        let read = control.read.load(Ordering::Acquire);
        let records_read = control.records_read.load(Ordering::Relaxed);
        let written = control.written.load(Ordering::Acquire);
        let records_written = control.records_written.load(Ordering::Relaxed);
        let bytes = written.wrapping_sub(read).min(self.capacity as u64);
        // A side that died between its two numbers must not leave an empty ring with records.
        let records = records_written.saturating_sub(records_read);
        RingUsage {
            capacity_bytes: self.capacity as u64,
            bytes,
            // Not `clamp`: a peer's garbage can say that less than a header waits.
            records: records
                .min(bytes / HEADER_BYTES as u64)
                .max(u64::from(bytes > 0)),
            bytes_max: control.bytes_waiting_max.load(Ordering::Relaxed),
            stalls: control.stalls.load(Ordering::Relaxed),
        }
    }

    /// Where the reader stands.
    pub fn position_read(&self) -> u64 {
        self.control().read.load(Ordering::Relaxed)
    }

    /// The producer published this many records while the reader stood at `read`: they and the most
    /// that ever waited are told.
    pub fn note_published(&self, records: u64, read: u64) {
        let control = self.control();
        add(&control.records_written, records);
        let written = control.written.load(Ordering::Relaxed);
        let waiting = written.wrapping_sub(read).min(self.capacity as u64);
        if waiting > control.bytes_waiting_max.load(Ordering::Relaxed) {
            control.bytes_waiting_max.store(waiting, Ordering::Relaxed);
        }
    }

    /// The producer found no room.
    pub fn note_stall(&self) {
        add(&self.control().stalls, 1);
    }

    /// What was published and not read is gone.
    pub fn note_all_read(&self) {
        let written = self.control().records_written.load(Ordering::Relaxed);
        self.control()
            .records_read
            .store(written, Ordering::Relaxed);
    }

    /// Nothing was published that is not read.
    pub fn note_all_written(&self) {
        let read = self.control().records_read.load(Ordering::Relaxed);
        self.control()
            .records_written
            .store(read, Ordering::Relaxed);
    }

    /// The consumer let go of a record.
    pub fn note_released(&self) {
        add(&self.control().records_read, 1);
    }

    /// Copies into the part of the ring that the writer owns.
    pub fn write(&self, at: usize, part: &[u8]) {
        assert!(at <= self.capacity && part.len() <= self.capacity - at);
        // SAFETY: in bounds by the assertion; the writer was given this range by `Writer::reserve`,
        // which saw that the reader is done with it.
        unsafe {
            std::ptr::copy_nonoverlapping(part.as_ptr(), self.bytes.as_ptr().add(at), part.len());
        }
    }

    /// A record's bytes, which the reader owns until it releases it.
    pub fn bytes(&self, at: usize, length: usize) -> &[u8] {
        assert!(at <= self.capacity && length <= self.capacity - at);
        // SAFETY: in bounds by the assertion; between the cursors only the reader touches the bytes,
        // and it releases them by `&mut`, after this borrow. (A peer that breaks the rules can change
        // them under us: whoever reads them decodes with checks and keeps copies.)
        unsafe { std::slice::from_raw_parts(self.bytes.as_ptr().add(at), length) }
    }

    fn header_pointer(&self, at: usize) -> *mut u64 {
        assert!(at.is_multiple_of(8) && at + 8 <= self.capacity);
        // SAFETY: in bounds by the assertion.
        unsafe { self.bytes.as_ptr().add(at).cast() }
    }
}

impl RingMemory for SharedMemory {
    type Cursor = AtomicU64;
    type Flag = AtomicU32;

    fn written(&self) -> &AtomicU64 {
        &self.control().written
    }
    fn read(&self) -> &AtomicU64 {
        &self.control().read
    }
    fn sleeping(&self) -> &AtomicU32 {
        &self.control().sleeping
    }
    fn fence(&self) {
        fence(Ordering::SeqCst);
    }
    fn capacity(&self) -> u64 {
        self.capacity as u64
    }

    fn header(&self, at: usize) -> (u32, u32) {
        // SAFETY: in bounds and aligned (`header_pointer`); volatile, so that it is read once even if
        // a hostile writer changes it.
        let value = unsafe { self.header_pointer(at).read_volatile() };
        (value as u32, (value >> 32) as u32)
    }

    fn set_header(&self, at: usize, length: u32, mark: u32) {
        let value = u64::from(length) | u64::from(mark) << 32;
        // SAFETY: in bounds and aligned (`header_pointer`); the writer owns these bytes.
        unsafe { self.header_pointer(at).write_volatile(value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The other process may have written anything.
    #[test]
    fn garbage_is_told_within_bounds() {
        for (written, read) in [(1, 0), (7, 0), (8, 0), (0, 1), (u64::MAX, 0), (3, u64::MAX)] {
            for (records_written, records_read) in [(0, 0), (u64::MAX, 0), (0, u64::MAX)] {
                let mut control = RingControl {
                    written: written.into(),
                    records_written: records_written.into(),
                    bytes_waiting_max: 0.into(),
                    stalls: 0.into(),
                    _producer_line: [0; 12],
                    read: read.into(),
                    records_read: records_read.into(),
                    _consumer_line: [0; 14],
                    sleeping: 0.into(),
                };
                let mut bytes = [0_u64; 512];
                let place = NonNull::from(&mut bytes).cast();
                // SAFETY: both outlive it, and the bytes are 4096 that begin at a multiple of eight.
                let ring = unsafe { SharedMemory::new(NonNull::from(&mut control), place, 4096) };
                let usage = ring.usage();
                assert!(usage.bytes <= 4096, "{usage:?}");
                assert!(usage.records <= usage.bytes, "{usage:?}");
            }
        }
    }
}
