//! Memory that the kernel reads and writes too: rings of positions, and chunks of frames.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::AtomicU32;

use precursor_memory::Mapping;

/// Where a frame lies in the chunks, and its length.
pub(crate) type Descriptor = libc::xdp_desc;

/// One mapped ring. Positions count on for ever; they are masked here, so that none leaves the
/// ring.
pub(crate) struct RingMemory {
    base: *mut u8,
    bytes: usize,
    offsets: libc::xdp_ring_offset,
    mask: u32,
}

// SAFETY: the mapping belongs to the process; its one owner may be any thread.
unsafe impl Send for RingMemory {}

impl RingMemory {
    /// Maps the ring of `entries` (a power of two) of `entry_bytes` that lies at `page_offset`.
    pub(crate) fn map(
        socket: BorrowedFd<'_>,
        offsets: libc::xdp_ring_offset,
        page_offset: libc::off_t,
        entries: u32,
        entry_bytes: usize,
    ) -> io::Result<RingMemory> {
        assert!(entries.is_power_of_two());
        let bytes = offsets.desc as usize + entries as usize * entry_bytes;
        // SAFETY: a new mapping, wherever the kernel puts it.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                socket.as_raw_fd(),
                page_offset,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(RingMemory {
            base: base.cast(),
            bytes,
            offsets,
            mask: entries - 1,
        })
    }

    pub(crate) fn entries(&self) -> u32 {
        self.mask + 1
    }

    fn word(&self, offset: u64) -> &AtomicU32 {
        assert!(offset as usize + 4 <= self.bytes && offset.is_multiple_of(4));
        // SAFETY: within the mapping and aligned; both sides use it as an atomic word.
        unsafe { AtomicU32::from_ptr(self.base.add(offset as usize).cast()) }
    }

    pub(crate) fn producer(&self) -> &AtomicU32 {
        self.word(self.offsets.producer)
    }

    pub(crate) fn consumer(&self) -> &AtomicU32 {
        self.word(self.offsets.consumer)
    }

    pub(crate) fn flags(&self) -> &AtomicU32 {
        self.word(self.offsets.flags)
    }

    fn entry<T>(&self, position: u32) -> *mut T {
        let at = self.offsets.desc as usize + (position & self.mask) as usize * size_of::<T>();
        assert!(at + size_of::<T>() <= self.bytes);
        // SAFETY: just seen to be within the mapping.
        unsafe { self.base.add(at).cast() }
    }

    pub(crate) fn descriptor(&self, position: u32) -> Descriptor {
        // SAFETY: within the mapping; the kernel does not write what it has published.
        unsafe { self.entry::<Descriptor>(position).read() }
    }

    pub(crate) fn set_descriptor(&mut self, position: u32, descriptor: Descriptor) {
        // SAFETY: within the mapping; the kernel does not read what is not published yet.
        unsafe { self.entry::<Descriptor>(position).write(descriptor) }
    }

    pub(crate) fn address(&self, position: u32) -> u64 {
        // SAFETY: as for `descriptor`.
        unsafe { self.entry::<u64>(position).read() }
    }

    pub(crate) fn set_address(&mut self, position: u32, address: u64) {
        // SAFETY: as for `set_descriptor`.
        unsafe { self.entry::<u64>(position).write(address) }
    }
}

impl Drop for RingMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made with this length, and every reference borrows `self`.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// The frames' memory (the kernel's word is UMEM). A chunk is the kernel's while its address is in
/// a ring, ours otherwise; who calls here keeps to that.
pub(crate) struct Chunks {
    mapping: Mapping,
    bytes: usize,
}

// SAFETY: the mapping belongs to the process; its one owner may be any thread.
unsafe impl Send for Chunks {}

impl Chunks {
    pub(crate) fn new(bytes: usize) -> io::Result<Chunks> {
        let mapping = Mapping::anonymous_huge(bytes)?;
        mapping.prefault(0, bytes)?;
        Ok(Chunks { mapping, bytes })
    }

    pub(crate) fn base(&self) -> u64 {
        self.mapping.as_ptr() as u64
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A received frame, which the kernel has handed over.
    pub(crate) fn frame(&self, address: u64, bytes: usize) -> &[u8] {
        let address = address as usize;
        assert!(address <= self.bytes && bytes <= self.bytes - address);
        // SAFETY: within the mapping; the chunk left the kernel with the descriptor that named it
        // and goes back only when this borrow has ended.
        unsafe { std::slice::from_raw_parts(self.mapping.as_ptr().add(address), bytes) }
    }

    /// Room of a chunk that is ours.
    pub(crate) fn room(&mut self, address: u64, bytes: usize) -> &mut [u8] {
        let address = address as usize;
        assert!(address <= self.bytes && bytes <= self.bytes - address);
        // SAFETY: within the mapping; a chunk that waits to be filled is in no ring.
        unsafe { std::slice::from_raw_parts_mut(self.mapping.as_ptr().add(address), bytes) }
    }
}
