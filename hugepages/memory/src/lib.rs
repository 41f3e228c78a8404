//! Mappings, the extent allocator, fast checksums, and what proves that a hot path allocates nothing.
//!
//! Nothing here knows of regions, logs or Kafka: these are the pieces that `precursor-shm` and the
//! data plane are built of.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod buddy;
mod copy;
mod counting;
mod crc;
mod mapping;
pub mod numa;
mod prefetch;
mod slab;
mod slice;
pub mod spsc;
mod sync;
mod text;

pub use buddy::{
    BuddyAllocator, CHUNK_BYTES, CHUNK_UNITS, ClaimError, ORDER_MAX, UNIT_BYTES, order_for,
};
pub use copy::{STREAMED_BYTES_MIN, copy_to_cold};
pub use counting::{AllocationCounts, CountingAllocator};
pub use crc::{crc32c, crc32c_append, crc32c_folding_append, crc32c_portable_append};
pub use mapping::Mapping;
pub use prefetch::{prefetch_to_read, prefetch_to_write};
pub use slab::{Slab, SlabKey, SlabUse};
pub use slice::{ask_for_short_turns, keep_off};
pub use text::release_start_text;
