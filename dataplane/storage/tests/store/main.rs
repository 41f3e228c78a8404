//! The store as a whole: against a model under crashes and power cuts, against damage, full disks
//! and real files.

mod allocation;
mod basics;
mod blank;
mod cold;
mod cold_damage;
mod compaction;
mod compression;
mod damage;
mod directories;
mod follow;
mod hanging;
mod hardware;
mod model;
mod offline;
mod offline_repair;
mod opening;
mod order;
mod policies;
mod promises;
mod quarantine;
mod read_ahead;
mod real;
mod short;
mod support;
mod times;
mod transactions;

#[global_allocator]
static ALLOCATOR: precursor_memory::CountingAllocator = precursor_memory::CountingAllocator::new();
