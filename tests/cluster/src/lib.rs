//! End-to-end tests of running brokers: crashes, garbage, limits.
//!
//! [`node::Node`] starts the real binaries in a directory of its own and kills them; the client
//! half is ours too: messages come from `precursor-protocol`, record batches from [`batch`], which
//! shares no code with the broker, so that a mistake there cannot hide itself.
#![forbid(unsafe_code)]

pub mod batch;
pub mod client;
pub mod compaction;
pub mod crash;
pub mod groups;
pub mod lab;
mod lab_follow;
pub mod lab_rdma;
mod lab_write;
pub mod latency;
pub mod load;
pub mod node;
pub mod partitions;
pub mod proc;
