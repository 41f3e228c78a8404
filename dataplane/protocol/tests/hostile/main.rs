//! Bytes that nobody vouches for: the fuzzer's corpus and seeded mutations of it on stable Rust,
//! and messages that claim more than they bring.

mod memory;
mod mutation;
mod targets;

#[global_allocator]
static ALLOCATOR: precursor_memory::CountingAllocator = precursor_memory::CountingAllocator::new();
