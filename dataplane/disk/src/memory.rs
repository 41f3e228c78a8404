//! The block of memory that a disk reads into and writes from.

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
