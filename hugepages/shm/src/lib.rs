//! The inter-process ABI: region, extent directory, rings, doorbells, stats page, control messages.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

pub mod control;
