//! File I/O for one shard: io_uring, O_DIRECT, and a helper thread for metadata operations.
//!
//! A [`Disk`] moves bytes between files and one block of memory (the region's extents) and never
//! blocks its caller. What blocks by nature (create, rename, unlink, load) runs as jobs of a
//! [`Helper`] thread against a [`FileSystem`]: the system's own, or the double of [`sim`] that can
//! lose power and fail.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod engine;
mod file_system;
mod helper;
mod memory;
pub mod sim;
mod system;
mod thread;
mod uring;
mod wake;
mod within;

pub use engine::{Completion, Disk, DiskDriver};
pub use file_system::{DiskFile, FileSystem, OpenMode, RandomFile, Unsynced, Volume};
pub use helper::{Helper, give_way};
pub use memory::{Memory, MemoryRange};
pub use precursor_memory::keep_off;
pub use system::{SystemFileSystem, direct_io_works, may_reserve};
pub use wake::Wake;
pub use within::{Progress, within};

/// What O_DIRECT asks of offsets, lengths and addresses.
pub const BLOCK: u64 = 4096;
