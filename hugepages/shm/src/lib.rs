//! The inter-process ABI: region, extent directory, rings, doorbells, stats page, control messages.
//!
//! One named file of shared memory outlives both processes. Every layout in it is `repr(C)` with
//! asserted offsets, holds offsets and never pointers, and whatever a peer (or a dead predecessor)
//! left in it is data: checked before it is believed.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod blocks;
mod buffer;
mod chunks;
pub mod control;
mod doorbell;
mod extent;
mod latency;
mod layout;
mod region;
pub mod ring;
mod stats;
mod status;

pub use buffer::{Buffer, BufferPool, BufferPoolUse};
pub use chunks::PoolOptions;
pub use doorbell::{Doorbell, DoorbellName};
pub use extent::{
    ExtentId, ExtentOwner, ExtentPool, ExtentPoolUse, ExtentState, RecoveredExtent, SetAside,
    SetAsideReason, WORDS_BYTES,
};
pub use latency::{KeyLatency, LATENCY_BUCKETS, LATENCY_KEYS, LatencyCounts, ShardLatency};
pub use region::{Found, Hugepages, Region, RegionError, RegionKind, RegionOptions};
pub use stats::{Counter, CounterKind, CounterName, ShardStats};
pub use status::{ProcessState, StatusPage};
