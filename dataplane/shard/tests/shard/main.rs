//! A shard between a simulated network and a pretended control plane.

mod allocation;
mod compression;
mod connections;
mod control;
mod describe_producers;
mod faults;
mod fetch;
mod follow;
mod harness;
mod metadata;
mod own;
mod pitfalls;
mod produce;
mod quotas;
mod runtime;
mod sessions;
mod shards;
mod unwatched;
mod write;

use precursor_memory::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();
