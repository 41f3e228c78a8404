//! Files that nobody vouches for: the fuzzer's corpus and seeded mutations of it on stable Rust.

mod mutation;
mod partitions;
mod targets;
