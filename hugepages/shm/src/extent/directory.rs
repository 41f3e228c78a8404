//! The extent directory: what a successor learns about each extent, 64 bytes per smallest extent.

use std::mem::{align_of, offset_of, size_of};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use precursor_memory::{CHUNK_UNITS, crc32c};
use precursor_model::LogUid;

/// Which range of which file an extent holds: from `file_position` in the segment of `log` that begins
/// with offset `segment_base`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtentOwner {
    pub log: LogUid,
    pub segment_base: i64,
    pub file_position: u64,
}

/// How far a lent extent is on its way to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ExtentState {
    /// Records are being appended.
    Open = 1,
    /// Complete, not yet on disk.
    Sealed = 2,
    /// On disk; kept as a cache.
    Written = 3,
}

impl ExtentState {
    pub(super) fn from_u32(value: u32) -> Option<ExtentState> {
        match value {
            1 => Some(ExtentState::Open),
            2 => Some(ExtentState::Sealed),
            3 => Some(ExtentState::Written),
            _ => None,
        }
    }
}

/// The state of an entry that says nothing, as fresh memory does.
pub(super) const FREE: u32 = 0;

/// One entry. The owning shard writes; its successor reads. All fields are atomics because another
/// process may look at any time; the order of the stores is what a crash can see of them.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct DirectoryEntry {
    log: AtomicU64,
    segment_base: AtomicI64,
    file_position: AtomicU64,
    committed: AtomicU64,
    state: AtomicU32,
    generation: AtomicU32,
    order: AtomicU32,
    /// Over the fields that do not change while the extent is lent.
    check: AtomicU32,
    reserved: [u64; 2],
}

const _: () = {
    assert!(size_of::<DirectoryEntry>() == 64 && align_of::<DirectoryEntry>() == 64);
    assert!(offset_of!(DirectoryEntry, log) == 0);
    assert!(offset_of!(DirectoryEntry, segment_base) == 8);
    assert!(offset_of!(DirectoryEntry, file_position) == 16);
    assert!(offset_of!(DirectoryEntry, committed) == 24);
    assert!(offset_of!(DirectoryEntry, state) == 32);
    assert!(offset_of!(DirectoryEntry, generation) == 36);
    assert!(offset_of!(DirectoryEntry, order) == 40);
    assert!(offset_of!(DirectoryEntry, check) == 44);
    // The words that are read from afar.
    assert!(WORDS_AT + WORDS_BYTES == offset_of!(DirectoryEntry, order));
};

/// Bytes of what is read from afar of an entry, in this order, little-endian: `committed` (8 bytes),
/// `state` (0: nobody's; see [`ExtentState`]) and `generation` (4 bytes each).
pub const WORDS_BYTES: usize = 16;
/// Where they are in the entry.
pub(super) const WORDS_AT: usize = offset_of!(DirectoryEntry, committed);

/// Bytes of the directory that describe one chunk.
pub(super) const fn chunk_bytes() -> usize {
    CHUNK_UNITS * size_of::<DirectoryEntry>()
}

impl DirectoryEntry {
    pub fn open(&self, owner: ExtentOwner, order: u8, generation: u32) {
        let raw = RawEntry {
            log: owner.log.0,
            segment_base: owner.segment_base,
            file_position: owner.file_position,
            committed: 0,
            state: FREE,
            generation,
            order: u32::from(order),
            check: 0,
        };
        self.log.store(raw.log, Ordering::Relaxed);
        self.segment_base.store(raw.segment_base, Ordering::Relaxed);
        self.file_position
            .store(raw.file_position, Ordering::Relaxed);
        self.committed.store(0, Ordering::Relaxed);
        self.generation.store(generation, Ordering::Relaxed);
        self.order.store(raw.order, Ordering::Relaxed);
        self.check
            .store(raw.checksum(self.place()), Ordering::Relaxed);
        // Release: whoever finds the entry open after a crash finds the fields above.
        self.state
            .store(ExtentState::Open as u32, Ordering::Release);
    }

    /// A cache extent says nothing to a successor.
    pub fn open_cache(&self) {
        self.committed.store(0, Ordering::Relaxed);
    }

    pub fn publish(&self, committed: u64) {
        // Release: whoever finds these bytes committed after a crash finds the bytes.
        self.committed.store(committed, Ordering::Release);
    }

    pub fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    pub fn set_state(&self, state: ExtentState) {
        // A cache extent's entry stays free.
        if self.state.load(Ordering::Relaxed) != FREE {
            self.state.store(state as u32, Ordering::Release);
        }
    }

    pub fn close(&self) {
        self.state.store(FREE, Ordering::Release);
    }

    /// Mixed into the checksum, so that an entry copied elsewhere is not believed. The low bits of the
    /// address are the same in every process, because directories are page-aligned in the file.
    fn place(&self) -> u32 {
        (std::ptr::from_ref(self).addr() % 4096 / size_of::<DirectoryEntry>()) as u32
    }
}

/// An entry as it lies in the file, believed to be nothing but bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawEntry {
    pub log: u64,
    pub segment_base: i64,
    pub file_position: u64,
    pub committed: u64,
    pub state: u32,
    pub generation: u32,
    pub order: u32,
    pub check: u32,
}

impl RawEntry {
    pub fn from_bytes(bytes: &[u8; 64]) -> RawEntry {
        let u64_at = |at| u64::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
        let u32_at = |at| u32::from_le_bytes(std::array::from_fn(|index| bytes[at + index]));
        RawEntry {
            log: u64_at(0),
            segment_base: u64_at(8) as i64,
            file_position: u64_at(16),
            committed: u64_at(24),
            state: u32_at(32),
            generation: u32_at(36),
            order: u32_at(40),
            check: u32_at(44),
        }
    }

    /// `place` is the entry's number within its page.
    pub fn checksum(&self, place: u32) -> u32 {
        let mut bytes = [0_u8; 40];
        bytes[..8].copy_from_slice(&self.log.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.segment_base.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.file_position.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.generation.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.order.to_le_bytes());
        bytes[32..36].copy_from_slice(&place.to_le_bytes());
        crc32c(&bytes)
    }
}
