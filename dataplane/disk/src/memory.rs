//! The block of memory that a disk reads into and writes from.

use precursor_shm::ExtentPool;

/// A part of the memory, by its distance from the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    pub start: usize,
    pub length: usize,
}

/// One block of memory that outlives every operation on it.
///
/// # Safety
/// `base` and `length` describe memory that is mapped, readable and writable until the value is
/// dropped, and that may be changed by others at any time (it is shared between processes), so
/// that an operation of the kernel on it breaks no promise made to the compiler.
pub unsafe trait Memory: 'static {
    fn base(&self) -> *mut u8;
    fn length(&self) -> usize;
}

// SAFETY: a pool's bytes are a part of a shared mapping that the pool keeps for as long as it lives.
// References into it that the pool lends are bound to borrows of the pool, which an operation under
// way does not hold: the store leaves extents that are being read into alone, and of extents that
// are being written it changes only bytes that it writes again.
unsafe impl Memory for ExtentPool {
    fn base(&self) -> *mut u8 {
        self.region_bytes().0.cast_mut()
    }

    fn length(&self) -> usize {
        self.region_bytes().1
    }
}
