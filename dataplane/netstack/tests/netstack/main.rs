//! The stack against itself and against smoltcp over a network with seeded faults, packet scripts for
//! the rules of the RFCs, and what it costs.

mod double;
mod idle;
mod link;
mod link_errors;
mod loss;
mod ours;
mod random;
mod recovery;
mod rules;
mod script;
mod smol;
mod streams;
mod time_wait;
mod windows;
mod wire;

use precursor_memory::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();
